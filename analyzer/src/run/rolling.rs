//! Rolls up what is over, beside the analyzer.

use std::ops::Range;

use noroshi_store::store::{Store, StoreError};
use tokio::task::{JoinError, JoinSet};
use tracing::{Instrument as _, trace_span};

use super::RunError;
use super::warm::{due_since, whole_before};

/// What is still to be rolled up. One round at a time, and nobody waits for it: an hour of many flow tuples takes a while.
pub(super) struct Rolling {
    store: Store,
    /// From where on rollups may lack something, in seconds since 1970.
    from: u64,
    /// Up to where they were asked for.
    through: u64,
    /// The round under way; it ends with this.
    rounds: JoinSet<Result<(), StoreError>>,
    range: Range<u64>,
}

impl Rolling {
    /// Beside an analyzer that was made warm up to `position`. The first round begins at once and looks at all that may be
    /// due: the warm-up needs no hours, and something may have come since it looked.
    pub(super) fn new(store: &Store, position: u64) -> Self {
        Self {
            store: store.clone(),
            from: due_since(position),
            through: 0,
            rounds: JoinSet::new(),
            range: 0..0,
        }
    }

    /// Something arrived that begins at this second.
    pub(super) fn arrived(&mut self, first: u64) {
        self.from = self.from.min(first);
    }

    /// Begins a round when another bin is over, and the round before has ended.
    ///
    /// # Errors
    /// As the round before failed; what it was for is asked for again.
    pub(super) fn follow(&mut self, position: u64) -> Result<(), RunError> {
        if let Some(ended) = self.rounds.try_join_next() {
            self.take(ended)?;
        }
        let through = whole_before(position);
        if self.rounds.is_empty() && through > self.through {
            self.begin(through);
        }
        Ok(())
    }

    /// Rolls up everything before `end`, and waits for it.
    ///
    /// # Errors
    /// As a round fails.
    pub(super) async fn finish(&mut self, end: u64) -> Result<(), RunError> {
        self.wait().await?;
        self.begin(end);
        self.wait().await
    }

    async fn wait(&mut self) -> Result<(), RunError> {
        while let Some(ended) = self.rounds.join_next().await {
            self.take(ended)?;
        }
        Ok(())
    }

    fn begin(&mut self, through: u64) {
        self.range = self.from..through;
        (self.from, self.through) = (through, through);
        let (store, range) = (self.store.clone(), self.range.clone());
        let round = async move { store.roll_up(range).await };
        let span = trace_span!(parent: None, "roll_up");
        self.rounds.spawn(round.instrument(span));
    }

    fn take(&mut self, ended: Result<Result<(), StoreError>, JoinError>) -> Result<(), RunError> {
        let ended = ended.map_err(RunError::from).and_then(|made| Ok(made?));
        if ended.is_err() {
            self.arrived(self.range.start);
            self.through = self.range.start;
        }
        ended
    }
}
