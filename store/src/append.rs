//! Batches on their way into the store, in groups.
//!
//! # Promises
//! - [`Store::append`] returns once raw rows, minute rollup and ledger have the batch, fsynced.
//! - Keeping a batch twice, at any distance in time and in any company, changes nothing.
//! - Whatever the engine or this program was doing when it was killed, sending the batch again
//!   puts it right.
//!
//! # How
//! One insert makes one part per table; a part per batch would drown the merges of a region of a
//! thousand sensors. So batches wait a moment for company and are written as one block. Each batch
//! is looked for before it is written:
//!
//! | ledger | raw rows | minute rollup | what happened before                 | what is written now |
//! |--------|----------|---------------|--------------------------------------|---------------------|
//! | yes    |          |               | kept, the acknowledgement was lost    | nothing             |
//! | no     | no       |               | nothing                               | all three           |
//! | no     | yes      | yes           | killed between rollup and ledger      | ledger              |
//! | no     | yes      | no            | killed between raw rows and rollup    | rollup, ledger      |
//!
//! A batch lies in one partition and one block, so raw rows have all of it or nothing; the view's
//! part likewise, and it names the batches it holds.
//!
//! Deduplication tokens name attempts, not batches: they only catch an insert that is tried again
//! while the engine still works on the first. A token of a batch would be remembered when its rows
//! are not (deleted, or lost with a disk), and swallow them when they are sent again.

mod flow_rows;
mod held;
mod ledger_rows;
mod queue;

use std::sync::Arc;

use clickhouse::Client;
use hyper::body::Bytes;
use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::id::BatchId;
use tokio::task::spawn_blocking;
use tracing::{Instrument as _, trace_span};

pub(crate) use queue::Writer;

use crate::origin::Origin;
use crate::question::{answered, inserted};
use crate::store::{Store, StoreError};

/// A batch the collector let in.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// What the sensor sent.
    pub batch: Batch,
    /// The checksum it came with: the same id with another one is a conflict.
    pub checksum: u64,
    /// Where each flow's source is, in the order of [`Batch::flows`].
    pub origins: Vec<Arc<Origin>>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is in the store now.
    New,
    /// It was there already.
    Already,
}

impl Store {
    /// Keeps a batch. Keeping the same [`BatchId`] twice changes nothing.
    ///
    /// Waits for the next group (some 150 ms at most while others write, else at once) and for the
    /// disk. Meant to be called for many batches at a time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the id was kept with another checksum,
    /// [`StoreError::Unstorable`] where no row can hold it, else [`StoreError::Unavailable`]: keep
    /// the batch and try again, even where it may have been written.
    pub async fn append(&self, admitted: Admitted) -> Result<Kept, StoreError> {
        storable(&admitted)?;
        let appended = self.writer().append(admitted);
        appended.instrument(trace_span!("append")).await
    }
}

impl Admitted {
    fn id(&self) -> &BatchId {
        &self.batch.id
    }

    fn flows(&self) -> usize {
        self.origins.len()
    }
}

/// The last second the store's times of 32 bits can name (7 February 2106).
const LAST_SECOND: u64 = u32::MAX as u64;

/// Whether rows can hold this batch at all.
fn storable(admitted: &Admitted) -> Result<(), StoreError> {
    let batch = &admitted.batch;
    let flows = batch.flows().count();
    if flows != admitted.origins.len() {
        return Err(StoreError::Unstorable(format!(
            "batch {} has {flows} flows and {} origins",
            batch.id,
            admitted.origins.len()
        )));
    }
    let mut days = batch.flows().map(|(interval, _)| interval.day());
    let first = days.next();
    if days.any(|day| Some(day) != first) {
        return Err(StoreError::Unstorable(format!(
            "batch {} has flows of two days",
            batch.id
        )));
    }
    let length = u64::from(batch.interval_length.seconds());
    let end = batch.spans.last().map_or(0, |span| match span {
        Span::Silent { first, intervals } => first
            .start()
            .saturating_add(intervals.saturating_mul(length)),
        Span::Active { interval, .. } => interval.start().saturating_add(length),
    });
    if end > LAST_SECOND || batch.complete_through > LAST_SECOND {
        return Err(StoreError::Unstorable(format!(
            "batch {} lies after 2106",
            batch.id
        )));
    }
    Ok(())
}

/// Writes a group, each batch exactly once, whatever happened to it before.
///
/// Gives what became of each batch, in order.
///
/// `token` is the same when the same group is tried again, and never otherwise.
async fn commit(
    client: &Client,
    group: &[Arc<Admitted>],
    token: &str,
) -> Result<Vec<Result<Kept, StoreError>>, StoreError> {
    let held = held::look_for(client, group).await?;
    let mut outcomes = Vec::with_capacity(group.len());
    let mut unwritten = Vec::new();
    let mut unrolled = Vec::new();
    let mut unledgered = Vec::new();
    for admitted in group {
        let place = held.get(admitted.id()).copied().unwrap_or_default();
        outcomes.push(match place.ledger {
            Some(checksum) if checksum == admitted.checksum => Ok(Kept::Already),
            Some(_) => Err(StoreError::Conflict(admitted.id().clone())),
            None => Ok(Kept::New),
        });
        if place.ledger.is_some() {
            continue;
        }
        unledgered.push(Arc::clone(admitted));
        match (admitted.flows(), place.raw) {
            (0, _) => (),
            (_, false) => unwritten.push(Arc::clone(admitted)),
            (_, true) => unrolled.push(Arc::clone(admitted)),
        }
    }
    if !unrolled.is_empty() {
        held::roll_up(client, &unrolled, token).await?;
    }
    insert(
        client,
        token,
        "flow_tuples",
        lay_out(unwritten, flow_rows::block).await?,
    )
    .await?;
    insert(
        client,
        token,
        "batch_ledger",
        lay_out(unledgered, ledger_rows::block).await?,
    )
    .await?;
    Ok(outcomes)
}

/// Rows of batches, made where it holds up nobody; `None` where there is no batch.
async fn lay_out(
    batches: Vec<Arc<Admitted>>,
    block: fn(&[Arc<Admitted>]) -> [Vec<u8>; 2],
) -> Result<Option<[Vec<u8>; 2]>, StoreError> {
    if batches.is_empty() {
        return Ok(None);
    }
    let pieces = spawn_blocking(move || block(&batches)).await;
    pieces.map(Some).map_err(|_| StoreError::Closed)
}

/// One block of one insert: one part for the table and one for its view.
async fn insert(
    client: &Client,
    token: &str,
    table: &'static str,
    block: Option<[Vec<u8>; 2]>,
) -> Result<(), StoreError> {
    let Some(pieces) = block else {
        return Ok(());
    };
    let mut insert = client
        .insert_formatted_with(format!("INSERT INTO {table} FORMAT Native"))
        .with_setting("async_insert", "0")
        .with_setting("insert_deduplication_token", token)
        // One block, one part: neither parser nor aggregation may split it.
        .with_setting("max_insert_block_size", BLOCK_ROWS)
        .with_setting("group_by_two_level_threshold", "0")
        .with_setting("group_by_two_level_threshold_bytes", "0")
        .with_setting("max_block_size", BLOCK_ROWS)
        // The view's groups are distinct already: merging them again costs a third of the insert.
        .with_setting("optimize_on_insert", "0")
        .with_setting("max_partitions_per_insert_block", "0")
        .with_setting("distributed_foreground_insert", "1")
        .with_setting(
            "max_execution_time",
            queue::INSERT_TIMEOUT.as_secs().to_string(),
        )
        .with_timeouts(Some(queue::INSERT_TIMEOUT), Some(queue::INSERT_TIMEOUT));
    let sent = async {
        for piece in pieces {
            insert.send(Bytes::from(piece)).await?;
        }
        insert.end().await
    };
    answered(inserted(table), sent).await
}

/// More rows than any group has.
const BLOCK_ROWS: &str = "1048449";
