//! Nobody learns anything of anybody else, by any route.

use noroshi_store::remedy::Event;
use uuid::Uuid;

use super::desk::{Desk, NORTH, SOUTH};

/// Every way to ask, with the alert's id put in place of `{id}`.
const ROUTES: [&str; 14] = [
    "GET /v1/alerts.jsonl",
    "GET /v1/alerts.jsonl?limit=1000",
    "GET /v1/alerts.jsonl?since=&limit=1",
    "GET /v1/alerts/{id}",
    "HEAD /v1/alerts/{id}",
    "POST /v1/alerts/{id}",
    "DELETE /v1/alerts.jsonl",
    "GET /v1/alerts/{id}/",
    "GET /v1/alerts",
    "GET /v1/",
    "GET /",
    "GET /v1/alerts.jsonl?partner=th-cert",
    "GET /v1/events.jsonl",
    "GET /v1/events.jsonl?since=&limit=1000",
];

#[tokio::test]
async fn nothing_of_another_partner_is_told() {
    nothing_is_told_of(1).await;
}

#[tokio::test]
async fn nothing_of_the_centres_own_is_told() {
    nothing_is_told_of(4).await;
}

/// Asks by every route for a case that is not the reader's, and for one that never was.
async fn nothing_is_told_of(foreign: u128) {
    let desk = Desk::open().await;
    for number in [1, 3, 5] {
        desk.record(number, 1, Some("th-cert")).await;
    }
    desk.record(2, 1, Some("my-cert")).await;
    desk.record(4, 1, None).await;
    desk.step(1, "th-cert", Event::Acknowledge).await;
    desk.step(3, "th-cert", Event::Withdraw).await;
    desk.step(4, "", Event::Withdraw).await;
    desk.step(2, "my-cert", Event::Acknowledge).await;
    desk.shows(9).await;
    let bearer = format!("Bearer {SOUTH}");
    for route in ROUTES {
        let line = route.replace("{id}", &Uuid::from_u128(foreign).to_string());
        let answer = desk.ask(&line, Some(&bearer)).await;
        assert_ne!(
            answer.status, 429,
            "{line}: asked too often to prove anything"
        );
        let told = format!("{answer:?}");
        for secret in ["case 1,", "case 3,", "case 4,", "case 5,", "th-cert"] {
            assert!(!told.contains(secret), "{line}: {told}");
        }
        let never_was = route.replace("{id}", &Uuid::from_u128(99).to_string());
        let unknown = desk.ask(&never_was, Some(&bearer)).await;
        assert_eq!(answer, unknown, "{line} tells that something is there");
    }
    desk.close().await;
}

#[tokio::test]
async fn without_a_token_nothing_tells_what_is_there() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.shows(1).await;
    let basic = format!("Basic {NORTH}");
    let strangers = [
        None,
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer x"),
        Some("Bearer north-north-north-north-north-33"),
        Some(basic.as_str()),
        Some(NORTH),
    ];
    let refused = desk.ask("GET /nowhere", None).await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, "Bearer")
    );
    for route in ROUTES {
        let line = route.replace("{id}", &Uuid::from_u128(1).to_string());
        for authorization in strangers {
            let answer = desk.ask(&line, authorization).await;
            assert_eq!(answer.status, 401, "{line} {authorization:?}");
            if !line.starts_with("HEAD") {
                assert_eq!(answer, refused, "{line} {authorization:?}");
            }
        }
    }
    desk.close().await;
}

#[tokio::test]
async fn each_partner_reads_its_own() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.record(2, 1, Some("my-cert")).await;
    desk.record(3, 1, None).await;
    desk.shows(3).await;
    for (token, number) in [(NORTH, 1), (SOUTH, 2)] {
        let id = Uuid::from_u128(number);
        let ids: Vec<Uuid> = desk
            .page(token, "")
            .await
            .alerts()
            .iter()
            .map(|a| a.id)
            .collect();
        assert_eq!(ids, [id]);
        let one = desk
            .ask(
                &format!("GET /v1/alerts/{id}"),
                Some(&format!("bearer {token}")),
            )
            .await;
        assert_eq!(one.alerts()[0].id, id);
        assert_eq!(one.header("cache-control"), "no-store");
    }
    desk.close().await;
}
