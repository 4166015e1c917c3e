//! Questions over HTTP and their answers.
//!
//! | route                                     | answer                                           |
//! |-------------------------------------------|--------------------------------------------------|
//! | `GET /v1/alerts.jsonl?since=…&limit=…`    | the reader's alerts, in the order they changed   |
//! | `GET /v1/alerts.cef?since=…&limit=…`      | the same as lines of CEF                         |
//! | `GET /v1/alerts/{id}`                     | one of the reader's alerts                       |
//! | `POST /v1/alerts/{id}/remedy`             | says where it stands, or notes something         |
//! | `GET /v1/alerts/{id}/history`             | what became of it, when, by whom                 |
//! | `GET /v1/report/{week}`                   | the reader's week, such as 2026-W47, as a page   |
//! | `GET /v1/report/{week}.json`              | the same as JSON                                 |
//! | `GET, POST /links/…`                      | the same by a signed link; no credential         |
//! | `GET /taxii2/…`                           | the reader's alerts as STIX objects, by TAXII 2.1 |
//! | `GET /v1/events.jsonl?since=…&limit=…`    | the same order, as events of IntelMQ             |
//! | `GET /v1/alerts/stream?since=…`           | the same order, as server-sent events            |
//! | `GET /v1/reports/?from=DAY`               | the reader's daily reports, as a list            |
//! | `GET /v1/reports/NAME.csv[.zip]`          | a report in the shape of Shadowserver's          |
//! | `GET /v1/reports/NAME.csv.asc`            | its signature, by the centre's key               |
//! | `GET /v1/key.asc`                         | the key with which it is verified                |
//! | `GET /v1/status`                          | until when everything was examined               |
//! | `GET /misp/manifest.json`, `/misp/hashes.csv`, `/misp/UUID.json` | the reader's MISP feed    |
//! | `GET /health`                             | 200 while the store answers, else 503; no token  |
//! | `GET /v1/openapi.json`                    | all of this, as OpenAPI 3.1; no token            |
//!
//! All others ask for a credential (see [`crate::credential`]). Without a known one every
//! path answers 401, whether it exists or not; with one, what is not the reader's answers 404, with
//! the same words as what does not exist. Answers are compressed for readers that take gzip, and
//! carry an `ETag`: who sends it back in `If-None-Match` is answered 304 while nothing changed.
//!
//! # Reading on
//! An alert changes when the analyzer says so, and when people do: its `remedy` says where it stands
//! on the partner's side. An answer's `noroshi-next` header is the `since` of the next request. Where more is waiting,
//! `noroshi-more` is `true`: ask again at once. An alert comes again whenever its state changes;
//! its `id` stays.

mod alerts;
mod description;
mod events;
mod health;
mod misp;
mod page;
mod report;
mod reports;
mod status;
mod steps;
mod stream;
mod taxii;

use std::sync::Arc;

use axum::{Router, middleware};
use tower_http::compression::CompressionLayer;

use noroshi_metrics::answer_spans;
use noroshi_metrics::answers::{Spans, counted, named};

use crate::answer::tagged;
use crate::desk::Desk;
use crate::guard::{Refusal, guard};

pub use page::{ALERTS_DEFAULT, ALERTS_MAX};
pub use reports::REPORT_DAYS;

/// Every route there is, for the feeds to serve.
pub fn router(desk: Desk) -> Router {
    let desk = Arc::new(desk);
    let inside = inside()
        .layer(middleware::from_fn(named))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::NotFound })
        .layer(middleware::from_fn_with_state(
            Arc::clone(&desk),
            taxii::manners,
        ))
        .with_state(Arc::clone(&desk));
    // Around the whole of it, so that a refusal cannot differ from route to route.
    let guarded = Router::new()
        .fallback_service(inside)
        .layer(middleware::from_fn(tagged))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), guard))
        .layer(middleware::from_fn(taxii::words))
        .layer(CompressionLayer::new());
    let spans: Spans = answer_spans!();
    let answers = Arc::clone(&desk.metrics.answers);
    let counted = middleware::from_fn_with_state((answers, spans), counted);
    outside()
        .with_state(desk)
        .fallback_service(guarded)
        .layer(counted)
}

/// What asks for no credential.
fn outside() -> Router<Arc<Desk>> {
    Router::new()
        .merge(health::routes())
        .merge(description::routes())
        .merge(steps::links())
}

/// What stands behind the guard.
fn inside() -> Router<Arc<Desk>> {
    Router::new()
        .merge(alerts::routes())
        .merge(report::routes())
        .merge(steps::routes())
        .merge(taxii::routes())
        .merge(events::routes())
        .merge(stream::routes())
        .merge(reports::routes())
        .merge(misp::routes())
        .merge(status::routes())
}
