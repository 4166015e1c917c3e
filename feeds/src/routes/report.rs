//! The weekly report of the reader.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use noroshi_store::origin::PartnerId;

use crate::clock;
use crate::desk::{Desk, in_time};
use crate::guard::Refusal;
use crate::report::Report;
use crate::text::Texts;
use noroshi_store::week::Week;

/// What a report may do in a browser: nothing but look as it does.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// `GET /v1/report/{week}`, `…/latest` for the last week that is over, and both with `.json`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/v1/report/{week}", get(report))
}

async fn report(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path(asked): Path<String>,
) -> Result<Response, Refusal> {
    let (name, is_json) = match asked.strip_suffix(".json") {
        Some(name) => (name, true),
        None => (asked.as_str(), false),
    };
    let week = match name {
        "latest" => Week::before(clock::now()),
        name => name.parse().map_err(|_| Refusal::NotFound)?,
    };
    if week.end() > clock::now() {
        return Err(Refusal::NotFound); // there will be one: it is not over
    }
    let partner = desk.registry.partner(&reader).ok_or(Refusal::NotFound)?;
    let report = in_time(Report::ask(&desk.store, partner, week)).await?;
    if is_json {
        return Ok(Json(report).into_response());
    }
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    Ok((headers, report.html(Texts::for_partner(partner))).into_response())
}
