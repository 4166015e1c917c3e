//! What the routes share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use noroshi_proto::time::Millis;
use noroshi_store::observations::Sighting;
use noroshi_store::origin::PartnerId;
use noroshi_store::positions::Access;
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use tokio::sync::watch;

use crate::audit::Audit;
use crate::clock;
use crate::guard::Refusal;
use crate::hands::Hands;
use crate::kept::Kept;
use crate::key::Key;
use crate::keyring::Keyring;
use crate::mail::pgp::Signer;
use crate::metrics::Metrics;
use crate::rate::Rate;
use crate::seats::Seats;
use crate::text::Texts;

/// How long the store may take.
const STORE_WAIT: Duration = Duration::from_secs(20);

/// Cases in one day's report: about a hundred megabytes while it is made.
const SIGHTINGS_MAX: u32 = 50_000;

/// What the routes share.
pub struct Desk {
    pub(crate) store: Store,
    pub(crate) registry: Arc<Registry>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) key: Key,
    pub(crate) signer: Option<Signer>,
    /// How partners reach the feeds, without a slash at the end.
    pub(crate) public_url: String,
    pub(crate) seats: Arc<Seats>,
    pub(crate) metrics: Arc<Metrics>,
    /// `true` once the feeds close: streams end then.
    pub(crate) closing: watch::Sender<bool>,
    /// Whether the store answers.
    pub(crate) health: Kept<bool>,
    audit: Audit,
    opened: Instant,
    /// One entry per partner with a credential.
    rates: Mutex<HashMap<PartnerId, Rate>>,
    /// Answers being made.
    pub(crate) hands: Hands,
    /// How far the analyzer had come; the outer `None` where the store did not answer.
    examined: Kept<Option<Option<Millis>>>,
}

/// What a desk is made of.
pub struct Parts {
    /// Where alerts are.
    pub store: Store,
    /// Who the partners are.
    pub registry: Arc<Registry>,
    /// Who may read.
    pub keyring: Arc<Keyring>,
    /// What is signed, is signed with it.
    pub key: Key,
    /// Signs the daily reports.
    pub signer: Option<Signer>,
    /// How partners reach the feeds, without a slash at the end.
    pub public_url: String,
    /// Where accesses are noted.
    pub audit: Audit,
    /// Where answers are counted.
    pub metrics: Arc<Metrics>,
}

impl Desk {
    /// Serves the alerts of a store to its partners.
    #[allow(
        clippy::disallowed_methods,
        reason = "a shell: rates are counted in its own time"
    )]
    pub fn new(parts: Parts) -> Self {
        Self {
            store: parts.store,
            registry: parts.registry,
            keyring: parts.keyring,
            key: parts.key,
            signer: parts.signer,
            public_url: parts.public_url,
            seats: Arc::clone(&parts.metrics.seats),
            metrics: parts.metrics,
            closing: watch::Sender::new(false),
            health: Kept::default(),
            audit: parts.audit,
            opened: Instant::now(),
            rates: Mutex::default(),
            hands: Hands::default(),
            examined: Kept::default(),
        }
    }

    /// Notes that somebody did something.
    pub(crate) async fn note(&self, who: String, action: String) {
        let at = clock::now();
        self.audit.note(Access { at, who, action }).await;
    }

    /// Until when, in event time, everything that had arrived was examined; `None` before the first
    /// analyzer.
    pub(crate) async fn examined(&self) -> Result<Option<Millis>, Refusal> {
        let ask = async {
            let position = in_time(self.store.position()).await.ok()?;
            Some(position.map(|position| Millis(position.through * 1_000)))
        };
        self.examined.get(ask).await.ok_or(Refusal::Unavailable)
    }

    /// The words for a partner.
    pub(crate) fn texts(&self, partner: &PartnerId) -> &'static Texts {
        self.registry
            .partner(partner)
            .map_or_else(Texts::english, Texts::for_partner)
    }

    /// The day of UTC, counted from 1970-01-01.
    pub(crate) fn today(&self) -> u64 {
        clock::now().0 / 86_400_000
    }

    /// What was seen of the reader's cases on a day.
    pub(crate) async fn sightings(
        &self,
        reader: &PartnerId,
        day: u64,
    ) -> Result<Vec<Sighting>, Refusal> {
        let question = self
            .store
            .sightings_of(reader, day, self.today(), SIGHTINGS_MAX);
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
