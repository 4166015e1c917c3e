//! The analyzer's shells: live, over everything stored, and the warm-up of either.
//!
//! # Promises
//! - One analyzer at a time decides: it holds a lease, and one that lost it stops.
//! - A case that opens or closes is kept before anything later is examined; what continues
//!   is kept at checkpoints, and only then the position moves. So after a crash the windows
//!   since the last checkpoint are examined again, and cases take in again only what they
//!   had not been kept with.
//! - Two replays of the same store give the same alerts, to the byte.

pub mod backtest;
mod decided;
mod live;
mod people;
mod rolling;
mod warm;

use std::collections::BTreeMap;
use std::sync::Arc;

use noroshi_proto::time::IntervalLength;
use noroshi_store::alert::Alert;
use noroshi_store::registry::Registry;
use noroshi_store::store::{Store, StoreError};
use noroshi_store::window::Window;
use tokio::task::{JoinError, spawn_blocking};
use tracing::trace_span;
use uuid::Uuid;

pub use live::{Mode, Parts, run, run_as};
pub use people::judge_silences;
pub use warm::warm_up;

use crate::alerts::{Outcome, Purpose};
use crate::analysis::Analysis;
use crate::detectors::Observation;
use crate::run::decided::Decided;
use crate::settings::Settings;

/// Why the analyzer stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store says no; where it only does not answer, the analyzer waits instead.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A detector panicked: a defect.
    #[error("the detectors broke off: {0}")]
    Broken(#[from] JoinError),
}

/// Examines everything stored, in event time, and keeps the cases it comes to.
///
/// Returns each alert in its last state, by opening and id. Where the stored windows end,
/// observation ends: what is going on then stays open.
///
/// # Errors
/// [`RunError::Store`] as the store's questions and answers fail.
pub async fn replay(
    store: &Store,
    registry: &Registry,
    settings: &Settings,
) -> Result<Vec<Alert>, RunError> {
    replay_as(Purpose::Operation, store, registry, settings).await
}

/// [`replay`], for a purpose.
///
/// # Errors
/// As [`replay`].
pub async fn replay_as(
    purpose: Purpose,
    store: &Store,
    registry: &Registry,
    settings: &Settings,
) -> Result<Vec<Alert>, RunError> {
    let registry = Arc::new(registry.clone());
    let mut analysis = Analysis::new(settings, registry, Observation::Recorded, purpose);
    let mut told = Told::default();
    let Some(span) = store.span().await? else {
        return Ok(Vec::new());
    };
    let mut reader = store.windows(span.clone(), IntervalLength::DEFAULT);
    while let Some(windows) = reader.next_chunk().await? {
        let outcomes;
        (analysis, outcomes) = examine(analysis, windows).await?;
        told.tell(store, outcomes).await?;
        store.observe(&analysis.alerts.observations()).await?;
    }
    let mut last = analysis.alerts.advance_to(span.end);
    last.extend(analysis.alerts.checkpoint());
    told.tell(store, last).await?;
    store.observe(&analysis.alerts.observations()).await?;
    store.roll_up(span).await?;
    tracing::info!(withheld = ?analysis.alerts.withheld(), "replayed");
    Ok(told.alerts())
}

/// Examines windows off the asynchronous threads.
async fn examine(
    mut analysis: Analysis,
    windows: Vec<Window>,
) -> Result<(Analysis, Vec<Outcome>), RunError> {
    let tuples: usize = windows.iter().map(|window| window.flows.len()).sum();
    let span = trace_span!("examine", windows = windows.len(), tuples);
    let examined = spawn_blocking(move || {
        let outcomes = span.in_scope(|| analysis.examine(&windows));
        (analysis, outcomes)
    });
    Ok(examined.await?)
}

/// Every alert in its last state.
#[derive(Default)]
struct Told(BTreeMap<Uuid, Alert>);

impl Told {
    async fn tell(&mut self, store: &Store, outcomes: Vec<Outcome>) -> Result<(), RunError> {
        for outcome in &outcomes {
            self.hear(outcome.numbered().alert.clone());
        }
        let mut decided = Decided::default();
        decided.take(outcomes);
        Ok(decided.keep(store).await?)
    }

    fn hear(&mut self, alert: Alert) {
        self.0.insert(alert.id, alert);
    }

    fn alerts(self) -> Vec<Alert> {
        let mut alerts: Vec<Alert> = self.0.into_values().collect();
        alerts.sort_by_key(|alert| (alert.opened_at, alert.id));
        alerts
    }
}
