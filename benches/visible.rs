//! How long it takes from a packet's arrival at a sensor to a case that readers of the store see,
//! by the clock on the wall: the interval it falls into, the sensor's spool (synced to disk), the
//! collector, the store, the analyzer's windows, detectors and cases.
//!
//! One sensor, one collector, one analyzer and the embedded engine, joined over loopback. Every
//! half second a host that nobody knew asks twelve telescope addresses for Telnet as Mirai does;
//! each is a case of its own. What is left out is the kernel: packets are handed to the sensor as
//! bytes, and an interval ends as long after its end as on a real interface.
//!
//! ```text
//! cargo bench -p noroshi --bench visible [-- CASES]    240 cases: two and a half minutes
//! ```
//! Without `--bench` two cases.

#![allow(clippy::disallowed_methods, reason = "a bench measures by the clock")]
#![allow(clippy::unwrap_used, reason = "a bench that fails has no result")]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use noroshi_analyzer::generate::packet::{Content, Sent, Tool};
use noroshi_analyzer::generate::pcap::datagram;
use noroshi_analyzer::run::{Mode, Parts as AnalyzerParts, run_as};
use noroshi_analyzer::settings::Settings as AnalyzerSettings;
use noroshi_collector::admit::allowance::Rates;
use noroshi_collector::enrich::Tables;
use noroshi_collector::enrich::reload::SharedTables;
use noroshi_collector::run::{Local, Parts};
use noroshi_collector::settings::{Replay, Settings as CollectorSettings};
use noroshi_proto::hello::{Hello, Purpose};
use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::time::{IntervalLength, Millis};
use noroshi_sensor::clock;
use noroshi_sensor::config::collector::Collector;
use noroshi_sensor::decode::Decoder;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::mask::{Mask, MaskKey};
use noroshi_sensor::packet::{Frame, LinkType};
use noroshi_sensor::ship::lanes::Order;
use noroshi_sensor::ship::queue::Queue;
use noroshi_sensor::ship::{self, Phase};
use noroshi_sensor::spool::{self, Durability, Spool};
use noroshi_sensor::summarise::{Cut, Memory, Settings as Summarising, Summariser};
use noroshi_sensor::telescope::Telescope;
use noroshi_store::alert::{State, Subject};
use noroshi_store::cases::ChangeCursor;
use noroshi_store::engine::{Engine, testing};
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use tokio::sync::watch;

/// A partner whose hosts are infected, and a sensor; prefixes are those set aside for benchmarks.
const REGISTRY: &str = r#"
[[partner]]
id = "th-cert"
name = "Thailand"
country = "TH"
programmes = ["practice", "daedalus"]
[[partner.prefix]]
prefix = "198.18.0.0/16"
claim = "verified"
consent = { by = "benchmark", on = 2026-01-01 }

[[partner]]
id = "jp-cert"
name = "Japan, host of the sensor"
country = "JP"

[[sensor]]
id = "jp-1"
partner = "jp-cert"
telescope = [{ prefix = "198.19.0.0/20", from = 2026-01-01 }]
"#;
const SENSOR: &str = "jp-1";
const TELESCOPE: Ipv4Addr = Ipv4Addr::new(198, 19, 0, 0);
/// Milliseconds from one host to the next: intervals of ten seconds begin at all phases of it.
const APART_MILLIS: u64 = 501;
/// Milliseconds before the first: until the analyzer has heard of the sensor.
const QUIET_MILLIS: u64 = 25_000;
/// Targets of one host.
const TARGETS: u32 = 12;
/// How long after its end a sensor keeps an interval open: as on an interface.
const SLACK_MILLIS: u64 = 200;
/// How often the sensor looks at its clock, and how often the store is asked for cases.
const TICK: Duration = Duration::from_millis(5);
const POLL: Duration = Duration::from_millis(20);
/// Longest the last case is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Raw IP, as tcpdump.org numbers link types.
const RAW: LinkType = LinkType(101);

/// When each host asked.
type Arrivals = HashMap<IpAddr, Instant>;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_full = arguments.iter().any(|argument| argument == "--bench");
    let size = arguments.iter().find_map(|argument| argument.parse().ok());
    let cases = size.unwrap_or(if is_full { 240 } else { 2 });
    let engine = Engine::throw_away(Some(testing::program()))
        .await
        .expect("the engine starts");
    let config = StoreConfig {
        endpoint: engine.endpoint().clone(),
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.expect("the store opens");
    let registry = Arc::new(Registry::parse("registry.toml", REGISTRY).unwrap());
    let parts = Parts {
        store: store.clone(),
        registry: Arc::clone(&registry),
        tables: SharedTables::new(Tables::of_registry(Arc::clone(&registry))),
        metrics: Arc::default(),
    };
    let settings = CollectorSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        replay: Replay::Refused,
        tls: None,
        streams_max: 16,
        rates: Rates::UNLIMITED,
        updates: None,
    };
    let collector = Local::start(parts, &settings).await.unwrap();
    let (stop, mut stopped) = watch::channel(());
    let gone = async move { while stopped.changed().await.is_ok() {} };
    let parts = AnalyzerParts {
        store: store.clone(),
        registry,
        settings: AnalyzerSettings::default(),
        metrics: Arc::default(),
    };
    let analyzing = run_as(Mode::OPERATION, parts, gone);
    let analyzing = tokio::spawn(analyzing);
    let directory = tempfile::tempdir().unwrap();
    let (phase, phases) = watch::channel(Phase::Running);
    let (queue, shipping) = shipper(directory.path(), &format!("http://{}", collector.address()));
    let shared = Arc::clone(&queue);
    let shipping =
        tokio::spawn(async move { ship::ship(watch::channel(shipping).1, shared, phases).await });
    let sensing = tokio::task::spawn_blocking(move || sense(cases, &queue));
    let seen = watch_cases(&store, cases).await;
    let arrivals = sensing.await.unwrap();
    tell(cases, &arrivals, &seen);
    drop(stop);
    analyzing.await.unwrap().unwrap();
    phase.send(Phase::Finishing(None)).unwrap();
    shipping.await.unwrap().unwrap();
    collector.stop().await.unwrap();
}

fn sensor() -> SensorId {
    SensorId::new(SENSOR).unwrap()
}

fn telescope() -> Telescope {
    Telescope::new(&["198.19.0.0/20".parse().unwrap()])
}

/// A spool as an operator's sensor has it, and who empties it.
fn shipper(directory: &Path, collector: &str) -> (Arc<Queue>, ship::Settings) {
    let settings = spool::Settings {
        directory: directory.to_owned(),
        sensor: sensor(),
        bytes_max: 1 << 30,
        keep: spool::KEEP,
        durability: Durability::Synced,
    };
    let spool = Spool::open(settings, Epoch(1), clock::now().seconds()).unwrap();
    let shipping = ship::Settings {
        collector: Collector::parse(collector).unwrap(),
        hello: Hello {
            sensor: sensor(),
            epoch: Epoch(1),
            software_version: "bench".to_owned(),
            interval_length: IntervalLength::DEFAULT,
            telescope: telescope().prefixes().to_vec(),
            purpose: Purpose::Live,
            clock: clock::now(),
        },
        order: Order::LiveFirst,
        patience: None,
    };
    (Arc::new(Queue::new(spool)), shipping)
}

/// The sensor: hosts come one after another until all have, then some more intervals end.
fn sense(cases: u32, queue: &Queue) -> Arrivals {
    let settings = Summarising {
        sensor: sensor(),
        epoch: Epoch(1),
        interval_length: IntervalLength::DEFAULT,
        cut: Cut::EveryInterval,
        memory: Memory::DEFAULT,
    };
    let decoder = Decoder::new(telescope(), Delivery::Direct);
    let mask = Mask::new(&MaskKey::from_bytes([7; 16]), telescope());
    let mut summariser = Summariser::new(settings, mask);
    let mut arrivals = Arrivals::new();
    let began = clock::now().0;
    let last = QUIET_MILLIS + u64::from(cases) * APART_MILLIS;
    while clock::now().0 < began + last + 15_000 {
        let (now, come) = (clock::now(), arrivals.len() as u32);
        let due = began + QUIET_MILLIS + u64::from(come) * APART_MILLIS;
        if come < cases && now.0 >= due {
            for target in 0..TARGETS {
                let bytes = datagram(&probe(come, target, now));
                let frame = Frame {
                    seen_at: now,
                    link: RAW,
                    wire_bytes: bytes.len() as u32,
                    bytes: &bytes,
                };
                let packet = decoder.decode(&frame).expect("it is for the telescope");
                queue.push(&summariser.add(&packet), now).unwrap();
            }
            arrivals.insert(host(come).into(), Instant::now());
        }
        let open = Millis(now.0 - SLACK_MILLIS).interval(IntervalLength::DEFAULT);
        queue.push(&summariser.advance_to(open), now).unwrap();
        std::thread::sleep(TICK);
    }
    arrivals
}

fn host(number: u32) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, number as u8, (10 + number / 256) as u8)
}

fn probe(number: u32, target: u32, at: Millis) -> Sent {
    let target = u32::from(TELESCOPE) + (number * 97 + target * 331) % 4_096;
    Sent {
        at,
        source: host(number),
        target: target.into(),
        ttl: 40 + (number % 20) as u8,
        content: Content::Syn {
            tool: Tool::Mirai,
            port: 23,
            source_port: 40_000,
        },
        salt: number,
    }
}

/// When a case about each host was first to be read.
async fn watch_cases(store: &Store, cases: u32) -> Arrivals {
    let mut seen = Arrivals::new();
    let mut cursor = ChangeCursor::default();
    let longest = QUIET_MILLIS + u64::from(cases) * APART_MILLIS;
    let until = Instant::now() + Duration::from_millis(longest) + PATIENCE;
    while seen.len() < cases as usize && Instant::now() < until {
        let changes = store.changes(cursor, 200).await.unwrap();
        let now = Instant::now();
        for (place, shown) in changes {
            cursor = place;
            let is_new = shown.alert.state == State::New;
            if let (true, Subject::Source { source, .. }) = (is_new, &shown.alert.subject) {
                seen.entry(*source).or_insert(now);
            }
        }
        tokio::time::sleep(POLL).await;
    }
    seen
}

fn tell(cases: u32, arrivals: &Arrivals, seen: &Arrivals) {
    let waited =
        |(host, arrived): (&IpAddr, &Instant)| Some(seen.get(host)?.duration_since(*arrived));
    let mut waits: Vec<Duration> = arrivals.iter().filter_map(waited).collect();
    waits.sort_unstable();
    let at = |share: f64| {
        let rank = (waits.len() as f64 * share).ceil() as usize;
        waits
            .get(rank.max(1) - 1)
            .map_or(f64::NAN, Duration::as_secs_f64)
    };
    println!(
        "from arrival to a case that is seen: {} of {cases} cases, p50 {:.1} s, p99 {:.1} s, longest {:.1} s",
        waits.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
