//! What packets that bear one address did: over time, by service, and by sensor, from one reading of raw rows.
//!
//! Whoever asks decides what of it may be shown; no target is read.

use std::net::IpAddr;

use clickhouse::Row;
use noroshi_proto::time::Millis;
use serde::Deserialize;

use crate::figures::Bins;
use crate::ledger::millis;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// Services and classes of one source.
pub const SERVICES_MAX: usize = 20;
/// Sensors of one source.
pub const SENSORS_MAX: usize = 100;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Packets, bin by bin.
    pub line: Vec<u64>,
    /// The most packets first, at most [`SERVICES_MAX`].
    pub services: Vec<Deed>,
    /// The most packets first, at most [`SENSORS_MAX`].
    pub sensors: Vec<SeenBy>,
}

/// What they asked of one service, or answered for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Such as `tcp/23`.
    pub service: String,
    /// The traffic class.
    pub class: String,
    /// Packets.
    pub packets: u64,
    /// Sensors that saw it.
    pub sensors: u64,
    /// First packet.
    pub first: Millis,
    /// Last packet.
    pub last: Millis,
}

/// What one sensor saw of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBy {
    /// Which.
    pub sensor: String,
    /// Packets.
    pub packets: u64,
    /// First packet.
    pub first: Millis,
    /// Last packet.
    pub last: Millis,
}

/// A sum of one of the three kinds; what is not its kind's is empty.
#[derive(Row, Deserialize)]
struct Sum {
    kind: String,
    bin: u64,
    service: String,
    class: String,
    sensor: String,
    packets: u64,
    sensors: u64,
    first: i64,
    last: i64,
}

impl Store {
    /// What packets that bear `source` did within `bins`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn deeds(&self, source: IpAddr, bins: &Bins) -> Result<Deeds, StoreError> {
        let sums = self
            .ask(sql!("deeds"))
            .param("start", bins.range.start)
            .param("end", bins.range.end)
            .param("step", bins.step)
            .param("source", source.to_string())
            .param("limit", bins.count().max(SENSORS_MAX) as u64)
            .fetch_all::<Sum>()
            .await?;
        let mut points = Vec::new();
        let (mut services, mut sensors) = (Vec::new(), Vec::new());
        for sum in sums {
            match sum.kind.as_str() {
                "bin" => points.push((sum.bin, sum.packets)),
                "service" => services.push(deed(sum)),
                _ => sensors.push(seen_by(sum)),
            }
        }
        services.truncate(SERVICES_MAX);
        sensors.truncate(SENSORS_MAX);
        Ok(Deeds {
            line: bins.line(points),
            services,
            sensors,
        })
    }
}

fn deed(sum: Sum) -> Deed {
    Deed {
        service: sum.service,
        class: sum.class,
        packets: sum.packets,
        sensors: sum.sensors,
        first: millis(sum.first),
        last: millis(sum.last),
    }
}

fn seen_by(sum: Sum) -> SeenBy {
    SeenBy {
        sensor: sum.sensor,
        packets: sum.packets,
        first: millis(sum.first),
        last: millis(sum.last),
    }
}
