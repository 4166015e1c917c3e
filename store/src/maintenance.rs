//! When sensors are worked on: their silence raises no alert then, and proves nothing.

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use serde_json::json;
use uuid::Uuid;

use crate::cases::line;
use crate::ledger::{millis, sensor};
use crate::question::sql;
use crate::steps::parse;
use crate::store::{Store, StoreError};

/// One sensor's maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// Its own id: recording it again replaces it.
    pub id: Uuid,
    /// Which sensor.
    pub sensor: SensorId,
    /// First instant.
    pub from: Millis,
    /// First instant after it.
    pub until: Millis,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Maintenance {
    /// Whether it is under way at `at`.
    pub fn holds(&self, at: Millis) -> bool {
        self.from <= at && at < self.until
    }
}

impl Store {
    /// Records a sensor's maintenance. Recording it again changes nothing.
    pub async fn record_maintenance(&self, maintenance: &Maintenance) -> Result<(), StoreError> {
        let mut row = Vec::new();
        let columns = json!({
            "id": maintenance.id,
            "sensor": maintenance.sensor.as_str(),
            "from": maintenance.from.to_string(),
            "until": maintenance.until.to_string(),
            "by": maintenance.by,
            "reason": maintenance.reason,
        });
        line(&mut row, &columns);
        self.insert_lines("maintenance", row).await
    }

    /// Maintenance that was not over at `since`, by sensor and time.
    pub async fn maintenance(&self, since: Millis) -> Result<Vec<Maintenance>, StoreError> {
        let rows = self
            .ask(sql!("maintenance"))
            .param("since", since.0)
            .fetch_all::<(String, String, i64, i64, String, String)>()
            .await?;
        let one =
            |(id, name, from, until, by, reason): (String, String, i64, i64, String, String)| {
                Ok(Maintenance {
                    id: parse(&id)?,
                    sensor: sensor(&name)?,
                    from: millis(from),
                    until: millis(until),
                    by,
                    reason,
                })
            };
        rows.into_iter().map(one).collect()
    }
}
