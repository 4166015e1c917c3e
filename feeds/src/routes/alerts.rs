//! Alerts as JSON lines, in the order they changed.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::origin::PartnerId;
use serde::Deserialize;

use crate::desk::{Desk, in_time};
use crate::guard::Refusal;
use crate::render;

/// Alerts in one answer, unless the reader asks for fewer.
pub const ALERTS_DEFAULT: u32 = 500;
/// Alerts in one answer at most: about two megabytes.
pub const ALERTS_MAX: u32 = 1_000;
const NEXT: HeaderName = HeaderName::from_static("noroshi-next");
const MORE: HeaderName = HeaderName::from_static("noroshi-more");

/// `GET /v1/alerts.jsonl` and `GET /v1/alerts/{id}`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/v1/alerts.jsonl", get(alerts))
        .route("/v1/alerts/{id}", get(alert))
}

/// Where to read on, and how much.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    since: Option<String>,
    limit: Option<u32>,
}

async fn alerts(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(page) = page.map_err(|_| {
        Refusal::Wrong("the parameters are 'since' (a noroshi-next) and 'limit' (a number)".into())
    })?;
    let since = match page.since.as_deref() {
        None | Some("") => ChangeCursor::default(),
        Some(text) => text.parse().map_err(|_| {
            Refusal::Wrong("'since' is not a noroshi-next of an earlier answer".into())
        })?,
    };
    let limit = page.limit.unwrap_or(ALERTS_DEFAULT).clamp(1, ALERTS_MAX);
    let changes = in_time(desk.store.changes_of(&reader, since, limit)).await?;
    let next = changes.last().map_or(since, |(cursor, _)| *cursor);
    let more = changes.len() == limit as usize;
    let body = render::lines(&reader, changes.iter().map(|(_, shown)| shown));
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-ndjson"),
        ),
        (
            NEXT,
            HeaderValue::from_str(&next.to_string()).map_err(|_| Refusal::Unavailable)?,
        ),
        (
            MORE,
            HeaderValue::from_static(if more { "true" } else { "false" }),
        ),
    ];
    Ok((headers, body).into_response())
}

async fn alert(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    let shown = in_time(desk.store.shown(id))
        .await?
        .ok_or(Refusal::NotFound)?;
    let body = render::one(&reader, &shown).ok_or(Refusal::NotFound)?;
    Ok((
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response())
}
