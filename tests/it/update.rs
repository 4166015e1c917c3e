//! A sensor's next versions, by the real programs: signed, published, fetched, tried, and given up
//! where they do not work. What looks after the sensor is a loop, as a service manager's.

mod hostile;

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::corpus::{json_lines, noroshi, noroshi_sensor};
use crate::identity::site::REGISTRY;
use crate::process::{run_reading, run_within};

const SOON: Duration = Duration::from_secs(30);
/// Some starts of a sensor, each with a report and a question some seconds later.
const LIMIT: Duration = Duration::from_secs(180);

/// A centre and a sensor's machine.
struct World {
    directory: TempDir,
    collector: SocketAddr,
}

impl World {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let world = Self {
            directory: tempfile::tempdir().expect("a directory"),
            collector: listener.local_addr().expect("it has an address"),
        };
        let key = world.noroshi(&["update", "key"], &[&world.at("update.key")]);
        let key = key.trim();
        let address = world.collector;
        let centre = format!(
            "registry = \"registry.toml\"\n[store]\nurl = \"embedded\"\npath = \"data\"\n\
             [collector]\nlisten = \"{address}\"\n[collector.tls]\nnames = [\"127.0.0.1\"]\n\
             [collector.updates]\nkeys = [\"{key}\"]\n"
        );
        let sensor = format!(
            "sensor = \"jp-1\"\ncollector = \"https://{address}\"\ninterface = \"lo\"\n\
             telescope = [\"198.18.0.0/24\"]\ninterval_seconds = 1\nsalt_file = \"salt\"\n\
             spool = {{ path = \"spool\" }}\n[update]\nkeys = [\"{key}\"]\nevery_minutes = 1\n"
        );
        for (name, text) in [
            ("registry.toml", REGISTRY),
            ("noroshi.toml", &centre),
            ("sensor.toml", &sensor),
        ] {
            fs::write(world.at(name), text).expect("writable");
        }
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Standard output of a command that has to succeed.
    fn noroshi(&self, arguments: &[&str], paths: &[&Path]) -> String {
        let (code, stdout, stderr) = self.try_noroshi(arguments, paths);
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        stdout
    }

    fn try_noroshi(&self, arguments: &[&str], paths: &[&Path]) -> (Option<i32>, String, String) {
        let mut command = noroshi();
        command.args(arguments).args(paths);
        let output = run_within(command, SOON).expect("it ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// A command on the centre's configuration.
    fn centre(&self, arguments: &[&str]) -> String {
        let config = self.at("noroshi.toml");
        self.noroshi(&[arguments, &["--config"]].concat(), &[&config])
    }

    fn start_collector(&self) -> Process {
        let mut command = noroshi();
        command
            .arg("collector")
            .arg("--config")
            .arg(self.at("noroshi.toml"));
        command.stdin(Stdio::null());
        let process = Process(command.spawn().expect("the collector starts"));
        within(LIMIT, "the collector comes up", || {
            TcpStream::connect(self.collector).ok()
        });
        process
    }

    fn enrol(&self) {
        let token = self.centre(&["sensor", "enrol", "jp-1"]);
        fs::write(self.at("token"), token).expect("writable");
        let mut command = noroshi_sensor();
        command
            .arg("enrol")
            .arg("--config")
            .arg(self.at("sensor.toml"));
        let token = fs::File::open(self.at("token")).expect("readable");
        let enrolled = run_reading(command, token.into(), SOON).expect("it ends");
        assert!(enrolled.status.success(), "{enrolled:?}");
    }

    /// A program that says it is this version, and does that where it is run.
    fn program(&self, version: &str, does: &str) -> PathBuf {
        let path = self.at(&format!("sensor-{version}"));
        let text = format!(
            "#!/bin/sh\ntest \"$1\" = --version && echo noroshi-sensor {version} && exit 0\n{does}\n"
        );
        fs::write(&path, text).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        path
    }

    fn sign(&self, program: &Path, version: &str) {
        let key = self.at("update.key");
        let key = key.to_str().expect("a temporary path is text");
        let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        let sign = ["update", "sign", "--key", key, "--version", version];
        self.noroshi(&[&sign[..], &["--target", &target]].concat(), &[program]);
    }

    fn publish(&self, program: &Path, to: &str) {
        let program = program.to_str().expect("a temporary path is text");
        self.centre(&["update", "publish", program, "--to", to]);
    }

    /// What the sensor said of itself last.
    fn standing(&self) -> Value {
        let mut command = noroshi();
        command
            .args(["update", "list", "--json", "--config"])
            .arg(self.at("noroshi.toml"));
        let listed = json_lines(&run_within(command, SOON).expect("it ends"));
        let own = listed.into_iter().find(|line| line["sensor"] == "jp-1");
        own.expect("the registry has it")
    }

    fn until_it_says(&self, what: &str, says: impl Fn(&Value) -> bool) -> Value {
        within(LIMIT, what, || {
            sleep(Duration::from_millis(200));
            Some(self.standing()).filter(|standing| says(standing))
        })
    }
}

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        terminate(self.0.id());
        let _ = self.0.wait(); // gone in any case
    }
}

/// Starts the sensor again whenever it ends, as its unit says.
struct ServiceManager {
    process: Arc<AtomicU32>,
    is_over: Arc<AtomicBool>,
    codes: Arc<Mutex<Vec<Option<i32>>>>,
    thread: Option<JoinHandle<()>>,
}

impl ServiceManager {
    fn start(config: PathBuf) -> Self {
        let (process, is_over) = (
            Arc::new(AtomicU32::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let codes = Arc::new(Mutex::new(Vec::new()));
        let (current, over, noted) = (
            Arc::clone(&process),
            Arc::clone(&is_over),
            Arc::clone(&codes),
        );
        let thread = thread::spawn(move || {
            while !over.load(Ordering::Acquire) {
                let mut command: Command = noroshi_sensor();
                command
                    .arg("run")
                    .arg("--config")
                    .arg(&config)
                    .stdin(Stdio::null());
                let mut child = command.spawn().expect("the sensor starts");
                current.store(child.id(), Ordering::Release);
                let status = child.wait().expect("it can be waited for");
                noted.lock().expect("no panic").push(status.code());
                sleep(Duration::from_millis(100));
            }
        });
        let thread = Some(thread);
        Self {
            process,
            is_over,
            codes,
            thread,
        }
    }

    /// `systemctl restart`, after which a sensor asks for updates soon.
    fn restart(&self) {
        terminate(self.process.load(Ordering::Acquire));
    }

    fn codes(&self) -> Vec<Option<i32>> {
        self.codes.lock().expect("no panic").clone()
    }
}

impl Drop for ServiceManager {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.restart();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // its panic has been told
        }
    }
}

fn terminate(process: u32) {
    let id = i32::try_from(process).expect("a process id");
    if id > 0 {
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM); // it may have ended
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a hang can only be told by the clock"
)]
fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < limit, "it never happens that {what}");
        sleep(Duration::from_millis(20));
    }
}

/// Whether a sensor can capture here.
fn may_capture(world: &World) -> bool {
    let mut command = noroshi_sensor();
    command.args(["doctor", "--seconds", "1", "--json", "--config"]);
    command.arg(world.at("sensor.toml"));
    let told = json_lines(&run_within(command, SOON).expect("it ends"));
    let refused = told.iter().find(|line| line["part"] == "interface");
    if let Some(refused) = refused {
        println!("not run: {}", refused["finding"]);
    }
    refused.is_none()
}

#[test]
fn a_sensor_comes_by_its_next_version_and_goes_back_from_one_that_fails() {
    let world = World::new();
    if !may_capture(&world) {
        return;
    }
    let _collector = world.start_collector();
    world.enrol();
    let real = noroshi_sensor().get_program().to_owned();
    let real = format!("exec '{}' \"$@\"", real.to_str().expect("text"));
    let good = world.program("0.2.0", &real);
    world.sign(&good, "0.2.0");
    world.publish(&good, "jp-2");
    let sensor = ServiceManager::start(world.at("sensor.toml"));
    let first = world.until_it_says("it asks", |said| said["version"].is_string());
    assert_eq!(
        first["version"],
        env!("CARGO_PKG_VERSION"),
        "it goes to another first"
    );

    world.centre(&["update", "offer", "--to", "all"]);
    sensor.restart();
    world.until_it_says("it runs 0.2.0", |said| said["version"] == "0.2.0");
    assert!(sensor.codes().contains(&Some(75)), "{:?}", sensor.codes());
    let state = fs::read_to_string(world.at("update/state.json")).expect("readable");
    let state: Value = serde_json::from_str(&state).expect("JSON");
    assert_eq!(
        (&state["good"], &state["trial"]),
        (&"0.2.0".into(), &Value::Null)
    );

    let bad = world.program("0.3.0", "test \"$1\" = run && exit 1\nexit 0");
    world.sign(&bad, "0.3.0");
    world.publish(&bad, "all");
    sensor.restart();
    let back = world.until_it_says("0.3.0 fails", |said| said["failed_version"] == "0.3.0");
    assert_eq!(back["version"], "0.2.0", "the one before runs");
    let reason = back["failed_reason"].as_str().expect("a reason");
    assert!(reason.contains("ended 3 times"), "{reason}");
}

#[test]
fn an_operator_s_mistakes_are_told_before_any_sensor_sees_them() {
    let world = World::new();
    let program = world.program("0.2.0", "exit 0");
    let config = world.at("noroshi.toml");
    let publish = |to: &str| {
        let program = program.to_str().expect("text");
        world.try_noroshi(
            &["update", "publish", program, "--to", to, "--config"],
            &[&config],
        )
    };
    let (code, _, unsigned) = publish("all");
    assert!(
        code == Some(1) && unsigned.contains("sensor-0.2.0.signed"),
        "{unsigned}"
    );
    world.sign(&program, "0.2.0");
    let (code, _, nobody) = publish("xx-1");
    assert!(
        code == Some(1) && nobody.contains("xx-1 is not in the registry"),
        "{nobody}"
    );
    assert_eq!(publish("everybody!").0, Some(2));
    let (code, told, _) = publish("10%");
    assert!(code == Some(0) && told.contains("version 0.2.0"), "{told}");
    world.program("0.2.0", "exit 0 # mended, under the same version");
    let (code, _, other) = publish("all");
    assert!(
        code == Some(1) && other.contains("not the file that was signed"),
        "{other}"
    );
    world.sign(&program, "0.2.0");
    let (code, _, twice) = publish("all");
    assert!(
        code == Some(1) && twice.contains("with a higher version"),
        "{twice}"
    );

    let key = world.at("update.key");
    let mode = fs::metadata(&key).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(&key).expect("readable");
    world.noroshi(&["update", "key"], &[&key]);
    assert_eq!(fs::read(&key).expect("readable"), before, "drawn once");
    let updates = fs::metadata(world.at("data/updates")).expect("there");
    assert_eq!(updates.permissions().mode() & 0o777, 0o700);
}

/// The format of OpenSSL's keys and signatures: who has the key in a machine of its own can sign.
#[test]
fn a_key_of_openssl_signs_too() {
    let world = World::new();
    let key = world.at("openssl.pem");
    let text = "-----BEGIN PRIVATE KEY-----\n\
                MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                -----END PRIVATE KEY-----\n"; // RFC 8032, 7.1, the first secret key
    fs::write(&key, text).expect("writable");
    let public = world.noroshi(&["update", "key"], &[&key]);
    let due = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\n";
    assert_eq!(public, due);
}
