//! Reading page by page, and what a reader is told that does it wrong.

use std::sync::Arc;

use noroshi_feeds::rate::REQUESTS_AT_ONCE;
use noroshi_feeds::{Feeds, FeedsError, Settings};
use noroshi_proto::time::Millis;
use noroshi_store::alert::State;
use noroshi_store::lease::Role;
use noroshi_store::positions::Position;
use noroshi_store::registry::Registry;
use noroshi_store::remedy::Event;
use uuid::Uuid;

use super::desk::{Desk, NORTH, SOUTH};

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let desk = Desk::open().await;
    for number in 1..=7 {
        desk.record(number, 1, Some("th-cert")).await;
        desk.record(100 + number, 1, Some("my-cert")).await;
    }
    desk.shows(14).await;
    let (mut since, mut read) = (String::new(), Vec::new());
    loop {
        let page = desk.page(NORTH, &format!("?since={since}&limit=3")).await;
        read.extend(page.alerts().iter().map(|alert| alert.id.as_u128()));
        since = page.header("noroshi-next").to_owned();
        if page.header("noroshi-more") == "false" {
            break;
        }
    }
    assert_eq!(read, [1, 2, 3, 4, 5, 6, 7]);

    let nothing_new = desk.page(NORTH, &format!("?since={since}")).await;
    assert_eq!((nothing_new.status, nothing_new.body.as_str()), (200, ""));
    assert_eq!(
        nothing_new.header("noroshi-next"),
        since,
        "the cursor stays"
    );
    assert_eq!(nothing_new.header("content-type"), "application/x-ndjson");

    desk.record(2, 2, Some("th-cert")).await;
    desk.shows(15).await;
    let changed = desk.page(NORTH, &format!("?since={since}")).await.alerts();
    assert_eq!(changed.len(), 1);
    assert_eq!(
        (changed[0].id, changed[0].state),
        (Uuid::from_u128(2), State::Continuing)
    );
    desk.close().await;
}

#[tokio::test]
async fn what_people_do_is_a_change_like_any_other() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.shows(1).await;
    let first = desk.page(NORTH, "").await;
    let since = first.header("noroshi-next").to_owned();
    assert!(!first.body.contains("remedy"), "{}", first.body);
    desk.step(1, "th-cert", Event::Acknowledge).await;
    desk.step(1, "th-cert", Event::Note).await;
    desk.shows(2).await;
    let second = desk.page(NORTH, &format!("?since={since}")).await;
    assert_eq!(second.alerts().len(), 1, "notes are no change");
    let acknowledged = r#""remedy":{"state":"acknowledged""#;
    assert!(second.body.contains(acknowledged), "{}", second.body);
    let since = second.header("noroshi-next").to_owned();
    desk.step(1, "th-cert", Event::Withdraw).await;
    desk.shows(3).await;
    let third = desk.page(NORTH, &format!("?since={since}")).await;
    assert_eq!(third.alerts()[0].state, State::Withdrawn);
    assert!(
        third.body.contains("of case 1, told to th-cert"),
        "the reason"
    );
    let path = format!("GET /v1/alerts/{}", Uuid::from_u128(1));
    let one = desk.ask(&path, Some(&format!("Bearer {NORTH}"))).await;
    assert_eq!(one.alerts()[0].state, State::Withdrawn);
    desk.close().await;
}

#[tokio::test]
async fn a_wrong_request_is_told_what_is_right() {
    let desk = Desk::open().await;
    for (query, hint) in [
        ("?since=garbage", "'since' is not a noroshi-next"),
        ("?limit=many", "'limit' (a number)"),
        ("?limit=-1", "'limit' (a number)"),
        ("?from=2026", "the parameters are"),
    ] {
        let answer = desk.page(NORTH, query).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains(hint), "{query}: {}", answer.body);
    }
    assert_eq!(desk.page(NORTH, "?limit=0").await.status, 200);
    assert_eq!(desk.page(NORTH, "?limit=4000000000").await.status, 200);
    desk.close().await;
}

#[tokio::test]
async fn a_partner_that_asks_too_often_waits_alone() {
    let desk = Desk::open().await;
    let mut refused = None;
    for _ in 0..REQUESTS_AT_ONCE * 3 {
        let answer = desk.page(NORTH, "").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("there is a limit");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=3).contains(&wait), "{wait}");
    assert_eq!(desk.page(SOUTH, "").await.status, 200);
    desk.close().await;
}

#[tokio::test]
async fn health_needs_no_token_and_tells_nothing() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    let answer = desk.ask("GET /health", None).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    desk.close().await;
}

#[tokio::test]
async fn tokens_never_cross_a_network_in_the_clear() {
    let desk = Desk::open().await;
    let settings = Settings {
        listen: "0.0.0.0:0".parse().expect("an address"),
        credentials: "/nowhere".into(),
        key: "/nowhere".into(),
        tls: None,
        public_url: None,
        centre: "Noroshi".to_owned(),
        signing_key: None,
    };
    let refused = Feeds::open(
        &settings,
        desk.store.clone(),
        Arc::new(Registry::default()),
        Arc::default(),
    )
    .await;
    assert!(matches!(refused, Err(FeedsError::NotLoopback(_))));
    desk.close().await;
}

#[tokio::test]
async fn silence_is_told_from_a_dead_feed() {
    let desk = Desk::open().await;
    let before = desk.get("/v1/status", NORTH).await;
    assert_eq!(before.body, r#"{"examined_until":null}"#);
    let lease = desk
        .store
        .acquire_lease(
            Role::Analyzer,
            "analyzer",
            Millis(0),
            Millis(u64::MAX / 2_000_000),
        )
        .await;
    let lease = lease.expect("the store answers").expect("nobody holds it");
    let position = Position {
        through: 1_793_599_200,
        taken: Millis(1_793_599_201_000),
    };
    let saved = desk.store.save_position(&lease, position).await;
    saved.expect("it is saved");
    for _ in 0..300 {
        let page = desk.get("/v1/alerts.jsonl", NORTH).await;
        assert_eq!(page.status, 200);
        if page.header("noroshi-examined-until") == "2026-11-02T06:00:00.000Z" {
            assert_eq!(page.body, "");
            return desk.close().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    }
    panic!("nobody hears how far the analyzer has come");
}
