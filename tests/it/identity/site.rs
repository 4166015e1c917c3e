//! A centre that listens with TLS on loopback, and sensors' machines.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use noroshi_collector::admit::allowance::Rates;
use noroshi_collector::clock;
use noroshi_collector::enrich::Tables;
use noroshi_collector::enrich::reload::SharedTables;
use noroshi_collector::identity::authority::Authority;
use noroshi_collector::identity::revocations::RevocationsDirectory;
use noroshi_collector::identity::tls::{AuthoritySettings, TlsFiles, TlsSettings};
use noroshi_collector::identity::tokens::{TOKEN_MILLIS, Tokens};
use noroshi_collector::run::{Local, Parts};
use noroshi_collector::settings::{Replay, Settings};
use noroshi_collector::update::UpdateSettings;
use noroshi_proto::certificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_proto::token::Token;
use noroshi_proto::update::key::PublicKey;
use noroshi_sensor::config::collector::Collector;
use noroshi_sensor::identity::IdentityFiles;
use noroshi_sensor::identity::enrol::{EnrolError, enrol};
use noroshi_store::engine::testing;
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;

/// Two sensors, of one telescope each.
pub const REGISTRY: &str = r#"
[[partner]]
id = "jp-cert"
name = "A test CERT"
country = "JP"

[[sensor]]
id = "jp-1"
partner = "jp-cert"
telescope = [{ prefix = "198.18.0.0/24", from = 2020-01-01 }]

[[sensor]]
id = "jp-2"
partner = "jp-cert"
telescope = [{ prefix = "198.18.1.0/24", from = 2020-01-01 }]
"#;
/// Long enough for every test that is not about renewal.
const HOUR_MILLIS: u64 = 3_600_000;

/// A store, a collector with TLS, and a directory for everybody's files.
pub struct Site {
    pub store: Store,
    pub collector: Local,
    directory: TempDir,
}

impl Site {
    pub async fn start() -> Self {
        Self::start_with(HOUR_MILLIS, Rates::UNLIMITED).await
    }

    /// Whose sensors' certificates live so long.
    pub async fn start_with(sensor_millis: u64, rates: Rates) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let tls = TlsSettings {
            directory: directory.path().join("identity"),
            authority: AuthoritySettings::Own {
                names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
                sensor_millis,
            },
        };
        Self::start_in(directory, Some(tls), rates).await
    }

    /// Where certificates are the operator's own.
    pub async fn start_brought(operator: &Operator) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let tls = TlsSettings {
            directory: directory.path().join("identity"),
            authority: AuthoritySettings::Brought(operator.server()),
        };
        Self::start_in(directory, Some(tls), Rates::UNLIMITED).await
    }

    /// One that hands on what this key signed.
    pub async fn start_with_updates(key: PublicKey) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let tls = TlsSettings {
            directory: directory.path().join("identity"),
            authority: AuthoritySettings::Own {
                names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
                sensor_millis: HOUR_MILLIS,
            },
        };
        let settings = Settings {
            updates: Some(UpdateSettings {
                directory: directory.path().join("updates"),
                keys: vec![key],
            }),
            ..settings(Some(tls), Rates::UNLIMITED)
        };
        Self::start_as(directory, settings).await
    }

    /// In the clear.
    pub async fn start_plain() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self::start_in(directory, None, Rates::UNLIMITED).await
    }

    async fn start_in(directory: TempDir, tls: Option<TlsSettings>, rates: Rates) -> Self {
        Self::start_as(directory, settings(tls, rates)).await
    }

    async fn start_as(directory: TempDir, settings: Settings) -> Self {
        let config = StoreConfig {
            endpoint: testing::database().await,
            cluster: None,
            retention: Retention::forever(),
        };
        let store = Store::open(&config).await.expect("the store opens");
        let registry = Registry::parse("registry.toml", REGISTRY).expect("it is valid");
        let registry = Arc::new(registry);
        let parts = Parts {
            store: store.clone(),
            tables: SharedTables::new(Tables::of_registry(Arc::clone(&registry))),
            registry,
            metrics: Arc::default(),
        };
        let collector = Local::start(parts, &settings).await.expect("a port");
        Self {
            store,
            collector,
            directory,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.collector.address()
    }

    /// What is handed on.
    pub fn updates(&self) -> PathBuf {
        self.directory.path().join("updates")
    }

    pub fn identity(&self) -> PathBuf {
        self.directory.path().join("identity")
    }

    /// What `noroshi sensor enrol` prints.
    pub fn token(&self, sensor: &str) -> Token {
        self.token_until(sensor, Millis(clock::now().0 + TOKEN_MILLIS))
    }

    pub fn token_until(&self, sensor: &str, until: Millis) -> Token {
        let now = clock::now();
        let authority = Authority::open_or_draw(&self.identity(), now).expect("an authority");
        let tokens = Tokens::open(&self.identity()).expect("a directory");
        let given = tokens.give(&id(sensor), authority.fingerprint(), "test", (now, until));
        given.expect("a token")
    }

    /// What `noroshi sensor revoke` does.
    pub fn revoke(&self, sensor: &str) {
        let revocations = RevocationsDirectory::open(&self.identity()).expect("a directory");
        let revoked = revocations.revoke(&id(sensor), clock::now());
        revoked.expect("it is written");
    }

    /// Where a sensor's machine keeps its identity.
    pub fn machine(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The collector, as whoever has `machine`'s files reaches it.
    pub fn collector(&self, machine: &str) -> Collector {
        self.collector_by(&IdentityFiles::Enrolled(self.machine(machine)))
    }

    pub fn collector_by(&self, files: &IdentityFiles) -> Collector {
        let url = format!("https://{}", self.address());
        Collector::with_identity(&url, files).expect("a URL")
    }

    /// What `noroshi-sensor enrol` does on `machine`.
    pub async fn enrol(
        &self,
        sensor: &str,
        token: &Token,
        machine: &str,
    ) -> Result<Collector, EnrolError> {
        let collector = self.collector(machine);
        enrol(collector.uri(), &id(sensor), token, &self.machine(machine)).await?;
        Ok(collector)
    }

    /// A token, and a machine that used it.
    pub async fn enrolled(&self, sensor: &str) -> Collector {
        let token = self.token(sensor);
        let enrolled = self.enrol(sensor, &token, sensor).await;
        enrolled.expect("it is enrolled")
    }

    /// Packets in the store.
    pub async fn packets(&self) -> u64 {
        let accounting = self.store.accounting().await.expect("the store counts");
        assert!(accounting.balances(), "{accounting:?}");
        accounting.raw.packets
    }
}

fn settings(tls: Option<TlsSettings>, rates: Rates) -> Settings {
    Settings {
        tls,
        replay: Replay::Refused,
        rates,
        ..Settings::local_replay()
    }
}

/// An operator with an authority of its own.
pub struct Operator {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Operator {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("it signs itself");
        std::fs::write(directory.path().join("ca.pem"), certificate.pem()).expect("writable");
        Self {
            directory,
            issuer: Issuer::new(params, key),
        }
    }

    pub fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    fn server(&self) -> TlsFiles {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).expect("names");
        let (certificate, key) = self.issue("collector", params);
        TlsFiles {
            certificate,
            key,
            ca: self.ca(),
        }
    }

    /// The files of a sensor, which knows the collector by `ca`.
    pub fn sensor(&self, sensor: &str, ca: &Path) -> IdentityFiles {
        let mut params = CertificateParams::default();
        let uri = certificate::uri(&id(sensor)).try_into();
        params.subject_alt_names = vec![SanType::URI(uri.expect("a URI"))];
        let (certificate, key) = self.issue(sensor, params);
        IdentityFiles::Brought {
            certificate,
            key,
            ca: ca.to_owned(),
        }
    }

    fn issue(&self, name: &str, params: CertificateParams) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("it is signed");
        let path = |suffix: &str| self.directory.path().join(format!("{name}{suffix}"));
        let (certificate, private) = (path(".pem"), path("-key.pem"));
        std::fs::write(&certificate, signed.pem()).expect("writable");
        std::fs::write(&private, key.serialize_pem()).expect("writable");
        (certificate, private)
    }
}

pub fn id(sensor: &str) -> SensorId {
    SensorId::new(sensor).expect("an id")
}
