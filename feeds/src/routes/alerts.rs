//! Alerts as JSON lines, in the order they changed.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use noroshi_store::origin::PartnerId;

use crate::desk::{Desk, in_time};
use crate::guard::Refusal;
use crate::routes::page::{JSON_LINES, Page, PageQuery};
use crate::{cef, render};

/// `GET /v1/alerts.jsonl`, `GET /v1/alerts.cef` and `GET /v1/alerts/{id}`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/v1/alerts.jsonl", get(alerts))
        .route("/v1/alerts.cef", get(cef_lines))
        .route("/v1/alerts/{id}", get(alert))
}

async fn alerts(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let page = Page::read(&desk, &reader, query).await?;
    page.answer(JSON_LINES, render::lines(&reader, page.alerts()))
}

/// For collectors that read CEF from files.
async fn cef_lines(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let page = Page::read(&desk, &reader, query).await?;
    page.answer(
        "text/plain; charset=utf-8",
        cef::lines(&reader, page.alerts()),
    )
}

async fn alert(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    let shown = in_time(desk.store.shown_to(&reader, id))
        .await?
        .ok_or(Refusal::NotFound)?;
    let body = render::one(&reader, &shown).ok_or(Refusal::NotFound)?;
    Ok((
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response())
}
