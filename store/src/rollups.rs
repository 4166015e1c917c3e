//! Coarser rollups: made from the next finer one when a period has closed, and again when late
//! batches reached it.
//!
//! A period is due when there are more flows in it than when its tables were made, and that is written
//! down after they were. So a crash, a late batch and a new store all look alike.

use std::ops::Range;

use noroshi_proto::traffic::{Protocol, Service, Traffic};
use serde::Deserialize;
use serde_json::json;

use clickhouse::Row;

use crate::cases::line;
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

/// Tables of one grain, which are made together.
struct Grain {
    seconds: u64,
    /// What tells how much there is in a period, at any age of the store: time comes first in its key.
    measure: Source,
    tables: &'static [Table],
}

/// How one table is made from another.
struct Table {
    name: &'static str,
    source: Source,
    sql: Sql,
    /// Periods made by one insert, at most [`PERIODS`]: six hours of minutes, one of raw rows.
    periods: usize,
}

/// Where finer rows are.
struct Source {
    table: &'static str,
    /// Its column of time.
    time: &'static str,
    /// Whether it keeps rows that a later one replaces (`1`, as the engine's setting).
    replaced: &'static str,
}

const MINUTES: Source = Source {
    table: "minute_rollup",
    time: "minute",
    replaced: "0",
};

const fn closed(table: &'static str) -> Source {
    Source {
        table,
        time: "start",
        replaced: "1",
    }
}

const fn table(name: &'static str, source: Source, sql: Sql, periods: usize) -> Table {
    Table {
        name,
        source,
        sql,
        periods,
    }
}

/// Each from what the one before it made, or from minutes: no period is looked for in a table that has services first in
/// its key, but by the day.
const GRAINS: [Grain; 3] = [
    Grain {
        seconds: 600,
        measure: MINUTES,
        tables: &[
            table("ten_minute_rollup", MINUTES, sql!("make_rollup"), 36),
            table("ten_minute_services", MINUTES, sql!("make_services"), 36),
            table("ten_minute_places", MINUTES, sql!("make_places"), 36),
            table(
                "ten_minute_place_services",
                MINUTES,
                sql!("make_place_services"),
                36,
            ),
        ],
    },
    Grain {
        seconds: 3_600,
        measure: closed("ten_minute_places"),
        tables: &[
            table("hour_rollup", MINUTES, sql!("make_rollup"), 6),
            table(
                "hour_services",
                closed("ten_minute_services"),
                sql!("make_services"),
                36,
            ),
            table(
                "place_rollup",
                closed("ten_minute_places"),
                sql!("make_places"),
                36,
            ),
            table(
                "hour_place_services",
                closed("ten_minute_place_services"),
                sql!("make_place_services"),
                36,
            ),
            table("hourly_sources", MINUTES, sql!("make_hourly_sources"), 1),
        ],
    },
    Grain {
        seconds: 86_400,
        measure: closed("place_rollup"),
        tables: &[
            table("day_rollup", closed("hour_rollup"), sql!("make_rollup"), 1),
            table(
                "day_services",
                closed("hour_services"),
                sql!("make_services"),
                1,
            ),
            table(
                "day_place_services",
                closed("hour_place_services"),
                sql!("make_place_services"),
                1,
            ),
        ],
    },
];

/// Periods made before it is written down that they are.
const PERIODS: usize = 36;

impl Store {
    /// Makes every coarser rollup for the periods that end in `range` (seconds since 1970) and lack flows. Made twice,
    /// nothing changes.
    ///
    /// Meant to be called every ten minutes, from the first second at which anything arrived since, and at the end of a
    /// replay. A period still open at `range.end` is left for later.
    pub async fn roll_up(&self, range: Range<u64>) -> Result<(), StoreError> {
        self.roll_up_to(Bin::Day, range).await
    }

    /// [`Store::roll_up`], of this grain and those finer than it.
    pub async fn roll_up_to(&self, bin: Bin, range: Range<u64>) -> Result<(), StoreError> {
        let wanted = GRAINS.iter().filter(|grain| grain.seconds <= bin.seconds());
        for grain in wanted {
            let due = self.due(grain, &range).await?;
            for periods in due.chunks(PERIODS) {
                for table in grain.tables {
                    for periods in periods.chunks(table.periods) {
                        self.make(table, grain.seconds, periods).await?;
                    }
                }
                self.rolled_up(grain.seconds, periods).await?;
            }
        }
        Ok(())
    }

    async fn due(&self, grain: &Grain, range: &Range<u64>) -> Result<Vec<Period>, StoreError> {
        let Grain {
            seconds, measure, ..
        } = grain;
        let due = self
            .ask(sql!("periods_due"))
            .param("source", measure.table)
            .param("time", measure.time)
            .param("seconds", seconds)
            .param("start", range.start / seconds * seconds)
            .param("end", range.end / seconds * seconds)
            .with_setting("final", measure.replaced);
        due.fetch_all::<Period>().await
    }

    async fn make(&self, table: &Table, seconds: u64, due: &[Period]) -> Result<(), StoreError> {
        let Table { source, .. } = table;
        let periods: Vec<u64> = due.iter().map(|one| one.period).collect();
        self.ask(table.sql)
            .param("target", table.name)
            .param("source", source.table)
            .param("time", source.time)
            .param("seconds", seconds)
            .param("start", periods.first().copied().unwrap_or_default())
            .param("end", periods.last().map_or(0, |last| last + seconds))
            .param("periods", periods)
            .with_setting("final", source.replaced)
            .with_setting("max_partitions_per_insert_block", "0")
            .with_setting("distributed_foreground_insert", "1")
            .execute()
            .await?;
        tracing::debug!(table = table.name, periods = due.len(), "rolled up");
        Ok(())
    }

    /// Writes down how much there was in these periods when they were found due: what came since makes them due again.
    async fn rolled_up(&self, seconds: u64, made: &[Period]) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for Period { period, flows } in made {
            line(
                &mut rows,
                &json!({ "seconds": seconds, "period": period, "flows": flows }),
            );
        }
        self.insert_lines("rolled_up", rows).await
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

/// A period that is due.
#[derive(Row, Deserialize)]
struct Period {
    /// Its first second, since 1970.
    period: u64,
    /// Flow tuples in it.
    flows: u64,
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
    let protocol = Protocol::from_wire(transport)
        .ok_or_else(|| StoreError::Spoiled(format!("transport {transport}")))?;
    Ok(Service { protocol, port })
}

/// Transport and port of a service, as questions are asked for it: transport 0 stands for all services.
pub(crate) fn numbers(service: Option<Service>) -> (u8, u16) {
    service.map_or((0, 0), |service| (service.protocol.to_wire(), service.port))
}
