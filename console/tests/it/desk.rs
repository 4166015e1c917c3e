//! A console that is served, with cases of two partners and of nobody, and browsers that keep cookies.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use noroshi_console::identity::{Identities, Identity, Invitation, Running};
use noroshi_console::provider::Settings as Provider;
use noroshi_console::user::{Role, User, Users, with_password, with_provider};
use noroshi_console::{Console, Settings, Way};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Evidence, Kind, Severity, State, Subject, Tlp};
use noroshi_store::cases::{Case, Transition};
use noroshi_store::engine::testing;
use noroshi_store::observations::Observation;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Everybody's.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Thailand's host.
pub(crate) const HOST: &str = "203.0.113.7";
/// What nobody may ever run.
pub(crate) const HOSTILE: &str = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>";

const REGISTRY: &str = r#"
[[partner]]
id = "th-cert"
name = "ThaiCERT"
country = "TH"
programmes = ["practice", "daedalus"]
contacts = ["soc@example.th"]

[[partner]]
id = "my-cert"
name = "MyCERT"
country = "MY"
programmes = ["practice", "daedalus"]

[[sensor]]
id = "jp-1"
partner = "my-cert"
telescope = [{ prefix = "198.18.0.0/23", from = 2026-01-01 }]
"#;

/// Served until it is dropped.
pub(crate) struct Desk {
    pub(crate) store: Store,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// What was seen of a case on its last day.
fn observation(alert: &Alert) -> Observation {
    Observation {
        case: alert.id,
        day: Observation::day_of(alert.last_seen),
        partner: alert.partner.clone().unwrap_or_default(),
        packets: alert.evidence.packets,
        targets: alert.evidence.targets,
        first: alert.last_seen,
        last: alert.last_seen,
        sensors: BTreeSet::new(),
    }
}

/// One user of each role and one of the other partner, and two whom the provider of identities knows.
fn users() -> Vec<User> {
    let partner = |id| Role::Partner(PartnerId::new(id).expect("an id"));
    let roles = [
        ("viewer", Role::Viewer),
        ("analyst", Role::Analyst),
        ("operator", Role::Operator),
        ("th-cert", partner("th-cert")),
        ("my-cert", partner("my-cert")),
        (
            "host",
            Role::Host(vec![SensorId::new("jp-1").expect("an id")]),
        ),
    ];
    let user = |(name, role)| with_password(name, role, PASSWORD, &[3; 16]).expect("a user");
    let elsewhere = [("naoko", "248289761001"), ("aiko", "aiko@example.org")];
    let elsewhere = elsewhere.map(|(name, there)| with_provider(name, Role::Analyst, there));
    let mut users: Vec<User> = roles.into_iter().map(user).collect();
    users.extend(elsewhere.into_iter().map(|user| user.expect("a user")));
    users
}

/// What every token of the tests begins with.
pub(crate) const TOKEN: &str = "noroshi1-for-";

/// A directory in which `jp-1` is enrolled and soon is not, and whose tokens say whom they are for.
fn identities() -> Identities {
    let one = |sensor: &SensorId| Identity {
        state: if sensor.as_str() == "jp-1" {
            "enrolled"
        } else {
            "not enrolled"
        },
        certificate_until: Some(Millis(1_793_599_200_000)),
        token_until: None,
        runs: Some(Running {
            at: Millis(1_793_599_200_000),
            version: "0.1.7".to_owned(),
            failed: "0.1.8".to_owned(),
            why: HOSTILE.to_owned(),
        }),
    };
    Identities {
        of: Box::new(move |sensors| Ok(sensors.iter().map(one).collect())),
        invite: Some(Box::new(|sensor, by| {
            Ok(Invitation {
                token: format!("{TOKEN}{sensor}-by-{by}"),
                until: Millis(1_793_599_200_000),
            })
        })),
    }
}

fn settings() -> Settings {
    Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        way: Way::Loopback,
        feeds_url: "https://feeds.example.org".to_owned(),
        identities: Some(Arc::new(identities())),
        provider: None,
        authorities: None,
        metrics: Arc::default(),
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_by(Way::Loopback).await
    }

    pub(crate) async fn open_by(way: Way) -> Self {
        Self::open_with(way, None).await
    }

    /// Beside feeds that are reached at this address.
    pub(crate) async fn open_beside(feeds: &str) -> Self {
        Self::open_at(Settings {
            feeds_url: feeds.to_owned(),
            ..settings()
        })
        .await
    }

    /// With a provider of identities, which knows `naoko`.
    pub(crate) async fn open_with(way: Way, provider: Option<Provider>) -> Self {
        Self::open_at(Settings {
            way,
            provider,
            ..settings()
        })
        .await
    }

    async fn open_at(settings: Settings) -> Self {
        let config = StoreConfig {
            endpoint: testing::database().await,
            cluster: None,
            retention: Retention::forever(),
        };
        let store = Store::open(&config).await.expect("the store opens");
        let registry = Registry::parse("registry.toml", REGISTRY).expect("a registry");
        let users = Users::of(users());
        let opened = Console::open(&settings, store.clone(), Arc::new(registry), users);
        let console = opened.await.expect("the console opens");
        let address = console.address();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(console.run(async {
            let _ = stopped.await; // dropped: it ends
        }));
        Self {
            store,
            address,
            _stop: stop,
        }
    }

    /// Records a case.
    pub(crate) async fn record(&self, alert: Alert) {
        let seen = observation(&alert);
        let transition = Transition {
            case: Case { alert, version: 1 },
            by: "analyzer".to_owned(),
            at: Millis(1_793_577_600_000),
            note: String::new(),
        };
        let recorded = self.store.record(&[transition]).await;
        recorded.expect("it is recorded");
        let observed = self.store.observe(&[seen]).await;
        observed.expect("it is recorded");
    }

    /// A browser that nobody has used.
    pub(crate) fn browser(&self) -> Browser {
        Browser {
            address: self.address,
            cookies: BTreeMap::new(),
        }
    }

    /// A browser in which somebody is signed in.
    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{name}: {}", answer.body);
        browser
    }

    /// What the audit holds: who, what, why.
    pub(crate) async fn audit(&self) -> Vec<(String, String, String)> {
        let question = "SELECT toString(who), action, purpose FROM audit ORDER BY at, action";
        let rows = self.store.client().query(question).fetch_all();
        rows.await.expect("the store answers")
    }
}

/// Keeps cookies as browsers do.
#[derive(Clone)]
pub(crate) struct Browser {
    address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        let mut pairs = lines.filter_map(|line| line.split_once(": "));
        pairs
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The value of a hidden field of the last form that has it.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.body.rsplit_once(&mark).map(|(_, rest)| rest);
        let value = rest.and_then(|rest| rest.split('"').next());
        value.unwrap_or_default().to_owned()
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form(fields);
        form.retain(|character| character != '\n');
        self.ask("POST", path, &[], &form).await
    }

    /// Fills in the sign-in.
    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let page = self.get("/sign-in").await;
        let token = page.hidden("token");
        let fields = [
            ("token", token.as_str()),
            ("name", name),
            ("password", password),
        ];
        self.post("/sign-in", &fields).await
    }

    /// The token of this session's forms.
    pub(crate) async fn token(&mut self) -> String {
        for page in ["/alerts", "/telescope"] {
            let token = self.get(page).await.hidden("token");
            if !token.is_empty() {
                return token;
            }
        }
        panic!("no page with a form");
    }

    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: console\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request.push_str(&format!("cookie: {}\r\n", cookies.join("; ")));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        let address = self.address;
        let asking = tokio::task::spawn_blocking(move || exchange(address, &request));
        let answer = asking.await.expect("no panic");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        for line in head.lines() {
            if let Some(cookie) = line.strip_prefix("set-cookie: ") {
                let pair = cookie.split(';').next().expect("a pair");
                let (name, value) = pair.split_once('=').expect("a name");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        Answer {
            status: status.expect("a status"),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let escape =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it is text");
    answer
}

/// An infected host of a partner, or of nobody.
pub(crate) fn host(number: u128, partner: Option<&str>, address: &str) -> Alert {
    Alert {
        id: Uuid::from_u128(number),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: partner.map(str::to_owned),
        country: Some("TH".to_owned()),
        attribution: None,
        opened_at: Millis(1_793_577_600_000),
        first_seen: Millis(1_793_577_590_000),
        last_seen: Millis(1_793_577_599_000),
        detected_at: Millis(1_793_577_600_000),
        subject: Subject::Source {
            source: address.parse().expect("an address"),
            asn: Some(64_500),
        },
        evidence: Evidence {
            services: vec!["tcp/23".to_owned()],
            packets: 31,
            targets: 29,
            sensors: 2,
            source_port: Some(40_123),
            rule: "mirai".to_owned(),
            reasons: vec![format!("seen from {address}")],
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: format!("{address} scans as Mirai does."),
        exercise: false,
    }
}

/// A surge: no single source in it, and as hostile as words can be.
pub(crate) fn surge(number: u128) -> Alert {
    let about = host(number, None, HOST);
    Alert {
        kind: Kind::ScanSurge,
        subject: Subject::Service {
            service: HOSTILE.to_owned(),
            scope: "region".to_owned(),
        },
        evidence: Evidence {
            services: vec![HOSTILE.to_owned()],
            rule: HOSTILE.to_owned(),
            fingerprint: Some(HOSTILE.to_owned()),
            usual: Some(12.5),
            ..Evidence::default()
        },
        explanation: HOSTILE.to_owned(),
        ..about
    }
}
