//! A centre's console with users of every role, and the store beneath it.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use noroshi_console::user::{Role, with_password, with_provider};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::engine::{Engine, EngineConfig};
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::children::children;
use crate::play;
use crate::provider::{self, Provider};

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
const NAMES: [&str; 8] = [
    "viewer", "analyst", "operator", "second", "th-cert", "my-cert", "host", "clumsy",
];
/// Those of the host.
const SENSORS: [&str; 2] = ["jp-1", "jp-2"];
/// How often the console's log is looked at for its address, until it has taken a minute.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS_MAX: usize = 1_200;

/// A console that runs, until it is dropped.
pub struct Centre {
    console: Child,
    /// Where people prove who they are, and by what name the console is known there.
    provider: Option<Provider>,
    address: String,
    directory: TempDir,
}

impl Centre {
    /// That has received nothing.
    pub fn empty() -> Self {
        Self::open(tempfile::tempdir().expect("a temporary directory"), None)
    }

    /// The same, where people may also sign in by a provider of identities.
    pub fn with_provider() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self::open(directory, Some(Provider::start()))
    }

    /// That has received the play which began at `from`.
    pub fn with_play(from: Millis) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let registry = Registry::parse("demo-registry.toml", REGISTRY).expect("it is a registry");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(fill(directory.path(), &Arc::new(registry), from));
        Self::open(directory, None)
    }

    fn open(directory: TempDir, provider: Option<Provider>) -> Self {
        let at = |name: &str| directory.path().join(name);
        fs::write(at("registry.toml"), REGISTRY).expect("writable");
        let extra = provider.as_ref().map(Provider::section);
        let config = CONFIG.replace("[retention]", &(extra.unwrap_or_default() + "[retention]"));
        fs::write(at("noroshi.toml"), config).expect("writable");
        write_secretly(&at("oidc.secret"), provider::SECRET);
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
            provider,
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
        let engine = children(self.console.id(), "noroshi").pop();
        let engine = engine.expect("the console has an engine");
        let mut facts = json!({
            "address": self.address, "users": users, "roles": roles, "engine": engine,
        });
        if self.provider.is_some() {
            facts["address"] = provider::CONSOLE.into();
            facts["served"] = self.address.replace("http://", "").into();
        }
        facts
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

/// A file that nobody else may read.
fn write_secretly(path: &Path, text: &str) {
    let mut options = File::options();
    let file = options.create(true).write(true).mode(0o600).open(path);
    let mut file = file.expect("writable");
    file.write_all(text.as_bytes()).expect("writable");
}

fn write_users(path: &Path) {
    let mut users = String::new();
    for name in NAMES {
        let role = match name {
            "viewer" | "clumsy" => Role::Viewer,
            "analyst" => Role::Analyst,
            "operator" | "second" => Role::Operator,
            "host" => Role::Host(SENSORS.map(|id| SensorId::new(id).expect("an id")).to_vec()),
            partner => Role::Partner(PartnerId::new(partner).expect("an id")),
        };
        let user = with_password(name, role, PASSWORD, &[3; 16]).expect("a user");
        users.push_str(&user.written());
    }
    let naoko = with_provider("naoko", Role::Analyst, "248289761001").expect("a user");
    write_secretly(path, &(users + &naoko.written()));
}

/// The address in the log's line about the console, as a URL.
fn served_at(log: &str) -> Option<String> {
    let line = log
        .lines()
        .find(|line| line.contains("the console is served"))?;
    let (_, rest) = line.split_once("address=")?;
    Some(format!("http://{}", rest.split_whitespace().next()?))
}
