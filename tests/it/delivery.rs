//! The law of delivery: whatever happens to lines, sensors and collectors, every packet that was
//! kept by a sensor is in the store once, in the interval it came in.

mod line;
pub mod sensor;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use noroshi_collector::enrich::Tables;
use noroshi_collector::enrich::reload::SharedTables;
use noroshi_collector::metrics::Metrics;
use noroshi_collector::run::{Local, Parts};
use noroshi_collector::settings::{Replay, Settings};
use noroshi_proto::time::IntervalLength;
use noroshi_proto::v1::ingest_client::IngestClient;
use noroshi_proto::v1::push_request::Message as Request;
use noroshi_proto::v1::push_response::Message as Answer;
use noroshi_proto::v1::{Hello, PushRequest, RefusalReason};
use noroshi_store::engine::testing;
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use self::line::{Answers, Line};
use self::sensor::{SENSOR, Sensor};

/// Longest a shipment may take that is only disturbed for moments.
const LIMIT: Duration = Duration::from_secs(60);

/// A store, a collector and the line to it.
struct Centre {
    store: Store,
    collector: Local,
    metrics: Arc<Metrics>,
    line: Line,
}

impl Centre {
    async fn start() -> Self {
        let endpoint = testing::database().await;
        let config = StoreConfig {
            endpoint,
            cluster: None,
            retention: Retention::forever(),
        };
        let store = Store::open(&config).await.expect("the store opens");
        let metrics = Arc::new(Metrics::default());
        let collector = collector(&store, Replay::Refused, &metrics).await;
        let line = Line::lay(collector.address()).await;
        Self {
            store,
            collector,
            metrics,
            line,
        }
    }

    async fn restart_collector(self) -> Self {
        let Self {
            store,
            collector,
            metrics,
            line,
        } = self;
        collector.stop().await.expect("the collector ends");
        let collector = self::collector(&store, Replay::Refused, &metrics).await;
        line.lead_to(collector.address());
        Self {
            store,
            collector,
            metrics,
            line,
        }
    }

    /// Packets by interval, as windows give them.
    async fn packets(&self, sensor: &Sensor) -> BTreeMap<u64, u64> {
        let mut packets = BTreeMap::new();
        let mut windows = self.store.windows(sensor.range(), IntervalLength::DEFAULT);
        while let Some(chunk) = windows.next_chunk().await.expect("windows are readable") {
            for window in chunk {
                *packets.entry(window.interval.start()).or_default() += window.packets();
            }
        }
        packets
    }

    async fn assert_holds(&self, sensor: &Sensor) {
        let accounting = self.store.accounting().await.expect("the store counts");
        assert!(accounting.balances(), "{accounting:?}");
        let made: u64 = sensor.made().values().sum();
        assert_eq!(accounting.raw.packets, made, "{accounting:?}");
        assert_eq!(&self.packets(sensor).await, sensor.made());
    }
}

async fn collector(store: &Store, replay: Replay, metrics: &Arc<Metrics>) -> Local {
    let registry = Registry::parse("registry.toml", sensor::REGISTRY).expect("it is valid");
    let registry = Arc::new(registry);
    let tables = SharedTables::new(Tables::of_registry(Arc::clone(&registry)));
    let parts = Parts {
        store: store.clone(),
        registry,
        tables,
        metrics: Arc::clone(metrics),
    };
    let settings = Settings {
        replay,
        ..Settings::local_replay()
    };
    Local::start(parts, &settings)
        .await
        .expect("a loopback port")
}

/// What may happen on the way.
#[derive(Clone, Debug)]
enum Op {
    /// Packets in one interval, kept by the sensor.
    Watch(u16),
    /// Intervals without any.
    Silence(u8),
    /// The line breaks.
    Cut,
    /// Answers get lost from now on, until the line breaks.
    LoseAnswers,
    /// The sensor's process is killed and started again.
    KillSensor,
    /// The collector is ended and started again elsewhere.
    RestartCollector,
    /// Time passes.
    Wait,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1u16..300).prop_map(Op::Watch),
        1 => (1u8..20).prop_map(Op::Silence),
        1 => Just(Op::Cut),
        1 => Just(Op::LoseAnswers),
        1 => Just(Op::KillSensor),
        1 => Just(Op::RestartCollector),
        2 => Just(Op::Wait),
    ]
}

async fn deliver(ops: Vec<Op>) {
    let mut centre = Centre::start().await;
    let mut sensor = Sensor::start(centre.line.address());
    for op in ops {
        match op {
            Op::Watch(packets) => sensor.watch(packets),
            Op::Silence(intervals) => sensor.pass(intervals),
            Op::Cut => centre.line.cut(),
            Op::LoseAnswers => centre.line.answers(Answers::Lost),
            Op::KillSensor => sensor = sensor.kill().await,
            Op::RestartCollector => centre = centre.restart_collector().await,
            Op::Wait => tokio::time::sleep(Duration::from_millis(120)).await,
        }
    }
    centre.line.cut(); // answers are heard again
    let sensor = tokio::time::timeout(LIMIT, sensor.finish())
        .await
        .expect("everything arrives");
    centre.assert_holds(&sensor).await;
    centre.collector.stop().await.expect("the collector ends");
}

/// Few cases: each is a store, a collector and seconds of broken lines.
#[test]
fn every_interval_is_stored_exactly_once_whatever_happens() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config {
        cases: 8,
        max_shrink_iters: 20,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let ops = prop::collection::vec(op(), 1..24);
    let held = runner.run(&ops, |ops| {
        runtime.block_on(deliver(ops));
        Ok(())
    });
    held.unwrap_or_else(|broken| panic!("{broken}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_is_kept_once_and_never_with_other_contents() {
    let centre = Centre::start().await;
    let mut sensor = Sensor::start(centre.line.address());
    sensor.watch(50);
    let batch = sensor.last_batch();
    let sensor = sensor.finish().await;
    centre.assert_holds(&sensor).await;

    let mut other = batch.clone();
    let more = noroshi_proto::loss::Counters {
        frames: 1,
        packets: 1,
        ..Default::default()
    };
    noroshi_proto::wire::batch::report_also(&mut other, &more).expect("it is a batch");
    let requests = [
        Request::Hello(sensor.hello()),
        Request::Batch(batch),
        Request::Batch(other),
    ];
    let requests = requests.map(|message| PushRequest {
        message: Some(message),
    });
    let address = format!("http://{}", centre.collector.address());
    let mut client = IngestClient::connect(address)
        .await
        .expect("the collector listens");
    let answers = client
        .push(tokio_stream::iter(requests))
        .await
        .expect("a stream");
    let mut answers = answers.into_inner();
    let mut heard = Vec::new();
    while let Some(answer) = answers.message().await.expect("an answer") {
        heard.extend(answer.message);
    }
    let [
        Answer::Welcome(welcome),
        Answer::Ack(_),
        Answer::Refusal(refusal),
    ] = &heard[..]
    else {
        panic!("{heard:?}");
    };
    assert_eq!(welcome.held.len(), 1, "the ledger holds what was sent");
    assert_eq!(refusal.reason(), RefusalReason::Conflict);
    centre.assert_holds(&sensor).await;
    let told = centre.metrics.text();
    for line in [
        "noroshi_collector_batches_kept_total 2", // what was there before is acknowledged, too
        "noroshi_collector_packets_kept_total 100",
        "noroshi_collector_batches_refused_total{reason=\"conflict\"} 1",
        "noroshi_collector_batches_waiting 0",
        "noroshi_collector_batch_seconds_count 2",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_that_is_refused_ends_with_the_reason_and_keeps_its_batches() {
    let centre = Centre::start().await;
    let mut stranger = Sensor::start_as("nobody", centre.line.address());
    stranger.watch(10);
    let (error, left) = stranger.refused().await;
    assert!(error.contains("nobody is not in the registry"), "{error}");
    assert_eq!(left, 1);
    let refused = "noroshi_collector_streams_refused_total{reason=\"unknown_sensor\"} 1\n";
    let told = centre.metrics.text();
    assert!(told.contains(refused), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_hears_what_a_sensor_would() {
    let centre = Centre::start().await;
    let welcome = sensor::probe(SENSOR, centre.line.address())
        .await
        .expect("the registry has it");
    assert_eq!(welcome.held, [], "nothing was ever sent");
    assert!(welcome.clock.0 > 0);
    let refused = sensor::probe("nobody", centre.line.address()).await;
    let refused = refused.expect_err("the registry has no such");
    assert!(
        refused.contains("nobody is not in the registry"),
        "{refused}"
    );
    let nowhere = sensor::probe(SENSOR, SocketAddr::from(([127, 0, 0, 1], 9))).await;
    let nowhere = nowhere.expect_err("nobody listens");
    assert!(nowhere.contains("refused"), "{nowhere}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_stream_of_a_sensor_ends_the_older() {
    let centre = Centre::start().await;
    let mut first = Sensor::start(centre.line.address());
    first.watch(10);
    first.drained().await;
    let mut second = Sensor::start(centre.line.address());
    second.watch(10);
    second.drained().await;
    let (error, left) = first.refused().await;
    assert!(error.contains("a newer stream"), "{error}");
    assert_eq!(left, 0);
}

/// What a killed process has sent may be read after its successor's hello.
#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_comes_late_ends_nobody() {
    let centre = Centre::start().await;
    let mut sensor = Sensor::start(centre.line.address());
    let before = sensor.hello();
    sensor.watch(10);
    sensor.drained().await;
    let address = format!("http://{}", centre.collector.address());
    let mut client = IngestClient::connect(address)
        .await
        .expect("the collector listens");
    let late = PushRequest {
        message: Some(Request::Hello(Hello {
            clock_ms: before.clock_ms - 1_000,
            ..before
        })),
    };
    let answers = client.push(tokio_stream::iter([late])).await;
    let mut answers = answers.expect("a stream").into_inner();
    let answer = answers.message().await.expect("an answer");
    let Some(Answer::Refusal(refusal)) = answer.and_then(|answer| answer.message) else {
        panic!("it was let in");
    };
    assert_eq!(refusal.reason(), RefusalReason::Overtaken);
    sensor.watch(10);
    let sensor = sensor.finish().await;
    centre.assert_holds(&sensor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_are_replayed_only_where_replays_are_admitted() {
    let centre = Centre::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let capture = directory.path().join("scan.pcap");
    std::fs::write(&capture, sensor::capture(5_000)).expect("writable");
    let refused = sensor::replay(&capture, centre.collector.address()).await;
    let refused = refused
        .expect_err("it is a centre for live traffic")
        .to_string();
    assert!(refused.contains("takes no replayed captures"), "{refused}");

    let exercise = collector(&centre.store, Replay::Admitted, &centre.metrics).await;
    let delivered = sensor::replay(&capture, exercise.address())
        .await
        .expect("it is admitted");
    assert_eq!(delivered.counters.frames, 5_000);
    assert_eq!(delivered.counters.packets, 5_000);
    assert!(delivered.defects.is_empty());
    let accounting = centre.store.accounting().await.expect("the store counts");
    assert!(accounting.balances(), "{accounting:?}");
    assert_eq!(accounting.raw.packets, 5_000);
    assert_eq!(accounting.raw.flows, delivered.flow_tuples);
    assert_eq!(accounting.sensors[0].sensor.as_str(), SENSOR);
    exercise.stop().await.expect("the collector ends");
}
