//! Who read what: one row for each answer, kept by the store.
//!
//! Rows are gathered for a moment and written together. Where the store is slow, answers wait for
//! their row to be taken: none is given without.

use std::time::Duration;

use noroshi_store::positions::Access;
use noroshi_store::store::Store;
use tokio::sync::mpsc;

/// Rows that wait to be written.
const ROWS_MAX: usize = 10_000;
/// Rows written together.
const TOGETHER_MAX: usize = 1_000;
/// How long the first row of a group waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// Between attempts while the store does not take them.
const AGAIN: Duration = Duration::from_secs(5);
/// Attempts after the end, so that ending does not wait for a store that is gone.
const LAST_ATTEMPTS: u32 = 2;

/// Where readers' steps are written down.
#[derive(Clone)]
pub struct Audit(mpsc::Sender<Access>);

impl Audit {
    /// The log, and the rows as they come.
    pub fn new() -> (Self, mpsc::Receiver<Access>) {
        let (rows, taken) = mpsc::channel(ROWS_MAX);
        (Self(rows), taken)
    }

    /// Notes one step; waits while too many are to be written.
    pub async fn note(&self, access: Access) {
        if self.0.send(access).await.is_err() {
            tracing::error!("an access could not be noted: the audit has ended");
        }
    }
}

/// Writes rows until every [`Audit`] is dropped.
pub async fn write(store: Store, mut rows: mpsc::Receiver<Access>) {
    let mut group = Vec::new();
    while let Some(first) = rows.recv().await {
        group.push(first);
        let gathering = tokio::time::sleep(GATHER);
        tokio::pin!(gathering);
        while group.len() < TOGETHER_MAX {
            tokio::select! {
                row = rows.recv() => match row {
                    Some(row) => group.push(row),
                    None => break,
                },
                () = &mut gathering => break,
            }
        }
        keep(&store, &group, &rows).await;
        group.clear();
    }
}

async fn keep(store: &Store, group: &[Access], rows: &mpsc::Receiver<Access>) {
    let mut last = 0;
    while let Err(error) = store.note_accesses(group).await {
        tracing::warn!(%error, rows = group.len(), "accesses wait to be noted");
        if rows.is_closed() {
            last += 1;
            if last == LAST_ATTEMPTS {
                tracing::error!(rows = group.len(), "accesses were not noted");
                return;
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}
