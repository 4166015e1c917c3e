//! What was seen of each case on each day: ten days of infection are one case and ten rows.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use clickhouse::Row;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::alert::Alert;
use crate::cases::{line, told};
use crate::ledger::{millis, sensor};
use crate::origin::PartnerId;
use crate::question::sql;
use crate::steps::{parse, texts};
use crate::store::{Store, StoreError};

/// Ids asked about in one question.
const IDS_MAX: usize = 1_000;
const DAY_MS: u64 = 86_400_000;

/// What was seen of one case on one day of UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which case.
    pub case: Uuid,
    /// Which day, counted from 1970-01-01.
    pub day: u64,
    /// Whose case; empty where the centre's alone.
    pub partner: String,
    /// Packets of that day.
    pub packets: u64,
    /// Distinct targets of the event, as far as known that day.
    pub targets: u64,
    /// First packet of that day.
    pub first: Millis,
    /// Last packet of that day.
    pub last: Millis,
    /// Sensors that saw it that day.
    pub sensors: BTreeSet<SensorId>,
}

impl Observation {
    /// The day of an instant.
    pub fn day_of(at: Millis) -> u64 {
        at.0 / DAY_MS
    }

    /// The day's first instant.
    pub fn start(&self) -> Millis {
        Millis(self.day * DAY_MS)
    }
}

/// What was seen of a case on a day, and the case as it stood when that day ended.
///
/// It stays what it is once the day is over, but for packets that come late and for what the
/// centre takes back. Before, it has neither counts nor an end, which would grow: read again and
/// again, they would say which packets met a telescope (see [`crate::changes`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// What was seen.
    pub observation: Observation,
    /// Of what; its state is `withdrawn` where the centre took it back.
    pub alert: Alert,
    /// When the sighting last changed: its last packet, or when the case became known or was
    /// taken back, whichever is latest; of a day that is not over its first packet counts.
    pub changed: Millis,
}

impl Store {
    /// What was seen of one partner's cases on a day, which is over before `today`, in the order of
    /// first packets: the partner is part of the question.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sightings_of(
        &self,
        partner: &PartnerId,
        day: u64,
        today: u64,
        limit: u32,
    ) -> Result<Vec<Sighting>, StoreError> {
        let rows = self
            .ask(sql!("sightings"))
            .param("partner", partner.as_str())
            .param("day", day)
            .param("end", Millis((day + 1) * DAY_MS).to_string())
            .param("over", u8::from(day < today))
            .param("limit", limit)
            .fetch_all::<SightingRow>()
            .await?;
        rows.into_iter().map(Sighting::try_from).collect()
    }

    /// Days of `days` on which something was seen of one partner's cases, in order, and when each
    /// last changed; those before `today` are over.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sighting_days_of(
        &self,
        partner: &PartnerId,
        days: RangeInclusive<u64>,
        today: u64,
    ) -> Result<Vec<(u64, Millis)>, StoreError> {
        let rows = self
            .ask(sql!("sighting_days"))
            .param("partner", partner.as_str())
            .param("from", days.start())
            .param("to", days.end())
            .param("today", today)
            .fetch_all::<(u64, i64)>()
            .await?;
        let days = rows.into_iter().map(|(day, at)| (day, millis(at)));
        Ok(days.collect())
    }

    /// Keeps observations; of two for one case and day the one with more packets stays.
    pub async fn observe(&self, observations: &[Observation]) -> Result<(), StoreError> {
        if observations.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::new();
        for one in observations {
            let sensors: Vec<&str> = one.sensors.iter().map(SensorId::as_str).collect();
            let start = one.start().to_string();
            let row = json!({
                "id": one.case,
                "day": &start[..10],
                "partner": one.partner,
                "packets": one.packets,
                "targets": one.targets,
                "first": one.first.to_string(),
                "last": one.last.to_string(),
                "sensors": sensors,
            });
            line(&mut rows, &row);
        }
        self.insert_lines("observations", rows).await
    }

    /// What was seen of these cases, by case and day.
    pub async fn observations(&self, cases: &[Uuid]) -> Result<Vec<Observation>, StoreError> {
        let mut observations = Vec::new();
        for some in cases.chunks(IDS_MAX) {
            let rows = self
                .ask(sql!("observations"))
                .param("ids", texts(some))
                .fetch_all::<ObservationRow>()
                .await?;
            for row in rows {
                observations.push(Observation::try_from(row)?);
            }
        }
        Ok(observations)
    }
}

/// A row of `observations`.
#[derive(Row, Deserialize)]
struct ObservationRow {
    id: String,
    day: u64,
    partner: String,
    packets: u64,
    targets: u64,
    first_ms: i64,
    last_ms: i64,
    sensors: Vec<String>,
}

/// A row of `observations` with its case.
#[derive(Row, Deserialize)]
struct SightingRow {
    id: String,
    day: u64,
    partner: String,
    packets: u64,
    targets: u64,
    first_ms: i64,
    last_ms: i64,
    sensors: Vec<String>,
    body: String,
    withdrawn: u8,
    changed_ms: i64,
}

impl TryFrom<SightingRow> for Sighting {
    type Error = StoreError;

    fn try_from(row: SightingRow) -> Result<Self, StoreError> {
        let alert = told((0, row.withdrawn, row.body))?.alert;
        let observation = Observation::try_from(ObservationRow {
            id: row.id,
            day: row.day,
            partner: row.partner,
            packets: row.packets,
            targets: row.targets,
            first_ms: row.first_ms,
            last_ms: row.last_ms,
            sensors: row.sensors,
        })?;
        Ok(Self {
            changed: millis(row.changed_ms).max(observation.last),
            alert,
            observation,
        })
    }
}

impl TryFrom<ObservationRow> for Observation {
    type Error = StoreError;

    fn try_from(row: ObservationRow) -> Result<Self, StoreError> {
        Ok(Self {
            case: parse(&row.id)?,
            day: row.day,
            partner: row.partner,
            packets: row.packets,
            targets: row.targets,
            first: millis(row.first_ms),
            last: millis(row.last_ms),
            sensors: row
                .sensors
                .iter()
                .map(|name| sensor(name))
                .collect::<Result<_, _>>()?,
        })
    }
}
