//! What people do with cases while the analyzer works on them.

use std::collections::BTreeSet;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, State};
use noroshi_store::cases::{AlertFilter, Case, ChangeCursor, Transition};
use noroshi_store::changes::Shown;
use noroshi_store::maintenance::Maintenance;
use noroshi_store::notices::Notice;
use noroshi_store::observations::Observation;
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::{Event, Remedy};
use noroshi_store::steps::{SUPPRESSED_SECONDS, Step};
use noroshi_store::store::Store;
use uuid::Uuid;

use crate::cases::{OPENED, alert};
use crate::support::{MORNING, sensor, store};

fn step(case: u128, event: Event) -> Step {
    Step {
        case: Uuid::from_u128(case),
        id: Uuid::new_v4(),
        event,
        at: OPENED,
        by: "operator:anan".to_owned(),
        note: "because".to_owned(),
        probability: None,
        partner: "th-cert".to_owned(),
    }
}

fn state(alert: Alert, version: u64) -> Transition {
    Transition {
        case: Case { alert, version },
        by: "analyzer".to_owned(),
        at: OPENED,
        note: String::new(),
    }
}

async fn standing(store: &Store, case: u128) -> Remedy {
    let id = Uuid::from_u128(case);
    let standings = store.standings(&[id]).await.unwrap();
    standings
        .get(&id)
        .map_or(Remedy::Delivered, |one| one.state)
}

/// Every change, once the newest second has passed.
async fn changes_of(store: &Store, partner: &str) -> Vec<Shown> {
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let partner = PartnerId::new(partner).unwrap();
    let mut cursor = ChangeCursor::default();
    let mut shown = Vec::new();
    loop {
        let page = store.changes_of(&partner, cursor, 3).await.unwrap();
        let Some((last, _)) = page.last() else {
            return shown;
        };
        cursor = *last;
        shown.extend(page.into_iter().map(|(_, one)| one));
    }
}

#[tokio::test]
async fn an_analyzer_and_two_people_at_once_lose_nothing() {
    let store = store().await;
    store
        .record(&[state(alert(1, "th-cert"), 1)])
        .await
        .unwrap();
    let analyzer = async {
        for version in 2..=20 {
            let mut next = alert(1, "th-cert");
            next.state = State::Continuing;
            next.evidence.packets = version;
            store.record(&[state(next, version)]).await.unwrap();
        }
    };
    let person = async |event: Event| {
        for _ in 0..5 {
            let note = step(1, Event::Note);
            store.record_steps(&[note]).await.unwrap();
        }
        store.record_steps(&[step(1, event)]).await.unwrap();
    };
    tokio::join!(analyzer, person(Event::Acknowledge), person(Event::Clean));
    let case = store.alert(Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!((case.version, case.alert.evidence.packets), (20, 20));
    let steps = store.steps(&[Uuid::from_u128(1)]).await.unwrap();
    assert_eq!(steps.len(), 12, "both people's steps and notes are kept");
    assert_eq!(
        standing(&store, 1).await,
        Remedy::Cleaning,
        "in either order"
    );
}

#[tokio::test]
async fn recording_a_step_again_changes_nothing() {
    let store = store().await;
    store
        .record(&[state(alert(1, "th-cert"), 1)])
        .await
        .unwrap();
    let ack = step(1, Event::Acknowledge);
    for _ in 0..2 {
        store
            .record_steps(std::slice::from_ref(&ack))
            .await
            .unwrap();
    }
    store
        .record_steps(&[step(1, Event::Confirm)])
        .await
        .unwrap();
    let steps = store.steps(&[Uuid::from_u128(1)]).await.unwrap();
    assert_eq!((steps.len(), &steps[0]), (2, &ack));
    assert_eq!(
        standing(&store, 1).await,
        Remedy::Acknowledged,
        "what is impossible stays in the history and changes nothing"
    );
}

#[tokio::test]
async fn what_is_withdrawn_is_so_for_every_reader() {
    let store = store().await;
    for number in 1..=2 {
        store
            .record(&[state(alert(number, "th-cert"), 1)])
            .await
            .unwrap();
    }
    let before = store.wall_time().await.unwrap();
    store
        .record_steps(&[step(1, Event::Withdraw)])
        .await
        .unwrap();
    let mut late = alert(1, "th-cert");
    late.state = State::Continuing; // the analyzer has not heard of it yet
    store.record(&[state(late, 2)]).await.unwrap();
    let id = Uuid::from_u128(1);
    let case = store.alert(id).await.unwrap().unwrap();
    assert_eq!((case.alert.state, case.version), (State::Withdrawn, 2));
    let open: Vec<_> = store.open_cases().await.unwrap();
    assert_eq!(open.len(), 1, "an analyzer does not take it up again");
    for (state, expected) in [
        (State::Withdrawn, 1),
        (State::New, 1),
        (State::Continuing, 0),
    ] {
        let filter = AlertFilter {
            state: Some(state),
            ..AlertFilter::default()
        };
        assert_eq!(
            store.alerts(&filter).await.unwrap().len(),
            expected,
            "{state:?}"
        );
    }
    assert_eq!(store.withdrawn(before).await.unwrap(), [id]);
    let shown = changes_of(&store, "th-cert").await;
    assert_eq!(shown.len(), 4, "two openings, a withdrawal, a transition");
    let taken: Vec<_> = shown.iter().filter(|one| one.alert.id == id).collect();
    assert!(taken.iter().all(|one| one.alert.state == State::Withdrawn));
    let reason = taken[1].remedy.as_ref().unwrap().reason.as_str();
    assert_eq!(reason, "because");
}

#[tokio::test]
async fn feeds_show_steps_as_changes_to_their_partner_alone() {
    let store = store().await;
    store
        .record(&[state(alert(1, "th-cert"), 1), state(alert(2, "my-cert"), 1)])
        .await
        .unwrap();
    store
        .record_steps(&[step(1, Event::Acknowledge)])
        .await
        .unwrap();
    store.record_steps(&[step(1, Event::Note)]).await.unwrap();
    store
        .record_steps(&[step(99, Event::Acknowledge)])
        .await
        .unwrap(); // its case is gone
    store
        .record_steps(&[step(1, Event::Resolve)])
        .await
        .unwrap();
    let shown = changes_of(&store, "th-cert").await;
    assert_eq!(shown.len(), 3, "an opening and two steps: {shown:?}");
    let last = serde_json::to_string(&shown[2]).unwrap();
    assert!(last.contains(r#""remedy":{"state":"resolved""#), "{last}");
    assert!(
        !last.contains("because") && !last.contains("anan"),
        "{last}"
    );
    let others = changes_of(&store, "my-cert").await;
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].remedy, None);
}

#[tokio::test]
async fn a_false_positive_is_remembered_for_thirty_days_and_can_be_taken_back() {
    let store = store().await;
    store
        .record(&[state(alert(1, "th-cert"), 1)])
        .await
        .unwrap();
    store.record_steps(&[step(1, Event::Refute)]).await.unwrap();
    let after = |seconds: u64| Millis(OPENED.0 + seconds * 1_000);
    let refuted = store.refuted(after(60)).await.unwrap();
    assert_eq!(refuted.len(), 1);
    assert_eq!(refuted[0].until, after(SUPPRESSED_SECONDS));
    assert_eq!(refuted[0].case.alert.reason_code, "mirai_syn");
    let later = store.refuted(after(SUPPRESSED_SECONDS + 1)).await.unwrap();
    assert!(later.is_empty());
    store
        .record_steps(&[step(1, Event::Acknowledge)])
        .await
        .unwrap();
    assert!(store.refuted(after(60)).await.unwrap().is_empty());
}

#[tokio::test]
async fn ten_days_are_ten_observations_and_none_shrinks() {
    let store = store().await;
    let observation = |day: u64, packets: u64| Observation {
        case: Uuid::from_u128(1),
        day,
        partner: "th-cert".to_owned(),
        packets,
        targets: 3,
        first: Millis(day * 86_400_000 + 5),
        last: Millis(day * 86_400_000 + 7),
        sensors: BTreeSet::from([sensor("north"), sensor("south")]),
    };
    let today = MORNING / 86_400;
    let days: Vec<_> = (0..10)
        .map(|day| observation(today + day, 5 + day))
        .collect();
    store.observe(&days).await.unwrap();
    store.observe(&days).await.unwrap();
    store.observe(&[observation(today, 1)]).await.unwrap(); // of an analyzer that knew less
    let kept = store.observations(&[Uuid::from_u128(1)]).await.unwrap();
    assert_eq!(kept, days);
    assert!(
        store
            .observations(&[Uuid::from_u128(2)])
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn maintenance_is_known_until_it_is_over() {
    let store = store().await;
    let window = Maintenance {
        id: Uuid::from_u128(1),
        sensor: sensor("north"),
        from: Millis(MORNING * 1000),
        until: Millis(MORNING * 1000 + 3_600_000),
        by: "operator:anan".to_owned(),
        reason: "new disk".to_owned(),
    };
    store.record_maintenance(&window).await.unwrap();
    store.record_maintenance(&window).await.unwrap();
    let known = store.maintenance(window.from).await.unwrap();
    assert_eq!(known, std::slice::from_ref(&window));
    assert!(window.holds(window.from) && !window.holds(window.until));
    let after = Millis(window.until.0 + 1);
    assert!(store.maintenance(after).await.unwrap().is_empty());
}

#[tokio::test]
async fn imported_evidence_reaches_its_partner_and_nothing_that_counts() {
    let store = store().await;
    let mut imported = alert(7, "th-cert");
    imported.reason_code = "sinkhole".to_owned();
    let notice = |version| Notice {
        case: Case {
            alert: imported.clone(),
            version,
        },
        at: OPENED,
        by: "operator:anan".to_owned(),
        purpose: "take-down of a botnet".to_owned(),
    };
    store.record_notices(&[notice(1)]).await.unwrap();
    store.record_notices(&[notice(2)]).await.unwrap();
    assert!(
        store
            .alerts(&AlertFilter::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.open_cases().await.unwrap().is_empty());
    let listed = store
        .notices(PartnerId::new("th-cert").as_ref(), 10)
        .await
        .unwrap();
    assert_eq!((listed.len(), listed[0].version), (1, 2));
    assert!(
        store
            .notices(PartnerId::new("my-cert").as_ref(), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let id = Uuid::from_u128(7);
    store
        .record_steps(&[step(7, Event::Acknowledge)])
        .await
        .unwrap();
    let one = store.shown(id).await.unwrap().unwrap();
    assert_eq!(one.remedy.unwrap().state, Remedy::Acknowledged);
    assert_eq!(
        store.history(id).await.unwrap()[0].note,
        "take-down of a botnet"
    );
    let shown = changes_of(&store, "th-cert").await;
    assert_eq!(shown.len(), 3, "two notices and a step");
    let told = serde_json::to_string(&shown).unwrap();
    assert!(
        !told.contains("take-down"),
        "the purpose is the centre's: {told}"
    );
    assert!(changes_of(&store, "my-cert").await.is_empty());
}
