//! What a partner finds of its own.

use noroshi_proto::time::Millis;
use noroshi_store::positions::Access;
use noroshi_store::remedy::Event;
use noroshi_store::steps::Step;
use uuid::Uuid;

use crate::desk::{Desk, HOST, host};

const OTHERS: &str = "198.51.100.9";

#[tokio::test(flavor = "multi_thread")]
async fn feeds_tell_when_their_own_machines_read_them_and_how_to_try_them() {
    let desk = Desk::open().await;
    // Two hours ago: nothing else on the page is of that minute.
    let now = Millis(desk.store.wall_time().await.unwrap().0 - 7_200_000);
    let read = |who: &str, action: &str| Access {
        at: now,
        who: who.to_owned(),
        action: action.to_owned(),
    };
    let reads = [
        read("partner:th-cert", "GET /v1/alerts.jsonl?after=7 200"),
        read("partner:th-cert", "GET /misp/manifest.json 403"),
    ];
    desk.store.note_accesses(&reads).await.unwrap();
    let minute = now.to_string().get(..16).unwrap().replace('T', " ");
    let seen = |page: &str| page.matches(&format!(">{minute}<")).count();
    let mine = desk.signed_in("th-cert").await.get("/mine").await;
    assert_eq!(seen(&mine.body), 1, "a refusal is no read: {}", mine.body);
    assert!(
        mine.body
            .contains("curl --fail --user th-cert https://feeds.example.org/v1/alerts.jsonl")
    );
    assert!(mine.body.contains("sha256sum token"));
    let others = desk.signed_in("my-cert").await.get("/mine").await;
    assert_eq!(seen(&others.body), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_counts_what_is_its_own() {
    let desk = Desk::open().await;
    desk.record(host(1, Some("th-cert"), HOST)).await;
    desk.record(host(2, Some("my-cert"), OTHERS)).await;
    let step = |number: u128, partner: &str| Step {
        case: Uuid::from_u128(number),
        id: Uuid::from_u128(100 + number),
        event: Event::Resolve,
        at: Millis(1_793_600_000_000),
        by: format!("partner:{partner}"),
        note: String::new(),
        probability: None,
        partner: partner.to_owned(),
    };
    desk.store
        .record_steps(&[step(2, "my-cert")])
        .await
        .unwrap();
    let row = |name: &str, week: u64, before: u64| {
        let cell = |count| format!("<td class=\"n\">{count}</td>");
        format!(
            "<th scope=\"row\">{name}</th>{}{}",
            cell(week),
            cell(before)
        )
    };
    let mut north = desk.signed_in("th-cert").await;
    let page = north.get("/mine/week?of=2026-W45").await;
    for line in [
        row("Infected hosts, new", 0, 1),
        row("Infected hosts seen", 0, 1),
        row("Infected hosts seen in it, still open or seen later", 0, 1),
        row("Cases called resolved, or confirmed clean", 0, 0),
    ] {
        assert!(page.body.contains(&line), "{line}: {}", page.body);
    }
    assert!(page.body.contains(HOST) && !page.body.contains(OTHERS));
    assert!(!page.body.contains("my-cert"));
    let page = desk
        .signed_in("my-cert")
        .await
        .get("/mine/week?of=2026-W45")
        .await;
    let line = row("Cases called resolved, or confirmed clean", 1, 0);
    assert!(page.body.contains(&line), "{}", page.body);
    assert!(!page.body.contains(HOST));
    for wrong in ["2026-W99", "9999-W01", "x"] {
        let path = format!("/mine/week?of={wrong}");
        assert_eq!(north.get(&path).await.status, 400, "{wrong}");
    }
}
