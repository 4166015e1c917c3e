//! How fast the store takes batches, how small it keeps them, and how long a sensor waits.
//!
//! ```text
//! cargo bench -p noroshi-store --bench region -- speed [MILLIONS]    one centre catching up: flow tuples a second, bytes each
//! cargo bench -p noroshi-store --bench region -- sensors [MINUTES]   1,000 sensors, a batch each every 10 s: acknowledgements, parts
//! ```
//! Traffic is made up in the shape of a telescope's: sources by Zipf's law, two thirds SYNs, most
//! flows of one packet. On two cores nothing else may run.

#![allow(clippy::disallowed_methods, reason = "a bench measures by the clock")]
#![allow(clippy::unwrap_used, reason = "a bench that fails has no result")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use tokio::task::JoinSet;

const SENSORS: u64 = 1_000;
/// Flow tuples of one small sensor in ten seconds: a /24 at 20 packets per second.
const SENSOR_FLOWS: usize = 150;
/// Flow tuples of a large sensor's interval.
const INTERVAL_FLOWS: usize = 50_000;
const MORNING: u64 = 1_793_599_200;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    let what = arguments.next().unwrap_or_default();
    let size = arguments
        .next()
        .map(|size| size.parse::<u64>().expect("a number"));
    let engine = Engine::throw_away(Some(testing::program()))
        .await
        .expect("the engine starts");
    let config = StoreConfig {
        endpoint: engine.endpoint().clone(),
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.expect("the store opens");
    match what.as_str() {
        "speed" => speed(&store, engine.pid(), size.unwrap_or(6)).await,
        "sensors" => sensors(&store, engine.pid(), size.unwrap_or(10)).await,
        other => println!("say `speed` or `sensors`, not {other:?}"),
    }
    store.close().await;
    engine.stop().await;
}

/// Batches of a large sensor, as fast as the store takes them.
async fn speed(store: &Store, engine: u32, millions: u64) {
    let mut random = Random(7);
    let origins = Origins::new();
    let made: Vec<Admitted> = (0..20)
        .map(|number| admitted(&mut random, &origins, number, INTERVAL_FLOWS))
        .collect();
    let packets: u64 = made.iter().map(|admitted| admitted.batch.packets()).sum();
    println!(
        "{:.2} packets per flow tuple",
        packets as f64 / (20.0 * INTERVAL_FLOWS as f64)
    );
    let batches = millions * 1_000_000 / INTERVAL_FLOWS as u64;
    let start = Instant::now();
    let mut waiting = JoinSet::new();
    let mut latest = Vec::new();
    for sequence in 0..batches {
        if waiting.len() == 16 {
            latest.push(waiting.join_next().await.unwrap().unwrap());
        }
        let again = shifted(&made[sequence as usize % made.len()], sequence);
        let store = store.clone();
        waiting.spawn(async move {
            let sent = Instant::now();
            store.append(again).await.expect("kept");
            sent.elapsed()
        });
    }
    while let Some(waited) = waiting.join_next().await {
        latest.push(waited.unwrap());
    }
    let seconds = start.elapsed().as_secs_f64();
    let flows = batches * INTERVAL_FLOWS as u64;
    println!(
        "{flows} flow tuples in {seconds:.1} s: {:.0} per second",
        flows as f64 / seconds
    );
    cpu("writing", engine, flows);
    quantiles("kept after", &mut latest);
    sizes(store, flows, "as written").await;
    for table in ["flow_tuples", "minute_rollup"] {
        let merge = format!("OPTIMIZE TABLE {table} FINAL");
        store.client().query(&merge).execute().await.unwrap();
    }
    sizes(store, flows, "merged").await;
    columns(store, flows).await;
    read_back(store, batches).await;
    assert!(store.accounting().await.unwrap().balances());
}

async fn read_back(store: &Store, batches: u64) {
    let start = Instant::now();
    let mut reader = store.windows(MORNING..MORNING + batches * 10, IntervalLength::DEFAULT);
    let mut read = 0;
    while let Some(windows) = reader.next_chunk().await.unwrap() {
        read += windows
            .iter()
            .map(|window| window.flows.len())
            .sum::<usize>();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{read} read back in windows in {seconds:.1} s: {:.0} per second",
        read as f64 / seconds
    );
}

/// A batch every ten seconds from each of a thousand sensors, evenly spread.
async fn sensors(store: &Store, engine: u32, minutes: u64) {
    let mut random = Random(7);
    let origins = Origins::new();
    let made: Vec<Admitted> = (0..200)
        .map(|number| admitted(&mut random, &origins, number, SENSOR_FLOWS))
        .collect();
    let start = Instant::now();
    let mut waiting = JoinSet::new();
    let (mut waits, mut most_parts) = (Vec::new(), (0, String::new()));
    let total = SENSORS * minutes * 6;
    for number in 0..total {
        let due = start + Duration::from_micros(number * 10_000_000 / SENSORS);
        tokio::time::sleep_until(due.into()).await;
        let mut next = shifted(&made[number as usize % made.len()], number / SENSORS);
        next.batch.id.sensor = SensorId::new(&format!("sensor-{}", number % SENSORS)).unwrap();
        let centre = store.clone();
        waiting.spawn(async move {
            centre.append(next).await.expect("kept");
            due.elapsed()
        });
        while let Some(waited) = waiting.try_join_next() {
            waits.push(waited.unwrap());
        }
        if number % (SENSORS / 10) == 0 {
            most_parts = most_parts.max(parts(store).await);
        }
    }
    while let Some(waited) = waiting.join_next().await {
        waits.push(waited.unwrap());
    }
    println!(
        "{total} batches of {SENSORS} sensors in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    cpu("in all", engine, total * SENSOR_FLOWS as u64);
    quantiles("acknowledged after", &mut waits);
    println!(
        "most parts in one partition: {} ({})",
        most_parts.0, most_parts.1
    );
    sizes(store, total * SENSOR_FLOWS as u64, "as written").await;
    assert!(store.accounting().await.unwrap().balances());
}

/// The most active parts that any partition has, and whose it is.
async fn parts(store: &Store) -> (u64, String) {
    let parts = "SELECT count() AS parts, concat(table, ' ', partition) FROM system.parts \
                 WHERE database = currentDatabase() AND active GROUP BY table, partition \
                 ORDER BY parts DESC LIMIT 1";
    store
        .client()
        .query(parts)
        .fetch_optional()
        .await
        .unwrap()
        .unwrap_or_default()
}

async fn sizes(store: &Store, flows: u64, when: &str) {
    let sizes = "SELECT table, sum(bytes_on_disk) FROM system.parts \
                 WHERE database = currentDatabase() AND active GROUP BY table ORDER BY table";
    for (table, bytes) in store
        .client()
        .query(sizes)
        .fetch_all::<(String, u64)>()
        .await
        .unwrap()
    {
        if bytes > flows / 100 {
            println!(
                "{table}, {when}: {:.2} bytes per flow tuple",
                bytes as f64 / flows as f64
            );
        }
    }
}

/// The columns of raw rows that take most room.
async fn columns(store: &Store, flows: u64) {
    let columns = "SELECT name, data_compressed_bytes FROM system.columns \
                   WHERE database = currentDatabase() AND table = 'flow_tuples' \
                   ORDER BY data_compressed_bytes DESC LIMIT 14";
    for (name, bytes) in store
        .client()
        .query(columns)
        .fetch_all::<(String, u64)>()
        .await
        .unwrap()
    {
        println!("    {name}: {:.2}", bytes as f64 / flows as f64);
    }
}

/// Processor time so far of the engine and of this process, which makes the traffic too.
fn cpu(when: &str, engine: u32, flows: u64) {
    let seconds = |process: String| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .split_whitespace()
            .collect();
        let ticks = |field: usize| fields.get(field).and_then(|f| f.parse::<f64>().ok());
        (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
    };
    let (engine, client) = (seconds(engine.to_string()), seconds("self".to_owned()));
    let per_million = 1e6 / flows as f64;
    println!(
        "processor time {when}, per million flow tuples: engine {:.2} s, client {:.2} s",
        engine * per_million,
        client * per_million
    );
}

fn quantiles(what: &str, waits: &mut [Duration]) {
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_millis();
    println!(
        "{what}: median {} ms, p99 {} ms, most {} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// The same batch in a later interval.
fn shifted(admitted: &Admitted, sequence: u64) -> Admitted {
    let mut next = admitted.clone();
    next.batch.id.sequence = sequence;
    next.checksum = sequence;
    let start = MORNING + sequence * 10;
    for span in &mut next.batch.spans {
        let Span::Active { interval, flows } = span else {
            continue;
        };
        let later = (start - interval.start()) * 1000;
        for flow in flows {
            flow.tally.first.0 += later;
            flow.tally.last.0 += later;
        }
        *interval = Interval(start);
    }
    next.batch.complete_through = start + 10;
    next.batch.counters.packets = (sequence + 1) * next.batch.packets();
    next.batch.counters.frames = next.batch.counters.packets;
    next
}

fn admitted(random: &mut Random, origins: &Origins, number: u64, flows: usize) -> Admitted {
    let mut made: Vec<Flow> = (0..flows * 2).map(|_| flow(random)).collect();
    made.sort_by_key(|flow| flow.tuple);
    made.dedup_by_key(|flow| flow.tuple);
    assert!(made.len() >= flows, "the traffic repeats itself too much");
    // Too many by now; every so often one goes, so that all of the address space stays.
    while made.len() > flows {
        made.swap_remove(random.below(made.len() as u64) as usize);
    }
    made.sort_by_key(|flow| flow.tuple);
    let flows = made;
    let origins = flows
        .iter()
        .map(|flow| origins.of(flow.tuple.source))
        .collect();
    let batch = Batch {
        id: BatchId {
            sensor: SensorId::new("jp-1").unwrap(),
            epoch: Epoch(11),
            sequence: number,
        },
        interval_length: IntervalLength::DEFAULT,
        spans: vec![Span::Active {
            interval: Interval(MORNING),
            flows,
        }],
        complete_through: MORNING + 10,
        telescope_addresses: 65_536,
        target_bits: TargetBits::Sixteen,
        counters: Counters::default(),
    };
    Admitted {
        batch,
        checksum: number,
        origins,
    }
}

/// One flow as a /16 telescope sees them.
fn flow(random: &mut Random) -> Flow {
    const PORTS: [u16; 13] = [
        23, 22, 80, 443, 445, 3389, 8080, 5060, 53, 123, 2323, 5555, 8291,
    ];
    // Zipf's law with exponent 1 over 300,000 sources.
    let rank = (300_000f64.ln() * random.unit()).exp() as u32;
    let source = Ipv4Addr::from_bits(rank.wrapping_mul(0x9e37_79b1) ^ 0x5bd1_e995);
    let port = match random.below(10) {
        0 => random.below(65_536) as u16,
        _ => PORTS[(random.below(13) * random.below(13) / 13) as usize],
    };
    let (traffic, transport) = match random.below(20) {
        0 => (Traffic::ScanEcho, Transport::Icmp { kind: 8, code: 0 }),
        1 => (
            Traffic::BackscatterTcp,
            Transport::Tcp { service_port: port },
        ),
        2 | 3 => (Traffic::ScanUdp, Transport::Udp { service_port: port }),
        _ => (Traffic::ScanSyn, Transport::Tcp { service_port: port }),
    };
    // Heavy sources send more than one packet in ten seconds.
    let packets = 1 + random.below(1 + 60 / u64::from(rank / 4 + 1).max(4));
    let first = MORNING * 1000 + random.below(10_000);
    let syns = if traffic == Traffic::ScanSyn {
        packets as u32
    } else {
        0
    };
    let targets: Vec<u32> = (0..packets).map(|_| random.below(65_536) as u32).collect();
    let ttl = 40 + (rank % 80) as u8;
    Flow {
        tuple: FlowTuple {
            source: IpAddr::V4(source),
            traffic,
            transport,
        },
        tally: Tally {
            packets,
            bytes: packets * if rank.is_multiple_of(3) { 40 } else { 60 },
            first: Millis(first),
            last: Millis(first + if packets > 1 { random.below(9_000) } else { 0 }),
            targets: packets as u32,
            sample: TargetSample::new(targets, 16),
            source_port: random.below(28_232) as u16 + 32_768,
            ttl_min: ttl,
            ttl_max: ttl,
            window: [1_024, 14_600, 29_200, 64_240, 65_535][rank as usize % 5],
            options: [OptionLayout::None, OptionLayout::Mss, OptionLayout::Linux]
                [rank as usize % 3],
            marks: Marks {
                syns,
                mirai: if rank.is_multiple_of(7) { syns } else { 0 },
                ..Marks::default()
            },
        },
    }
}

/// Countries and networks of addresses, by their first bits.
struct Origins(Vec<Arc<Origin>>);

impl Origins {
    fn new() -> Self {
        const COUNTRIES: [&str; 12] = [
            "CN", "US", "RU", "BR", "IN", "TH", "VN", "ID", "MY", "TW", "KR", "NL",
        ];
        let origin = |number: usize| {
            Arc::new(Origin {
                country: Country::new(COUNTRIES[number % 7 * number % 12]),
                asn: 1_000 + number as u32 * 37 % 60_000,
                ..Origin::default()
            })
        };
        Self((0..4_096).map(origin).collect())
    }

    fn of(&self, source: IpAddr) -> Arc<Origin> {
        let IpAddr::V4(source) = source else {
            unreachable!("only IPv4 is made here");
        };
        Arc::clone(&self.0[(source.to_bits() >> 20) as usize])
    }
}

/// xorshift64*: the same traffic in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        ((self.next() >> 32) * end) >> 32
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
