//! Which position is which batch, without remembering every batch.

use std::ops::Range;

use noroshi_proto::hello::Held;
use noroshi_proto::id::Epoch;

/// Batches of one epoch with consecutive sequences at consecutive positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    position: u64,
    epoch: Epoch,
    sequence: u64,
    batches: u64,
}

/// All batches of a spool, as runs in ascending position: about one per start of the sensor.
#[derive(Clone, Debug, Default)]
pub struct Runs(Vec<Run>);

impl Runs {
    /// Adds the batch at `position`, which is higher than all before.
    pub fn note(&mut self, position: u64, epoch: Epoch, sequence: u64) {
        if let Some(run) = self.0.last_mut() {
            let next = (
                run.position + run.batches,
                run.epoch,
                run.sequence + run.batches,
            );
            if next == (position, epoch, sequence) {
                run.batches += 1;
                return;
            }
        }
        self.0.push(Run {
            position,
            epoch,
            sequence,
            batches: 1,
        });
    }

    /// The epoch of the batch at `position`, or of the one before it where that is unknown.
    pub fn epoch_at(&self, position: u64) -> Option<Epoch> {
        let after = self.0.partition_point(|run| run.position <= position);
        Some(self.0[after.checked_sub(1)?].epoch)
    }

    /// Positions of the batches the ledger holds.
    pub fn positions_of(&self, held: &Held) -> Vec<Range<u64>> {
        let of_epoch = self.0.iter().filter(|run| run.epoch == held.epoch);
        of_epoch
            .filter_map(|run| {
                let first = held.first.max(run.sequence);
                let last = held.last.min(run.sequence + run.batches - 1);
                let place = |sequence: u64| run.position + (sequence - run.sequence);
                (first <= last).then(|| place(first)..place(last) + 1)
            })
            .collect()
    }

    /// Positions of all batches of `epoch`.
    pub fn positions_in(&self, epoch: Epoch) -> impl Iterator<Item = Range<u64>> + '_ {
        self.0
            .iter()
            .filter(move |run| run.epoch == epoch)
            .map(|run| run.position..run.position + run.batches)
    }

    /// Forgets what stood before `position`.
    pub fn forget_before(&mut self, position: u64) {
        self.0.retain(|run| run.position + run.batches > position);
    }
}
