//! Room for flow tuples that are decoded and not yet kept: what bounds the collector's memory, however large batches are.

use std::sync::Arc;

use noroshi_proto::limits::BATCH_FLOWS_MAX;
use noroshi_proto::v1;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Flow tuples decoded and not yet kept, of all streams: 20 of the largest batches. Some 200 bytes each, and as much while
/// the store writes it.
pub const FLOWS_AT_WORK_MAX: usize = 20 * BATCH_FLOWS_MAX;

/// Room of all streams together.
#[derive(Debug)]
pub struct Room(Arc<Semaphore>);

/// What one batch has of it.
#[derive(Debug)]
pub struct Place(Option<OwnedSemaphorePermit>);

impl Room {
    /// For so many flow tuples, at least those of one batch.
    pub fn new(flows: usize) -> Self {
        let flows = flows.clamp(BATCH_FLOWS_MAX, Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(flows)))
    }

    /// Waits until there is room for `flows`, at most [`BATCH_FLOWS_MAX`].
    pub async fn take(&self, flows: usize) -> Place {
        let flows = flows.min(BATCH_FLOWS_MAX) as u32;
        Place(Arc::clone(&self.0).acquire_many_owned(flows).await.ok())
    }
}

impl Place {
    /// Once it is known that there are no more than `flows`, the rest is for others.
    pub fn keep(&mut self, flows: usize) {
        if let Self(Some(taken)) = self {
            drop(taken.split(taken.num_permits().saturating_sub(flows)));
        }
    }
}

/// The most flow tuples that a batch can hold, before it is decoded: each has a byte of its own among the spans (`flags`),
/// and decoding refuses more bytes than are announced.
pub fn flows_max(batch: &v1::Batch) -> usize {
    usize::try_from(batch.spans_bytes).map_or(BATCH_FLOWS_MAX, |bytes| bytes.min(BATCH_FLOWS_MAX))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_comes_later_waits_until_it_is_known_how_much_came_before() {
        let room = Room::new(BATCH_FLOWS_MAX + 10);
        let mut first = room.take(usize::MAX).await;
        assert!(room.take(11).now_or_never().is_none());
        first.keep(BATCH_FLOWS_MAX - 1);
        let second = room.take(11).now_or_never();
        assert!(second.is_some());
        assert!(room.take(1).now_or_never().is_none());
        drop((first, second));
        let all = room.take(BATCH_FLOWS_MAX).now_or_never();
        assert!(all.is_some());
    }

    #[tokio::test]
    async fn more_than_was_taken_is_not_kept() {
        let room = Room::new(0);
        let mut place = room.take(5).await;
        place.keep(9);
        assert!(room.take(BATCH_FLOWS_MAX - 5).now_or_never().is_some());
        assert!(room.take(BATCH_FLOWS_MAX - 4).now_or_never().is_none());
    }

    #[test]
    fn a_batch_holds_no_more_flows_than_bytes_nor_than_it_may() {
        let of = |spans_bytes| {
            flows_max(&v1::Batch {
                spans_bytes,
                ..v1::Batch::default()
            })
        };
        assert_eq!((of(0), of(700), of(u32::MAX)), (0, 700, BATCH_FLOWS_MAX));
    }
}
