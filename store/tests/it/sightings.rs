//! What was seen of a partner's cases on a day, with each case as it stood when the day ended.

use std::collections::BTreeSet;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, State};
use noroshi_store::cases::{Case, Transition};
use noroshi_store::observations::{Observation, Sighting};
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::Event;
use noroshi_store::steps::Step;
use noroshi_store::store::Store;
use uuid::Uuid;

use crate::cases::{OPENED, alert};
use crate::support::{MORNING, sensor, store};

const DAY_MS: u64 = 86_400_000;
const TODAY: u64 = MORNING / 86_400;

fn observation(case: u128, partner: &str, day: u64) -> Observation {
    Observation {
        case: Uuid::from_u128(case),
        day,
        partner: partner.to_owned(),
        packets: 5,
        targets: 4,
        first: Millis(day * DAY_MS + 1_000),
        last: Millis(day * DAY_MS + 2_000),
        sensors: BTreeSet::from([sensor("north")]),
    }
}

async fn record(store: &Store, version: u64, alert: Alert) {
    let transition = Transition {
        case: Case { alert, version },
        by: "analyzer".to_owned(),
        at: OPENED,
        note: String::new(),
    };
    store.record(&[transition]).await.unwrap();
}

async fn sightings(store: &Store, partner: &str, day: u64) -> Vec<Sighting> {
    let partner = PartnerId::new(partner).unwrap();
    let told = store.sightings_of(&partner, day, TODAY + 9, 100).await;
    told.unwrap()
}

/// The same case, later and with more evidence.
fn later(days: u64, state: State) -> Alert {
    let mut alert = alert(1, "th-cert");
    alert.state = state;
    alert.last_seen = Millis(OPENED.0 + days * DAY_MS);
    alert.evidence.packets += days;
    alert
}

#[tokio::test]
async fn a_day_stays_as_it_was_when_it_ended() {
    let store = store().await;
    record(&store, 1, alert(1, "th-cert")).await;
    record(&store, 2, later(1, State::Continuing)).await;
    record(&store, 3, later(2, State::Continuing)).await;
    let seen = [TODAY, TODAY + 1, TODAY + 2].map(|day| observation(1, "th-cert", day));
    store.observe(&seen).await.unwrap();
    for closed in [false, true] {
        if closed {
            record(&store, 4, later(2, State::Closed)).await;
        }
        for (days, state) in [
            (0, State::New),
            (1, State::Continuing),
            (2, State::Continuing),
        ] {
            let told = sightings(&store, "th-cert", TODAY + days).await;
            let [one] = told.as_slice() else {
                panic!("one case was seen: {told:?}");
            };
            assert_eq!(one.observation, seen[days as usize]);
            assert_eq!(one.alert, later(days, state));
        }
    }
    assert!(sightings(&store, "th-cert", TODAY + 3).await.is_empty());
}

#[tokio::test]
async fn only_the_partners_own_is_told() {
    let store = store().await;
    for (case, partner) in [(1, "th-cert"), (2, "my-cert"), (3, "th-cert")] {
        record(&store, 1, alert(case, partner)).await;
        store
            .observe(&[observation(case, partner, TODAY)])
            .await
            .unwrap();
    }
    let cases = |seen: Vec<Sighting>| -> Vec<u128> {
        seen.iter().map(|one| one.alert.id.as_u128()).collect()
    };
    assert_eq!(cases(sightings(&store, "th-cert", TODAY).await), [1, 3]);
    assert_eq!(cases(sightings(&store, "my-cert", TODAY).await), [2]);
    assert!(sightings(&store, "id-cert", TODAY).await.is_empty());
    let partner = PartnerId::new("my-cert").unwrap();
    let days = store.sighting_days_of(&partner, TODAY - 3..=TODAY + 3, TODAY + 9);
    let days: Vec<u64> = days
        .await
        .unwrap()
        .into_iter()
        .map(|(day, _)| day)
        .collect();
    assert_eq!(days, [TODAY]);
    let before = store.sighting_days_of(&partner, TODAY - 3..=TODAY - 1, TODAY + 9);
    assert!(before.await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_taken_back_is_a_change() {
    let store = store().await;
    record(&store, 1, alert(1, "th-cert")).await;
    store
        .observe(&[observation(1, "th-cert", TODAY)])
        .await
        .unwrap();
    let before = sightings(&store, "th-cert", TODAY).await.remove(0);
    assert_eq!(before.alert.state, State::New);
    let step = Step {
        case: Uuid::from_u128(1),
        id: Uuid::new_v4(),
        event: Event::Withdraw,
        at: OPENED,
        by: "operator:anan".to_owned(),
        note: "because".to_owned(),
        probability: None,
        partner: "th-cert".to_owned(),
    };
    store.record_steps(&[step]).await.unwrap();
    let after = sightings(&store, "th-cert", TODAY).await.remove(0);
    assert_eq!(after.alert.state, State::Withdrawn);
    assert!(after.changed > before.changed);
    let partner = PartnerId::new("th-cert").unwrap();
    let days = store
        .sighting_days_of(&partner, TODAY..=TODAY, TODAY + 9)
        .await
        .unwrap();
    assert_eq!(days, [(TODAY, after.changed)]);
}
