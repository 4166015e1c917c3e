//! What the routes share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use noroshi_store::origin::PartnerId;
use noroshi_store::store::Store;
use uuid::Uuid;

use crate::guard::Refusal;
use crate::rate::Rate;
use crate::token::Tokens;

/// How long the store may take.
const STORE_WAIT: Duration = Duration::from_secs(20);

/// What the routes share.
pub struct Desk {
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    /// How partners reach us, without a slash at its end.
    pub(crate) public_url: String,
    /// What we sign with what comes back to us: drawn at start.
    pub(crate) key: [u8; 32],
    opened: Instant,
    /// One entry per partner with a token.
    rates: Mutex<HashMap<PartnerId, Rate>>,
}

impl Desk {
    /// Serves the alerts of `store` to the holders of `tokens`, who reach us at `public_url`.
    #[allow(
        clippy::disallowed_methods,
        reason = "a shell: rates are counted in its own time"
    )]
    pub fn new(store: Store, tokens: Tokens, public_url: &str) -> Self {
        let mut key = [0; 32];
        for half in key.chunks_exact_mut(16) {
            half.copy_from_slice(Uuid::new_v4().as_bytes());
        }
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            key,
            store,
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
