//! What one shift leaves to the next.

use noroshi_proto::time::Millis;
use noroshi_store::alert::Severity;
use noroshi_store::cases::{Case, Transition};
use noroshi_store::deliveries::{Delivery, DeliveryState, Form};
use noroshi_store::origin::PartnerId;
use uuid::Uuid;

use crate::desk::{Browser, Desk, HOST, host};

async fn leave(browser: &mut Browser, note: &str) {
    let token = browser.token().await;
    let fields = [("token", token.as_str()), ("note", note)];
    assert_eq!(browser.post("/shift/hand-over", &fields).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_follow_from_one_another_and_a_forged_one_does_not() {
    let desk = Desk::open().await;
    desk.store
        .audit("operator:old", "console hand-over", "before digests")
        .await
        .unwrap();
    let mut operator = desk.signed_in("operator").await;
    leave(&mut operator, "watch tcp/5555\r\nand call them").await;
    leave(&mut operator, "all quiet").await;
    let page = operator.get("/shift").await;
    assert!(
        page.body.contains("Notes checked: 2. Each follows"),
        "{}",
        page.body
    );
    assert!(page.body.contains("Written before notes bore digests"));
    assert!(page.body.contains("SHA-256 ") && !page.body.contains("does not follow"));
    let last = desk.audit().await;
    let (_, action, _) = last
        .iter()
        .find(|(_, _, note)| note == "all quiet")
        .unwrap();
    // the same digest under other words, as who can write the store might leave it
    let at = Millis(4_000_000_000_000).to_string();
    let forged = action.replace(action.split(' ').nth(2).unwrap(), &at);
    desk.store
        .audit("operator:operator", &forged, "nothing to do")
        .await
        .unwrap();
    let page = operator.get("/shift").await;
    assert!(page.body.contains("does not follow"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_escalated_stands_beside_what_opened() {
    let desk = Desk::open().await;
    for (version, severity) in [(1, Severity::Low), (2, Severity::High)] {
        let mut alert = host(1, Some("th-cert"), HOST);
        alert.severity = severity;
        let transition = Transition {
            case: Case { alert, version },
            by: "analyzer".to_owned(),
            at: Millis(1_793_577_600_000 + version),
            note: String::new(),
        };
        desk.store.record(&[transition]).await.unwrap();
    }
    desk.record(host(2, Some("my-cert"), "198.51.100.9")).await;
    let mut analyst = desk.signed_in("analyst").await;
    let page = analyst.get("/shift").await;
    assert!(page.body.contains("more urgent"), "{}", page.body);
    assert!(!page.body.contains("further people were told"));
    let now = desk.store.wall_time().await.unwrap();
    let unanswered = Delivery {
        id: Uuid::from_u128(77),
        partner: PartnerId::new("my-cert").unwrap(),
        channel: "mail".to_owned(),
        revision: 1,
        form: Form::Single,
        state: DeliveryState::Delivered,
        case: Uuid::from_u128(2),
        event: "unanswered".to_owned(),
        severity: Severity::High,
        recorded: 0,
        attempt: 1,
        planned_at: now,
        released_at: now,
        next_at: now,
        within: Uuid::nil(),
        error: String::new(),
        body: String::new(),
    };
    desk.store.record_deliveries(&[unanswered]).await.unwrap();
    let page = analyst.get("/shift").await;
    assert!(
        page.body.contains("further people were told"),
        "{}",
        page.body
    );
    assert!(!page.body.contains(HOST) && !page.body.contains("198.51.100.9"));
    let escalated = desk
        .store
        .escalated(Millis(now.0 + 600_000), 9)
        .await
        .unwrap();
    assert_eq!(escalated, [], "of this time alone");
}
