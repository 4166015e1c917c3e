//! What an OpenTelemetry collector that we did not write is told of a centre, and what it is not; and
//! a centre whose collector is away.

mod receiver;
mod span;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use noroshi_console::user::{Role, with_password};
use noroshi_proto::time::Millis;
use noroshi_store::alert::Severity;
use noroshi_store::deliveries::{Delivery, DeliveryState, Form};
use noroshi_store::engine::{Engine, EngineConfig};
use noroshi_store::origin::PartnerId;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use uuid::Uuid;

use self::receiver::Receiver;
use self::span::{Span, Spans};
use crate::centre::Centre;
use crate::delivery::sensor::{REGISTRY, SENSOR, Sensor};
use crate::person::Person;
use crate::up::{Up, ask, get, until, write_secret};

/// The registry's partner wants syslog where nobody takes it.
const SYSLOG: &str = "[partner.syslog]\naddress = \"127.0.0.1:1\"\ntls = false\n";
const SECTIONS: &str = "\
    [collector]\nlisten = \"127.0.0.1:0\"\n\
    [feeds]\nlisten = \"127.0.0.1:0\"\ntokens = \"tokens\"\n\
    [feeds.push]\nallow_private = [\"127.0.0.0/8\"]\n\
    [console]\nlisten = \"127.0.0.1:0\"\nusers = \"users.toml\"\n\
    [metrics]\ncollector = \"127.0.0.1:0\"\n";
const PARTNER: &str = "jp-cert";
const TOKEN: &str = "a-token-of-a-partner-that-nobody-else-has";
const USER: &str = "aiko";
const PASSWORD: &str = "a long pass phrase";
/// A case, a source and a message that are asked for or told of.
const CASE: Uuid = Uuid::from_u128(0x3c46_a7a6_4d97_55c4_b13f_d277_711e_e922);
const SOURCE: &str = "203.0.113.77";
const MESSAGE: Uuid = Uuid::from_u128(0x7b0c_1f1e_2a3b_4c5d_8e6f_7081_92a3_b4c5);
/// What the sensor sees in one batch.
const PACKETS: u16 = 400;
/// Batches that it sends at once: more than one group.
const BATCHES: usize = 20;

fn centre(endpoint: &str) -> Centre {
    let traces = format!("[traces]\nendpoint = \"{endpoint}\"\nsample = 1\n");
    let centre = Centre::new(
        &format!("{REGISTRY}{SYSLOG}"),
        &format!("{SECTIONS}{traces}"),
    );
    std::fs::create_dir(centre.beside("tokens")).expect("it can be made");
    write_secret(&centre, &format!("tokens/{PARTNER}"), TOKEN);
    let user = with_password(USER, Role::Analyst, PASSWORD, &[3; 16]);
    write_secret(&centre, "users.toml", &user.expect("a user").written());
    centre
}

/// A message that is still to be delivered.
async fn leave_a_message(data: &Path) {
    let mut config = EngineConfig::new(data.to_owned());
    config.program = Some(env!("CARGO_BIN_EXE_noroshi").into());
    let engine = Engine::start(config).await.expect("the engine runs");
    let config = StoreConfig {
        endpoint: engine.endpoint().clone(),
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.expect("the store opens");
    let now = noroshi_sensor::clock::now();
    let message = Delivery {
        id: MESSAGE,
        partner: PartnerId::new(PARTNER).expect("an id"),
        channel: "syslog".to_owned(),
        revision: 1,
        form: Form::Notice,
        state: DeliveryState::Waiting,
        case: Uuid::nil(),
        event: String::new(),
        severity: Severity::Low,
        recorded: 0,
        attempt: 0,
        planned_at: now,
        released_at: Millis(0),
        next_at: now,
        within: Uuid::nil(),
        error: String::new(),
        body: r#"{"items":[],"more":0,"notice":{"heartbeat":{"examined_until":0}}}"#.to_owned(),
    };
    store
        .record_deliveries(&[message])
        .await
        .expect("it is kept");
    store.close().await;
    engine.stop().await;
}

/// A sensor sends batches, and hears that they are kept.
async fn send(batches: usize, collector: SocketAddr) {
    let mut sensor = Sensor::start(collector);
    for _ in 0..batches {
        sensor.watch(PACKETS);
    }
    sensor.finish().await;
}

/// Signs in, and looks at one source.
fn look_at_a_source(console: SocketAddr) {
    let analyst = Person::sign_in(console, USER, PASSWORD);
    for path in [&format!("/explore/sources/{SOURCE}?purpose=x"), "/sensors"] {
        let page = analyst.get(path);
        assert!(page.starts_with("HTTP/1.0 200"), "{page}");
    }
}

/// A partner's program asks for one case, which is not there.
fn ask_for_a_case(feeds: SocketAddr) {
    let head = format!(
        "GET /v1/alerts/{CASE} HTTP/1.0\r\nhost: {feeds}\r\nauthorization: Bearer {TOKEN}\r\n"
    );
    let answer = ask(feeds, &head, "").expect("it answers");
    assert!(answer.starts_with("HTTP/1.0 404"), "{answer}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

#[test]
fn a_collector_is_told_where_time_goes_and_nothing_of_whom() {
    let receiver = Receiver::start(&[]);
    let centre = centre(&format!("http://127.0.0.1:{}", receiver.port()));
    let runtime = runtime();
    runtime.block_on(leave_a_message(&centre.beside("data")));
    let up = Up::start(centre);
    let collector = up.address("the collector listens");
    until("the analyzer", || {
        up.log().contains("analyzer is warm").then_some(()) // what comes before is skipped
    });
    runtime.block_on(send(1, collector));
    runtime.block_on(send(BATCHES, collector));
    ask_for_a_case(up.address("feeds are served"));
    look_at_a_source(up.address("the console is served"));
    let spans = until("every role's traces", || {
        let spans = receiver.spans();
        let answered = ["/v1/alerts/{id}", "/explore/sources/{address}", "/sensors"]
            .into_iter()
            .all(|route| spans.answer(route).is_some());
        let count = |name: &str| spans.all.iter().filter(|span| span.name == name).count();
        let told = count("batch") == 1 + BATCHES && count("delivery") > 0;
        (answered && told && reading_round(&spans).is_some()).then_some(spans)
    });
    a_batch_has_its_parts(&spans);
    each_batch_has_its_group(&spans);
    a_round_has_its_parts(&spans);
    answers_and_deliveries_have_theirs(&spans);
    spans.assert_only_known_words();
    let said = receiver.said();
    let secrets = [
        SENSOR,
        PARTNER,
        "A test CERT",
        "jp.example",
        "198.18.",
        "192.0.2.",
        TOKEN,
        USER,
        PASSWORD,
        SOURCE,
        "purpose=",
        &CASE.to_string(),
        &MESSAGE.to_string(),
        "127.0.0.1",
        "/v1/alerts/3c46",
    ];
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} was told");
    }
}

fn a_batch_has_its_parts(spans: &Spans) {
    let batch = spans.root("batch").expect("it came");
    assert_eq!(batch.service, "noroshi-collector");
    assert_eq!(batch.attribute("packets"), Some(PACKETS.to_string()));
    assert_eq!(batch.attribute("outcome"), Some("kept".to_owned()));
    for name in ["turn", "enrich"] {
        assert!(spans.part(batch, name).is_some(), "no {name}");
    }
    let append = spans.part(batch, "append").expect("it came");
    let write = spans.part(append, "write").expect("it came");
    assert_eq!(write.attribute("batches"), Some("1".to_owned()));
    assert_eq!(write.attribute("tuples"), batch.attribute("tuples"));
    let asked = spans.values_of_parts(write, "db.query.summary");
    assert_eq!(asked, ["held_batches"]);
    let filled = spans.values_of_parts(write, "db.collection.name");
    assert_eq!(filled, ["batch_ledger", "flow_tuples"]);
}

/// Each has been written in a group: in its own trace, or in one that it points at.
fn each_batch_has_its_group(spans: &Spans) {
    let writes: Vec<&Span> = spans
        .all
        .iter()
        .filter(|span| span.name == "write")
        .collect();
    let mut pointing = 0;
    for append in spans.all.iter().filter(|span| span.name == "append") {
        let own = spans.part(append, "write").is_some();
        let others = writes.iter().any(|write| append.points_at(write));
        assert!(own != others, "{append:?}");
        pointing += usize::from(others);
    }
    assert!(
        writes.len() > 1 && pointing > 0,
        "{pointing} of {}",
        writes.len()
    );
    let written = writes
        .iter()
        .filter_map(|write| write.attribute("batches")?.parse::<usize>().ok());
    assert_eq!(written.sum::<usize>(), 1 + BATCHES);
}

/// A round of the analyzer that had windows to read. Parts come before what they are of.
fn reading_round(spans: &Spans) -> Option<&Span> {
    let mut rounds = spans.all.iter().filter(|span| span.name == "round");
    rounds.find(|round| spans.part(round, "read").is_some())
}

fn a_round_has_its_parts(spans: &Spans) {
    let round = reading_round(spans).expect("it came");
    assert_eq!(round.service, "noroshi-analyzer");
    let mut families = spans.parts(round).filter(|part| part.name == "examine");
    let by_detector = families.any(|examine| {
        let names = spans.values_of_parts(examine, "detector");
        names.contains(&"scan_surge".to_owned()) && names.len() >= 5
    });
    assert!(by_detector, "each family has its span");
}

fn answers_and_deliveries_have_theirs(spans: &Spans) {
    let case = spans.answer("/v1/alerts/{id}").expect("it came");
    assert_eq!(case.service, "noroshi-feeds");
    assert_eq!(
        case.attribute("http.response.status_code"),
        Some("404".to_owned())
    );
    assert!(!spans.values_of_parts(case, "db.query.summary").is_empty());
    let page = spans.answer("/sensors").expect("it came");
    assert_eq!(page.service, "noroshi-console");
    assert!(spans.values_of_parts(page, "db.query.summary").len() > 1);
    let delivery = spans.root("delivery").expect("it came");
    assert_eq!(delivery.service, "noroshi-feeds");
    assert_eq!(delivery.attribute("channel"), Some("syslog".to_owned()));
    assert_eq!(delivery.attribute("attempt"), Some("1".to_owned()));
    assert_eq!(delivery.attribute("outcome"), Some("unreached".to_owned()));
}

#[test]
fn a_collector_with_a_certificate_is_spoken_to_in_secret() {
    let authority =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name).display().to_string();
    let (certificate, key) = (at("certificate.pem"), at("key.pem"));
    std::fs::write(&certificate, authority.cert.pem()).expect("writable");
    std::fs::write(&key, authority.signing_key.serialize_pem()).expect("writable");
    let receiver = Receiver::start(&[&certificate, &key]);
    let centre = centre(&format!("https://localhost:{}", receiver.port()));
    let up = Up::start_with(centre, &[("SSL_CERT_FILE", &certificate)]);
    let feeds = up.address("feeds are served");
    get(feeds, "/health").expect("it answers");
    until("a trace", || receiver.spans().answer("/health").cloned());
}

#[test]
fn a_collector_that_is_away_or_says_nothing_costs_a_warning_and_no_batch() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port"); // connects, and never answers
    let away = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
    let ports = [port(&silent), port(&away)];
    drop(away);
    let runtime = runtime();
    for port in ports {
        let up = Up::start(centre(&format!("http://127.0.0.1:{port}")));
        let collector = up.address("the collector listens");
        runtime.block_on(send(1, collector));
        until("the warning", || {
            up.log().contains("traces are lost").then_some(())
        });
        runtime.block_on(send(1, collector));
        let metrics = up.address("metrics are served");
        let told = get(metrics, "/metrics").expect("it answers");
        assert!(
            told.contains("noroshi_collector_batches_kept_total 2\n"),
            "{told}"
        );
        let log = up.end();
        assert_eq!(log.matches("traces are lost").count(), 1, "{log}");
    }
    drop(silent);
}
