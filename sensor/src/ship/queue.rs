//! The spool, between those who push and the one who ships.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use noroshi_proto::v1;
use noroshi_proto::wire::{Malformed, batch::report_also};
use prost::Message;
use tokio::sync::{Notify, watch};

use crate::spool::{Parcel, Spool, SpoolError};
use noroshi_proto::id::Epoch;
use noroshi_proto::time::Millis;

/// A spool that is pushed to and shipped from at the same time.
#[derive(Debug)]
pub struct Queue {
    inner: Mutex<Inner>,
    /// Something was pushed.
    pushed: Notify,
    /// Something went.
    room: Condvar,
    /// Whether anything pushed here was acknowledged.
    reported: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    spool: Spool,
    /// Packets of this epoch pushed so far.
    packets: u64,
    /// Nobody ships any more.
    is_abandoned: bool,
}

impl Queue {
    /// Around an open spool.
    pub fn new(spool: Spool) -> Self {
        let inner = Inner {
            spool,
            packets: 0,
            is_abandoned: false,
        };
        Self {
            inner: Mutex::new(inner),
            pushed: Notify::new(),
            room: Condvar::new(),
            reported: watch::Sender::new(false),
        }
    }

    /// Keeps batches as the summariser made them, in order; each reports also what the spool
    /// has lost.
    ///
    /// # Errors
    /// The spool does not take them.
    pub fn push(&self, batches: &[v1::Batch], now: Millis) -> Result<(), SpoolError> {
        if batches.is_empty() {
            return Ok(());
        }
        let mut inner = self.lock();
        let before = inner.packets;
        inner.spool.push(now.seconds(), |lost| {
            let mut packets = before;
            let reporting = *lost != Default::default();
            let parcels = batches.iter().map(|batch| {
                let through = batch
                    .counters
                    .as_ref()
                    .map_or(packets, |counters| counters.packets);
                let own = through.saturating_sub(packets);
                packets = through;
                let bytes = if reporting {
                    with_losses(batch, lost)
                } else {
                    Ok(encoded(batch))
                };
                Parcel {
                    epoch: Epoch(batch.epoch),
                    sequence: batch.sequence,
                    packets: own,
                    // The summariser's counters are sound; were they not, the collector says so.
                    bytes: bytes.unwrap_or_else(|_| encoded(batch)),
                }
            });
            parcels.collect()
        })?;
        let last = batches.last().and_then(|batch| batch.counters.as_ref());
        inner.packets = last.map_or(before, |counters| counters.packets);
        drop(inner);
        self.pushed.notify_one();
        Ok(())
    }

    /// What is pushed from now on is of `epoch`, and the spool takes up to `bytes_max` bytes.
    ///
    /// # Errors
    /// The spool does not take note of it.
    pub fn begin(&self, epoch: Epoch, bytes_max: u64, now: Millis) -> Result<(), SpoolError> {
        let mut inner = self.lock();
        inner.packets = 0;
        inner.spool.begin(epoch, bytes_max, now.seconds())
    }

    /// Waits until the spool takes less than `bytes`, or nobody ships any more.
    pub fn wait_for_room(&self, bytes: u64) {
        const LOOK_AGAIN: Duration = Duration::from_millis(100);
        let mut inner = self.lock();
        while inner.spool.bytes() > bytes && !inner.is_abandoned {
            let waited = self.room.wait_timeout(inner, LOOK_AGAIN);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The collector has a batch.
    ///
    /// # Errors
    /// The spool does not take note of it.
    pub fn acknowledge(&self, position: u64, now: Millis) -> Result<(), SpoolError> {
        self.with_spool(|spool| spool.acknowledge(position, now.seconds()))?;
        self.reported.send_replace(true);
        Ok(())
    }

    /// Resolves when the collector has acknowledged something since this process began.
    pub async fn reported(&self) {
        let mut reported = self.reported.subscribe();
        let _ = reported.wait_for(|reported| *reported).await; // its sender is here
    }

    /// Does something to the spool.
    pub fn with_spool<T>(&self, action: impl FnOnce(&mut Spool) -> T) -> T {
        let done = action(&mut self.lock().spool);
        self.room.notify_all();
        done
    }

    /// Resolves when something was pushed since it resolved last.
    pub async fn pushed(&self) {
        self.pushed.notified().await;
    }

    /// Nobody ships any more: those who wait for room need not.
    pub fn abandon(&self) {
        self.lock().is_abandoned = true;
        self.room.notify_all();
    }

    /// Whether nobody ships any more.
    pub fn is_abandoned(&self) -> bool {
        self.lock().is_abandoned
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves the spool as a crash would: it is made to survive that.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encoded(batch: &v1::Batch) -> Vec<u8> {
    batch.encode_to_vec()
}

fn with_losses(
    batch: &v1::Batch,
    lost: &noroshi_proto::loss::Counters,
) -> Result<Vec<u8>, Malformed> {
    let mut batch = batch.clone();
    report_also(&mut batch, lost)?;
    Ok(encoded(&batch))
}
