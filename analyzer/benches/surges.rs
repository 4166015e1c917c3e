//! What surges cost: a sighting, a series, and 28 days to remember.
//!
//! ```text
//! cargo bench -p noroshi-analyzer --bench surges                everything, in full
//! cargo bench -p noroshi-analyzer --bench surges -- fold 500    sightings of 500 services, a day and some hours
//! cargo bench -p noroshi-analyzer --bench surges -- warm 300    28 days of rollups of 300 services in ten countries
//! ```
//! Without `--bench` one small round. On two cores nothing else may run.

#![allow(clippy::disallowed_methods, reason = "a bench measures by the clock")]
#![allow(clippy::unwrap_used, reason = "a bench that fails has no result")]

#[path = "time/process.rs"]
mod process;
#[path = "time/spent.rs"]
mod spent;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use noroshi_analyzer::alerts::Purpose;
use noroshi_analyzer::analysis::Analysis;
use noroshi_analyzer::detectors::country_silence::CountrySilences;
use noroshi_analyzer::detectors::scan_surge::ScanSurges;
use noroshi_analyzer::detectors::{Detector, Observation};
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
use noroshi_store::append::Admitted;
use noroshi_store::engine::{Engine, testing};
use noroshi_store::origin::{Country, Origin};
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use noroshi_store::window::{Sighting, Watch, Window};

const FROM: u64 = 1_793_577_600;
const DAY: u64 = 86_400;
/// Bins that are folded: a day without which nothing is compared, and some hours.
const BINS: u64 = 168;
/// Series of one service: the region, and eight countries.
const SERIES: u64 = 9;
/// Windows of a bin.
const WINDOWS: u64 = 60;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_full = arguments.iter().any(|argument| argument == "--bench");
    let mut words = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"));
    let (what, size) = (words.next(), words.next().map(|size| size.parse().unwrap()));
    if what.is_none_or(|what| what == "fold") {
        let sizes = match size {
            Some(size) => vec![size],
            None if is_full => vec![500, 1_000, 2_000, 4_000, 8_000],
            None => vec![500],
        };
        for services in sizes {
            fold(services, if is_full { BINS } else { 2 });
        }
    }
    if what.is_none_or(|what| what == "warm") {
        let services = size.unwrap_or(if is_full { 300 } else { 5 });
        warm(services, if is_full { 28 } else { 1 }).await;
    }
}

/// Bins of sixty windows, in which each service is asked for by 20 sources, most of them again
/// and again; beside them a pass that only reads the windows.
fn fold(services: u64, bins: u64) {
    let countries = ["TH", "ID", "MY", "PH", "SG", "LA", "MM", "JP"];
    let origins = countries.map(|country| {
        Arc::new(Origin {
            country: Country::new(country),
            ..Origin::default()
        })
    });
    let random = &mut Random::new(5);
    let mut one_bin: Vec<Window> = (0..WINDOWS)
        .map(|number| window(FROM + number * 10))
        .collect();
    for sighting in 0..services * 20 * 3 {
        let source = sighting % (services * 20);
        let at = random.below(WINDOWS);
        let flow = flow(source as u32, (source % services) as u16 + 1, at);
        let origin = Arc::clone(&origins[source as usize % countries.len()]);
        one_bin[at as usize].flows.push(Sighting {
            watch: 0,
            flow,
            origin,
            late: false,
        });
    }
    for window in &mut one_bin {
        window.flows.sort_by_key(|sighting| sighting.flow.tuple);
    }
    let sightings: usize = one_bin.iter().map(|window| window.flows.len()).sum();
    let settings = Settings::default();
    let detectors: [(&str, Box<dyn Detector>); 2] = [
        (
            "scan_surge",
            Box::new(ScanSurges::new(&settings.scan_surge)),
        ),
        (
            "country_silence",
            Box::new(CountrySilences::new(&settings.country_silence)),
        ),
    ];
    let reading = time(&mut one_bin, bins, |window| {
        std::hint::black_box(window.packets());
    });
    for (name, mut detector) in detectors {
        let spent = time(&mut one_bin, bins, |window| {
            detector.examine(window);
        });
        let nanos = spent.as_nanos() as f64;
        let a_series = nanos / (services * SERIES * WINDOWS * bins) as f64;
        let a_sighting = nanos / (sightings as u64 * bins) as f64;
        let times = nanos / reading.as_nanos().max(1) as f64;
        println!(
            "{name:15} {services} services x 8 countries: {a_series:.1} ns a series and window, \
             {a_sighting:.0} ns a sighting, {times:.1} times what reading takes"
        );
    }
}

/// Processor time of bins of these windows.
fn time(windows: &mut [Window], bins: u64, mut examine: impl FnMut(&Window)) -> Duration {
    let before = spent::by_thread();
    for bin in 0..bins {
        for (number, window) in (0..).zip(&mut *windows) {
            window.interval = Interval(FROM + bin * 600 + number * 10);
            examine(window);
        }
    }
    spent::by_thread() - before
}

fn window(at: u64) -> Window {
    Window {
        watches: vec![Watch {
            sensor: SensorId::new("north").unwrap(),
            addresses: 16_384,
            target_bits: TargetBits::Sixteen,
        }],
        ..Window::empty(Interval(at), IntervalLength::DEFAULT)
    }
}

fn flow(source: u32, port: u16, minute: u64) -> Flow {
    let at = Millis((FROM + minute * 10) * 1_000);
    Flow {
        tuple: FlowTuple {
            source: IpAddr::V4((0x0500_0000 + source * 97).into()),
            traffic: Traffic::ScanSyn,
            transport: Transport::Tcp { service_port: port },
        },
        tally: Tally {
            packets: 1,
            bytes: 40,
            first: at,
            last: at,
            targets: 1,
            sample: TargetSample::new(vec![source % 16_384], 16),
            source_port: 40_000,
            ttl_min: 50,
            ttl_max: 50,
            window: 0,
            options: OptionLayout::Unknown,
            marks: Marks::default(),
        },
    }
}

/// Days of rollups, read back and remembered as at the start of a live analyzer.
async fn warm(services: u64, days: u64) {
    let engine = Engine::throw_away(Some(testing::program()))
        .await
        .expect("the engine starts");
    let config = StoreConfig {
        endpoint: engine.endpoint().clone(),
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.expect("the store opens");
    store.append(silence(days)).await.unwrap();
    for day in 0..days {
        let made = store
            .client()
            .query(include_str!("made_up_rollups.sql"))
            .param("start", FROM + day * DAY)
            .param("bins", 144)
            .param("services", services);
        made.execute().await.unwrap();
    }
    let rows = store
        .client()
        .query("SELECT count() FROM ten_minute_rollup")
        .fetch_one::<u64>();
    let rows = rows.await.unwrap();
    let registry = Arc::new(Registry::parse("registry.toml", "").unwrap());
    let settings = Settings::default();
    let analysis = Analysis::new(&settings, registry, Observation::Live, Purpose::Operation);
    let engines = engine.pid().to_string();
    let (own, its) = (process::spent("self"), process::spent(&engines));
    let began = Instant::now();
    let end = FROM + days * DAY;
    warm_up(analysis, &store, end).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "warm-up: {days} days, {services} services x 10 countries, {rows} rows: {seconds:.1} s; \
         {:.1} s of processors in the program, {:.1} s in the engine",
        (process::spent("self") - own).as_secs_f64(),
        (process::spent(&engines) - its).as_secs_f64(),
    );
}

/// A batch that says that somebody watched, and that nothing arrived.
fn silence(days: u64) -> Admitted {
    let length = IntervalLength::DEFAULT;
    Admitted {
        checksum: 1,
        origins: Vec::new(),
        batch: Batch {
            id: BatchId {
                sensor: SensorId::new("north").unwrap(),
                epoch: Epoch(1),
                sequence: 0,
            },
            interval_length: length,
            spans: vec![Span::Silent {
                first: Interval(FROM),
                intervals: days * DAY / u64::from(length.seconds()),
            }],
            complete_through: FROM + days * DAY,
            telescope_addresses: 16_384,
            target_bits: TargetBits::Sixteen,
            counters: Counters::default(),
        },
    }
}
