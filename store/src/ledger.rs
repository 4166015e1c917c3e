//! What the ledger says: which batches are in the store, and who watched when.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::time::Duration;

use clickhouse::{Client, Row};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::sample::TargetBits;
use noroshi_proto::time::{IntervalLength, Millis};
use serde::Deserialize;
use tokio::time::Instant;

use crate::question::{ask, sql};
use crate::store::{Store, StoreError};

/// Consecutive batches of one epoch that the store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Of which run of the sensor's process.
    pub epoch: Epoch,
    /// The first sequence number.
    pub first: u64,
    /// The last one, itself included.
    pub last: u64,
}

/// A batch that came to be in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which.
    pub id: BatchId,
    /// What its sensor watched, silence included: first second and end of each stretch, ascending.
    pub spans: Vec<Range<u64>>,
    /// How long its intervals last.
    pub interval_length: IntervalLength,
    /// Dark IPv4 addresses watched.
    pub addresses: u64,
    /// How targets are masked.
    pub target_bits: TargetBits,
    /// Every interval of the sensor that ended at or before this second is complete.
    pub complete_through: u64,
    /// Its flow tuples.
    pub flows: u64,
    /// Its packets.
    pub packets: u64,
    /// When the store had it, in wall time.
    pub kept_at: Millis,
}

/// How far one sensor has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// Which.
    pub sensor: SensorId,
    /// Every interval that ended at or before this second is complete.
    pub complete_through: u64,
    /// When its last batch was kept, in wall time.
    pub kept_at: Millis,
    /// Dark IPv4 addresses it watched last.
    pub addresses: u64,
}

/// A stretch of time that one sensor watched, whether anything arrived or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Who watched.
    pub sensor: SensorId,
    /// Its first second.
    pub first: u64,
    /// The second after its last.
    pub end: u64,
    /// Dark IPv4 addresses watched.
    pub addresses: u64,
    /// How targets are masked.
    pub target_bits: TargetBits,
}

/// How far a reader of arrivals has come.
#[derive(Clone, Debug)]
pub struct ArrivalCursor {
    floor: u64,
    recent: HashMap<BatchId, u64>,
}

/// How long after its time stamp a ledger row may become visible: longer than an insert may hang.
const VISIBLE_WITHIN_MS: u64 = 120_000;
/// Wall time read at once when a reader catches up.
const CATCH_UP_MS: u64 = 600_000;

/// Between two looks whether inserts have ended.
const SETTLE_PAUSE: Duration = Duration::from_millis(20);
/// The longest an insert is waited for: as long as one may take.
const SETTLE_SECONDS: f64 = 60.0;

impl ArrivalCursor {
    /// Begins with what is kept from `wall` on.
    pub fn since(wall: Millis) -> Self {
        Self {
            floor: wall.0,
            recent: HashMap::new(),
        }
    }
}

impl Store {
    /// Which batches of a sensor the store has, by epoch and sequence.
    ///
    /// Waits for inserts that are under way, so that a stream that takes over from another
    /// collector, or from one that was killed, sees what that one still brought.
    pub async fn held(&self, sensor: &SensorId) -> Result<Vec<Held>, StoreError> {
        self.settle().await?;
        let runs = self
            .ask(sql!("held_runs"))
            .param("sensor", sensor.as_str())
            .fetch_all::<(u64, u64, u64)>()
            .await?;
        let held = |(epoch, first, last)| Held {
            epoch: Epoch(epoch),
            first,
            last,
        };
        Ok(runs.into_iter().map(held).collect())
    }

    /// The checksum a batch was kept with; `None` where the store does not have it.
    pub async fn lookup(&self, id: &BatchId) -> Result<Option<u64>, StoreError> {
        let checksum = self
            .ask(sql!("batch_checksum"))
            .param("sensor", id.sensor.as_str())
            .param("epoch", id.epoch.0)
            .param("sequence", id.sequence)
            .fetch_optional::<u64>()
            .await?;
        Ok(checksum)
    }

    /// How far each sensor has come, of those with a batch about `since` (seconds since 1970) or later.
    pub async fn watermarks(&self, since: u64) -> Result<Vec<Watermark>, StoreError> {
        let rows = self
            .ask(sql!("watermarks"))
            .param("since", since / 60 * 60)
            .fetch_all::<(String, u64, i64, u64)>()
            .await?;
        let watermark = |(name, complete_through, kept_at, addresses): (String, u64, i64, u64)| {
            Ok(Watermark {
                sensor: sensor(&name)?,
                complete_through,
                kept_at: millis(kept_at),
                addresses,
            })
        };
        rows.into_iter().map(watermark).collect()
    }

    /// Batches that became visible since this cursor was last used; each comes once per cursor.
    ///
    /// At most ten minutes' worth at a time: call again until nothing comes.
    pub async fn arrivals(&self, cursor: &mut ArrivalCursor) -> Result<Vec<Arrival>, StoreError> {
        loop {
            let now = self.wall_time().await?.0;
            let until = cursor.floor.saturating_add(CATCH_UP_MS);
            let from = cursor.floor.saturating_sub(VISIBLE_WITHIN_MS);
            let rows = self
                .ask(sql!("arrivals"))
                .param("from", from)
                .param("until", until)
                .fetch_all::<LedgerRow>()
                .await?;
            let mut arrivals = Vec::new();
            for row in rows {
                let arrival = Arrival::try_from(row)?;
                let new = cursor
                    .recent
                    .insert(arrival.id.clone(), arrival.kept_at.0)
                    .is_none();
                if new {
                    arrivals.push(arrival);
                }
            }
            let caught_up = until >= now;
            cursor.floor = if caught_up {
                cursor.floor.max(now)
            } else {
                until
            };
            let oldest = cursor.floor.saturating_sub(VISIBLE_WITHIN_MS);
            cursor.recent.retain(|_, kept_at| *kept_at >= oldest);
            if caught_up || !arrivals.is_empty() {
                return Ok(arrivals);
            }
        }
    }

    /// Who watched when between two seconds, silence included, by sensor and time.
    pub async fn coverage(&self, range: Range<u64>) -> Result<Vec<Coverage>, StoreError> {
        Ok(coverage(&between(self.client(), range).await?))
    }

    /// What these sensors watched between two seconds, in addresses × seconds.
    pub async fn exposure(
        &self,
        sensors: &BTreeSet<SensorId>,
        range: Range<u64>,
    ) -> Result<f64, StoreError> {
        if sensors.is_empty() || range.is_empty() {
            return Ok(0.0);
        }
        let names: Vec<&str> = sensors.iter().map(SensorId::as_str).collect();
        let exposure = self
            .ask(sql!("exposure"))
            .param("sensors", names)
            .param("start", range.start)
            .param("end", range.end);
        exposure.fetch_one::<f64>().await
    }

    /// First second and end of everything watched; `None` for an empty store.
    pub async fn span(&self) -> Result<Option<Range<u64>>, StoreError> {
        let (first, end, batches) = self
            .ask(sql!("watched_span"))
            .fetch_one::<(u64, u64, u64)>()
            .await?;
        Ok((batches > 0).then_some(first..end))
    }

    /// Waits until every insert has ended that was under way when this was called.
    async fn settle(&self) -> Result<(), StoreError> {
        let called = Instant::now();
        loop {
            let seconds = called.elapsed().as_secs_f64();
            let older = self
                .ask(sql!("older_inserts"))
                .param("seconds", seconds)
                .fetch_one::<u64>()
                .await?;
            if older == 0 || seconds > SETTLE_SECONDS {
                return Ok(());
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }

    /// The store's wall clock.
    pub async fn wall_time(&self) -> Result<Millis, StoreError> {
        let now = self.ask(sql!("wall_time"));
        Ok(millis(now.fetch_one::<i64>().await?))
    }
}

/// Every batch that watched anything in `range`, by sensor and time.
pub(crate) async fn between(
    client: &Client,
    range: Range<u64>,
) -> Result<Vec<Arrival>, StoreError> {
    let rows = ask(client, sql!("batches_between"))
        .param("start", range.start)
        .param("end", range.end)
        .fetch_all::<LedgerRow>()
        .await?;
    rows.into_iter().map(Arrival::try_from).collect()
}

/// How many flow tuples there are in `range`.
pub(crate) async fn flows_between(client: &Client, range: Range<u64>) -> Result<u64, StoreError> {
    let flows = ask(client, sql!("flows_between"))
        .param("start", range.start)
        .param("end", range.end);
    flows.fetch_one::<u64>().await
}

/// The stretches these batches watched, joined where they touch, by sensor and time.
pub(crate) fn coverage(arrivals: &[Arrival]) -> Vec<Coverage> {
    let mut stretches: Vec<Coverage> = arrivals
        .iter()
        .flat_map(|arrival| {
            arrival.spans.iter().map(|span| Coverage {
                sensor: arrival.id.sensor.clone(),
                first: span.start,
                end: span.end,
                addresses: arrival.addresses,
                target_bits: arrival.target_bits,
            })
        })
        .collect();
    stretches.sort_by(|a, b| (&a.sensor, a.first).cmp(&(&b.sensor, b.first)));
    stretches.dedup_by(|next, last| {
        let same = next.sensor == last.sensor
            && next.addresses == last.addresses
            && next.target_bits == last.target_bits;
        let joins = same && next.first <= last.end;
        if joins {
            last.end = last.end.max(next.end);
        }
        joins
    });
    stretches
}

/// A row of `batch_ledger`.
#[derive(Row, Deserialize)]
struct LedgerRow {
    sensor: String,
    epoch: u64,
    sequence: u64,
    kept_at: i64,
    interval_seconds: u8,
    span_first: Vec<u32>,
    span_end: Vec<u32>,
    complete_through: u32,
    telescope_addresses: u64,
    target_bits: u8,
    flows: u64,
    packets: u64,
}

impl TryFrom<LedgerRow> for Arrival {
    type Error = StoreError;

    fn try_from(row: LedgerRow) -> Result<Self, StoreError> {
        let spans = row.span_first.iter().zip(&row.span_end);
        Ok(Self {
            id: BatchId {
                sensor: sensor(&row.sensor)?,
                epoch: Epoch(row.epoch),
                sequence: row.sequence,
            },
            spans: spans
                .map(|(first, end)| u64::from(*first)..u64::from(*end))
                .collect(),
            interval_length: IntervalLength::new(row.interval_seconds.into()).ok_or_else(|| {
                StoreError::Spoiled(format!("an interval of {} s", row.interval_seconds))
            })?,
            addresses: row.telescope_addresses,
            target_bits: TargetBits::from_wire(row.target_bits.into()).ok_or_else(|| {
                StoreError::Spoiled(format!("targets of {} bits", row.target_bits))
            })?,
            complete_through: row.complete_through.into(),
            flows: row.flows,
            packets: row.packets,
            kept_at: millis(row.kept_at),
        })
    }
}

pub(crate) fn sensor(name: &str) -> Result<SensorId, StoreError> {
    SensorId::new(name).ok_or_else(|| StoreError::Spoiled(format!("sensor {name:?}")))
}

/// The store's times are never before 1970.
pub(crate) fn millis(value: i64) -> Millis {
    Millis(value.unsigned_abs())
}
