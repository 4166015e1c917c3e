//! Detectors over what is stored, with any settings: what would have been said.
//!
//! # Promises
//! - Nothing is written to the store.
//! - What people said since (false positives, maintenance) is left out: detectors are judged,
//!   not people.

use std::ops::Range;
use std::sync::Arc;

use noroshi_proto::time::IntervalLength;
use noroshi_store::alert::Alert;
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;

use super::warm::warm_up;
use super::{RunError, Told, examine};
use crate::alerts::Purpose;
use crate::analysis::Analysis;
use crate::detectors::Observation;
use crate::settings::Settings;

/// What would have been said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backtest {
    /// Every alert in its last state, by opening and id.
    pub alerts: Vec<Alert>,
    /// What was examined, in seconds since 1970; empty where nothing is stored of it.
    pub examined: Range<u64>,
    /// How much of the past the detectors need, and how much of it is stored, in seconds.
    pub warm_up: WarmUp,
}

/// How much of the past detectors need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WarmUp {
    /// Needed, in seconds.
    pub needed: u64,
    /// Stored, in seconds.
    pub stored: u64,
}

/// Examines what is stored of `range` (seconds since 1970) and keeps nothing.
///
/// # Errors
/// [`RunError::Store`] as the store's questions fail.
pub async fn backtest(
    store: &Store,
    registry: &Registry,
    settings: &Settings,
    range: Range<u64>,
) -> Result<Backtest, RunError> {
    let registry = Arc::new(registry.clone());
    let purpose = Purpose::Operation;
    let analysis = Analysis::new(settings, registry, Observation::Recorded, purpose);
    let needed = analysis.warm_up_seconds();
    let span = store.span().await?.unwrap_or(0..0);
    let range = range.start.max(span.start)..range.end.min(span.end);
    if range.is_empty() {
        return Ok(Backtest::default());
    }
    let stored = (range.start - span.start).min(needed);
    let mut analysis = warm_up(analysis, store, range.start).await?;
    let mut told = Told::default();
    let mut reader = store.windows(range.clone(), IntervalLength::DEFAULT);
    while let Some(windows) = reader.next_chunk().await? {
        let outcomes;
        (analysis, outcomes) = examine(analysis, windows).await?;
        for outcome in outcomes {
            told.hear(outcome.into_numbered().alert);
        }
    }
    let mut last = analysis.alerts.advance_to(range.end);
    last.extend(analysis.alerts.checkpoint());
    for outcome in last {
        told.hear(outcome.into_numbered().alert);
    }
    Ok(Backtest {
        alerts: told.alerts(),
        examined: range,
        warm_up: WarmUp { needed, stored },
    })
}
