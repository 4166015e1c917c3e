//! What escalated, what machines read, what was done in a time.

use noroshi_proto::time::Millis;
use noroshi_store::origin::PartnerId;
use noroshi_store::positions::Access;
use noroshi_store::remedy::Event;
use noroshi_store::steps::Step;
use uuid::Uuid;

use crate::support::{MORNING, store};

const AT: Millis = Millis(MORNING * 1_000);

#[tokio::test]
async fn what_machines_read_is_told_by_path_where_something_was_answered() {
    let store = store().await;
    let partner = PartnerId::new("th-cert").unwrap();
    let read = |after: u64, who: &str, action: &str| Access {
        at: Millis(AT.0 + after),
        who: who.to_owned(),
        action: action.to_owned(),
    };
    let reads = [
        read(0, "partner:th-cert", "GET /v1/alerts.jsonl?after=1 200"),
        read(5, "partner:th-cert", "GET /v1/alerts.jsonl?after=2 304"),
        read(9, "partner:th-cert", "GET /v1/alerts.jsonl 429"),
        read(9, "partner:th-cert", "GET /misp/manifest.json 404"),
        read(9, "partner:th-cert", "POST /v1/alerts/x/remedy 200"),
        read(9, "partner:my-cert", "GET /misp/manifest.json 200"),
    ];
    store.note_accesses(&reads).await.unwrap();
    let told = store.feeds_read(&partner, AT).await.unwrap();
    let last = Millis(AT.0 + 5);
    assert_eq!(told, [("/v1/alerts.jsonl".to_owned(), last)]);
    assert_eq!(
        store.feeds_read(&partner, Millis(AT.0 + 6)).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn steps_are_counted_by_case_within_their_time() {
    let store = store().await;
    let partner = PartnerId::new("th-cert").unwrap();
    let step = |case: u128, id: u128, event: Event, partner: &str| Step {
        case: Uuid::from_u128(case),
        id: Uuid::from_u128(id),
        event,
        at: AT,
        by: "operator:aiko".to_owned(),
        note: String::new(),
        probability: None,
        partner: partner.to_owned(),
    };
    let steps = [
        step(1, 11, Event::Note, "th-cert"),
        step(1, 12, Event::Note, "th-cert"),
        step(2, 13, Event::Resolve, "th-cert"),
        step(3, 14, Event::Resolve, "my-cert"),
    ];
    store.record_steps(&steps).await.unwrap();
    let until = Millis(AT.0 + 1);
    let counted = store.steps_between(&partner, AT, until).await.unwrap();
    let counted: Vec<_> = counted
        .iter()
        .map(|(event, cases)| (event.as_str(), *cases))
        .collect();
    assert_eq!(counted, [("note", 1), ("resolve", 1)]);
    let after = store
        .steps_between(&partner, until, Millis(until.0 + 9))
        .await;
    assert!(after.unwrap().is_empty());
}
