//! Whether the feeds can answer: for a proxy or a monitor, and for anybody else who asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::desk::{Desk, in_time};
use crate::guard::Refusal;

/// How long what the store said holds. It takes no credential to ask, so the store is not asked for
/// everybody.
const HOLDS: Duration = Duration::from_secs(1);

/// What the store said, and when; held while it is asked, so that it is asked once for all.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Option<(Instant, bool)>>);

/// `GET /health`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/health", get(health))
}

async fn health(State(desk): State<Arc<Desk>>) -> Result<&'static str, Refusal> {
    match desk.health.is_good(&desk).await {
        true => Ok("ok\n"),
        false => Err(Refusal::Unavailable),
    }
}

impl Health {
    #[allow(
        clippy::disallowed_methods,
        reason = "a shell: how long an answer holds is measured here"
    )]
    async fn is_good(&self, desk: &Desk) -> bool {
        let mut said = self.0.lock().await;
        if let Some((at, is_good)) = *said
            && at.elapsed() < HOLDS
        {
            return is_good;
        }
        // Whether there is such an alert does not matter: the store has looked.
        let is_good = in_time(desk.store.alert(Uuid::nil())).await.is_ok();
        *said = Some((Instant::now(), is_good));
        is_good
    }
}
