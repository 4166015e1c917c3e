//! Batches for tests, and stores to keep them in.

use std::net::{IpAddr, Ipv4Addr};
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
use noroshi_store::origin::{Country, Origin, PartnerId};
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};

/// 2 November 2026, 06:00:00 UTC.
pub(crate) const MORNING: u64 = 1_793_599_200;

/// An empty store that keeps everything.
pub(crate) async fn store() -> Store {
    open(config(Retention::forever()).await).await
}

/// Of a new database.
pub(crate) async fn config(retention: Retention) -> StoreConfig {
    StoreConfig {
        endpoint: testing::database().await,
        cluster: None,
        retention,
    }
}

pub(crate) async fn open(config: StoreConfig) -> Store {
    Store::open(&config).await.expect("the store opens")
}

pub(crate) fn sensor(name: &str) -> SensorId {
    SensorId::new(name).expect("a sensor's name")
}

/// The `number`th source, with a SYN to each of two telnet ports.
pub(crate) fn flow(number: u32, at: u64) -> Flow {
    Flow {
        tuple: FlowTuple {
            source: IpAddr::V4(Ipv4Addr::from_bits(0xcb00_7100 + number * 100)),
            traffic: Traffic::ScanSyn,
            transport: Transport::Tcp { service_port: 23 },
        },
        tally: Tally {
            packets: 3,
            bytes: 120,
            first: Millis(at * 1000 + 345),
            last: Millis(at * 1000 + 2_345),
            targets: 2,
            sample: TargetSample::new(vec![number, number + 7], 16),
            source_port: 40_123,
            ttl_min: 50,
            ttl_max: 51,
            window: 14_600,
            options: OptionLayout::Linux,
            marks: Marks {
                syns: 3,
                mirai: 3,
                ..Marks::default()
            },
        },
    }
}

pub(crate) fn origin() -> Arc<Origin> {
    Arc::new(Origin {
        country: Country::new("TH"),
        asn: 64_500,
        partner: PartnerId::new("th-cert"),
        scanner: None,
        bogon: None,
    })
}

/// What one sensor saw in one interval: `sources` sources with one flow each.
pub(crate) fn batch(name: &str, sequence: u64, interval: u64, sources: u32) -> Admitted {
    let flows: Vec<Flow> = (0..sources).map(|number| flow(number, interval)).collect();
    let span = match flows.is_empty() {
        true => Span::Silent {
            first: Interval(interval),
            intervals: 1,
        },
        false => Span::Active {
            interval: Interval(interval),
            flows,
        },
    };
    of_spans(name, sequence, vec![span])
}

/// A batch of these spans.
pub(crate) fn of_spans(name: &str, sequence: u64, spans: Vec<Span>) -> Admitted {
    let length = IntervalLength::DEFAULT;
    let end = match spans.last() {
        Some(Span::Silent { first, intervals }) => first.start() + intervals * 10,
        Some(Span::Active { interval, .. }) => interval.end(length),
        None => MORNING,
    };
    let mut losses = Losses::default();
    losses.add(Loss::NotIp, 2);
    let mut batch = Batch {
        id: BatchId {
            sensor: sensor(name),
            epoch: Epoch(u64::MAX - 7),
            sequence,
        },
        interval_length: length,
        spans,
        complete_through: end,
        telescope_addresses: 4_096,
        target_bits: TargetBits::Sixteen,
        counters: Counters {
            losses,
            ..Counters::default()
        },
    };
    batch.counters.packets = batch.packets() * (sequence + 1);
    batch.counters.frames = batch.counters.packets + 2;
    let origin = origin();
    let origins = batch.flows().map(|_| Arc::clone(&origin)).collect();
    Admitted {
        batch,
        checksum: 77 + sequence,
        origins,
    }
}

/// One number of the store.
pub(crate) async fn number(store: &Store, sql: &str) -> u64 {
    store.client().query(sql).fetch_one().await.expect(sql)
}
