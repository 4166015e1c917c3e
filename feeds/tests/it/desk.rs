//! Feeds that are served, with alerts of two partners and of nobody, and a plain HTTP client.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use noroshi_feeds::key::Key;
use noroshi_feeds::metrics::Metrics;
use noroshi_feeds::{Feeds, Settings};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Evidence, Kind, Severity, State, Subject, Tlp};
use noroshi_store::cases::{Case, ChangeCursor, Transition};
use noroshi_store::engine::testing;
use noroshi_store::observations::Observation;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::remedy::Event;
use noroshi_store::retention::Retention;
use noroshi_store::steps::Step;
use noroshi_store::stix::{Published, Versions, Wanted};
use noroshi_store::store::{Store, StoreConfig};
use noroshi_web::tls::TlsFiles;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Thailand's token.
pub(crate) const NORTH: &str = "north-north-north-north-north-32";
/// Malaysia's token.
pub(crate) const SOUTH: &str = "south-south-south-south-south-32";

/// The sensor that saw everything: no feed says its name.
pub(crate) const SENSOR: &str = "chiang-mai-7";

/// Both of them.
pub(crate) const REGISTRY: &str = r#"
[[partner]]
id = "th-cert"
name = "ThaiCERT"
country = "TH"
asns = [64500]
tlp = "AMBER"
programmes = ["practice", "daedalus"]
contacts = ["soc@example.th"]

[[partner]]
id = "my-cert"
name = "MyCERT"
country = "MY"
asns = [64501]
tlp = "AMBER"
programmes = ["practice", "daedalus"]
contacts = ["soc@example.my"]
"#;

/// A desk on a loopback port; served until it is dropped or closed.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Arc<Metrics>,
    directory: TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| None).await
    }

    /// With a server's certificate that is put into the directory it is given.
    pub(crate) async fn open_with(tls: impl FnOnce(&Path) -> Option<TlsFiles>) -> Self {
        let config = StoreConfig {
            endpoint: testing::database().await,
            cluster: None,
            retention: Retention::forever(),
        };
        let store = Store::open(&config).await.expect("the store opens");
        Self::on_with(store, tls).await
    }

    /// A desk on a store that others have used.
    pub(crate) async fn on(store: Store) -> Self {
        Self::on_with(store, |_| None).await
    }

    async fn on_with(store: Store, tls: impl FnOnce(&Path) -> Option<TlsFiles>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let tokens = directory.path().join("tokens");
        std::fs::create_dir(&tokens).expect("a directory");
        std::fs::write(tokens.join("th-cert"), NORTH).expect("a token");
        std::fs::write(tokens.join("my-cert"), SOUTH).expect("a token");
        let registry = Registry::parse("registry.toml", REGISTRY).expect("a registry");
        let settings = Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            credentials: tokens,
            key: directory.path().join("feeds.key"),
            tls: tls(directory.path()),
            public_url: None,
            centre: "Noroshi".to_owned(),
            signing_key: Some(directory.path().join("sign.asc")).filter(|key| key.exists()),
        };
        let metrics = Arc::new(Metrics::default());
        let feeds = Feeds::open(
            &settings,
            store.clone(),
            Arc::new(registry),
            Arc::clone(&metrics),
        )
        .await
        .expect("the feeds open");
        let address = feeds.address();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async {
            let ended = feeds.run(async {
                let _ = stopped.await; // dropped or sent: both end it
            });
            ended.await.expect("nothing goes wrong")
        });
        Self {
            store,
            address,
            metrics,
            directory,
            stop,
            served,
        }
    }

    /// Records a case in one state.
    pub(crate) async fn record(&self, number: u128, version: u64, partner: Option<&str>) {
        self.keep(alert(number, version, partner), version).await;
    }

    /// Records this state of a case.
    pub(crate) async fn keep(&self, alert: Alert, version: u64) {
        self.record_all(vec![(alert, version)]).await;
    }

    /// Records what cases say, each with its version.
    pub(crate) async fn record_all(&self, cases: Vec<(Alert, u64)>) {
        let transition = |(alert, version)| Transition {
            case: Case { alert, version },
            by: "analyzer".to_owned(),
            at: Millis(1_793_577_600_000 + version * 10_000),
            note: String::new(),
        };
        let transitions: Vec<Transition> = cases.into_iter().map(transition).collect();
        let recorded = self.store.record(&transitions).await;
        recorded.expect("it is recorded");
    }

    /// Records what somebody did with a case.
    pub(crate) async fn step(&self, number: u128, partner: &str, event: Event) {
        let step = Step {
            case: Uuid::from_u128(number),
            id: Uuid::new_v4(),
            event,
            at: Millis(1_793_577_700_000),
            by: "operator:anan".to_owned(),
            note: format!("of case {number}, told to {partner}"),
            probability: None,
            partner: partner.to_owned(),
        };
        let recorded = self.store.record_steps(&[step]).await;
        recorded.expect("it is recorded");
    }

    /// Records that each of these was seen on each of these days, at six in the morning.
    pub(crate) async fn observe(&self, alerts: &[Alert], days: &[u64]) {
        self.observe_packets(alerts, days, 7).await;
    }

    /// The same of so many packets, the last of them that many milliseconds after a minute.
    pub(crate) async fn observe_packets(&self, alerts: &[Alert], days: &[u64], packets: u64) {
        let mut observations = Vec::new();
        for day in days {
            let morning = Millis(day * 86_400_000 + 6 * 3_600_000);
            observations.extend(alerts.iter().map(|alert| Observation {
                case: alert.id,
                day: *day,
                partner: alert.partner.clone().unwrap_or_default(),
                packets,
                targets: 5,
                first: morning,
                last: Millis(morning.0 + 60_000 + packets),
                sensors: BTreeSet::from([SensorId::new(SENSOR).expect("a name")]),
            }));
        }
        let observed = self.store.observe(&observations).await;
        observed.expect("it is recorded");
    }

    /// Waits until the feeds show that many transitions: the newest second stands back.
    pub(crate) async fn shows(&self, transitions: usize) {
        for _ in 0..100 {
            let changes = self.store.changes(ChangeCursor::default(), 1_000).await;
            if changes.expect("the store answers").len() >= transitions {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{transitions} transitions do not show within ten seconds");
    }

    /// Waits until the feeds show that many of a partner's transitions.
    pub(crate) async fn shows_to(&self, partner: &str, transitions: usize) {
        let partner = PartnerId::new(partner).expect("a name");
        for _ in 0..100 {
            let changes = self
                .store
                .changes_of(&partner, ChangeCursor::default(), 1_000);
            if changes.await.expect("the store answers").len() >= transitions {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{transitions} transitions do not show within ten seconds");
    }

    /// The key of these feeds.
    pub(crate) fn key(&self) -> Key {
        Key::load_or_draw(&self.directory.path().join("feeds.key")).expect("a key")
    }

    /// Writes the credentials of one partner anew.
    pub(crate) fn give(&self, partner: &str, credentials: &str) {
        let path = self.directory.path().join("tokens").join(partner);
        std::fs::write(path, credentials).expect("it is written");
    }

    /// An answer to one request. `authorization` is the whole header's value.
    pub(crate) async fn ask(&self, line: &str, authorization: Option<&str>) -> Answer {
        let headers: Vec<_> = authorization
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        self.ask_with(line, &headers).await
    }

    /// An answer to one request with these headers.
    pub(crate) async fn ask_with(&self, line: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(line, headers, "").await
    }

    /// An answer to one request with these headers and this body.
    pub(crate) async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{line} HTTP/1.1\r\nhost: feeds\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str(&format!("\r\n{body}"));
        let address = self.address;
        let answer = tokio::task::spawn_blocking(move || exchange(address, &request));
        Answer::read(&answer.await.expect("no panic"))
    }

    /// Waits until so many objects of a type are published for Thailand, with all their versions.
    pub(crate) async fn publishes(&self, kind: &str, count: usize) -> Vec<Published> {
        let wanted = Wanted {
            after: Millis(0),
            ids: Vec::new(),
            types: vec![kind.to_owned()],
            versions: Versions {
                all: true,
                ..Versions::default()
            },
            limit: 1_000,
        };
        let partner = PartnerId::new("th-cert").expect("a name");
        for _ in 0..600 {
            let found = self.store.objects_of(&partner, &wanted).await;
            let found = found.expect("the store answers");
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{count} of {kind} are not published within a minute");
    }

    /// An answer to one request, as often as it takes until it is not one too many.
    pub(crate) async fn ask_in_time(&self, line: &str, authorization: &str) -> Answer {
        loop {
            let answer = self.ask(line, Some(authorization)).await;
            if answer.status != 429 {
                return answer;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// An answer to one partner.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        let line = format!("GET {path}");
        self.ask(&line, Some(&format!("Bearer {token}"))).await
    }

    /// A page of a partner's alerts.
    pub(crate) async fn page(&self, token: &str, query: &str) -> Answer {
        self.get(&format!("/v1/alerts.jsonl{query}"), token).await
    }

    /// Ends serving, in good order.
    pub(crate) async fn close(self) {
        drop(self.stop);
        let ended = tokio::time::timeout(Duration::from_secs(20), self.served).await;
        ended.expect("it ends soon").expect("it does not panic");
    }
}

/// The day of UTC, counted from 1970-01-01.
#[allow(
    clippy::disallowed_methods,
    reason = "reports and feeds end with the day that is now"
)]
pub(crate) fn today() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a clock that is right").as_secs() / 86_400
}

/// `2026-11-02`
pub(crate) fn day_name(day: u64) -> String {
    Millis(day * 86_400_000).to_string()[..10].to_owned()
}

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the port is open");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a limit");
    stream
        .write_all(request.as_bytes())
        .expect("it takes the request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case, without `date`.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .expect("a status");
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| name != "date")
            .collect();
        Self {
            status: status.parse().expect("a number"),
            headers,
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn alerts(&self) -> Vec<Alert> {
        assert_eq!(self.status, 200, "{self:?}");
        self.body
            .lines()
            .map(|line| serde_json::from_str(line).expect("an alert"))
            .collect()
    }
}

pub(crate) fn alert(number: u128, version: u64, partner: Option<&str>) -> Alert {
    let at = Millis(1_793_577_600_000);
    Alert {
        id: Uuid::from_u128(number),
        kind: Kind::InfectedHost,
        state: if version == 1 {
            State::New
        } else {
            State::Continuing
        },
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: partner.map(str::to_owned),
        country: None,
        attribution: None,
        opened_at: at,
        first_seen: at,
        last_seen: Millis(at.0 + version * 10_000),
        detected_at: at,
        subject: Subject::Source {
            source: "203.0.113.7".parse().expect("an address"),
            asn: None,
        },
        evidence: Evidence::default(),
        reason_code: "mirai_syn".to_owned(),
        explanation: format!("case {number}, known to {partner:?} alone"),
        exercise: false,
    }
}
