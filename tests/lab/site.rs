//! A scanner's host, a sensor's, and two that may be the collector's, on wires of their own:
//!
//! ```text
//! scanner ──wire──tap── sensor ──uplink── line ──uplink── first | second
//! ```
//! The sensor has no address on the scanner's wire; the telescope is routed to it by its MAC.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use noroshi_proto::loss::Loss;
use noroshi_store::accounting::Accounting;
use noroshi_store::engine::{Engine, EngineConfig};
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use tempfile::TempDir;

use super::changes::Configuration;
use super::disks::Disk;
use super::host::{Counted, Host, Program};
use super::line::{Line, PORTS, plain};
use super::scanner::Scanner;
use crate::process::{run_reading, run_within};

/// The scanner's address, and what the telescope's frames are sent to.
pub const SCANNER: &str = "203.0.113.7";
pub const GATEWAY_MAC: &str = "02:00:00:00:00:01";
/// Where collectors listen, whichever host it is.
pub const COLLECTOR: &str = "192.0.2.10:7614";
/// An address that moves takes its MAC along.
const COLLECTOR_MAC: &str = "02:00:00:00:00:0a";
/// Anything that comes at all comes before.
const LIMIT: Duration = Duration::from_secs(120);

const REGISTRY: &str = r#"
[[partner]]
id = "jp-cert"
name = "A test CERT"
country = "JP"

[[sensor]]
id = "jp-1"
partner = "jp-cert"
telescope = TELESCOPE
"#;
const TELESCOPE: &str = "[{ prefix = \"198.18.0.0/22\", from = 2020-01-01 }]";

/// What is beside the usual.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Decides which frames of the line are hit.
    pub seed: u64,
    /// `[collector.tls]` of the centre, where it is not its own authority.
    pub collector_tls: Option<String>,
    /// `[identity]` of the sensor, where it is not enrolled.
    pub identity: Option<String>,
    /// What is watched, for registry and sensor, where it is not 198.18.0.0/22 for ever.
    pub telescope: Option<String>,
    /// `kernel_filter` of the capture.
    pub kernel_filter: Option<&'static str>,
    /// `bytes_max` of the spool.
    pub spool_bytes: Option<&'static str>,
    /// Disks of their own, and their sizes as `mount` wants them: of the spool, of the store.
    pub disks: Vec<(&'static str, &'static str)>,
    /// What the collector runs under.
    pub collector_environment: Vec<(String, String)>,
    /// What the sensor runs under.
    pub sensor_environment: Vec<(String, String)>,
}

/// Everything, and everybody's files.
pub struct Site {
    collector: Option<Program>,
    sensor: Option<Program>,
    pub line: Line,
    scanner_host: Host,
    sensor_host: Host,
    collector_hosts: [Host; 2],
    /// Which of them is the collector's.
    at: usize,
    sent: u64,
    wishes: Wishes,
    _disks: Vec<Disk>,
    directory: TempDir,
}

impl Site {
    /// A centre that listens, and an enrolled sensor that captures.
    pub fn start() -> Self {
        Self::start_with(tempfile::tempdir().expect("a directory"), Wishes::default())
    }

    /// The same, with everybody's files in `directory`.
    pub fn start_with(directory: TempDir, wishes: Wishes) -> Self {
        let (scanner_host, sensor_host) = (Host::new(), Host::new());
        let collector_hosts = [Host::new(), Host::new()];
        lay_wire(&scanner_host, &sensor_host);
        let line = lay_line(&sensor_host, &collector_hosts, wishes.seed);
        let disks = wishes.disks.iter();
        let disks = disks.map(|(name, size)| Disk::mount(directory.path().join(name), size));
        let mut site = Self {
            collector: None,
            sensor: None,
            line,
            scanner_host,
            sensor_host,
            collector_hosts,
            at: 0,
            sent: 0,
            _disks: disks.collect(),
            wishes,
            directory,
        };
        site.configure();
        site.start_collector();
        if site.wishes.identity.is_none() {
            site.enrol();
        }
        site.start_sensor();
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn configure(&self) {
        let write = |name: &str, text: &str| fs::write(self.path(name), text).expect("writable");
        let own = "names = [\"192.0.2.10\"]\n".to_owned();
        let tls = self.wishes.collector_tls.clone().unwrap_or(own);
        let telescope = self.wishes.telescope.as_deref().unwrap_or(TELESCOPE);
        write("registry.toml", &REGISTRY.replace("TELESCOPE", telescope));
        write(
            "noroshi.toml",
            &format!(
                "registry = \"registry.toml\"\n[store]\nurl = \"embedded\"\npath = \"data\"\n\
                 [collector]\nlisten = \"{COLLECTOR}\"\n[collector.tls]\npath = \"identities\"\n{tls}"
            ),
        );
        let identity = self.wishes.identity.clone().unwrap_or_default();
        let spool_bytes = self.wishes.spool_bytes.unwrap_or("1 GiB");
        let kernel_filter = self.wishes.kernel_filter.unwrap_or("on");
        write(
            "sensor.toml",
            &format!(
                "sensor = \"jp-1\"\ncollector = \"https://{COLLECTOR}\"\ninterface = \"tap\"\n\
                 telescope = {telescope}\nsalt_file = \"salt\"\ninterval_seconds = 1\n\
                 [spool]\npath = \"spool/own\"\nbytes_max = \"{spool_bytes}\"\n\
                 [capture]\nkernel_filter = \"{kernel_filter}\"\n{identity}"
            ),
        );
    }

    fn host(&self) -> &Host {
        &self.collector_hosts[self.at]
    }

    fn run(&self, host: &Host, command: &Command, log: &str) -> Program {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path(log))
            .expect("writable");
        let child = host.command(command).stderr(log).spawn();
        Program(child.expect("it starts"))
    }

    /// Starts it, and waits until it listens.
    pub fn start_collector(&mut self) {
        let mut command = noroshi();
        command.arg("collector").arg("--config");
        command.arg(self.path("noroshi.toml"));
        command.envs(self.wishes.collector_environment.iter().cloned());
        let mut started = self.run(self.host(), &command, "collector.log");
        until("the collector listens", || {
            assert!(!started.has_ended(), "{}", self.log("collector.log"));
            let connect = || TcpStream::connect(COLLECTOR).is_ok();
            self.host().inside(connect)
        });
        self.collector = Some(started);
    }

    /// SIGKILL; its engine goes with it.
    pub fn kill_collector(&mut self) {
        self.collector.take().expect("it runs").kill();
        let engine = self.path("data/engine.json");
        let alive = || {
            let text = fs::read(&engine).ok()?;
            let engine: serde_json::Value = serde_json::from_slice(&text).ok()?;
            let pid = engine["pid"].as_u64()?;
            fs::exists(format!("/proc/{pid}")).ok()?.then_some(())
        };
        until("the engine has noticed", || alive().is_none());
    }

    /// Gives the collector's address to the other host.
    pub fn move_collector(&mut self) {
        self.kill_collector();
        self.host()
            .ip(&["link", "set", "uplink", "down"])
            .expect("there");
        self.at = 1 - self.at;
        self.host()
            .ip(&["link", "set", "uplink", "up"])
            .expect("there");
        self.start_collector();
    }

    /// Captures when this returns.
    pub fn start_sensor(&mut self) {
        let mut command = noroshi_sensor();
        command
            .arg("run")
            .arg("--config")
            .arg(self.path("sensor.toml"));
        command.envs(self.wishes.sensor_environment.iter().cloned());
        let mut started = self.run(&self.sensor_host, &command, "sensor.log");
        until("the sensor captures", || {
            assert!(!started.has_ended(), "{}", self.log("sensor.log"));
            let sockets = || fs::read_to_string("/proc/thread-self/net/packet");
            let sockets = self.sensor_host.inside(sockets).expect("readable");
            // Its seventh column, whether the socket runs.
            let mut sockets = sockets.lines().skip(1).map(str::split_whitespace);
            sockets.any(|mut columns| columns.nth(5) == Some("1"))
        });
        self.sensor = Some(started);
    }

    /// SIGTERM.
    pub fn end_sensor(&mut self) {
        self.sensor.take().expect("it runs").end();
    }

    /// The running sensor's configuration, to be changed by whoever has it.
    pub fn configuration(&self) -> Configuration {
        let sensor = self.sensor.as_ref().expect("it runs");
        Configuration::new(self.path("sensor.toml"), sensor.id())
    }

    pub fn assert_sensor_runs(&mut self) {
        let log = self.log("sensor.log");
        let sensor = self.sensor.as_mut().expect("it was started");
        assert!(!sensor.has_ended(), "{log}");
    }

    /// Starts it anew, as often as it takes until it says so.
    pub fn restart_sensor_until(&mut self, words: &str) {
        for _ in 0..20 {
            self.end_sensor();
            self.start_sensor();
            let a_while = Duration::from_secs(3);
            if within(a_while, || self.log("sensor.log").contains(words)) {
                return;
            }
        }
        panic!("not said: {words}\nbut: {}", self.log("sensor.log"));
    }

    /// Waits until it ends by itself, which it does when it is told to stop.
    pub fn sensor_ends(&mut self) {
        let mut sensor = self.sensor.take().expect("it runs");
        until("the sensor ends", || sensor.has_ended());
    }

    /// What a program wrote to its log.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Waits until a program says so.
    pub fn hear(&self, name: &str, words: &str) {
        let heard = within(LIMIT, || self.log(name).contains(words));
        assert!(heard, "not said: {words}\nbut: {}", self.log(name));
    }

    /// `noroshi sensor VERB jp-1`: what it prints.
    pub fn sensor_command(&self, verb: &str) -> String {
        let mut command = noroshi();
        command.args(["sensor", verb, "jp-1", "--config"]);
        command.arg(self.path("noroshi.toml"));
        let output = run_within(command, LIMIT).expect("it ends");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The operator gives a token, the technician uses it.
    pub fn enrol(&self) {
        let token = self.path("token");
        fs::write(&token, self.sensor_command("enrol")).expect("writable");
        let mut command = noroshi_sensor();
        command
            .arg("enrol")
            .arg("--config")
            .arg(self.path("sensor.toml"));
        let token = File::open(token).expect("readable").into();
        let command = self.sensor_host.command(&command);
        let output = run_reading(command, token, LIMIT).expect("it ends");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }

    /// The sensor's end of the line goes down, and up.
    pub fn uplink(&self, state: &str) {
        let set = self.sensor_host.ip(&["link", "set", "uplink", state]);
        set.expect("it is there");
    }

    /// Sends, and compares what the scanner says with what passed both ends of its wire.
    pub fn scan(&mut self, scanner: Scanner) -> u64 {
        let before = self.scanner_host.counted("wire");
        let said = scanner.scan(&self.scanner_host, self.directory.path());
        let after = self.scanner_host.counted("wire");
        assert!(said > 0, "{scanner:?} says that it sent nothing");
        assert_eq!(after.sent - before.sent, said, "{scanner:?}");
        self.sent += said;
        let tap = Counted {
            received: self.sent,
            sent: 0,
        };
        assert_eq!(self.sensor_host.counted("tap"), tap, "no answer, ever");
        said
    }

    /// Waits until every packet that was sent is accounted for, and holds the law of delivery.
    pub fn settle(&self) -> Accounting {
        let mut last = None;
        let begin = now();
        loop {
            let accounting = self.ask(async |store| store.accounting().await.expect("it counts"));
            // Its sums are asked for one after another, and batches may come between.
            if accounting.balances() && self.is_whole(&accounting) {
                return accounting;
            }
            let late = begin.elapsed() > LIMIT;
            assert!(
                !late,
                "{} were sent; {accounting:?}, before {last:?}\nsensor: {}\ncollector: {}",
                self.sent,
                self.log("sensor.log"),
                self.log("collector.log"),
            );
            last = Some(accounting);
            sleep(Duration::from_millis(200));
        }
    }

    /// Frames are what was sent, and packets are kept or counted as lost later.
    fn is_whole(&self, accounting: &Accounting) -> bool {
        let Some(sensor) = accounting.sensors.first() else {
            return self.sent == 0;
        };
        let lost = |reasons: &[Loss]| {
            reasons
                .iter()
                .map(|loss| sensor.losses.of(*loss))
                .sum::<u64>()
        };
        let seen = sensor.frames + lost(&[Loss::KernelDropped, Loss::InterfaceDropped]);
        assert!(
            seen <= self.sent,
            "{seen} of {} counted: {accounting:?}",
            self.sent
        );
        let later = lost(&[Loss::SpoolFull, Loss::SpoolDamaged, Loss::Refused]);
        seen == self.sent
            && sensor.packets == sensor.kept.packets + later
            && accounting.raw == sensor.kept
    }

    /// Asks the store, on the host where its engine is.
    pub fn ask<T: Send>(&self, question: impl AsyncFnOnce(&Store) -> T + Send) -> T {
        let mut config = EngineConfig::new(self.path("data"));
        config.program = Some(noroshi().get_program().into());
        self.host().inside(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let engine = Engine::start(config).await.expect("the engine runs");
                let config = StoreConfig {
                    endpoint: engine.endpoint().clone(),
                    cluster: None,
                    retention: Retention::default(),
                };
                let store = Store::open(&config).await.expect("the store opens");
                let answer = question(&store).await;
                store.close().await;
                engine.stop().await;
                answer
            })
        })
    }
}

fn lay_wire(scanner: &Host, sensor: &Host) {
    scanner.join("wire", sensor, "tap");
    let ip = |host: &Host, line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        host.ip(&arguments).expect("it is there");
    };
    ip(
        sensor,
        &format!("link set tap address {GATEWAY_MAC} arp off up"),
    );
    ip(scanner, &format!("addr add {SCANNER}/24 dev wire"));
    ip(scanner, "link set wire up");
    ip(
        scanner,
        &format!("neigh add 203.0.113.1 lladdr {GATEWAY_MAC} nud permanent dev wire"),
    );
    ip(scanner, "route add 198.18.0.0/15 via 203.0.113.1");
    until("the wire carries", || carries(scanner, "wire"));
}

fn lay_line(sensor: &Host, collectors: &[Host; 2], seed: u64) -> Line {
    let hub = Host::new();
    let ends = [
        (sensor, "192.0.2.2/24"),
        (&collectors[0], "192.0.2.10/24"),
        (&collectors[1], "192.0.2.10/24"),
    ];
    for ((host, address), port) in ends.into_iter().zip(PORTS) {
        host.join("uplink", &hub, port);
        plain(host, "uplink");
        host.ip(&["addr", "add", address, "dev", "uplink"])
            .expect("there");
    }
    for host in collectors {
        let set = host.ip(&["link", "set", "uplink", "address", COLLECTOR_MAC]);
        set.expect("there");
    }
    let line = Line::lay(hub, seed);
    for host in [sensor, &collectors[0]] {
        host.ip(&["link", "set", "uplink", "up"]).expect("there");
        until("the line carries", || carries(host, "uplink"));
    }
    line
}

/// The kernel notices some time after that the other end is up, and drops what is sent before.
fn carries(host: &Host, interface: &str) -> bool {
    let shown = host
        .ip(&["-json", "link", "show", interface])
        .expect("there");
    shown.contains("\"operstate\":\"UP\"")
}

/// Waits for it, for longer than it takes on any machine.
pub fn until(what: &str, happened: impl FnMut() -> bool) {
    assert!(within(LIMIT, happened), "not within {LIMIT:?}: {what}");
}

fn within(limit: Duration, mut happened: impl FnMut() -> bool) -> bool {
    let begin = now();
    while !happened() {
        if begin.elapsed() > limit {
            return false;
        }
        sleep(Duration::from_millis(30));
    }
    true
}

#[allow(
    clippy::disallowed_methods,
    reason = "a hang can only be told by the clock"
)]
fn now() -> Instant {
    Instant::now()
}

fn noroshi() -> Command {
    Command::new(env!("CARGO_BIN_EXE_noroshi"))
}

/// `cargo build --workspace` puts it beside the centre's.
fn noroshi_sensor() -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_noroshi")).with_file_name("noroshi-sensor");
    assert!(
        program.is_file(),
        "noroshi-sensor is not built: run `cargo build --workspace --bins`"
    );
    Command::new(program)
}
