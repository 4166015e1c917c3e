//! Warmed by rollups or by every window, the analyzer says the same afterwards: on the real engine.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use noroshi_analyzer::alerts::{Outcome, Purpose};
use noroshi_analyzer::analysis::Analysis;
use noroshi_analyzer::detectors::Observation;
use noroshi_analyzer::generate::random::Random;
use noroshi_analyzer::run::warm_up;
use noroshi_analyzer::settings::Settings;
use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::Counters;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::alert::{Alert, Kind};
use noroshi_store::append::Admitted;
use noroshi_store::engine::testing;
use noroshi_store::origin::{Country, Origin};
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use noroshi_store::window::Window;

const FROM: u64 = 1_793_577_600;
const BIN: u64 = 600;
/// Nine days of the past, and a part of the tenth to be judged.
const PAST: u64 = 9 * 144;
const BINS: u64 = PAST + 40;
/// Bins of one batch.
const BATCH_BINS: u64 = 24;

fn length() -> IntervalLength {
    IntervalLength::new(60).unwrap()
}

/// How many of a population of four times as many ask for a port: (port, country, mean).
fn crowds(bin: u64) -> Vec<(u16, &'static str, u32)> {
    let since = |start: u64| bin.checked_sub(start).is_some_and(|bins| bins < 8);
    let mut crowds = vec![
        (23, "TH", 12),
        (23, "ID", 20),
        (80, "ID", 6),
        (445, "LA", 40),
    ];
    if since(PAST - 3) || since(PAST + 20) {
        crowds.push((5_900, "ID", 25));
    }
    if since(PAST + 5) {
        crowds.push((23, "TH", 40));
    }
    if since(PAST + 12) {
        crowds.push((5_431, "TH", 3));
    }
    crowds
}

/// A published scanner and a private address, which do not count.
fn apart(number: usize) -> Origin {
    let mut origin = Origin {
        country: Country::new("US"),
        ..Origin::default()
    };
    match number % 2 {
        0 => origin.scanner = Some("census".into()),
        _ => origin.bogon = Some("private"),
    }
    origin
}

/// The flows of a bin by minute, with where they come from, ascending by source.
fn flows(bin: u64) -> Vec<Vec<(Flow, Arc<Origin>)>> {
    let random = &mut Random::new(bin);
    let mut minutes = vec![Vec::new(); 10];
    let mut add = |source: u32, port: u16, origin: &Arc<Origin>| {
        let minute = u64::from(source % 10);
        let at = Millis((FROM + bin * BIN + minute * 60) * 1_000 + u64::from(source % 50_000));
        minutes[minute as usize].push((flow(source, port, at), Arc::clone(origin)));
    };
    for (number, (port, country, mean)) in crowds(bin).into_iter().enumerate() {
        let origin = Arc::new(Origin {
            country: Country::new(country),
            ..Origin::default()
        });
        for source in (0..mean * 4).filter(|_| random.below(4) == 0) {
            add(number as u32 * 1_000 + source, port, &origin);
        }
    }
    for number in 0..20 {
        add(50_000 + number as u32, 23, &Arc::new(apart(number)));
    }
    for minute in &mut minutes {
        minute.sort_by_key(|(flow, _)| flow.tuple);
    }
    minutes
}

fn flow(source: u32, port: u16, at: Millis) -> Flow {
    Flow {
        tuple: FlowTuple {
            source: IpAddr::V4((0x0500_0000 + (source << 8) + 9).into()),
            traffic: Traffic::ScanSyn,
            transport: Transport::Tcp { service_port: port },
        },
        tally: Tally {
            packets: 1,
            bytes: 40,
            first: at,
            last: at,
            targets: 1,
            sample: TargetSample::new(vec![source.wrapping_mul(2_654_435_761) >> 22], 16),
            source_port: 40_000,
            ttl_min: 50,
            ttl_max: 50,
            window: 0,
            options: OptionLayout::Unknown,
            marks: Marks::default(),
        },
    }
}

fn batch(sequence: u64, bins: Range<u64>) -> Admitted {
    let (mut spans, mut origins) = (Vec::new(), Vec::new());
    for bin in bins.clone() {
        for (minute, flows) in (0..).zip(flows(bin)) {
            let first = Interval(FROM + bin * BIN + minute * 60);
            let (flows, of_flows): (Vec<_>, Vec<_>) = flows.into_iter().unzip();
            origins.extend(of_flows);
            spans.push(if flows.is_empty() {
                Span::Silent {
                    first,
                    intervals: 1,
                }
            } else {
                Span::Active {
                    interval: first,
                    flows,
                }
            });
        }
    }
    Admitted {
        checksum: sequence,
        origins,
        batch: Batch {
            id: BatchId {
                sensor: SensorId::new("north").unwrap(),
                epoch: Epoch(1),
                sequence,
            },
            interval_length: length(),
            spans,
            complete_through: FROM + bins.end * BIN,
            telescope_addresses: 1_024,
            target_bits: TargetBits::Sixteen,
            counters: Counters::default(),
        },
    }
}

async fn store() -> Store {
    let config = StoreConfig {
        endpoint: testing::database().await,
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.unwrap();
    let batches = (0..BINS.div_ceil(BATCH_BINS)).map(|number| {
        let bins = number * BATCH_BINS..((number + 1) * BATCH_BINS).min(BINS);
        let store = store.clone();
        tokio::spawn(async move { store.append(batch(number, bins)).await })
    });
    for append in batches.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    store
}

fn fresh() -> Analysis {
    let registry = Arc::new(Registry::parse("registry.toml", "").unwrap());
    let settings = Settings::default();
    Analysis::new(&settings, registry, Observation::Live, Purpose::Operation)
}

async fn windows(store: &Store, bins: Range<u64>) -> Vec<Window> {
    let mut reader = store.windows(
        FROM + bins.start * BIN..FROM + bins.end * BIN,
        IntervalLength::DEFAULT,
    );
    let mut windows = Vec::new();
    while let Some(some) = reader.next_chunk().await.unwrap() {
        windows.extend(some);
    }
    windows
}

/// What becomes of what rollups tell.
fn told(analysis: &mut Analysis, windows: &[Window]) -> Vec<Outcome> {
    let kinds = [Kind::ScanSurge, Kind::NewService, Kind::CountrySilence];
    let mut outcomes = analysis.examine(windows);
    outcomes.extend(analysis.alerts.checkpoint());
    outcomes.retain(|outcome| kinds.contains(&outcome.clone().into_numbered().alert.kind));
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn warmed_by_rollups_or_by_windows_it_says_the_same() {
    let store = store().await;
    let position = FROM + PAST * BIN;
    store.roll_up(FROM..FROM + BINS * BIN).await.unwrap();
    let (before, after) = (
        windows(&store, 0..PAST).await,
        windows(&store, PAST..BINS).await,
    );
    let mut by_windows = fresh();
    by_windows.warm_up(&before);
    let mut by_rollups = warm_up(fresh(), &store, position).await.unwrap();
    let (one, other) = (told(&mut by_windows, &after), told(&mut by_rollups, &after));
    let alerts: Vec<Alert> = one
        .iter()
        .map(|outcome| outcome.clone().into_numbered().alert)
        .collect();
    let gist: Vec<_> = alerts
        .iter()
        .map(|alert| (alert.kind, &alert.reason_code, &alert.subject))
        .collect();
    assert!(
        gist.iter().any(|(kind, ..)| *kind == Kind::ScanSurge),
        "{gist:?}"
    );
    assert!(
        gist.iter().any(|(kind, ..)| *kind == Kind::NewService),
        "{gist:?}"
    );
    assert_eq!(one, other);

    // stopped within a bin
    let position = position + 7 * BIN + 180;
    let mut by_rollups = warm_up(fresh(), &store, position).await.unwrap();
    let after: Vec<Window> = after
        .into_iter()
        .filter(|window| window.interval.start() >= position)
        .collect();
    let later = told(&mut by_rollups, &after);
    let opened = |outcomes: &[Outcome]| {
        let opened = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Opened(numbered)
                if numbered.alert.opened_at.seconds() > position + 2 * BIN =>
            {
                Some(numbered.alert.id)
            }
            _ => None,
        });
        opened.collect::<Vec<_>>()
    };
    assert!(!opened(&later).is_empty());
    assert_eq!(opened(&one), opened(&later));
}
