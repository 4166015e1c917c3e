//! The program itself on a directory of its own: `noroshi up`, all roles in one process, and the engine its child.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use noroshi_analyzer::scenario::region::{
    Atlas, Edition, PARTNERS, RESEARCH, network, partner, registry,
};
use noroshi_console::user::{Role, with_password};
use noroshi_store::engine::Endpoint;
use noroshi_store::origin::PartnerId;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use serde_json::Value;
use tempfile::TempDir;

use crate::mmdb;
use crate::people::PEOPLE;
use crate::traffic::sensors;

/// Everybody's.
pub const PASSWORD: &str = "correct horse battery";
/// All that a centre serves, each on a port that the system chooses.
const CONFIG: &str = "\
registry = \"registry.toml\"
[store]
url = \"embedded\"
path = \"data\"
[geo]
country = \"country.mmdb\"
asn = \"asn.mmdb\"
[lists]
organisations = [\"research_v4.txt\"]
[collector]
listen = \"127.0.0.1:0\"
[feeds]
listen = \"127.0.0.1:0\"
tokens = \"tokens\"
[console]
listen = \"127.0.0.1:0\"
users = \"users.toml\"
[metrics]
collector = \"127.0.0.1:0\"
analyzer = \"127.0.0.1:0\"
feeds = \"127.0.0.1:0\"
console = \"127.0.0.1:0\"
";
/// How often the log is looked at for an address, until it has taken two minutes.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS_MAX: usize = 1_200;

/// Killed with the bench.
pub struct Centre {
    process: Child,
    directory: Arc<TempDir>,
    pub collector: SocketAddr,
    pub feeds: SocketAddr,
    pub console: SocketAddr,
    pub metrics: SocketAddr,
}

/// Ids of the partners, in the order of [`PARTNERS`].
pub fn partners() -> Vec<PartnerId> {
    let ids = (0..PARTNERS.len()).map(|number| PartnerId::new(&partner(number)));
    ids.map(|id| id.expect("an id")).collect()
}

pub fn token(partner: &PartnerId) -> String {
    format!("token-of-the-partner-that-is-called-{partner}")
}

impl Centre {
    /// All of it, or one role; on a directory that was laid out.
    pub async fn start(directory: Arc<TempDir>, verb: &str) -> Self {
        let log = directory.path().join("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_noroshi"));
        command
            .args(["-v", verb, "--config"])
            .arg(directory.path().join("noroshi.toml"));
        command
            .env("NO_COLOR", "1")
            .stderr(File::create(&log).unwrap());
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut centre = Self {
            process: command.spawn().unwrap(),
            directory,
            collector: nowhere,
            feeds: nowhere,
            console: nowhere,
            metrics: nowhere,
        };
        centre.collector = centre.address("the collector listens").await;
        centre.metrics = centre.address("metrics are served").await;
        if verb == "up" {
            centre.feeds = centre.address("feeds are served").await;
            centre.console = centre.address("the console is served").await;
        }
        centre
    }

    /// What the log says a part listens on.
    async fn address(&mut self, words: &str) -> SocketAddr {
        for _ in 0..LOOKS_MAX {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the centre ended: {}", self.log());
            let log = self.log();
            let line = log.lines().find(|line| line.contains(words));
            let address = line.and_then(|line| line.split_once("address="));
            if let Some((_, rest)) = address {
                return rest
                    .split_whitespace()
                    .next()
                    .unwrap_or(rest)
                    .parse()
                    .unwrap();
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("`{words}` is not in the log: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Tells it to end; what its log has that somebody should look at, to the last line, and how
    /// it ended.
    pub async fn close(mut self) -> (Vec<String>, ExitStatus) {
        let status = self.end().await;
        (self.complaints(), status)
    }

    fn complaints(&self) -> Vec<String> {
        let log = self.log();
        let lines = log
            .lines()
            .filter(|line| line.contains(" WARN ") || line.contains("ERROR "));
        lines.map(str::to_owned).collect()
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The engine's process now, and where it answers.
    pub fn engine(&self) -> (u32, Endpoint) {
        let text = fs::read_to_string(self.directory.path().join("data/engine.json")).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        let word = |key: &str| told[key].as_str().unwrap().to_owned();
        let endpoint = Endpoint {
            url: word("url"),
            user: word("user"),
            password: word("password"),
            database: String::new(),
        };
        (told["pid"].as_u64().unwrap() as u32, endpoint)
    }

    /// The centre's store, beside it.
    pub async fn store(&self) -> Store {
        let config = StoreConfig {
            endpoint: self.engine().1,
            cluster: None,
            retention: Retention::default(),
        };
        Store::open(&config).await.unwrap()
    }

    /// Tells it to end, as a service manager does.
    async fn end(&mut self) -> ExitStatus {
        kill(Pid::from_raw(self.pid() as i32), Signal::SIGTERM).unwrap();
        for _ in 0..LOOKS_MAX {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("the centre does not end: {}", self.log());
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        let _ = self.process.kill(); // a panic must not hide the first
        let _ = self.process.wait();
    }
}

/// A directory with configuration, registry, geography, tokens and users.
pub fn lay_out() -> Arc<TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("noroshi.toml"), CONFIG).unwrap();
    fs::write(at("registry.toml"), registry(&sensors())).unwrap();
    let research = std::net::Ipv4Addr::from_bits(network(RESEARCH));
    fs::write(at("research_v4.txt"), format!("{research}/15\n")).unwrap();
    write_geography(&at("country.mmdb"), &at("asn.mmdb"));
    fs::create_dir(at("tokens")).unwrap();
    for id in partners() {
        fs::write(at("tokens").join(id.as_str()), token(&id)).unwrap();
    }
    write_users(&at("users.toml"));
    Arc::new(directory)
}

/// What the scenarios' atlas knows of each /16.
fn write_geography(countries: &PathBuf, networks: &PathBuf) {
    let atlas = Atlas::new();
    let mut known = Vec::new();
    for first in 0..=u16::MAX {
        let address = u32::from(first) << 16;
        let origin = atlas.origin(address, Edition::First);
        let prefix = format!("{}/16", std::net::Ipv4Addr::from_bits(address));
        if origin.asn > 0 {
            known.push((prefix, Arc::clone(origin)));
        }
    }
    let with_country = known.iter().filter_map(|(prefix, origin)| {
        let code = Box::leak(origin.country?.to_string().into_boxed_str());
        Some((prefix.as_str(), mmdb::nested(code)))
    });
    fs::write(countries, mmdb::database(with_country.collect())).unwrap();
    let with_asn = known
        .iter()
        .map(|(prefix, origin)| (prefix.as_str(), mmdb::asn(origin.asn)));
    fs::write(networks, mmdb::database(with_asn.collect())).unwrap();
}

fn write_users(path: &Path) {
    let mut text = String::new();
    for person in PEOPLE {
        let role = match person.role {
            "viewer" => Role::Viewer,
            "analyst" => Role::Analyst,
            "operator" => Role::Operator,
            partner => Role::Partner(PartnerId::new(partner).expect("an id")),
        };
        let user = with_password(person.name, role, PASSWORD, &[3; 16]).unwrap();
        write!(text, "{}", user.written()).unwrap();
    }
    let mut options = File::options();
    let mut file = options
        .create(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
