//! Alerts as IntelMQ's events, in the order they changed.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use axum::routing::get;
use noroshi_store::origin::PartnerId;

use crate::desk::Desk;
use crate::guard::Refusal;
use crate::intelmq;
use crate::routes::page::{JSON_LINES, Page, PageQuery};

/// `GET /v1/events.jsonl`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/v1/events.jsonl", get(events))
}

async fn events(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let page = Page::read(&desk, &reader, query).await?;
    page.answer(JSON_LINES, intelmq::lines(&reader, page.alerts()))
}
