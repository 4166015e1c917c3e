//! A centre's console with users of every role, and the store beneath it.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use noroshi_console::user::{Role, with_password};
use noroshi_proto::time::Millis;
use noroshi_store::engine::{Engine, EngineConfig};
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::play;

/// The demo's partners and sensors.
const REGISTRY: &str = include_str!("../../config/demo-registry.toml");
/// Rows of the play keep their age: nothing is too old.
const CONFIG: &str = "registry = \"registry.toml\"\n\
    [console]\nlisten = \"127.0.0.1:0\"\nusers = \"users.toml\"\n\
    [retention]\nflow_tuples = 0\nminute_rollup = 0\nten_minute_rollup = 0\nhour_rollup = 0\n\
    hourly_sources = 0\nbatch_ledger = 0\nalerts = 0\naudit = 0\n";
/// Everybody's.
const PASSWORD: &str = "correct horse battery";
/// `second` is a second operator, because one user has a limited number of sessions at a time; `clumsy` is there for
/// wrong passwords, which hold a name up.
const NAMES: [&str; 7] = [
    "viewer", "analyst", "operator", "second", "th-cert", "my-cert", "clumsy",
];
/// How often the console's log is looked at for its address, until it has taken a minute.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS_MAX: usize = 1_200;

/// A console that runs, until it is dropped.
pub struct Centre {
    console: Child,
    address: String,
    directory: TempDir,
}

impl Centre {
    /// That has received nothing.
    pub fn empty() -> Self {
        Self::open(tempfile::tempdir().expect("a temporary directory"))
    }

    /// That has received the play which began at `from`.
    pub fn with_play(from: Millis) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let registry = Registry::parse("demo-registry.toml", REGISTRY).expect("it is a registry");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(fill(directory.path(), &Arc::new(registry), from));
        Self::open(directory)
    }

    fn open(directory: TempDir) -> Self {
        let at = |name: &str| directory.path().join(name);
        fs::write(at("registry.toml"), REGISTRY).expect("writable");
        fs::write(at("noroshi.toml"), CONFIG).expect("writable");
        write_users(&at("users.toml"));
        let mut command = Command::new(program());
        command
            .args(["-v", "console", "--config"])
            .arg(at("noroshi.toml"));
        command.env("NO_COLOR", "1");
        command.stderr(File::create(at("console.log")).expect("writable"));
        let console = command.spawn().expect("the console starts");
        let mut centre = Self {
            console,
            address: String::new(),
            directory,
        };
        let address = (0..LOOKS_MAX).find_map(|_| centre.look());
        centre.address = address.expect("the console says where it is served");
        centre
    }

    /// Where the console is served, once it says so.
    fn look(&mut self) -> Option<String> {
        sleep(LOOK);
        let log = self.directory.path().join("console.log");
        let said = fs::read_to_string(log).unwrap_or_default();
        let ended = self.console.try_wait().expect("it can be waited for");
        assert!(ended.is_none(), "the console ended: {said}");
        served_at(&said)
    }

    /// What the browser has to know; `roles` are the users whose pages are looked at one by one.
    pub fn facts(&self, roles: &[&str]) -> Value {
        let users: serde_json::Map<String, Value> = NAMES
            .iter()
            .map(|name| ((*name).to_owned(), PASSWORD.into()))
            .collect();
        json!({ "address": self.address, "users": users, "roles": roles })
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        let _ = self.console.kill(); // a panic must not hide the first
        let _ = self.console.wait();
    }
}

/// The centre's program, as cargo built it for these tests.
pub fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_noroshi").into()
}

/// The sensor's program, which `cargo build --workspace` puts beside the centre's.
pub fn sensor_program() -> PathBuf {
    let program = program().with_file_name("noroshi-sensor");
    assert!(
        program.is_file(),
        "noroshi-sensor is not built: run `cargo build --workspace --bins`"
    );
    program
}

async fn fill(directory: &Path, registry: &Arc<Registry>, from: Millis) {
    let mut config = EngineConfig::new(directory.join("data"));
    config.program = Some(program());
    let engine = Engine::start(config).await.expect("the engine runs");
    let config = StoreConfig {
        endpoint: engine.endpoint().clone(),
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.expect("the store opens");
    play::perform(&store, registry, from).await;
    store.close().await;
    engine.stop().await;
}

fn write_users(path: &Path) {
    let mut options = File::options();
    let mut file = options
        .create(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .expect("writable");
    for name in NAMES {
        let role = match name {
            "viewer" | "clumsy" => Role::Viewer,
            "analyst" => Role::Analyst,
            "operator" | "second" => Role::Operator,
            partner => Role::Partner(PartnerId::new(partner).expect("an id")),
        };
        let user = with_password(name, role, PASSWORD, &[3; 16]).expect("a user");
        file.write_all(user.written().as_bytes()).expect("writable");
    }
}

/// The address in the log's line about the console, as a URL.
fn served_at(log: &str) -> Option<String> {
    let line = log
        .lines()
        .find(|line| line.contains("the console is served"))?;
    let (_, rest) = line.split_once("address=")?;
    Some(format!("http://{}", rest.split_whitespace().next()?))
}
