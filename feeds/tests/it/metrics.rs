//! What operators read of the feeds, and partners never.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use noroshi_feeds::clock;
use noroshi_feeds::metrics::Metrics;
use noroshi_store::engine::{Engine, testing};
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use noroshi_web::prometheus::{Listener, PrometheusError};
use tokio::sync::oneshot;

use super::desk::{Desk, NORTH, SENSOR, SOUTH};
use super::push::sinks;
use super::push::site::{self, Site, webhook_to};

/// What Prometheus makes of a text: every sample with its labels, and its value.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            let (family, kind) = about.split_once(' ').expect("a kind");
            let again = kinds.insert(family.to_owned(), kind.to_owned());
            assert!(again.is_none(), "{family} has one place");
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect("a value");
        let name = sample.split('{').next().expect("a name");
        assert!(name.starts_with("noroshi_feeds_"), "{line}");
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(name.bytes().all(is_name), "{line}");
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|end| name.strip_suffix(end))
            .find(|family| kinds.contains_key(*family))
            .unwrap_or(name);
        let kind = kinds.get(family).expect(line);
        assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        let again = samples.insert(sample.to_owned(), value.parse().expect("a number"));
        assert!(again.is_none(), "{line} comes once");
    }
    samples
}

/// A listener, and what a request to it answers.
async fn served(metrics: &Arc<Metrics>, line: &str) -> String {
    let listener = Listener::open(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    let address = listener.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let metrics = Arc::clone(metrics);
    let told = Arc::new(move || metrics.text(clock::now()));
    let serving = tokio::spawn(listener.run(told, async {
        let _ = stopped.await; // dropped or sent: both end it
    }));
    let request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let asking = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("the port is open");
        stream.write_all(request.as_bytes()).expect("it takes it");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    });
    let answer = asking.await.expect("no panic");
    drop(stop);
    serving.await.expect("it ends");
    answer
}

#[tokio::test]
async fn what_happened_is_counted_and_nobody_is_named() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.shows(1).await;
    let case = "/v1/alerts/00000000-0000-0000-0000-000000000001";
    for token in [NORTH, NORTH, SOUTH] {
        desk.get(case, token).await;
    }
    desk.ask("GET /v1/alerts.jsonl?th-cert=203.0.113.7", None)
        .await;
    desk.get("/nowhere/th-cert/203.0.113.7", NORTH).await;
    desk.ask("GET /health", None).await;
    let answer = served(&desk.metrics, "GET /metrics").await;
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let samples = parse(text);
    let requests = |route: &str, status: &str| {
        samples[&format!("noroshi_feeds_requests_total{{route=\"{route}\",status=\"{status}\"}}")]
    };
    assert_eq!(requests("/v1/alerts/{id}", "2xx"), 2.0);
    assert_eq!(requests("/v1/alerts/{id}", "4xx"), 1.0);
    assert_eq!(requests("/health", "2xx"), 1.0);
    assert_eq!(requests("none", "4xx"), 2.0);
    let of_case = |end: &str| {
        samples[&format!("noroshi_feeds_answer_seconds_{end}{{route=\"/v1/alerts/{{id}}\"}}")]
    };
    assert_eq!(of_case("count"), 3.0);
    assert!(of_case("sum") > 0.0);
    assert_eq!(samples["noroshi_feeds_streams_open"], 0.0);
    let secrets = [
        "th-cert",
        "my-cert",
        "203.0.113.7",
        "00000000-",
        SENSOR,
        NORTH,
        SOUTH,
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    desk.close().await;
}

#[tokio::test]
async fn partners_and_strangers_read_no_metrics() {
    let desk = Desk::open().await;
    assert_eq!(desk.get("/metrics", NORTH).await.status, 404);
    assert_eq!(desk.ask("GET /metrics", None).await.status, 401);
    let elsewhere = served(&desk.metrics, "GET /v1/alerts.jsonl").await;
    assert!(elsewhere.starts_with("HTTP/1.1 404 "), "{elsewhere}");
    let refused = Listener::open(SocketAddr::from(([0, 0, 0, 0], 0)));
    assert!(matches!(refused, Err(PrometheusError::NotLoopback(_))));
    desk.close().await;
}

#[tokio::test]
async fn a_stream_and_its_connection_are_counted_while_they_are_open() {
    let desk = Desk::open().await;
    let mut stream = TcpStream::connect(desk.address).expect("the port is open");
    let request = format!(
        "GET /v1/alerts/stream HTTP/1.1\r\nhost: feeds\r\nauthorization: Bearer {NORTH}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it takes it");
    for (open, name) in [(1.0, "streams_open"), (1.0, "connections_open")] {
        comes_to(&desk.metrics, name, open).await;
    }
    drop(stream);
    for name in ["streams_open", "connections_open"] {
        comes_to(&desk.metrics, name, 0.0).await;
    }
    desk.close().await;
}

#[tokio::test]
async fn what_is_delivered_and_what_waits_is_told_by_the_kind_of_channel() {
    let site = Site::open().await;
    let works = sinks::webhook(sinks::ok, None).await;
    let hangs = sinks::webhook(sinks::silent, None).await;
    let deliverer = site
        .push(&webhook_to(works.port), &webhook_to(hangs.port))
        .await;
    site.record(site::alert(1, "th-cert"), 1).await;
    site.record(site::alert(2, "my-cert"), 1).await;
    let delivered = "delivery_attempts_total{channel=\"webhook\",outcome=\"delivered\"}";
    comes_to(&site.metrics, delivered, 1.0).await;
    hangs.inbox.wait_for(1).await;
    comes_to(
        &site.metrics,
        "deliveries_waiting{channel=\"webhook\"}",
        1.0,
    )
    .await;
    let samples = parse(&site.metrics.text(noroshi_feeds::clock::now()));
    let age = samples["noroshi_feeds_oldest_delivery_seconds{channel=\"webhook\"}"];
    assert!(age > 0.0, "{age}");
    assert_eq!(
        samples["noroshi_feeds_deliveries_waiting{channel=\"mail\"}"],
        0.0
    );
    deliverer.end().await;
    comes_to(
        &site.metrics,
        "deliveries_waiting{channel=\"webhook\"}",
        0.0,
    )
    .await;
}

#[tokio::test]
async fn health_says_when_the_store_does_not_answer() {
    let engine = Engine::throw_away(Some(testing::program())).await;
    let engine = engine.expect("the engine starts");
    let config = StoreConfig {
        endpoint: engine.endpoint().clone(),
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.expect("the store opens");
    let desk = Desk::on(store).await;
    assert_eq!(desk.ask("GET /health", None).await.status, 200);
    engine.stop().await;
    let mut answer = desk.ask("GET /health", None).await;
    while answer.status == 200 {
        tokio::time::sleep(Duration::from_millis(100)).await; // what was said holds for a second
        answer = desk.ask("GET /health", None).await;
    }
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body, "{\"error\":\"try again in a minute\"}");
    desk.close().await;
}

/// Waits until a sample has this value.
async fn comes_to(metrics: &Metrics, name: &str, value: f64) {
    let name = format!("noroshi_feeds_{name}");
    for _ in 0..600 {
        let samples = parse(&metrics.text(noroshi_feeds::clock::now()));
        if samples.get(&name) == Some(&value) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{name} does not come to {value} within a minute");
}
