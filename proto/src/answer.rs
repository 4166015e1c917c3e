//! What the centre says to each batch.

use crate::id::{BatchId, Epoch};
use crate::refusal::Refusal;

/// The store has the batch, and keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ack {
    /// Which run of the sensor's process made it.
    pub epoch: Epoch,
    /// Which batch of that epoch.
    pub sequence: u64,
}

impl From<&BatchId> for Ack {
    fn from(id: &BatchId) -> Self {
        Self {
            epoch: id.epoch,
            sequence: id.sequence,
        }
    }
}

/// The centre turned something away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct Refused {
    /// Which batch, by epoch and sequence; `None` when it was the stream itself.
    pub batch: Option<(Epoch, u64)>,
    /// Why.
    pub refusal: Refusal,
}
