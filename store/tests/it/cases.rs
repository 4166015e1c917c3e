//! Cases, their history, and who may write them.

use std::net::IpAddr;
use std::slice;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{
    Alert, Attribution, Basis, Confidence, Evidence, Kind, Severity, State, Subject, Tlp,
};
use noroshi_store::cases::{AlertFilter, Case, ChangeCursor, Transition};
use noroshi_store::lease::Role;
use noroshi_store::origin::PartnerId;
use noroshi_store::positions::Position;
use noroshi_store::store::StoreError;
use uuid::Uuid;

use crate::support::{MORNING, store};

pub(crate) const OPENED: Millis = Millis(MORNING * 1000 + 10_000);

pub(crate) fn alert(number: u128, partner: &str) -> Alert {
    Alert {
        id: Uuid::from_u128(number),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::AmberStrict,
        partner: Some(partner.to_owned()),
        country: Some("TH".to_owned()),
        attribution: Some(Attribution {
            basis: Basis::Prefix,
            matched: "203.0.113.0/24".to_owned(),
            registry_version: "3".to_owned(),
        }),
        opened_at: OPENED,
        first_seen: Millis(OPENED.0 - 7_655),
        last_seen: OPENED,
        detected_at: OPENED,
        subject: Subject::Source {
            source: IpAddr::from([203, 0, 113, 7]),
            asn: Some(64_500),
        },
        evidence: Evidence {
            packets: 31,
            usual: Some(0.1),
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: "It said \"hello\"\nand\\went".to_owned(),
        exercise: false,
    }
}

fn step(alert: Alert, version: u64) -> Transition {
    let case = Case { alert, version };
    Transition {
        case,
        by: "analyzer".to_owned(),
        at: OPENED,
        note: String::new(),
    }
}

#[tokio::test]
async fn a_case_is_kept_in_its_last_state_with_its_history() {
    let store = store().await;
    let opened = step(alert(1, "th-cert"), 1);
    let mut closed = step(alert(1, "th-cert"), 2);
    closed.case.alert.state = State::Closed;
    closed.by = "operator:anan".to_owned();
    closed.note = "cleaned".to_owned();
    store.record(slice::from_ref(&opened)).await.unwrap();
    assert_eq!(
        store.open_cases().await.unwrap(),
        slice::from_ref(&opened.case)
    );
    store.record(slice::from_ref(&closed)).await.unwrap();
    store.record(slice::from_ref(&closed)).await.unwrap();
    assert!(store.open_cases().await.unwrap().is_empty());
    assert_eq!(
        store.alert(Uuid::from_u128(1)).await.unwrap(),
        Some(closed.case.clone())
    );
    assert_eq!(store.alert(Uuid::from_u128(2)).await.unwrap(), None);
    assert_eq!(
        store.history(Uuid::from_u128(1)).await.unwrap(),
        [opened, closed]
    );
}

#[tokio::test]
async fn alerts_are_listed_by_partner_state_and_time() {
    let store = store().await;
    let mut later = alert(2, "my-cert");
    later.detected_at = Millis(OPENED.0 + 60_000);
    later.state = State::Closed;
    store
        .record(&[step(alert(1, "th-cert"), 1), step(later.clone(), 1)])
        .await
        .unwrap();
    let ids = async |filter: AlertFilter| -> Vec<u128> {
        let found = store.alerts(&filter).await.unwrap();
        found.iter().map(|case| case.alert.id.as_u128()).collect()
    };
    let all = AlertFilter::default;
    let partner = |name| AlertFilter {
        partner: PartnerId::new(name),
        ..all()
    };
    let kind = |kind| AlertFilter {
        kind: Some(kind),
        ..all()
    };
    let cases: [(AlertFilter, &[u128]); 8] = [
        (all(), &[2, 1]),
        (partner("th-cert"), &[1]),
        (partner("nobody"), &[]),
        (
            AlertFilter {
                state: Some(State::Closed),
                ..all()
            },
            &[2],
        ),
        (kind(Kind::DdosVictim), &[]),
        (
            AlertFilter {
                from: Some(later.detected_at),
                ..all()
            },
            &[2],
        ),
        (
            AlertFilter {
                until: Some(later.detected_at),
                ..all()
            },
            &[1],
        ),
        (AlertFilter { limit: 1, ..all() }, &[2]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(filter.clone()).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn feeds_follow_every_transition_in_order() {
    let store = store().await;
    for number in 1..=3 {
        store
            .record(&[step(alert(number, "th-cert"), 1)])
            .await
            .unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let first = store.changes(ChangeCursor::default(), 2).await.unwrap();
    let (cursor, _) = first[1].clone();
    assert_eq!(cursor, cursor.to_string().parse().unwrap());
    store.set_feed_cursor("th-cert/json", cursor).await.unwrap();
    let cursor = store.feed_cursor("th-cert/json").await.unwrap().unwrap();
    let rest = store.changes(cursor, 10).await.unwrap();
    let ids: Vec<u128> = first
        .iter()
        .chain(&rest)
        .map(|(_, case)| case.alert.id.as_u128())
        .collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(store.feed_cursor("another").await.unwrap(), None);
}

#[tokio::test]
async fn a_second_analyzer_waits_and_a_fenced_one_stops() {
    let store = store().await;
    let at = |seconds: u64| Millis(OPENED.0 + seconds * 1000);
    let first = store
        .acquire_lease(Role::Analyzer, "north", at(0), at(30))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store
            .acquire_lease(Role::Analyzer, "south", at(10), at(40))
            .await
            .unwrap(),
        None
    );
    store.renew_lease(&first, at(50)).await.unwrap();
    assert_eq!(
        store
            .acquire_lease(Role::Analyzer, "south", at(40), at(70))
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.position().await.unwrap(), None);
    let position = |seconds: u64| Position {
        through: MORNING + seconds,
        taken: at(seconds),
    };
    store.save_position(&first, position(0)).await.unwrap();
    let second = store
        .acquire_lease(Role::Analyzer, "south", at(60), at(90))
        .await
        .unwrap()
        .unwrap();
    assert!(second.token() > first.token());
    let fenced = store.save_position(&first, position(10)).await;
    assert!(matches!(fenced, Err(StoreError::Fenced(Role::Analyzer, _))));
    store.save_position(&second, position(20)).await.unwrap();
    assert_eq!(store.position().await.unwrap(), Some(position(20)));
}

#[tokio::test]
async fn ids_are_derived_in_a_namespace_of_this_store_alone() {
    let (one, other) = (store().await, store().await);
    let drawn = one.case_namespace().await.unwrap();
    assert_eq!(one.case_namespace().await.unwrap(), drawn, "drawn once");
    assert_ne!(other.case_namespace().await.unwrap(), drawn);
}
