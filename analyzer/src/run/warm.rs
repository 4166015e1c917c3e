//! Shows an analysis what is past: weeks by rollups, the last of it window by window.

use noroshi_proto::time::IntervalLength;
use noroshi_store::past::{PastBin, PastBins};
use noroshi_store::rollups::Bin;
use noroshi_store::store::{Store, StoreError};
use tokio::task::spawn_blocking;

use super::RunError;
use crate::analysis::Analysis;

/// Seconds of a rollup's bin.
const BIN_SECONDS: u64 = 600;
/// Bins that an analysis is shown at once: a day's.
const BINS_AT_ONCE: usize = 144;
/// How far back rollups may still lack what was kept since: batches are refused that are older.
const DUE_SECONDS: u64 = noroshi_proto::limits::CLOCK_BEHIND_MAX.as_secs();
/// How far back sources are asked for by country, in seconds: what their silence needs.
const COUNTRIES_SECONDS: u64 = 7 * 86_400;

/// Makes an analysis know what it must of everything before `position` (seconds since 1970).
///
/// Nothing is told of it, and nothing is written. Whole bins come from rollups, as far as they
/// have been made; windows since the last whole bin, and as many more as any detector asks
/// for, follow.
///
/// # Errors
/// [`RunError::Store`] as the store's questions and answers fail.
pub async fn warm_up(
    mut analysis: Analysis,
    store: &Store,
    position: u64,
) -> Result<Analysis, RunError> {
    let needs = analysis.needs();
    let whole = whole_before(position);
    let first = position.saturating_sub(needs.rollups_seconds);
    let first = store
        .span()
        .await?
        .map_or(whole, |span| first.max(span.start));
    let mut range = first / BIN_SECONDS * BIN_SECONDS..whole;
    let mut since = position.saturating_sub(needs.windows_seconds);
    if needs.rollups_seconds > 0 {
        let countries = position.saturating_sub(COUNTRIES_SECONDS);
        let mut next = store.next_past_bins(&mut range, countries).await?;
        while let Some(past) = next {
            let recalled = spawn_blocking(move || recalled(analysis, past));
            // the engine reads on meanwhile
            let (recalled, read) =
                tokio::join!(recalled, store.next_past_bins(&mut range, countries));
            (analysis, next) = (recalled?, read?);
        }
        since = since.min(whole);
    }
    let mut reader = store.windows(since..position, IntervalLength::DEFAULT);
    while let Some(windows) = reader.next_chunk().await? {
        let warmed = spawn_blocking(move || {
            analysis.warm_up(&windows);
            analysis
        });
        analysis = warmed.await?;
    }
    Ok(analysis)
}

/// The analysis after it was shown these bins.
fn recalled(mut analysis: Analysis, mut past: PastBins) -> Analysis {
    loop {
        let bins: Vec<PastBin> = past.by_ref().take(BINS_AT_ONCE).collect();
        if bins.is_empty() {
            return analysis;
        }
        analysis.recall(&bins);
    }
}

/// Makes the rollups that a warm-up before `position` reads, where they are due: after a crash,
/// or because something came late.
pub(super) async fn roll_up_due(store: &Store, position: u64) -> Result<(), StoreError> {
    let range = due_since(position)..whole_before(position);
    store.roll_up_to(Bin::TenMinutes, range).await
}

/// From where on rollups may lack something that was kept before `position`.
pub(super) fn due_since(position: u64) -> u64 {
    position.saturating_sub(DUE_SECONDS)
}

/// The end of the last bin that was judged before `position`: a bin is judged when a later
/// window comes, so one that ends at the position is still to be.
pub(super) fn whole_before(position: u64) -> u64 {
    let last = position.saturating_sub(1);
    last - last % BIN_SECONDS
}
