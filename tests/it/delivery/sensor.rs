//! A sensor whose packets are made up, from summarising to shipping.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::flow::{FlowTuple, OptionLayout};
use noroshi_proto::hello::{Hello, Purpose, Welcome};
use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_proto::v1;
use noroshi_sensor::clock;
use noroshi_sensor::config::collector::Collector;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::mask::{Mask, MaskKey};
use noroshi_sensor::packet::{MarkBits, Packet};
use noroshi_sensor::run::{Delivered, Replay, RunError, replay_to};
use noroshi_sensor::ship::lanes::Order;
use noroshi_sensor::ship::queue::Queue;
use noroshi_sensor::ship::{self, Phase, ShipError, Shipped};
use noroshi_sensor::spool::{self, Durability, Spool};
use noroshi_sensor::summarise::{Cut, Memory, Settings, Summariser};
use noroshi_sensor::telescope::Telescope;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Its id in [`REGISTRY`].
pub const SENSOR: &str = "jp-1";
/// The registry that knows it.
pub const REGISTRY: &str = r#"
[[partner]]
id = "jp-cert"
name = "A test CERT"
country = "JP"
asns = []
tlp = "AMBER"
programmes = []
contacts = ["soc@jp.example"]

[[sensor]]
id = "jp-1"
partner = "jp-cert"
telescope = [{ prefix = "198.18.0.0/24", from = 2020-01-01 }]
"#;
const LENGTH: IntervalLength = IntervalLength::DEFAULT;
/// How long ago its packets begin.
const AGO_SECONDS: u64 = 6 * 3_600;

/// One process of a sensor, and what its predecessors left.
pub struct Sensor {
    id: SensorId,
    directory: PathBuf,
    /// Deleted with the last process that uses it.
    _own: Option<TempDir>,
    collector: Collector,
    epoch: Epoch,
    summariser: Summariser,
    queue: Arc<Queue>,
    phase: watch::Sender<Phase>,
    shipping: JoinHandle<Result<Shipped, ShipError>>,
    first: Interval,
    next: Interval,
    made: BTreeMap<u64, u64>,
    last: Option<v1::Batch>,
}

impl Sensor {
    pub fn start(collector: SocketAddr) -> Self {
        Self::start_as(SENSOR, collector)
    }

    pub fn start_as(id: &str, collector: SocketAddr) -> Self {
        Self::start_with(id, url(collector))
    }

    /// One that knows how the collector is reached, and who it is itself.
    pub fn start_with(id: &str, collector: Collector) -> Self {
        let first = Millis(clock::now().0 - AGO_SECONDS * 1_000).interval(LENGTH);
        let own = tempfile::tempdir().expect("a directory");
        let sensor = Self::open(id, own.path(), collector, first);
        Self {
            _own: Some(own),
            ..sensor
        }
    }

    /// Goes on with what other processes left in `directory`; the first of them began at `first`,
    /// and every interval was one batch.
    pub fn open(id: &str, directory: &Path, collector: Collector, first: Interval) -> Self {
        let id = SensorId::new(id).expect("an id");
        let epoch = noroshi_sensor::key::draw_epoch().expect("random numbers");
        let (queue, phase, shipping) = process(&id, directory, collector.clone(), epoch);
        let before = queue.with_spool(|spool| spool.head());
        let next = Interval(first.start() + before * u64::from(LENGTH.seconds()));
        Self {
            summariser: summariser(&id, epoch),
            id,
            directory: directory.to_owned(),
            _own: None,
            collector,
            epoch,
            queue,
            phase,
            shipping,
            first,
            next,
            made: BTreeMap::new(),
            last: None,
        }
    }

    /// Packets arrive during one interval, and the spool has them.
    pub fn watch(&mut self, packets: u16) {
        let mut batches = self.summariser.advance_to(self.next);
        for number in 0..packets {
            let packet = packet(&self.id, self.next, number);
            batches.extend(self.summariser.add(&packet));
        }
        *self.made.entry(self.next.start()).or_default() += u64::from(packets);
        self.next = self.next.next(LENGTH);
        batches.extend(self.summariser.advance_to(self.next));
        self.last = batches.last().cloned();
        self.queue
            .push(&batches, clock::now())
            .expect("the spool takes it");
    }

    /// Intervals pass without a packet.
    pub fn pass(&mut self, intervals: u8) {
        for _ in 0..intervals {
            self.next = self.next.next(LENGTH);
        }
        let batches = self.summariser.advance_to(self.next);
        self.queue
            .push(&batches, clock::now())
            .expect("the spool takes it");
    }

    /// The process dies in the middle of whatever it did; another takes its place.
    pub async fn kill(self) -> Self {
        self.shipping.abort();
        let _ = self.shipping.await;
        drop(self.queue);
        let epoch = noroshi_sensor::key::draw_epoch().expect("random numbers");
        let (queue, phase, shipping) =
            process(&self.id, &self.directory, self.collector.clone(), epoch);
        let summariser = summariser(&self.id, epoch);
        Self {
            epoch,
            summariser,
            queue,
            phase,
            shipping,
            ..self
        }
    }

    /// Ships everything and ends.
    pub async fn finish(mut self) -> Self {
        let _ = self.phase.send(Phase::Finishing(None));
        let shipped = (&mut self.shipping)
            .await
            .expect("no panic")
            .expect("it ships");
        assert_eq!(shipped.refused, 0);
        assert!(self.queue.with_spool(|spool| spool.is_drained()));
        self
    }

    /// Waits until the collector ends it: why, and how many batches are left.
    pub async fn refused(self) -> (String, usize) {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.shipping).await;
        let ended = ended.expect("the collector speaks").expect("no panic");
        let left = left(&self.queue);
        (ended.expect_err("it was refused").to_string(), left)
    }

    /// Another process takes its place and tries once to deliver: what stands against it.
    pub async fn trouble(self) -> String {
        self.shipping.abort();
        let _ = self.shipping.await;
        drop(self.queue);
        let once = (self.collector, Some(Duration::ZERO));
        let (_queue, _phase, shipping) =
            patient_process(&self.id, &self.directory, once, self.epoch);
        let ended = shipping.await.expect("no panic");
        ended.expect_err("it is not let in").to_string()
    }

    /// The process is stopped: how many batches are left.
    pub async fn stop(self) -> usize {
        self.shipping.abort();
        let _ = self.shipping.await;
        left(&self.queue)
    }

    /// Waits until everything is acknowledged.
    pub async fn drained(&self) {
        while !self.queue.with_spool(|spool| spool.is_drained()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn last_batch(&self) -> v1::Batch {
        self.last.clone().expect("a batch was made")
    }

    pub fn hello(&self) -> v1::Hello {
        (&hello(&self.id, self.epoch)).into()
    }

    /// Packets by interval, in every process.
    pub fn made(&self) -> &BTreeMap<u64, u64> {
        &self.made
    }

    /// Intervals watched by all processes.
    pub fn intervals(&self) -> u64 {
        self.queue.with_spool(|spool| spool.head())
    }

    /// The time it has watched.
    pub fn range(&self) -> Range<u64> {
        self.first.start()..self.next.end(LENGTH)
    }
}

fn left(queue: &Queue) -> usize {
    let mut cursor = spool::Cursor::default();
    let mut left = 0;
    queue.with_spool(|spool| {
        while let Some(_batch) = spool.next(&mut cursor, u64::MAX).expect("it is readable") {
            left += 1;
        }
    });
    left
}

type Process = (
    Arc<Queue>,
    watch::Sender<Phase>,
    JoinHandle<Result<Shipped, ShipError>>,
);

fn process(id: &SensorId, directory: &Path, collector: Collector, epoch: Epoch) -> Process {
    patient_process(id, directory, (collector, None), epoch)
}

/// One that gives up when it has had no success for so long.
fn patient_process(
    id: &SensorId,
    directory: &Path,
    (collector, patience): (Collector, Option<Duration>),
    epoch: Epoch,
) -> Process {
    let settings = spool::Settings {
        directory: directory.to_owned(),
        sensor: id.clone(),
        bytes_max: 1 << 30,
        keep: spool::KEEP,
        durability: Durability::Synced,
    };
    let spool = Spool::open(settings, epoch, clock::now().seconds()).expect("the spool opens");
    let queue = Arc::new(Queue::new(spool));
    let (phase, phases) = watch::channel(Phase::Running);
    let settings = ship::Settings {
        patience,
        ..ship_settings(id, collector, epoch)
    };
    let shipping = tokio::spawn(ship::ship(
        watch::channel(settings).1,
        Arc::clone(&queue),
        phases,
    ));
    (queue, phase, shipping)
}

fn ship_settings(id: &SensorId, collector: Collector, epoch: Epoch) -> ship::Settings {
    ship::Settings {
        collector,
        hello: hello(id, epoch),
        order: Order::LiveFirst,
        patience: None,
    }
}

/// What the collector says to the hello of a sensor of this id.
pub async fn probe(id: &str, collector: SocketAddr) -> Result<Welcome, String> {
    let id = SensorId::new(id).expect("an id");
    ship::probe::probe(&ship_settings(&id, url(collector), Epoch(1))).await
}

fn hello(id: &SensorId, epoch: Epoch) -> Hello {
    Hello {
        sensor: id.clone(),
        epoch,
        software_version: "0".to_owned(),
        interval_length: LENGTH,
        telescope: telescope(id).prefixes().to_vec(),
        purpose: Purpose::Live,
        clock: clock::now(),
    }
}

/// The second sensor, where there is one, watches the /24 behind the first's.
fn telescope(id: &SensorId) -> Telescope {
    let prefix = match id.as_str() {
        "jp-2" => "198.18.1.0/24",
        _ => "198.18.0.0/24",
    };
    Telescope::new(&[prefix.parse().expect("a prefix")])
}

fn summariser(id: &SensorId, epoch: Epoch) -> Summariser {
    let settings = Settings {
        sensor: id.clone(),
        epoch,
        interval_length: LENGTH,
        cut: Cut::EveryInterval,
        memory: Memory::DEFAULT,
    };
    Summariser::new(
        settings,
        Mask::new(&MaskKey::from_sensor_id(id), telescope(id)),
    )
}

/// A scan of Telnet, from another source each.
fn packet(sensor: &SensorId, interval: Interval, number: u16) -> Packet {
    let network = u8::from(sensor.as_str() == "jp-2");
    let [high, low] = number.to_be_bytes();
    Packet {
        seen_at: Millis(interval.start() * 1_000 + u64::from(number)),
        tuple: FlowTuple {
            source: Ipv4Addr::new(203, 0, high, low).into(),
            traffic: Traffic::ScanSyn,
            transport: Transport::Tcp { service_port: 23 },
        },
        target: IpAddr::V4(Ipv4Addr::new(198, 18, network, low)),
        bytes: 40,
        source_port: 40_000,
        window: 1_024,
        ttl: 51,
        options: OptionLayout::None,
        marks: MarkBits(MarkBits::SYN),
    }
}

/// Replays a capture to a collector.
pub async fn replay(capture: &Path, collector: SocketAddr) -> Result<Delivered, RunError> {
    let sensor = SensorId::new(SENSOR).expect("an id");
    let replay = Replay {
        telescope: telescope(&sensor),
        sensor,
        delivery: Delivery::Direct,
        interval_length: LENGTH,
        captures: vec![capture.to_owned()],
        collector: url(collector),
    };
    tokio::task::spawn_blocking(move || replay_to(replay))
        .await
        .expect("no panic")
}

pub fn url(address: SocketAddr) -> Collector {
    Collector::parse(&format!("http://{address}")).expect("a loopback address")
}

/// A capture (raw IP) of so many TCP SYNs, 50 in each second from 2026-11-02 on.
pub fn capture(packets: u32) -> Vec<u8> {
    const BEGIN: u32 = 1_793_577_600;
    const LINKTYPE_RAW: u32 = 101;
    let mut file = Vec::new();
    file.extend_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
    file.extend_from_slice(&[2, 0, 4, 0]);
    for number in [0, 0, 65_535, LINKTYPE_RAW] {
        file.extend_from_slice(&u32::to_le_bytes(number));
    }
    for number in 0..packets {
        let [_, high, middle, low] = number.to_be_bytes();
        let micros = number % 50 * 20_000;
        for field in [BEGIN + number / 50, micros, 40, 40] {
            file.extend_from_slice(&field.to_le_bytes());
        }
        file.extend_from_slice(&[0x45, 0, 0, 40, 0, 1, 0, 0, 51, 6, 0, 0]);
        file.extend_from_slice(&[203, high, middle, low % 16]); // source
        file.extend_from_slice(&[198, 18, 0, low]); // target
        file.extend_from_slice(&[0x9c, 0x40, 0, 23, high, middle, low, 1, 0, 0, 0, 0]);
        file.extend_from_slice(&[0x50, 2, 4, 0, 0, 0, 0, 0]); // SYN, window 1024
    }
    file
}
