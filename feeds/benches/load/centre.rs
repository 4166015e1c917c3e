//! A store full of alerts, and the feeds that serve them.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use noroshi_feeds::{Feeds, Settings};
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Evidence, Kind, Severity, State, Subject, Tlp};
use noroshi_store::cases::{Case, Transition};
use noroshi_store::engine::{Engine, testing};
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::partners::{id, token};

/// 2 November 2026, 06:00:00 UTC.
const MORNING: u64 = 1_793_599_200_000;
/// Alerts recorded together.
const TOGETHER: usize = 5_000;

pub struct Centre {
    pub address: SocketAddr,
    engine: Engine,
    store: Store,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    _directory: TempDir,
}

impl Centre {
    /// Feeds of so many partners, each with so many alerts that are all published.
    pub async fn open(partners: usize, alerts: usize) -> Self {
        let engine = Engine::throw_away(Some(testing::program())).await.unwrap();
        let config = StoreConfig {
            endpoint: engine.endpoint().clone(),
            cluster: None,
            retention: Retention::forever(),
        };
        let store = Store::open(&config).await.unwrap();
        fill(&store, partners, alerts).await;
        let directory = tempfile::tempdir().unwrap();
        let feeds = feeds(&store, directory.path(), partners).await;
        let address = feeds.address();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async {
            let ended = feeds.run(async {
                let _ = stopped.await; // dropped or sent: both end it
            });
            ended.await.unwrap();
        });
        published(&store, partners * alerts).await;
        Self {
            address,
            engine,
            store,
            stop,
            served,
            _directory: directory,
        }
    }

    pub fn engine(&self) -> u32 {
        self.engine.pid()
    }

    pub async fn close(self) {
        drop(self.stop);
        self.served.await.unwrap();
        self.store.close().await;
        self.engine.stop().await;
    }
}

async fn feeds(store: &Store, directory: &std::path::Path, partners: usize) -> Feeds {
    let tokens = directory.join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let mut registry = String::new();
    for number in 0..partners {
        let id = id(number);
        std::fs::write(tokens.join(id.as_str()), token(number)).unwrap();
        let about = format!(
            "[[partner]]\nid = \"{id}\"\nname = \"{id}\"\ncountry = \"TH\"\nasns = [{}]\n\
             programmes = [\"practice\"]\ncontacts = [\"soc@{id}.example\"]\n",
            64_512 + number
        );
        writeln!(registry, "{about}").unwrap();
    }
    let registry = Registry::parse("registry.toml", &registry).unwrap();
    let settings = Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        credentials: tokens,
        key: directory.join("feeds.key"),
        tls: None,
        public_url: None,
        centre: "Noroshi".to_owned(),
        signing_key: None,
    };
    Feeds::open(&settings, store.clone(), Arc::new(registry), Arc::default())
        .await
        .unwrap()
}

/// The partners' alerts, one of each in turn, as traffic makes them.
async fn fill(store: &Store, partners: usize, alerts: usize) {
    let start = Instant::now();
    let numbers: Vec<usize> = (0..partners * alerts).collect();
    for some in numbers.chunks(TOGETHER) {
        let transitions: Vec<Transition> = some
            .iter()
            .map(|number| opened(*number, number % partners))
            .collect();
        store.record(&transitions).await.unwrap();
    }
    println!("stored in {:.1} s", start.elapsed().as_secs_f64());
}

/// Waits until every alert is published as STIX, so that nothing but partners is at work.
async fn published(store: &Store, alerts: usize) {
    let start = Instant::now();
    let indicators = "SELECT count() FROM stix_objects WHERE type = 'indicator'";
    while store
        .client()
        .query(indicators)
        .fetch_one::<u64>()
        .await
        .unwrap()
        < alerts as u64
    {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("published in {:.1} s", start.elapsed().as_secs_f64());
}

fn opened(number: usize, partner: usize) -> Transition {
    let at = Millis(MORNING + number as u64);
    Transition {
        case: Case {
            alert: alert(number, partner, at),
            version: 1,
        },
        by: "analyzer".to_owned(),
        at,
        note: String::new(),
    }
}

/// An infected host, as the analyzer tells of it.
fn alert(number: usize, partner: usize, at: Millis) -> Alert {
    let source = IpAddr::from((0x2d00_0000_u32 + number as u32).to_be_bytes());
    Alert {
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes()),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: Some(id(partner).to_string()),
        country: Some("TH".to_owned()),
        attribution: None,
        opened_at: at,
        first_seen: at,
        last_seen: at,
        detected_at: at,
        subject: Subject::Source {
            source,
            asn: Some(64_512 + partner as u32),
        },
        evidence: Evidence {
            services: vec!["tcp/23".to_owned(), "tcp/2323".to_owned()],
            packets: 31,
            targets: 29,
            sensors: 2,
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: format!(
            "{source} asked 29 addresses that nobody uses for tcp/23, as the worm Mirai and its \
             descendants do: the sequence number is the address that is asked."
        ),
        exercise: false,
    }
}
