//! Whether silence means that nothing happened.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use noroshi_proto::time::Millis;
use serde::Serialize;

use crate::desk::Desk;
use crate::guard::Refusal;

/// `GET /v1/status` and `GET /v1/key.asc`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/key.asc", get(key))
}

/// Nothing of anybody: the same for every reader.
#[derive(Serialize)]
struct Status {
    /// Everything that was seen before this and has arrived was examined. While it follows the
    /// answer's `Date` by less than a minute, no alert means that there was nothing to say.
    examined_until: Option<String>,
}

async fn status(State(desk): State<Arc<Desk>>) -> Result<Json<Status>, Refusal> {
    let examined = desk.examined().await?;
    Ok(Json(Status {
        examined_until: examined.as_ref().map(Millis::to_string),
    }))
}

/// With which the signatures of reports and mails are verified.
async fn key(State(desk): State<Arc<Desk>>) -> Result<Response, Refusal> {
    let signer = desk.signer.as_ref().ok_or(Refusal::NotFound)?;
    let key = signer.public().map_err(|_| Refusal::Unavailable)?;
    Ok(([("content-type", "application/pgp-keys")], key).into_response())
}
