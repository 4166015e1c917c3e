//! The centre's configuration: `noroshi.toml` as it is written, and what it means.
//!
//! | module    | holds                                                              |
//! |-----------|--------------------------------------------------------------------|
//! | `file`    | the sections of the file, each value with its line                 |
//! | `collector` | where sensors connect to, and who says who they are              |
//! | `place`   | where the store is: the embedded engine's directory or a server    |
//! | `push`    | how alerts are pushed, and the centre's mail                       |
//! | `console` | where people look, and who may                                    |
//! | `traces`  | where traces go, and how many                                      |
//! | `check`   | everything wrong with it and with the files it names               |
//!
//! Relative paths are relative to the configuration's own directory. Secrets stand in
//! files of their own.

mod check;
mod collector;
mod console;
mod file;
mod place;
mod push;
mod traces;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use noroshi_analyzer::settings::Settings as AnalyzerSettings;
use noroshi_collector::enrich::Sources;
use noroshi_collector::settings::Settings as CollectorSettings;
use noroshi_console::Way;
use noroshi_console::provider::Settings as Provider;
use noroshi_feeds::channel::Settings as PushSettings;
use noroshi_store::document::{Document, Fault, Faults, read_text};
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_web::tls::TlsFiles;

pub use check::check;
pub use place::Place;
pub use traces::TracesSettings;

/// What the centre runs on: checked, complete.
#[derive(Clone, Debug)]
pub struct Config {
    /// Partners and sensors.
    pub registry: Arc<Registry>,
    /// The store.
    pub store: StoreSettings,
    /// Geo databases and scanner lists.
    pub sources: Sources,
    /// The collector.
    pub collector: CollectorSettings,
    /// The analyzer's thresholds.
    pub analyzer: AnalyzerSettings,
    /// The feeds.
    pub feeds: FeedsSettings,
    /// The console.
    pub console: ConsoleSettings,
    /// Where Prometheus reads.
    pub metrics: MetricsSettings,
    /// Where traces go.
    pub traces: Option<TracesSettings>,
}

/// `[store]` and `[retention]`
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Where it is.
    pub place: Place,
    /// The cluster's name, for more than one server.
    pub cluster: Option<String>,
    /// How long each table keeps what it holds.
    pub retention: Retention,
}

/// `[feeds]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedsSettings {
    /// Where partners' machines connect to.
    pub listen: SocketAddr,
    /// The directory of credentials, a file per partner; without it nobody can read.
    pub tokens: Option<PathBuf>,
    /// The feeds' own key; drawn at the first start.
    pub key_file: PathBuf,
    /// Certificate and key; without them plain HTTP, on loopback only.
    pub tls: Option<TlsFiles>,
    /// How partners reach the feeds, where a proxy stands before them.
    pub public_url: Option<String>,
    /// How alerts are pushed.
    pub push: PushSettings,
}

/// `[metrics]`: where operators' Prometheus reads of each role, on loopback; nowhere where it is not
/// named. Roles of one process may share an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Of the collector.
    pub collector: Option<SocketAddr>,
    /// Of the analyzer.
    pub analyzer: Option<SocketAddr>,
    /// Of the feeds, and of deliveries.
    pub feeds: Option<SocketAddr>,
    /// Of the console.
    pub console: Option<SocketAddr>,
}

/// `[console]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSettings {
    /// Where browsers connect to.
    pub listen: SocketAddr,
    /// The file of users; without it nobody can sign in, and no console is served.
    pub users: Option<PathBuf>,
    /// How browsers come there.
    pub way: Way,
    /// Where else people prove who they are.
    pub provider: Option<Provider>,
    /// Authorities that are trusted beside the system's, where the console asks others.
    pub authorities: Option<PathBuf>,
}

/// Ports of the listeners, unless told otherwise: unassigned at IANA.
const COLLECTOR_PORT: u16 = 7614;
const FEEDS_PORT: u16 = 7615;
/// The directory of sensors' identities, in the store's own, unless told otherwise.
const IDENTITY: &str = "identity";
const CONSOLE_PORT: u16 = 7617;
/// The file of the feeds' own key, unless told otherwise.
const FEEDS_KEY: &str = "feeds.key";
/// Streams a collector holds open: ten times the sensors the platform is measured with.
const STREAMS_MAX: u32 = 10_000;

impl Config {
    /// Reads the configuration and the registry it names.
    ///
    /// Files that take long to read (geo databases, lists) are looked at by [`check()`] and by
    /// the roles that use them.
    ///
    /// # Errors
    /// Everything wrong in either file, with its line and what to do.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let text = read_text(path)?;
        let document = Document::parse(&path.display().to_string(), &text)?;
        let read = file::read(&document, directory(path));
        let registry = read.registry.as_deref().map(Registry::load);
        let mut faults = document.into_faults();
        let registry = keep(registry, &mut faults);
        let config = registry.and_then(|registry| read.into_config(Arc::new(registry)));
        Faults::none_in(faults)?;
        config.ok_or_else(|| {
            Faults::of_file(&path.display().to_string(), "cannot be read".to_owned())
        })
    }
}

/// Where relative paths begin.
fn directory(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// The value; what is wrong with it joins the other faults.
fn keep<T>(read: Option<Result<T, Faults>>, faults: &mut Vec<Fault>) -> Option<T> {
    match read? {
        Ok(value) => Some(value),
        Err(wrong) => {
            faults.extend(wrong.into_vec());
            None
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests;
