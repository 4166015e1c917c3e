//! A store with two partners' cases, and a deliverer that pushes them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use noroshi_feeds::channel::{MailSettings, Settings};
use noroshi_feeds::deliver;
use noroshi_feeds::mail::post::{Security, Server};
use noroshi_feeds::metrics::Metrics;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Evidence, Kind, Severity, State, Subject, Tlp};
use noroshi_store::cases::{Case, Transition};
use noroshi_store::engine::{Endpoint, testing};
use noroshi_store::registry::Registry;
use noroshi_store::remedy::Event;
use noroshi_store::retention::Retention;
use noroshi_store::steps::Step;
use noroshi_store::store::{Store, StoreConfig};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The secret of every webhook.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A store and a directory for keys; nothing is pushed yet.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) directory: TempDir,
    pub(crate) settings: Settings,
    pub(crate) metrics: Arc<Metrics>,
    endpoint: Endpoint,
}

/// A deliverer at work.
pub(crate) struct Deliverer {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Site {
    pub(crate) async fn open() -> Self {
        let endpoint = testing::database().await;
        let store = store(&endpoint).await;
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("whsec"), SECRET).expect("a secret");
        let key_file = directory.path().join("feeds.key");
        Self {
            store,
            directory,
            settings: Settings {
                allow_private: vec!["127.0.0.0/8".parse().expect("a prefix")],
                public_url: Some("https://feeds.example".to_owned()),
                key_file,
                ..Settings::default()
            },
            metrics: Arc::default(),
            endpoint,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Sends mail by a server at this port.
    pub(crate) fn mail_by(&mut self, port: u16, signing_key: Option<&str>) {
        self.settings.mail = Some(MailSettings {
            server: Server {
                host: "127.0.0.1".to_owned(),
                port,
                security: Security::None,
                login: None,
            },
            from: "noroshi@centre.example".to_owned(),
            signing_key: signing_key.map(|name| self.path().join(name)),
            operator: Some("duty@centre.example".to_owned()),
        });
    }

    /// Pushes to Thailand and Malaysia as these tables of the registry say. Returns when the
    /// deliverer follows the changes of every channel.
    pub(crate) async fn push(&self, north: &str, south: &str) -> Deliverer {
        let text = registry(north, south);
        let file = self.path().join("registry.toml");
        let registry = Registry::parse(&file.display().to_string(), &text)
            .unwrap_or_else(|faults| panic!("{faults}"));
        let channels = text.matches("[[partner.webhook]]").count()
            + text.matches("[partner.mail]").count()
            + text.matches("[partner.syslog]").count();
        let (stop, stopped) = oneshot::channel::<()>();
        // A handle of its own: a deliverer shares nothing with whoever records.
        let (settings, store) = (self.settings.clone(), store(&self.endpoint).await);
        let metrics = Arc::clone(&self.metrics);
        let task = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            let ended = deliver::run(&settings, store, &registry, &metrics, shutdown).await;
            ended.unwrap_or_else(|error| panic!("{error}"));
        });
        for _ in 0..3_000 {
            let count = "SELECT count() FROM feed_cursors FINAL WHERE startsWith(feed, 'push ')";
            let begun: u64 = self
                .store
                .client()
                .query(count)
                .fetch_one()
                .await
                .expect("a number");
            if begun as usize >= channels || task.is_finished() {
                return Deliverer { stop, task };
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the deliverer does not begin");
    }

    /// Records a case in one state.
    pub(crate) async fn record(&self, alert: Alert, version: u64) {
        let transition = Transition {
            at: Millis(alert.opened_at.0 + version * 10_000),
            case: Case { alert, version },
            by: "analyzer".to_owned(),
            note: String::new(),
        };
        self.store
            .record(&[transition])
            .await
            .expect("it is recorded");
    }

    /// Records what somebody did with a case.
    pub(crate) async fn step(&self, case: Uuid, partner: &str, event: Event) {
        let step = Step {
            case,
            id: Uuid::new_v4(),
            event,
            at: Millis(1_793_577_700_000),
            by: "operator:anan".to_owned(),
            note: "the sensor was at fault".to_owned(),
            probability: None,
            partner: partner.to_owned(),
        };
        self.store
            .record_steps(&[step])
            .await
            .expect("it is recorded");
    }

    /// Where the store is.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// One number of the store.
    pub(crate) async fn number(&self, sql: &str) -> u64 {
        self.store.client().query(sql).fetch_one().await.expect(sql)
    }

    /// Waits until a number of the store is `expected`.
    pub(crate) async fn comes_to(&self, sql: &str, expected: u64) {
        for _ in 0..3_000 {
            if self.number(sql).await == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{sql} stays at {}, not {expected}", self.number(sql).await);
    }
}

impl Deliverer {
    /// Ends in good order.
    pub(crate) async fn end(self) {
        drop(self.stop);
        let ended = tokio::time::timeout(Duration::from_secs(300), self.task).await;
        ended.expect("it ends soon").expect("it does not panic");
    }
}

async fn store(endpoint: &Endpoint) -> Store {
    let config = StoreConfig {
        endpoint: endpoint.clone(),
        cluster: None,
        retention: Retention::forever(),
    };
    Store::open(&config).await.expect("the store opens")
}

/// A registry of two partners with these tables.
pub(crate) fn registry(north: &str, south: &str) -> String {
    let (th, my) = (partner("th-cert", "TH"), partner("my-cert", "MY"));
    format!("{th}{north}\n{my}{south}\n")
}

fn partner(id: &str, country: &str) -> String {
    format!(
        "[[partner]]\nid = \"{id}\"\nname = \"{id}\"\ncountry = \"{country}\"\n\
         programmes = [\"practice\", \"daedalus\"]\ncontacts = [\"soc@{id}.example\"]\n"
    )
}

/// A `[[partner.webhook]]` to this port.
pub(crate) fn webhook_to(port: u16) -> String {
    format!(
        "[[partner.webhook]]\nurl = \"http://127.0.0.1:{port}/noroshi\"\nsecret_file = \"whsec\"\n"
    )
}

/// A new case of a partner, which says whose it is wherever it is shown.
pub(crate) fn alert(number: u128, partner: &str) -> Alert {
    let at = Millis(1_793_577_600_000);
    Alert {
        id: Uuid::from_u128((number << 96) + 1),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: Some(partner.to_owned()),
        country: None,
        attribution: None,
        opened_at: at,
        first_seen: at,
        last_seen: at,
        detected_at: at,
        subject: Subject::Source {
            source: "203.0.113.7".parse().expect("an address"),
            asn: Some(64_500),
        },
        evidence: Evidence {
            services: vec!["tcp/23".to_owned()],
            packets: 31,
            targets: 29,
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: format!("Case {number}, known to {partner} alone."),
        exercise: false,
    }
}
