//! IntelMQ: its HTTP collector, its parsers and its taxonomy expert.

use std::collections::BTreeMap;
use std::path::Path;

use noroshi_feeds::rsit;
use noroshi_store::alert::{Alert, Kind, Severity, Subject, Tlp};
use noroshi_store::remedy::Event;
use serde_json::Value;
use uuid::Uuid;

use super::client::Client;
use crate::desk::{Desk, NORTH, SOUTH, alert, day_name, today};

const KINDS: [Kind; 11] = [
    Kind::InfectedHost,
    Kind::ScanningHost,
    Kind::ReflectionRecon,
    Kind::ReflectionVictim,
    Kind::OpenReflector,
    Kind::DdosVictim,
    Kind::ScanSurge,
    Kind::NewService,
    Kind::CoordinatedScan,
    Kind::SpoofSuspect,
    Kind::CountrySilence,
];
const LABELS: [(Tlp, &str); 5] = [
    (Tlp::Clear, "WHITE"),
    (Tlp::Green, "GREEN"),
    (Tlp::Amber, "AMBER"),
    (Tlp::AmberStrict, "RED"),
    (Tlp::Red, "RED"),
];
const SEVERITIES: [Severity; 4] = [
    Severity::Info,
    Severity::Low,
    Severity::Medium,
    Severity::High,
];

fn subject(kind: Kind, number: usize) -> Subject {
    let asn = [None, Some(0), Some(64_500), Some(u32::MAX)][number % 4];
    let sources = ["203.0.113.7", "2001:db8::7", "0.0.0.0"];
    let victims = [
        "198.51.100.9",
        "198.51.100.9/24",
        "2001:db8::/32",
        "nonsense",
    ];
    match kind {
        Kind::ReflectionVictim | Kind::DdosVictim => Subject::Victim {
            victim: victims[number % 4].to_owned(),
            asn,
        },
        Kind::ScanSurge | Kind::NewService | Kind::CoordinatedScan => Subject::Service {
            service: "tcp/23".to_owned(),
            scope: "region".to_owned(),
        },
        Kind::CountrySilence => Subject::Country {
            country: "TH".to_owned(),
        },
        _ => Subject::Source {
            source: sources[number % 3].parse().expect("an address"),
            asn,
        },
    }
}

/// Alerts of every kind, label, severity and shape, with texts that trip a careless reader.
fn alerts() -> Vec<Alert> {
    let texts = [
        "plain",
        "two\nlines, \"quoted\" \\ and\ttabbed",
        "行\u{2028}分\u{2029}割\u{85}\u{b}\u{c}\u{1c}𝕏",
        "-",
        "",
    ];
    let services: [&[&str]; 5] = [
        &["tcp/23", "tcp/2323"],
        &["udp/70000"],
        &["icmp6/128"],
        &["ip/47"],
        &[],
    ];
    (0..110)
        .map(|number| {
            let kind = KINDS[number % KINDS.len()];
            let mut one = alert(number as u128 + 1, 1 + number as u64 % 2, Some("th-cert"));
            one.kind = kind;
            one.subject = subject(kind, number);
            one.tlp = LABELS[number % LABELS.len()].0;
            one.severity = SEVERITIES[number % SEVERITIES.len()];
            one.country = [None, Some("TH"), Some("ZZ")][number % 3].map(str::to_owned);
            one.explanation = texts[number % texts.len()].to_owned();
            let services = services[number % services.len()];
            one.evidence.services = services.iter().map(|&text| text.to_owned()).collect();
            one.evidence.source_port = Some(40_123);
            one.evidence.rate = Some(1e300);
            one.evidence.victims = vec!["198.51.100.10".parse().expect("an address")];
            one.evidence.fingerprint =
                [None, Some("mirai"), Some("zmap")][number % 3].map(str::to_owned);
            one.exercise = number % 7 == 6;
            one
        })
        .collect()
}

/// What IntelMQ makes of an address of ours.
async fn collect(desk: &Desk, kind: &str, path: &str, token: &str) -> Value {
    let home = tempfile::tempdir().expect("a directory");
    let url = format!("http://{}{path}", desk.address);
    collect_into(home.path(), kind, &url, token).await
}

async fn collect_into(home: &Path, kind: &str, url: &str, token: &str) -> Value {
    std::fs::create_dir_all(home.join("var/lib/bots")).expect("a directory");
    let client = Client::named("intelmq");
    let bearer = format!("Bearer {token}");
    let arguments = [kind, url, &bearer];
    client.run("intelmq_feed.py", home, &arguments).await
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or_default()
}

#[tokio::test]
async fn every_event_is_taken_without_an_error() {
    let desk = Desk::open().await;
    let sent = alerts();
    desk.record_all(sent.iter().map(|one| (one.clone(), 1)).collect())
        .await;
    desk.record(1_000, 1, Some("my-cert")).await;
    desk.shows(sent.len() + 1).await;
    let read = collect(&desk, "json", "/v1/events.jsonl", NORTH).await;
    desk.close().await;

    assert_eq!(read["errors"], serde_json::json!([]));
    let events = read["events"].as_array().expect("events");
    let by_id: BTreeMap<&str, &Value> = events
        .iter()
        .map(|event| (text(event, "extra.alert_id"), event))
        .collect();
    assert_eq!((events.len(), by_id.len()), (sent.len(), sent.len()));
    for one in &sent {
        let event = by_id[one.id.to_string().as_str()];
        let rsit = rsit::of(one);
        assert_eq!(text(event, "classification.type"), rsit.kind);
        assert_eq!(text(event, "classification.taxonomy"), rsit.taxonomy);
        let label = LABELS.iter().find(|(label, _)| *label == one.tlp);
        assert_eq!(text(event, "tlp"), label.expect("a label").1);
        assert_eq!(event["extra.tlp2"], serde_json::to_value(one.tlp).unwrap());
        assert_eq!(
            event["severity"],
            serde_json::to_value(one.severity).unwrap()
        );
        let said = text(event, "extra.explanation");
        assert!(
            said == one.explanation || one.explanation == "-",
            "{said:?}"
        );
        match &one.subject {
            Subject::Source { source, .. } if !source.is_unspecified() => {
                assert_eq!(text(event, "source.ip"), source.to_string());
                assert_eq!(event.get("destination.ip"), None, "{event}");
            }
            Subject::Victim { victim, .. } => {
                assert_eq!(event.get("source.ip"), None, "{event}");
                let to = [
                    text(event, "destination.ip"),
                    text(event, "destination.network"),
                ];
                let known = to.contains(&victim.as_str()) || to.contains(&"198.51.100.0/24");
                assert!(known || victim == "nonsense", "{event}");
            }
            _ => assert_eq!(event.get("source.ip"), None, "{event}"),
        }
    }
}

#[tokio::test]
async fn an_empty_feed_is_no_error_and_what_is_withdrawn_infects_nobody() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.shows(1).await;
    let nothing = collect(&desk, "json", "/v1/events.jsonl", SOUTH).await;
    assert_eq!(nothing["events"], serde_json::json!([]));
    assert_eq!(nothing["errors"], serde_json::json!([]));

    let first = desk.get("/v1/events.jsonl", NORTH).await;
    let since = first.header("noroshi-next");
    desk.step(1, "th-cert", Event::Withdraw).await;
    desk.shows(2).await;
    let path = format!("/v1/events.jsonl?since={since}");
    let read = collect(&desk, "json", &path, NORTH).await;
    desk.close().await;
    let [event] = read["events"].as_array().expect("events").as_slice() else {
        panic!("one row says that it was taken back: {read}");
    };
    assert_eq!(
        text(event, "extra.alert_id"),
        Uuid::from_u128(1).to_string()
    );
    assert_eq!(text(event, "classification.type"), "other");
    assert_eq!(text(event, "classification.identifier"), "withdrawn");
    assert_eq!(text(event, "extra.state"), "withdrawn");
    assert!(
        text(event, "extra.withdrawn").contains("of case 1"),
        "{event}"
    );
}

/// What IntelMQ downloads from Shadowserver, where its parser looks for it.
#[cfg(corpus)]
fn with_schema(home: &Path) {
    let schema = Path::new(env!("NOROSHI_CORPUS_FOUND")).join("schemas/shadowserver-intelmq.json");
    let bots = home.join("var/lib/bots");
    std::fs::create_dir_all(&bots).expect("a directory");
    std::fs::copy(schema, bots.join("shadowserver-schema.json")).expect("the schema");
}
#[cfg(not(corpus))]
fn with_schema(_: &Path) {}

#[tokio::test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
async fn the_shadowserver_parser_takes_every_row_of_the_archives() {
    let desk = Desk::open().await;
    let yesterday = today() - 1;
    let mut seen = alerts();
    for (one, number) in seen.iter_mut().zip(0..) {
        one.subject = subject(one.kind, number * 3); // addresses of version 4 among them
    }
    desk.record_all(seen.iter().map(|one| (one.clone(), 1)).collect())
        .await;
    desk.observe(&seen, &[yesterday]).await;
    desk.step(1, "th-cert", Event::Withdraw).await;

    let index = desk.get("/v1/reports/", NORTH).await;
    let index: Value = serde_json::from_str(&index.body).expect("an index");
    let day = index.as_array().expect("a list").iter();
    let files: Vec<&Value> = day
        .filter(|file| text(file, "day") == day_name(yesterday))
        .collect();
    assert_eq!(files.len(), 2, "{index}");
    for file in files {
        let csv = desk.get(text(file, "csv"), NORTH).await;
        assert_eq!(
            csv.body.len() as u64,
            file["bytes"].as_u64().expect("a size")
        );
        let rows = csv.body.lines().count() - 1;
        assert!(rows > 5, "{}", csv.body);
        let home = tempfile::tempdir().expect("a directory");
        with_schema(home.path());
        let url = format!("http://{}{}", desk.address, text(file, "zip"));
        let read = collect_into(home.path(), "shadowserver", &url, NORTH).await;
        assert_eq!(read["file_names"], serde_json::json!([text(file, "name")]));
        assert_eq!(read["errors"], serde_json::json!([]));
        let events = read["events"].as_array().expect("events");
        assert_eq!(events.len(), rows);
        for event in events {
            held(event, text(file, "report"), &seen);
        }
    }
    desk.close().await;
}

/// Whether an event of IntelMQ's is what a row said.
fn held(event: &Value, report: &str, seen: &[Alert]) {
    let id = text(event, "extra.alert_id");
    let alert = seen.iter().find(|one| one.id.to_string() == id);
    let alert = alert.expect("one of ours");
    assert!(!alert.exercise);
    let source = text(event, "source.ip");
    if report == "event4_honeypot_darknet" {
        assert_eq!(text(event, "classification.type"), "other");
        let Subject::Source { source: ours, .. } = &alert.subject else {
            panic!("no source: {event}");
        };
        assert_eq!(source, ours.to_string());
        assert_eq!(event.get("destination.ip"), None);
    } else {
        assert_eq!(text(event, "classification.type"), "ddos");
        assert_eq!(source, "");
        let victim = text(event, "destination.ip");
        assert!(victim.starts_with("198.51.100."), "{event}");
    }
    let is_withdrawn = id == Uuid::from_u128(1).to_string();
    let tag = if is_withdrawn {
        "withdrawn"
    } else {
        "mirai_syn"
    };
    assert_eq!(text(event, "extra.tag"), tag);
    assert_eq!(text(event, "extra.state") == "withdrawn", is_withdrawn);
    let severity = serde_json::to_value(alert.severity).expect("a word");
    assert!(event["severity"] == severity || is_withdrawn);
    assert_eq!(
        event["time.source"],
        format!("{}T06:00:00+00:00", day_name(today() - 1))
    );
}
