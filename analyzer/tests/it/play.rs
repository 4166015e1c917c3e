//! A play in front of two sensors, and a real store that takes what they ship.

use std::sync::Arc;
use std::time::Duration;

use noroshi_analyzer::alerts::Purpose;
use noroshi_analyzer::generate::demo::{Play, Stage};
use noroshi_analyzer::generate::observe;
use noroshi_analyzer::run::{Mode, Parts, RunError, run_as};
use noroshi_analyzer::settings::Settings;
use noroshi_analyzer::windows::Pace;
use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::Counters;
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_store::alert::Alert;
use noroshi_store::append::Admitted;
use noroshi_store::cases::AlertFilter;
use noroshi_store::engine::testing;
use noroshi_store::origin::Origin;
use noroshi_store::positions::Position;
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use noroshi_store::window::Window;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What a batch holds, in seconds.
pub const SLOT: u64 = 1_800;
pub const FROM: u64 = 1_793_577_600;
pub const SLOTS: u64 = 52;

pub fn stage() -> Stage {
    let net = |text: &str| text.parse().unwrap();
    Stage {
        seed: 7,
        from: Millis(FROM * 1_000),
        telescopes: vec![net("198.18.0.0/23"), net("198.19.4.0/23")],
        constituencies: vec![
            net("203.0.113.0/24"),
            net("198.51.100.0/24"),
            net("192.0.2.0/24"),
        ],
        rate: 0.0005,
    }
}

pub fn registry() -> Registry {
    let mut text = String::new();
    for (name, prefix) in [
        ("th", "203.0.113.0/24"),
        ("my", "198.51.100.0/24"),
        ("id", "192.0.2.0/24"),
    ] {
        text += &format!(
            "[[partner]]\nid = \"{name}-cert\"\nname = \"{name}\"\ncountry = \"{name}\"\n\
             programmes = [\"practice\", \"daedalus\"]\ncontacts = [\"soc@example.org\"]\n\
             [[partner.prefix]]\nprefix = \"{prefix}\"\nuse = \"static\"\nclaim = \"verified\"\n\
             consent = {{ by = \"a\", on = 2013-02-01 }}\n"
        );
    }
    for (sensor, prefix) in [("north", "198.18.0.0/23"), ("south", "198.19.4.0/23")] {
        text += &format!(
            "[[sensor]]\nid = \"{sensor}\"\npartner = \"th-cert\"\n\
             telescope = [{{ prefix = \"{prefix}\", from = 2026-01-01 }}]\n"
        );
    }
    Registry::parse("registry.toml", &text).unwrap_or_else(|faults| panic!("{faults}"))
}

/// What each sensor ships of the play: a batch every half hour, silence included.
pub fn batches(stage: &Stage, play: &Play) -> Vec<Admitted> {
    let mut batches = Vec::new();
    for (name, net) in ["north", "south"].into_iter().zip(&stage.telescopes) {
        let sensor = SensorId::new(name).unwrap();
        let packets: Vec<_> = play.at(*net).copied().collect();
        let nowhere = Arc::new(Origin::default());
        let seen = observe::windows(&[(sensor.clone(), *net)], &packets, |_| {
            Arc::clone(&nowhere)
        });
        for slot in 0..SLOTS {
            let range = FROM + slot * SLOT..FROM + (slot + 1) * SLOT;
            let of_slot = seen
                .iter()
                .filter(|window| range.contains(&window.interval.start()));
            batches.push(batch(&sensor, slot, range.clone(), of_slot));
        }
    }
    batches.sort_by_key(|admitted| admitted.batch.complete_through);
    batches
}

fn batch<'a>(
    sensor: &SensorId,
    sequence: u64,
    range: std::ops::Range<u64>,
    windows: impl Iterator<Item = &'a Window>,
) -> Admitted {
    let mut spans = Vec::new();
    let mut next = range.start;
    let silent = |from: u64, until: u64| Span::Silent {
        first: Interval(from),
        intervals: (until - from) / 10,
    };
    let mut watch = None;
    for window in windows {
        if window.interval.start() > next {
            spans.push(silent(next, window.interval.start()));
        }
        watch = window.watches.first().cloned();
        spans.push(Span::Active {
            interval: window.interval,
            flows: window
                .flows
                .iter()
                .map(|sighting| sighting.flow.clone())
                .collect(),
        });
        next = window.end();
    }
    if next < range.end {
        spans.push(silent(next, range.end));
    }
    let watch = watch.expect("something arrives every half hour");
    let batch = Batch {
        id: BatchId {
            sensor: sensor.clone(),
            epoch: Epoch(1),
            sequence,
        },
        interval_length: IntervalLength::DEFAULT,
        spans,
        complete_through: range.end,
        telescope_addresses: watch.addresses,
        target_bits: watch.target_bits,
        counters: Counters::default(),
    };
    let origins = batch.flows().map(|_| Arc::new(Origin::default())).collect();
    Admitted {
        checksum: sequence,
        origins,
        batch,
    }
}

pub async fn store() -> Store {
    let config = StoreConfig {
        endpoint: testing::database().await,
        cluster: None,
        retention: Retention::forever(),
    };
    Store::open(&config).await.unwrap()
}

pub async fn append(store: &Store, batches: impl IntoIterator<Item = Admitted>) {
    let appends = batches.into_iter().map(|admitted| {
        let store = store.clone();
        tokio::spawn(async move { store.append(admitted).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
}

/// A live analyzer, at the pace of sensors.
pub struct Analyzer {
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), RunError>>,
}

/// Starts an analyzer.
pub fn start(store: &Store) -> Analyzer {
    let (stop, stopped) = oneshot::channel::<()>();
    let mode = Mode {
        pace: Pace::Sensors,
        purpose: Purpose::Operation,
    };
    let parts = Parts {
        store: store.clone(),
        registry: Arc::new(registry()),
        settings: Settings::default(),
        metrics: Arc::default(),
    };
    let running = tokio::spawn(run_as(mode, parts, async move {
        let _ = stopped.await;
    }));
    Analyzer { stop, running }
}

impl Analyzer {
    /// Has the store keep these, and waits until they have been taken in.
    pub async fn take_in(&self, store: &Store, lot: Vec<Admitted>) {
        let before = store.wall_time().await.unwrap();
        append(store, lot).await;
        self.since(store, before).await;
    }

    /// Waits until it has taken in what the store had at that wall time.
    pub async fn since(&self, store: &Store, wall: Millis) {
        self.reach(store, |position| position.taken >= wall).await;
    }

    async fn reach(&self, store: &Store, reached: impl Fn(Position) -> bool) {
        for _ in 0..1_200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if store.position().await.unwrap().is_some_and(&reached) {
                return;
            }
            assert!(!self.running.is_finished(), "the analyzer ended");
        }
        panic!("the analyzer does not come so far");
    }

    /// Ends it in order.
    pub async fn stop(self) {
        drop(self.stop);
        self.running.await.unwrap().unwrap();
    }
}

/// Runs the live analyzer until it has come as far as `through`, then stops it.
pub async fn live(store: &Store, through: u64) {
    let analyzer = start(store);
    let reached = |position: Position| position.through >= through;
    analyzer.reach(store, reached).await;
    analyzer.stop().await;
    assert_eq!(come_to(store).await, Some(through));
}

/// The event time up to which everything has been examined.
pub async fn come_to(store: &Store) -> Option<u64> {
    let position = store.position().await.unwrap();
    position.map(|position| position.through)
}

/// Every alert in its last state, by opening and id.
pub async fn kept(store: &Store) -> Vec<Alert> {
    let cases = store.alerts(&AlertFilter::default()).await.unwrap();
    let mut alerts: Vec<Alert> = cases.into_iter().map(|case| case.alert).collect();
    alerts.sort_by_key(|alert| (alert.opened_at, alert.id));
    alerts
}
