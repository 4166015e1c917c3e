//! What partners do with their cases, over the feed and by links out of mails.

use noroshi_feeds::links::Link;
use noroshi_proto::time::Millis;
use noroshi_store::remedy::Event;
use uuid::Uuid;

use super::desk::{Answer, Desk, NORTH, SOUTH};

async fn say(desk: &Desk, token: &str, case: u128, body: &str) -> Answer {
    let line = format!("POST /v1/alerts/{}/remedy", Uuid::from_u128(case));
    let authorization = format!("Bearer {token}");
    desk.send(&line, &[("authorization", &authorization)], body)
        .await
}

async fn history(desk: &Desk, token: &str, case: u128) -> Answer {
    let line = format!("GET /v1/alerts/{}/history", Uuid::from_u128(case));
    desk.ask(&line, Some(&format!("Bearer {token}"))).await
}

#[tokio::test]
async fn a_partner_says_where_its_case_stands() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    let answer = say(
        &desk,
        NORTH,
        1,
        r#"{"state":"acknowledged","note":"on it"}"#,
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer.body.contains(r#""remedy":{"state":"acknowledged""#),
        "{answer:?}"
    );
    let answer = say(&desk, NORTH, 1, r#"{"note":"called the provider"}"#).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = say(&desk, NORTH, 1, r#"{"state":"acknowledged"}"#).await;
    assert_eq!(answer.status, 409, "{answer:?}");
    assert!(
        answer.body.contains("possible are: notified, cleaning"),
        "{answer:?}"
    );
    for wrong in [
        "",
        "{}",
        "[]",
        r#"{"state":"confirmed"}"#,
        r#"{"state":"acknowledged","more":1}"#,
    ] {
        let answer = say(&desk, NORTH, 1, wrong).await;
        assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
    }
    let long = format!(r#"{{"note":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(say(&desk, NORTH, 1, &long).await.status, 400);
    desk.step(1, "th-cert", Event::Note).await; // the centre's own
    let told = history(&desk, NORTH, 1).await;
    for part in [
        "partner:th-cert:feed",
        "on it",
        "called the provider",
        "telescopes",
    ] {
        assert!(told.body.contains(part), "{part}: {told:?}");
    }
    for kept in ["operator", "anan", "of case 1"] {
        assert!(!told.body.contains(kept), "{kept}: {told:?}");
    }
    desk.close().await;
}

#[tokio::test]
async fn sent_again_it_is_taken_once() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    let line = format!("POST /v1/alerts/{}/remedy", Uuid::from_u128(1));
    let authorization = format!("Bearer {NORTH}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("idempotency-key", "7"),
    ];
    for _ in 0..2 {
        let answer = desk.send(&line, &headers, r#"{"state":"resolved"}"#).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let steps = desk
        .store
        .steps(&[Uuid::from_u128(1)])
        .await
        .expect("steps");
    assert_eq!(steps.len(), 1);
    desk.close().await;
}

#[tokio::test]
async fn nobody_touches_or_learns_of_anothers_case() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    for body in [r#"{"state":"acknowledged"}"#, "garbage"] {
        let foreign = say(&desk, SOUTH, 1, body).await;
        let unknown = say(&desk, SOUTH, 99, body).await;
        assert_eq!(foreign.status, 404);
        assert_eq!(foreign, unknown);
    }
    let foreign = history(&desk, SOUTH, 1).await;
    assert_eq!(foreign, history(&desk, SOUTH, 99).await);
    assert_eq!(foreign.status, 404);
    let steps = desk
        .store
        .steps(&[Uuid::from_u128(1)])
        .await
        .expect("steps");
    assert!(steps.is_empty());
    desk.close().await;
}

#[tokio::test]
async fn a_link_takes_its_step_when_it_is_pressed_and_not_before() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    let mut link = Link {
        case: Uuid::from_u128(1),
        event: Event::Acknowledge,
        until: Millis(4_102_444_800_000),
    };
    let path = link.path(&desk.key());
    let opened = desk.ask(&format!("GET {path}"), None).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    assert!(opened.body.contains("Mark as: Acknowledged"), "{opened:?}");
    assert!(
        !opened.body.contains("203.0.113.7"),
        "no address: {opened:?}"
    );
    let cases = [link.case];
    let steps = || desk.store.steps(&cases);
    assert!(
        steps().await.expect("steps").is_empty(),
        "opening changes nothing"
    );
    for _ in 0..2 {
        let pressed = desk
            .send(&format!("POST {path}"), &[], "note=by+phone")
            .await;
        assert_eq!(pressed.status, 200, "{pressed:?}");
    }
    let taken = steps().await.expect("steps");
    assert_eq!(taken.len(), 1, "pressed twice, taken once");
    assert_eq!(
        (taken[0].by.as_str(), taken[0].note.as_str()),
        ("partner:th-cert:link", "by phone")
    );

    let forged = path.replace("acknowledged", "resolved");
    assert_eq!(desk.ask(&format!("GET {forged}"), None).await.status, 404);
    assert_eq!(
        desk.send(&format!("POST {forged}"), &[], "note=")
            .await
            .status,
        404
    );
    link.until = Millis(1);
    let lapsed = link.path(&desk.key());
    assert_eq!(desk.ask(&format!("GET {lapsed}"), None).await.status, 410);
    assert_eq!(
        desk.send(&format!("POST {lapsed}"), &[], "note=")
            .await
            .status,
        410
    );
    desk.close().await;
}
