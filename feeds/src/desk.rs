//! What the routes share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use std::sync::Arc;

use crate::guard::Refusal;
use crate::rate::Rate;
use crate::token::Tokens;

/// How long the store may take.
const STORE_WAIT: Duration = Duration::from_secs(20);

/// What the routes share.
pub struct Desk {
    pub(crate) store: Store,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tokens: Tokens,
    opened: Instant,
    /// One entry per partner with a token.
    rates: Mutex<HashMap<PartnerId, Rate>>,
}

impl Desk {
    /// Serves the alerts of `store` to the holders of `tokens`.
    #[allow(
        clippy::disallowed_methods,
        reason = "a shell: rates are counted in its own time"
    )]
    pub fn new(store: Store, registry: Arc<Registry>, tokens: Tokens) -> Self {
        Self {
            store,
            registry,
            tokens,
            opened: Instant::now(),
            rates: Mutex::default(),
        }
    }

    /// Counts a request of `reader`; how long to wait where there were too many.
    pub(crate) fn ask(&self, reader: &PartnerId) -> Result<(), Duration> {
        let now = self.opened.elapsed();
        // A panic elsewhere leaves a rate as it was, which does no harm.
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.entry(reader.clone()).or_default().ask(now)
    }
}

/// The store's answer, if it comes in time.
pub(crate) async fn in_time<T, E: std::fmt::Display>(
    question: impl Future<Output = Result<T, E>>,
) -> Result<T, Refusal> {
    match tokio::time::timeout(STORE_WAIT, question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store did not answer");
            Err(Refusal::Unavailable)
        }
        Err(_) => {
            tracing::warn!("the store took too long");
            Err(Refusal::Unavailable)
        }
    }
}
