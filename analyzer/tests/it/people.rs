//! People and the analyzer over one store.

use noroshi_analyzer::generate::demo::Stage;
use noroshi_analyzer::run::backtest::backtest;
use noroshi_analyzer::run::{judge_silences, replay};
use noroshi_analyzer::settings::Settings;
use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::Counters;
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_store::alert::{Alert, Kind, State};
use noroshi_store::append::Admitted;
use noroshi_store::remedy::{Event, Remedy};
use noroshi_store::steps::Step;
use noroshi_store::store::Store;
use uuid::Uuid;

use crate::play::{FROM, SLOT, SLOTS, append, batches, kept, live, registry, stage, store};

const END: u64 = FROM + SLOTS * SLOT;
const DAY: u64 = 86_400;

fn step(alert: &Alert, event: Event, at: Millis) -> Step {
    Step {
        case: alert.id,
        id: Uuid::new_v4(),
        event,
        at,
        by: "operator:anan".to_owned(),
        note: String::new(),
        probability: None,
        partner: alert.partner.clone().unwrap_or_default(),
    }
}

/// Every row of what an analyzer or a person could write.
async fn written(store: &Store) -> u64 {
    let mut rows = 0;
    for table in [
        "alerts",
        "alert_history",
        "observations",
        "case_steps",
        "ten_minute_rollup",
        "hourly_sources",
        "analyzer_position",
        "leases",
        "audit",
    ] {
        let count = format!("SELECT count() FROM {table}");
        rows += store
            .client()
            .query(&count)
            .fetch_one::<u64>()
            .await
            .unwrap();
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_says_what_a_replay_says_and_writes_nothing() {
    let stage = stage();
    let store = store().await;
    append(&store, batches(&stage, &stage.play())).await;
    let settings = Settings::default();
    let tested = backtest(&store, &registry(), &settings, 0..END + DAY)
        .await
        .unwrap();
    assert_eq!(tested.examined, FROM..END);
    assert_eq!(tested.warm_up.stored, 0);
    let mut bolder = Settings::default();
    bolder.hosts.targets_min = 100_000;
    let other = backtest(&store, &registry(), &bolder, 0..END)
        .await
        .unwrap();
    assert!(other.alerts.len() < tested.alerts.len());
    assert_eq!(written(&store).await, 0);
    let replayed = replay(&store, &registry(), &settings).await.unwrap();
    assert_eq!(tested.alerts, replayed);
    let nothing = backtest(&store, &registry(), &settings, END..END + DAY)
        .await
        .unwrap();
    assert!(nothing.examined.is_empty() && nothing.alerts.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_say_is_heard_after_a_restart() {
    let stage = stage();
    let store = store().await;
    let (first, rest): (Vec<_>, Vec<_>) = batches(&stage, &stage.play())
        .into_iter()
        .partition(|admitted| admitted.batch.complete_through <= END - SLOT);
    append(&store, first).await;
    live(&store, END - SLOT).await;
    let open = kept(&store).await.into_iter().filter(|alert| {
        let about_host = matches!(alert.kind, Kind::InfectedHost | Kind::ScanningHost);
        about_host && alert.state.is_open()
    });
    let open: Vec<Alert> = open.take(2).collect();
    let [refuted, withdrawn] = open.as_slice() else {
        panic!("two hosts are open: {open:?}");
    };
    let now = store.wall_time().await.unwrap();
    let steps = [
        step(refuted, Event::Refute, now),
        step(withdrawn, Event::Withdraw, now),
    ];
    store.record_steps(&steps).await.unwrap();
    let shown = async || store.shown(refuted.id).await.unwrap().unwrap().alert;
    let told = shown().await;
    append(&store, rest).await;
    live(&store, END).await;
    let closed = Alert {
        state: State::Closed,
        ..told
    };
    assert_eq!(shown().await, closed, "by what its partner knew");
    let state = async |alert: &Alert| store.alert(alert.id).await.unwrap().unwrap().alert.state;
    assert_eq!(state(refuted).await, State::Closed);
    assert_eq!(state(withdrawn).await, State::Withdrawn);
    let twins = kept(&store).await.into_iter().filter(|alert| {
        alert.id != refuted.id && (alert.kind, &alert.subject) == (refuted.kind, &refuted.subject)
    });
    assert_eq!(twins.count(), 0, "the rule is not heard again");
}

/// Two more days in which both sensors watched and saw nothing.
fn silence(stage: &Stage) -> Vec<Admitted> {
    let sensors = ["north", "south"].into_iter().zip(&stage.telescopes);
    let quiet = sensors.flat_map(|(name, net)| {
        let addresses = 1_u64 << (32 - net.prefix_len());
        (0..4).map(move |half_day| {
            let start = END + half_day * DAY / 2;
            let batch = Batch {
                id: BatchId {
                    sensor: SensorId::new(name).unwrap(),
                    epoch: Epoch(1),
                    sequence: SLOTS + half_day,
                },
                interval_length: IntervalLength::DEFAULT,
                spans: vec![Span::Silent {
                    first: Interval(start),
                    intervals: DAY / 20,
                }],
                complete_through: start + DAY / 2,
                telescope_addresses: addresses,
                target_bits: noroshi_proto::sample::TargetBits::Sixteen,
                counters: Counters::default(),
            };
            Admitted {
                checksum: SLOTS + half_day,
                origins: Vec::new(),
                batch,
            }
        })
    });
    quiet.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_silent_days_confirm_what_a_partner_called_clean() {
    let stage = stage();
    let store = store().await;
    append(&store, batches(&stage, &stage.play())).await;
    let replayed = replay(&store, &registry(), &Settings::default())
        .await
        .unwrap();
    let infected = replayed
        .iter()
        .find(|alert| alert.kind == Kind::InfectedHost);
    let infected = infected.expect("the play has one");
    let cleaned = Millis(infected.last_seen.0 + 1_000);
    let resolved = step(infected, Event::Resolve, cleaned);
    store.record_steps(&[resolved]).await.unwrap();
    let judged = async |now: u64| {
        let steps = judge_silences(&store, &registry(), 7 * DAY, Millis(now * 1_000)).await;
        steps.unwrap()
    };
    let now = END + 2 * DAY;
    assert_eq!(judged(now).await, [], "the sensors have not reported since");
    append(&store, silence(&stage)).await;
    assert_eq!(
        judged(infected.last_seen.seconds() + 3_600).await,
        [],
        "too early"
    );
    let steps = judged(now).await;
    let [confirmed] = steps.as_slice() else {
        panic!("{steps:?}");
    };
    assert_eq!(confirmed.event, Event::Confirm);
    assert!(confirmed.probability.is_some_and(|chance| chance < 0.01));
    assert_eq!(judged(now).await, [], "once");
    let shown = store.shown(infected.id).await.unwrap().unwrap();
    assert_eq!(shown.remedy.unwrap().state, Remedy::Confirmed);
    // it comes back
    let mut again = infected.clone();
    again.state = State::Continuing;
    again.last_seen = Millis((now + 60) * 1_000);
    let back = noroshi_store::cases::Transition {
        case: noroshi_store::cases::Case {
            alert: again,
            version: 1_000,
        },
        by: "analyzer".to_owned(),
        at: Millis((now + 60) * 1_000),
        note: String::new(),
    };
    store.record(&[back]).await.unwrap();
    assert_eq!(
        judged(now + 600).await,
        [],
        "not on the day it was confirmed"
    );
    let steps = judged(now + DAY).await;
    assert_eq!(steps[0].event, Event::Reappear);
    let shown = store.shown(infected.id).await.unwrap().unwrap();
    assert_eq!(shown.remedy.unwrap().state, Remedy::Delivered);
}
