//! A day of three sensors in a real store: two that report throughout, one that restarts at noon.

use std::net::IpAddr;
use std::sync::Arc;

use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::{Counters, Loss, Losses};
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::append::Admitted;
use noroshi_store::engine::testing;
use noroshi_store::lease::Role;
use noroshi_store::origin::{Country, Origin, PartnerId};
use noroshi_store::positions::Position;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};

use super::alerts;

/// 2 November 2026, 00:00 UTC.
pub(crate) const START: u64 = 1_793_577_600;
/// The day's length in seconds.
pub(crate) const LENGTH: u64 = 86_400;
/// One batch covers ten minutes: the first interval brings flows, the others are silent.
const BATCH_SECONDS: u64 = 600;
/// Frames that did not become packets, in every batch.
pub(crate) const OUTSIDE: u64 = 3;

/// A store that holds the day, rolled up, and its alerts.
pub(crate) async fn store() -> Store {
    let endpoint = testing::database().await;
    let config = StoreConfig {
        endpoint,
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.expect("the store opens");
    let mut appends = Vec::new();
    for (number, sensor) in ["jp-1", "th-1", "my-1"].into_iter().enumerate() {
        for admitted in batches(number as u64, sensor) {
            let store = store.clone();
            appends.push(tokio::spawn(async move { store.append(admitted).await }));
        }
    }
    for append in appends {
        append.await.expect("no panic").expect("the batch is kept");
    }
    store
        .roll_up(START..START + LENGTH)
        .await
        .expect("closed periods are rolled up");
    store
        .record(&alerts::transitions())
        .await
        .expect("alerts are recorded");
    people(&store).await;
    examined(&store).await;
    store
}

/// What people did and were told.
async fn people(store: &Store) {
    let steps = store.record_steps(&alerts::steps()).await;
    steps.expect("steps are recorded");
    let told = store.record_deliveries(&[alerts::delivery()]).await;
    told.expect("deliveries are recorded");
    let noted = store.note_accesses(&[alerts::access()]).await;
    noted.expect("accesses are noted");
}

/// The analyzer is a minute behind.
async fn examined(store: &Store) {
    let end = Millis((START + LENGTH) * 1_000);
    let lease = store.acquire_lease(Role::Analyzer, "test", end, Millis(end.0 + 60_000));
    let lease = lease
        .await
        .expect("the store is there")
        .expect("it is free");
    let position = Position {
        through: START + LENGTH - 60,
        taken: end,
    };
    let saved = store.save_position(&lease, position).await;
    saved.expect("it is saved");
}

/// A sensor's day. Sensor 1 starts anew at noon: another epoch, counters from zero.
fn batches(number: u64, sensor: &str) -> Vec<Admitted> {
    let mut counters = Counters::default();
    let mut batches = Vec::new();
    let mut epoch = (Epoch(number + 1), 0);
    for start in (START..START + LENGTH).step_by(BATCH_SECONDS as usize) {
        if number == 1 && start == START + LENGTH / 2 {
            epoch = (Epoch(100), start);
            counters = Counters::default();
        }
        let flows = flows(number, start);
        let packets: u64 = flows.iter().map(|flow| flow.tally.packets).sum();
        counters.packets += packets;
        counters.frames += packets + OUTSIDE;
        counters.losses = more(counters.losses);
        let sequence = (start - epoch.1.max(START)) / BATCH_SECONDS;
        let id = BatchId {
            sensor: SensorId::new(sensor).expect("an id"),
            epoch: epoch.0,
            sequence,
        };
        let origins = flows
            .iter()
            .map(|flow| Arc::new(origin(flow.tuple.source)))
            .collect();
        batches.push(Admitted {
            batch: batch(id, start, flows, counters),
            checksum: start,
            origins,
        });
    }
    batches
}

fn more(mut losses: Losses) -> Losses {
    losses.add(Loss::OutsideTelescope, OUTSIDE);
    losses.add(Loss::KernelDropped, 1); // never was a frame
    losses
}

fn batch(id: BatchId, start: u64, flows: Vec<Flow>, counters: Counters) -> Batch {
    Batch {
        id,
        interval_length: IntervalLength::DEFAULT,
        spans: vec![
            Span::Active {
                interval: Interval(start),
                flows,
            },
            Span::Silent {
                first: Interval(start + 10),
                intervals: BATCH_SECONDS / 10 - 1,
            },
        ],
        complete_through: start + BATCH_SECONDS,
        telescope_addresses: 4_096,
        target_bits: TargetBits::Sixteen,
        counters,
    }
}

/// Scans of three services from four countries, one Mirai-like source, one victim that answers.
fn flows(number: u64, start: u64) -> Vec<Flow> {
    let hour = (start - START) / 3_600;
    let mut flows = Vec::new();
    for place in 0..4_u8 {
        for (port, sources) in [(23, 3 + hour), (445, 4), (5900, 1)] {
            for host in 0..sources as u8 {
                let source = IpAddr::from([203, place, number as u8, host]);
                flows.push(flow(source, Traffic::ScanSyn, port, start));
            }
        }
    }
    let victim = IpAddr::from([198, 51, 100, 7]);
    flows.push(flow(victim, Traffic::BackscatterTcp, 80, start));
    flows.sort_by_key(|flow| flow.tuple);
    flows
}

fn flow(source: IpAddr, traffic: Traffic, service_port: u16, start: u64) -> Flow {
    let first = Millis(start * 1_000 + u64::from(service_port % 9) * 1_000);
    let syns = if traffic == Traffic::ScanSyn { 4 } else { 0 };
    let mirai = if service_port == 23 { syns } else { 0 };
    Flow {
        tuple: FlowTuple {
            source,
            traffic,
            transport: Transport::Tcp { service_port },
        },
        tally: Tally {
            packets: 4,
            bytes: 240,
            first,
            last: Millis(first.0 + 500),
            targets: 4,
            sample: TargetSample::new(vec![1, 22, 333, 4_444], 16),
            source_port: 40_123,
            ttl_min: 50,
            ttl_max: 52,
            window: 1_024,
            options: OptionLayout::None,
            marks: Marks {
                syns,
                mirai,
                ..Marks::default()
            },
        },
    }
}

/// By the first bytes: Thailand, Malaysia, Indonesia, and one place nobody knows.
fn origin(source: IpAddr) -> Origin {
    let IpAddr::V4(address) = source else {
        return Origin::default();
    };
    let (country, partner) = match address.octets() {
        [203, 0, ..] => (Country::new("TH"), PartnerId::new("th-cert")),
        [203, 1, ..] => (Country::new("MY"), PartnerId::new("my-cert")),
        [203, 2, ..] | [198, ..] => (Country::new("ID"), None),
        _ => (None, None),
    };
    let scanner = (address.octets()[3] == 1).then(|| Arc::from("a research scanner"));
    Origin {
        country,
        asn: 64_500,
        partner,
        scanner,
        bogon: None,
    }
}
