//! Feeds that a partner has the console try.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;

use crate::desk::{Desk, PASSWORD};

const SECRET: &str = "a token of nobody else";

/// Feeds of all kinds of moods, as a partner's machine meets them.
async fn feed(request: Request) -> Response {
    let proof = request.headers().get(header::AUTHORIZATION);
    let expected = format!("Basic {}", STANDARD.encode(format!("th-cert:{SECRET}")));
    if proof.is_none_or(|proof| proof != expected.as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match request.uri().path() {
        "/v1/alerts.jsonl" => "{}\n".into_response(),
        "/v1/events.jsonl" => "x".repeat(1 << 20).into_response(),
        "/taxii2/" => StatusCode::TOO_MANY_REQUESTS.into_response(),
        "/misp/manifest.json" => StatusCode::NOT_FOUND.into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn desk() -> Desk {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = noroshi_web::serve::Server {
        listener,
        acceptor: None,
        router: Router::new().fallback(feed),
        limits: noroshi_console::LIMITS,
        connections: Arc::default(),
    };
    tokio::spawn(server.run(std::future::pending()));
    Desk::open_beside(&format!("http://{address}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_says_of_each_feed_what_came_back() {
    let desk = desk().await;
    let mut browser = desk.signed_in("th-cert").await;
    let token = browser.token().await;
    let asked = [("token", token.as_str()), ("secret", SECRET)];
    let page = browser.post("/mine/trial", &asked).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for (feed, outcome) in [
        ("JSON Lines", "It works (200)"),
        ("IntelMQ", "It works (200)"),
        ("TAXII 2.1 / STIX", "Asked too often: wait a moment (429)"),
        ("MISP", "Not what was expected: tell the centre (404)"),
    ] {
        let row = format!("<td>{feed}</td><td>{outcome}</td>");
        assert!(page.body.contains(&row), "{row}: {}", page.body);
    }
    assert!(
        page.body.contains("&gt; 65\u{202f}536"),
        "the beginning is enough"
    );
    assert!(!page.body.contains(SECRET));
    let wrong = [("token", token.as_str()), ("secret", "another's")];
    let page = browser.post("/mine/trial", &wrong).await;
    let unknown = page.body.matches("The token is not known (401)").count();
    assert_eq!(unknown, 6, "{}", page.body);
    assert!(!page.body.contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn trials_are_limited_and_a_token_has_a_length() {
    let desk = desk().await;
    let mut browser = desk.signed_in("th-cert").await;
    let token = browser.token().await;
    let long = "x".repeat(257);
    for secret in ["", &long] {
        let asked = [("token", token.as_str()), ("secret", secret)];
        assert_eq!(
            browser.post("/mine/trial", &asked).await.status,
            400,
            "{secret}"
        );
    }
    let asked = [("token", token.as_str()), ("secret", SECRET)];
    let mut last = String::new();
    for _ in 0..6 {
        last = browser.post("/mine/trial", &asked).await.body;
    }
    assert!(last.contains("Too many trials"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_that_do_not_answer_are_told_of_without_where_they_stand() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let desk = Desk::open_beside(&format!("http://{address}")).await;
    let mut browser = desk.signed_in("th-cert").await;
    let token = browser.token().await;
    let asked = [("token", token.as_str()), ("secret", SECRET)];
    let page = browser.post("/mine/trial", &asked).await;
    assert_eq!(
        page.body.matches("No answer: tell the centre").count(),
        6,
        "{}",
        page.body
    );
    assert!(!page.body.contains("127.0.0.1"), "{}", page.body);
}
