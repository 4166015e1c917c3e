//! Coarser rollups: made from the next finer one when a period has closed, and again when late
//! batches reached it.
//!
//! Nothing is remembered about what was made: a period is due when the finer table has more flows
//! in it than the coarser one. So a crash, a late batch and a new store all look alike.

use std::ops::Range;

use noroshi_proto::traffic::{Protocol, Service, Traffic};
use serde::Deserialize;

use clickhouse::Row;

use crate::origin::Country;
use crate::question::{Sql, sql};
use crate::store::{Store, StoreError};

/// The grain of a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bin {
    /// Ten minutes: what surges are judged by.
    TenMinutes,
    /// An hour.
    Hour,
    /// A day of UTC.
    Day,
}

/// Whether sources on published scanner lists count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanners {
    /// Everybody.
    Included,
    /// Only sources that no list names.
    Excluded,
}

/// Over what a series adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All sources of the region's telescopes.
    Region,
    /// One series per country.
    Countries,
}

/// What was seen of one service in one bin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceBin {
    /// The bin's first second, since 1970.
    pub start: u64,
    /// Which service.
    pub service: Service,
    /// Which class of traffic.
    pub traffic: Traffic,
    /// Whose sources; `None` for the region, and for sources of unknown country.
    pub country: Option<Country>,
    /// Packets.
    pub packets: u64,
    /// Flow tuples.
    pub flows: u64,
    /// Distinct sources (exact to some thousands, then within 0.3 %).
    pub sources: u64,
    /// Distinct /24s; of IPv6, /48s.
    pub networks: u64,
}

impl Bin {
    /// Its length in seconds.
    pub fn seconds(self) -> u64 {
        match self {
            Self::TenMinutes => 600,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::TenMinutes => "ten_minute_rollup",
            Self::Hour => "hour_rollup",
            Self::Day => "day_rollup",
        }
    }
}

/// How one table is made from another.
struct Step {
    target: &'static str,
    source: &'static str,
    /// The source's column of time.
    time: &'static str,
    seconds: u64,
    sql: Sql,
    /// Whether the source keeps rows that a later one replaces (`1`, as the engine's setting).
    replaced: &'static str,
    /// Periods made by one insert.
    periods: usize,
}

const STEPS: [Step; 5] = [
    Step {
        target: "ten_minute_rollup",
        source: "minute_rollup",
        time: "minute",
        seconds: 600,
        sql: sql!("make_rollup"),
        replaced: "0",
        periods: 36,
    },
    Step {
        target: "hour_rollup",
        source: "ten_minute_rollup",
        time: "start",
        seconds: 3_600,
        sql: sql!("make_rollup"),
        replaced: "1",
        periods: 24,
    },
    Step {
        target: "place_rollup",
        source: "hour_rollup",
        time: "start",
        seconds: 3_600,
        sql: sql!("make_places"),
        replaced: "1",
        periods: 24,
    },
    Step {
        target: "day_rollup",
        source: "hour_rollup",
        time: "start",
        seconds: 86_400,
        sql: sql!("make_rollup"),
        replaced: "1",
        periods: 1,
    },
    Step {
        target: "hourly_sources",
        source: "minute_rollup",
        time: "minute",
        seconds: 3_600,
        sql: sql!("make_hourly_sources"),
        replaced: "0",
        periods: 1,
    },
];

impl Store {
    /// Makes every coarser rollup for the periods that lie wholly in `range` (seconds since 1970)
    /// and lack flows. Made twice, nothing changes.
    ///
    /// Meant to be called every ten minutes with the last [`CLOCK_BEHIND_MAX`], and at the end of
    /// a replay. A period still open at `range.end` is left for later.
    ///
    /// [`CLOCK_BEHIND_MAX`]: noroshi_proto::limits::CLOCK_BEHIND_MAX
    pub async fn roll_up(&self, range: Range<u64>) -> Result<(), StoreError> {
        for step in &STEPS {
            let due = self.due(step, &range).await?;
            for periods in due.chunks(step.periods) {
                self.make(step, periods).await?;
            }
        }
        Ok(())
    }

    async fn due(&self, step: &Step, range: &Range<u64>) -> Result<Vec<u64>, StoreError> {
        let due = self
            .ask(sql!("periods_due"))
            .param("target", step.target)
            .param("source", step.source)
            .param("time", step.time)
            .param(
                "target_time",
                if step.target == "hourly_sources" {
                    "hour"
                } else {
                    "start"
                },
            )
            .param("seconds", step.seconds)
            .param("start", range.start.next_multiple_of(step.seconds))
            .param("end", range.end / step.seconds * step.seconds)
            .with_setting("final", step.replaced);
        due.fetch_all::<u64>().await
    }

    async fn make(&self, step: &Step, periods: &[u64]) -> Result<(), StoreError> {
        self.ask(step.sql)
            .param("target", step.target)
            .param("source", step.source)
            .param("time", step.time)
            .param("seconds", step.seconds)
            .param("periods", periods)
            .param("start", periods.first().copied().unwrap_or_default())
            .param("end", periods.last().map_or(0, |last| last + step.seconds))
            .with_setting("final", step.replaced)
            .with_setting("max_partitions_per_insert_block", "0")
            .with_setting("distributed_foreground_insert", "1")
            .execute()
            .await?;
        tracing::debug!(table = step.target, periods = periods.len(), "rolled up");
        Ok(())
    }

    /// What was seen of every service, bin by bin, in closed bins of `range`: by time, then service.
    pub async fn service_series(
        &self,
        range: Range<u64>,
        bin: Bin,
        scanners: Scanners,
        scope: Scope,
    ) -> Result<Vec<ServiceBin>, StoreError> {
        let rows = self
            .ask(sql!("service_series"))
            .param("table", bin.table())
            .param("start", range.start)
            .param("end", range.end)
            .param("most_scanner", u8::from(scanners == Scanners::Included))
            .param("by_country", u8::from(scope == Scope::Countries))
            .fetch_all::<SeriesRow>()
            .await?;
        rows.into_iter().map(ServiceBin::try_from).collect()
    }
}

#[derive(Row, Deserialize)]
struct SeriesRow {
    bin: u64,
    protocol: u8,
    service_port: u16,
    class: u8,
    origin: String,
    packets: u64,
    flows: u64,
    sources: u64,
    networks: u64,
}

impl TryFrom<SeriesRow> for ServiceBin {
    type Error = StoreError;

    fn try_from(row: SeriesRow) -> Result<Self, StoreError> {
        Ok(Self {
            start: row.bin,
            service: service(row.protocol, row.service_port)?,
            traffic: Traffic::from_wire(row.class)
                .ok_or_else(|| StoreError::Spoiled(format!("traffic class {}", row.class)))?,
            country: Country::new(&row.origin),
            packets: row.packets,
            flows: row.flows,
            sources: row.sources,
            networks: row.networks,
        })
    }
}

/// A service as the rollups write it.
pub(crate) fn service(transport: u8, port: u16) -> Result<Service, StoreError> {
    let protocol = match transport {
        1 => Protocol::Tcp,
        2 => Protocol::Udp,
        3 => Protocol::Icmp,
        4 => Protocol::Icmp6,
        5 => Protocol::Ip,
        other => return Err(StoreError::Spoiled(format!("transport {other}"))),
    };
    Ok(Service { protocol, port })
}
