//! Where a batch stands already, and the repair of a rollup that a crash left behind.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clickhouse::{Client, Row};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use serde::Deserialize;

use super::Admitted;
use crate::question::{ask, sql};
use crate::store::StoreError;

/// Where the store has a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Its checksum, where the ledger has it.
    pub(super) ledger: Option<u64>,
    /// Whether its rows are there.
    pub(super) raw: bool,
}

#[derive(Row, Deserialize)]
struct Found {
    sensor: String,
    epoch: u64,
    sequence: u64,
    checksum: u64,
    ledger: u8,
}

/// Looks for every batch of a group in the ledger and among the raw rows.
pub(super) async fn look_for(
    client: &Client,
    group: &[Arc<Admitted>],
) -> Result<HashMap<BatchId, Place>, StoreError> {
    let found = ask(client, sql!("held_batches"))
        .param("batches", ids(group))
        .param("places", places(group))
        .fetch_all::<Found>()
        .await?;
    let mut held: HashMap<BatchId, Place> = HashMap::with_capacity(found.len());
    for row in found {
        let sensor = SensorId::new(&row.sensor)
            .ok_or_else(|| StoreError::Spoiled(format!("sensor {:?}", row.sensor)))?;
        let id = BatchId {
            sensor,
            epoch: Epoch(row.epoch),
            sequence: row.sequence,
        };
        let place = held.entry(id).or_default();
        match row.ledger {
            0 => place.raw = true,
            _ => place.ledger = Some(row.checksum),
        }
    }
    Ok(held)
}

/// Adds what the minute rollup lacks of batches whose raw rows are there.
pub(super) async fn roll_up(
    client: &Client,
    batches: &[Arc<Admitted>],
    token: &str,
) -> Result<(), StoreError> {
    let found = ask(client, sql!("rolled_up_batches"))
        .param("batches", ids(batches))
        .param("minutes", minutes(batches))
        .fetch_all::<(String, u64, u64)>()
        .await?;
    let found: HashSet<(String, u64, u64)> = found.into_iter().collect();
    for admitted in batches {
        let id = admitted.id();
        if found.contains(&(id.sensor.to_string(), id.epoch.0, id.sequence)) {
            continue;
        }
        tracing::warn!(batch = %id, "rows without their rollup: a crash came between");
        ask(client, sql!("roll_up_batch"))
            .param("sensor", id.sensor.as_str())
            .param("epoch", id.epoch.0)
            .param("sequence", id.sequence)
            .param("first", first_second(admitted))
            .param("end", last_second(admitted) + 1)
            .with_setting("insert_deduplication_token", format!("{token}/{id}"))
            .with_setting("max_block_size", super::BLOCK_ROWS)
            .with_setting("max_threads", "1")
            .execute()
            .await?;
    }
    Ok(())
}

fn ids(group: &[Arc<Admitted>]) -> Vec<(String, u64, u64)> {
    group
        .iter()
        .map(|admitted| admitted.id())
        .map(|id| (id.sensor.to_string(), id.epoch.0, id.sequence))
        .collect()
}

/// Where the first row of each batch stands, if it stands anywhere.
fn places(group: &[Arc<Admitted>]) -> Vec<(u64, String)> {
    group
        .iter()
        .filter(|admitted| admitted.flows() > 0)
        .map(|admitted| (first_second(admitted), admitted.id().sensor.to_string()))
        .collect()
}

fn minutes(group: &[Arc<Admitted>]) -> Vec<u64> {
    group
        .iter()
        .map(|admitted| first_second(admitted) / 60 * 60)
        .collect()
}

/// The interval of the first flow; 0 where there is none.
fn first_second(admitted: &Admitted) -> u64 {
    admitted
        .batch
        .flows()
        .next()
        .map_or(0, |(interval, _)| interval.start())
}

/// The interval of the last flow; 0 where there is none.
fn last_second(admitted: &Admitted) -> u64 {
    admitted
        .batch
        .flows()
        .last()
        .map_or(0, |(interval, _)| interval.start())
}
