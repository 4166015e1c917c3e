use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use noroshi_metrics::connections::NoConnection;
use noroshi_proto::time::Millis;

use super::*;
use crate::message::Event;
use crate::message::sample::shown;
use crate::plan::{Pace, Profile};
use crate::samples::partner;

/// A message of a channel, planned at this second.
fn planned(second: u64, form: Form) -> Delivery {
    let profile = Profile {
        partner: partner("th-cert"),
        channel: "webhook 0badcafe".to_owned(),
        kinds: Vec::new(),
        pace: Pace::Everything,
    };
    let at = Millis(second * 1_000);
    Delivery {
        form,
        ..profile.single(Event::Opened, &shown(1), 1, at)
    }
}

#[test]
fn the_text_says_what_was_counted() {
    let metrics = Arc::new(Metrics::default());
    let answered = |route, status, millis| {
        let took = Duration::from_millis(millis);
        metrics.answers.answered(route, status, took);
    };
    answered("/v1/alerts/{id}", 200, 30);
    answered("/v1/alerts/{id}", 304, 200);
    answered("none", 401, 21_000);
    let open = metrics.connections.connected();
    drop(metrics.connections.connected());
    metrics.connections.not_connected(NoConnection::Share);
    metrics.tried(Way::Mail, &Outcome::Delivered);
    metrics.tried(Way::Webhook, &Outcome::unreached("th-cert is not there"));
    let (one, other) = (metrics.queue(Way::Webhook), metrics.queue(Way::Webhook));
    one.tell(&[planned(90, Form::Single), planned(10, Form::Listed)]);
    other.tell(&[planned(95, Form::Single)]);
    let text = metrics.text(Millis(100_500));
    let told: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.ends_with(" 0"))
        .collect();
    expect![[r#"
        noroshi_feeds_requests_total{route="/v1/alerts/{id}",status="2xx"} 1
        noroshi_feeds_requests_total{route="/v1/alerts/{id}",status="3xx"} 1
        noroshi_feeds_requests_total{route="none",status="4xx"} 1
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="0.05"} 1
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="0.1"} 1
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="0.2"} 2
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="0.5"} 2
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="1"} 2
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="2.5"} 2
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="10"} 2
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="20"} 2
        noroshi_feeds_answer_seconds_bucket{route="/v1/alerts/{id}",le="+Inf"} 2
        noroshi_feeds_answer_seconds_sum{route="/v1/alerts/{id}"} 0.23
        noroshi_feeds_answer_seconds_count{route="/v1/alerts/{id}"} 2
        noroshi_feeds_answer_seconds_bucket{route="none",le="+Inf"} 1
        noroshi_feeds_answer_seconds_sum{route="none"} 21
        noroshi_feeds_answer_seconds_count{route="none"} 1
        noroshi_feeds_connections_open 1
        noroshi_feeds_connections_refused_total{reason="address_has_its_share"} 1
        noroshi_feeds_delivery_attempts_total{channel="webhook",outcome="unreached"} 1
        noroshi_feeds_delivery_attempts_total{channel="mail",outcome="delivered"} 1
        noroshi_feeds_deliveries_waiting{channel="webhook"} 3
        noroshi_feeds_oldest_delivery_seconds{channel="webhook"} 10.5"#]]
    .assert_eq(&told.join("\n"));
    drop((open, one));
    let text = metrics.text(Millis(100_500));
    assert!(
        text.contains("noroshi_feeds_connections_open 0\n"),
        "{text}"
    );
    assert!(
        text.contains("deliveries_waiting{channel=\"webhook\"} 1\n"),
        "{text}"
    );
    assert!(
        text.contains("oldest_delivery_seconds{channel=\"webhook\"} 5.5\n"),
        "{text}"
    );
}
