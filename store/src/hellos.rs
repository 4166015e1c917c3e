//! What sensors said of themselves when they came last: their word, and nothing rests on it.

use std::collections::BTreeMap;

use noroshi_proto::hello::Hello;
use noroshi_proto::time::Millis;
use serde_json::json;

use crate::cases::line;
use crate::ledger::millis;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// Sensors that are told of.
const SENSORS_MAX: u32 = 10_000;

/// What a sensor said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// When, by the collector's clock.
    pub at: Millis,
    /// The version of its software.
    pub version: String,
    /// Milliseconds by which its clock was ahead; below zero, behind.
    pub clock_ahead: i64,
}

impl Store {
    /// Keeps what a sensor said at `at`, in place of what it said before.
    ///
    /// # Errors
    /// When the store does not answer, here as below.
    pub async fn note_hello(&self, hello: &Hello, at: Millis) -> Result<(), StoreError> {
        let ahead = i128::from(hello.clock.0) - i128::from(at.0);
        let mut row = Vec::new();
        let columns = json!({
            "sensor": hello.sensor.as_str(),
            "at": at.to_string(),
            "epoch": hello.epoch.0,
            "version": hello.software_version,
            "clock_ahead": i64::try_from(ahead).unwrap_or(i64::MAX),
        });
        line(&mut row, &columns);
        self.insert_lines("sensor_hellos", row).await
    }

    /// What each sensor said last, by its name.
    pub async fn hellos(&self) -> Result<BTreeMap<String, Said>, StoreError> {
        let rows = self
            .ask(sql!("hellos"))
            .param("limit", SENSORS_MAX)
            .fetch_all::<(String, i64, String, i64)>()
            .await?;
        let said = |(sensor, at, version, clock_ahead)| {
            let at = millis(at);
            let said = Said {
                at,
                version,
                clock_ahead,
            };
            (sensor, said)
        };
        Ok(rows.into_iter().map(said).collect())
    }
}
