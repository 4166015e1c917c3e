//! What the routes share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use noroshi_store::observations::Sighting;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use tokio::sync::watch;

use crate::guard::Refusal;
use crate::rate::Rate;
use crate::seats::Seats;
use crate::token::Tokens;

/// How long the store may take.
const STORE_WAIT: Duration = Duration::from_secs(20);

/// Cases in one day's report: about a hundred megabytes while it is made.
const SIGHTINGS_MAX: u32 = 50_000;

/// What the routes share.
pub struct Desk {
    pub(crate) store: Store,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tokens: Tokens,
    pub(crate) seats: Arc<Seats>,
    /// `true` once the feeds close: streams end then.
    pub(crate) closing: watch::Sender<bool>,
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
            seats: Arc::default(),
            closing: watch::Sender::new(false),
            opened: Instant::now(),
            rates: Mutex::default(),
        }
    }

    /// The day of UTC, counted from 1970-01-01.
    #[allow(
        clippy::disallowed_methods,
        reason = "a shell: reports and feeds end with the day that is now"
    )]
    pub(crate) fn today(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |since| since.as_secs() / 86_400)
    }

    /// What was seen of the reader's cases on a day.
    pub(crate) async fn sightings(
        &self,
        reader: &PartnerId,
        day: u64,
    ) -> Result<Vec<Sighting>, Refusal> {
        let question = self.store.sightings_of(reader, day, SIGHTINGS_MAX);
        let sightings = in_time(question).await?;
        if sightings.len() == SIGHTINGS_MAX as usize {
            let reader = reader.as_str();
            tracing::warn!(reader, day, "more was seen than a report holds");
        }
        Ok(sightings)
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
