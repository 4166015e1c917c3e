//! Whether the feeds can answer: for a proxy or a monitor, and for anybody else who asks.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use uuid::Uuid;

use crate::desk::{Desk, in_time};
use crate::guard::Refusal;

/// `GET /health`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/health", get(health))
}

/// It takes no credential to ask, so the store is not asked for everybody.
async fn health(State(desk): State<Arc<Desk>>) -> Result<&'static str, Refusal> {
    // Whether there is such an alert does not matter: the store has looked.
    let look = async { in_time(desk.store.alert(Uuid::nil())).await.is_ok() };
    match desk.health.get(look).await {
        true => Ok("ok\n"),
        false => Err(Refusal::Unavailable),
    }
}
