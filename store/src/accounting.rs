//! Is every packet accounted for? The same sums from every table.

use clickhouse::Row;
use noroshi_proto::id::SensorId;
use noroshi_proto::loss::{Loss, Losses};
use serde::Deserialize;

use crate::ledger::sensor;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// What one table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Flow tuples.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
}

/// What one sensor said of itself, over all its epochs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorAccount {
    /// Who.
    pub sensor: SensorId,
    /// Frames captured.
    pub frames: u64,
    /// Packets summarised, kept or not.
    pub packets: u64,
    /// The rest, by reason.
    pub losses: Losses,
    /// What the ledger has of it.
    pub kept: Sum,
}

/// The sums of every table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounting {
    /// Raw rows.
    pub raw: Sum,
    /// Batches in the ledger.
    pub ledger: Sum,
    /// Rollups and what else is made of raw rows, finest first. The coarser ones hold closed
    /// periods only.
    pub rollups: Vec<(String, Sum)>,
    /// What each sensor said.
    pub sensors: Vec<SensorAccount>,
}

impl Accounting {
    /// Whether raw rows, ledger and minute rollup agree, and each sensor's frames are its packets
    /// and losses.
    pub fn balances(&self) -> bool {
        let minute = self.rollups.first().map(|(_, sum)| *sum);
        self.raw == self.ledger
            && Some(self.raw) == minute
            && self
                .sensors
                .iter()
                .all(|account| account.frames == account.packets + account.losses.total())
    }
}

impl Store {
    /// Adds everything up. Reads whole tables: for replays, tests and an operator's doubt.
    pub async fn accounting(&self) -> Result<Accounting, StoreError> {
        let mut sums = self
            .ask(sql!("sums"))
            .fetch_all::<(u8, String, u64, u64)>()
            .await?
            .into_iter()
            .map(|(_, table, flows, packets)| (table, Sum { flows, packets }));
        let mut next = || sums.next().map_or_else(Sum::default, |(_, sum)| sum);
        let (raw, ledger) = (next(), next());
        Ok(Accounting {
            raw,
            ledger,
            rollups: sums.collect(),
            sensors: self.sensor_accounts().await?,
        })
    }

    async fn sensor_accounts(&self) -> Result<Vec<SensorAccount>, StoreError> {
        let rows = self
            .ask(sql!("sensor_accounts"))
            .fetch_all::<AccountRow>()
            .await?;
        rows.into_iter().map(SensorAccount::try_from).collect()
    }
}

#[derive(Row, Deserialize)]
struct AccountRow {
    sensor: String,
    frames: u64,
    said: u64,
    losses: Vec<(String, u64)>,
    kept_flows: u64,
    kept_packets: u64,
}

impl TryFrom<AccountRow> for SensorAccount {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let mut losses = Losses::default();
        for (reason, count) in row.losses {
            let loss = Loss::ALL
                .into_iter()
                .find(|loss| loss.name() == reason)
                .ok_or_else(|| StoreError::Spoiled(format!("loss {reason:?} of {}", row.sensor)))?;
            losses.add(loss, count);
        }
        Ok(Self {
            sensor: sensor(&row.sensor)?,
            frames: row.frames,
            packets: row.said,
            losses,
            kept: Sum {
                flows: row.kept_flows,
                packets: row.kept_packets,
            },
        })
    }
}
