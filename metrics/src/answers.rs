//! What a server of HTTP answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument as _, Span};

use crate::held;
use crate::text::Text;
use crate::times::Times;

/// What was refused before it came to a route, or has none.
const NO_ROUTE: &str = "none";

/// Answers, from the start of the program.
#[derive(Debug, Default)]
pub struct Answers {
    /// By route and class of status.
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    /// By route.
    times: Mutex<BTreeMap<String, Times>>,
}

impl Answers {
    /// Counts an answer of a route, and how long it took.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        let class = status / 100;
        let mut requests = held(&self.requests);
        *requests.entry((route.to_owned(), class)).or_default() += 1;
        drop(requests);
        let mut times = held(&self.times);
        times.entry(route.to_owned()).or_default().took(took);
    }

    /// `requests_total` and `answer_seconds`.
    pub fn write(&self, text: &mut Text) {
        let help = "Answers by route and class of status; route=\"none\": refused before a route, or none there.";
        text.family("requests_total", "counter", help);
        for ((route, class), count) in &*held(&self.requests) {
            let labels = format!("{{route=\"{route}\",status=\"{class}xx\"}}");
            text.value("requests_total", &labels, count);
        }
        let help = "From a request's head to the head of its answer, by route.";
        text.family("answer_seconds", "histogram", help);
        for (route, times) in &*held(&self.times) {
            times.write(text, "answer_seconds", &format!("route=\"{route}\""));
        }
    }
}

/// Makes the span of a role's answer; of it are told `otel.status_code`, `http.route` and
/// `http.response.status_code`.
pub type Spans = fn() -> Span;

/// Counts an answer by its route. It stands outside of everything, so that refusals count, too.
#[allow(
    clippy::disallowed_methods,
    reason = "a shell: how long an answer took is measured here"
)]
pub async fn counted(
    State((answers, spans)): State<(Arc<Answers>, Spans)>,
    request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let open_route = request.extensions().get::<MatchedPath>().cloned();
    let span = spans();
    let response = next.run(request).instrument(span.clone()).await;
    let inner_route = response.extensions().get::<MatchedPath>();
    let route = open_route.as_ref().or(inner_route);
    let route = route.map_or(NO_ROUTE, MatchedPath::as_str);
    let status = response.status().as_u16();
    answers.answered(route, status, start.elapsed());
    span.record("http.route", route);
    span.record("http.response.status_code", status);
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}

/// The [`Spans`] of the role whose crate calls it.
#[macro_export]
macro_rules! answer_spans {
    () => {
        || {
            tracing::trace_span!(
                "answer",
                otel.kind = "server",
                otel.status_code = tracing::field::Empty,
                http.route = tracing::field::Empty,
                http.response.status_code = tracing::field::Empty,
            )
        }
    };
}

/// Lets the answer say which route made it: only behind a guard is that known.
pub async fn named(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}
