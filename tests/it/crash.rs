//! kill -9 of sensor, collector and engine at random moments while a million packets are under
//! way: what the sensor had kept is in the store, once, in raw rows, ledger and every rollup.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use noroshi_proto::time::{Interval, IntervalLength};
use noroshi_store::engine::{Engine, EngineConfig};
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};

use crate::corpus::noroshi;
use crate::delivery::sensor::{REGISTRY, SENSOR, Sensor, url};

/// Kills.
const ROUNDS: u64 = 20;
/// Intervals that the sensor watches, in all its processes together.
const INTERVALS: u64 = 200;
/// Packets in each: a million in all.
const PACKETS: u16 = 5_000;
/// A sensor's process rests between two intervals, so that there is something to kill.
const PACE: Duration = Duration::from_millis(60);
/// The longest that is waited between two kills, in milliseconds.
const MOMENT: u64 = 1_500;
/// What is left after the last kill may take so long.
const LIMIT: Duration = Duration::from_secs(180);

/// How a process learns that it is the sensor: `SPOOL|COLLECTOR|FIRST`.
const TASK: &str = "NOROSHI_CRASH_SENSOR";

#[test]
fn killing_any_process_at_any_moment_loses_and_doubles_nothing() {
    let site = Site::new();
    let mut random = Random(RandomState::new().build_hasher().finish());
    println!("seed {}", random.0);
    let mut collector = site.collector();
    let mut sensor = site.sensor();
    for round in 0..ROUNDS {
        sleep(Duration::from_millis(random.below(MOMENT)));
        match round % 3 {
            0 => end(&mut sensor),
            1 => end(&mut collector),
            _ => site.kill_engine(),
        }
        // What a service manager does.
        if has_ended(&mut collector) {
            collector = site.collector();
        }
        if has_ended(&mut sensor) {
            sensor = site.sensor();
        }
    }
    site.wait_for_the_rest(&mut sensor, &mut collector);
    site.wait_until_up(&mut collector);
    terminate(&mut collector);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(site.assert_everything_is_there_once());
}

/// Not a test of its own: the process that the test above kills.
#[test]
#[ignore = "a process of the crash test"]
#[allow(
    clippy::disallowed_methods,
    reason = "the test tells its process by the environment"
)]
fn sensor_process() {
    let Ok(task) = std::env::var(TASK) else {
        return println!("this is run by the crash test");
    };
    let [spool, collector, first] = task.split('|').collect::<Vec<_>>()[..] else {
        panic!("{task}");
    };
    let collector: SocketAddr = collector.parse().expect("an address");
    let first = Interval(first.parse().expect("a second"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut sensor = Sensor::open(SENSOR, Path::new(spool), url(collector), first);
        while sensor.intervals() < INTERVALS {
            sensor.watch(PACKETS);
            tokio::time::sleep(PACE).await;
        }
        sensor.finish().await;
    });
}

/// Where everything is, whoever is alive.
struct Site {
    directory: tempfile::TempDir,
    collector: SocketAddr,
    first: Interval,
}

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let collector = free_address();
        let write = |name: &str, text: &str| {
            std::fs::write(directory.path().join(name), text).expect("writable");
        };
        write("registry.toml", REGISTRY);
        let data = directory.path().join("data");
        let config = format!(
            "registry = \"registry.toml\"\n[store]\nurl = \"embedded\"\npath = {data:?}\n\
             [collector]\nlisten = \"{collector}\"\n"
        );
        write("noroshi.toml", &config);
        // Midnight three days ago: all periods of all rollups are over.
        let today = noroshi_sensor::clock::now().seconds() / 86_400;
        Self {
            directory,
            collector,
            first: Interval((today - 3) * 86_400),
        }
    }

    fn collector(&self) -> Child {
        let config = self.directory.path().join("noroshi.toml");
        noroshi()
            .arg("collector")
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .spawn()
            .expect("the collector starts")
    }

    fn sensor(&self) -> Child {
        let spool = self.directory.path().join("spool");
        let task = format!(
            "{}|{}|{}",
            spool.display(),
            self.collector,
            self.first.start()
        );
        Command::new(std::env::current_exe().expect("this program has a path"))
            .args([
                "--exact",
                "crash::sensor_process",
                "--ignored",
                "--nocapture",
            ])
            .env(TASK, task)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the sensor starts")
    }

    fn kill_engine(&self) {
        let file = self.directory.path().join("data/engine.json");
        let Ok(text) = std::fs::read(file) else {
            return; // it is starting
        };
        let announced: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let pid = announced["pid"]
            .as_i64()
            .and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.filter(|pid| *pid > 0) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL); // it may be gone already
        }
    }

    /// Until a sensor's process says that everything is acknowledged.
    #[allow(
        clippy::disallowed_methods,
        reason = "a hang can only be told by the clock"
    )]
    fn wait_for_the_rest(&self, sensor: &mut Child, collector: &mut Child) {
        let begin = Instant::now();
        loop {
            assert!(begin.elapsed() < LIMIT, "the rest does not arrive");
            if let Some(status) = sensor.try_wait().expect("it can be waited for") {
                if status.success() {
                    return;
                }
                *sensor = self.sensor();
            }
            if has_ended(collector) {
                *collector = self.collector();
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Until a collector listens: the last kill may have hit it, or its engine, while starting.
    #[allow(
        clippy::disallowed_methods,
        reason = "a hang can only be told by the clock"
    )]
    fn wait_until_up(&self, collector: &mut Child) {
        let begin = Instant::now();
        while TcpStream::connect(self.collector).is_err() {
            assert!(begin.elapsed() < LIMIT, "the collector does not come up");
            if has_ended(collector) {
                *collector = self.collector();
            }
            sleep(Duration::from_millis(20));
        }
    }

    async fn assert_everything_is_there_once(&self) {
        let mut config = EngineConfig::new(self.directory.path().join("data"));
        config.program = Some(noroshi().get_program().into());
        let engine = Engine::start(config).await.expect("the engine starts");
        let endpoint = engine.endpoint().clone();
        let config = StoreConfig {
            endpoint,
            cluster: None,
            retention: Retention::default(),
        };
        let store = Store::open(&config).await.expect("the store opens");
        let day = self.first.start()..self.first.start() + 86_400;
        store.roll_up(day.clone()).await.expect("it rolls up");

        let accounting = store.accounting().await.expect("the store counts");
        assert!(accounting.balances(), "{accounting:?}");
        assert_eq!(
            accounting.raw.packets,
            INTERVALS * u64::from(PACKETS),
            "{accounting:?}"
        );
        for (rollup, sum) in &accounting.rollups {
            assert_eq!(sum, &accounting.raw, "{rollup}");
        }
        let mut packets = BTreeMap::new();
        let mut windows = store.windows(day, IntervalLength::DEFAULT);
        while let Some(chunk) = windows.next_chunk().await.expect("windows are readable") {
            for window in chunk {
                *packets.entry(window.interval.start()).or_default() += window.packets();
            }
        }
        let expected = (0..INTERVALS).map(|n| (self.first.start() + 10 * n, u64::from(PACKETS)));
        assert_eq!(packets, expected.collect());
        store.close().await;
        engine.stop().await;
    }
}

/// SplitMix64: any moment will do, and the seed says which.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("it has an address")
}

fn end(process: &mut Child) {
    process.kill().expect("it can be killed"); // SIGKILL
    process.wait().expect("it can be waited for");
}

fn has_ended(process: &mut Child) -> bool {
    process.try_wait().expect("it can be waited for").is_some()
}

fn terminate(process: &mut Child) {
    let pid = i32::try_from(process.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it lives");
    let status = process.wait().expect("it can be waited for");
    assert!(status.success(), "the collector ends with {status}");
}
