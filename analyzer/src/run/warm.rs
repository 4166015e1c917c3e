//! Shows an analysis what is past.

use noroshi_proto::time::IntervalLength;
use noroshi_store::store::Store;
use tokio::task::spawn_blocking;

use super::RunError;
use crate::analysis::Analysis;

/// Makes an analysis know what it must of everything before `position` (seconds since 1970).
///
/// Nothing is told of it, and nothing is written.
///
/// # Errors
/// [`RunError::Store`] as the store's questions and answers fail.
pub async fn warm_up(
    mut analysis: Analysis,
    store: &Store,
    position: u64,
) -> Result<Analysis, RunError> {
    let past = position.saturating_sub(analysis.warm_up_seconds())..position;
    let mut reader = store.windows(past, IntervalLength::DEFAULT);
    while let Some(windows) = reader.next_chunk().await? {
        let warmed = spawn_blocking(move || {
            analysis.warm_up(&windows);
            analysis
        });
        analysis = warmed.await?;
    }
    Ok(analysis)
}
