//! How long each table keeps what it holds, enforced by the engine itself (TTL).

use std::num::NonZeroU16;

/// How long rows of one table stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Days after the event (at most 65,535: no date a row can bear overflows).
    Days(NonZeroU16),
    /// For good.
    Forever,
}

impl Keep {
    /// `days` days; [`Keep::Forever`] for 0.
    pub fn days(days: u16) -> Self {
        NonZeroU16::new(days).map_or(Self::Forever, Self::Days)
    }
}

/// Longest that imported evidence is kept: it was given for one purpose, telling who is infected.
pub const IMPORTED_DAYS_MAX: u16 = 30;

/// How long everything stays.
///
/// What names single sources is kept for days, alerts for a year, aggregates for good: storage
/// limitation as data protection law asks for it. Raw rows and ledger outlive
/// [`noroshi_proto::limits::CLOCK_BEHIND_MAX`], so a batch that is still accepted is always
/// recognised when it comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Raw flow tuples.
    pub flow_tuples: Keep,
    /// Counts per service and minute.
    pub minute_rollup: Keep,
    /// Counts per ten minutes and service, and per country.
    pub ten_minute_rollup: Keep,
    /// Counts per hour and service, and per country.
    pub hour_rollup: Keep,
    /// Counts per day and service.
    pub day_rollup: Keep,
    /// What single sources did, per hour.
    pub hourly_sources: Keep,
    /// Which batches are in the store; frames, losses and delays of sensors.
    pub batch_ledger: Keep,
    /// Cases, their history, what people did with them, what was published of them, and
    /// sensors' maintenance.
    pub alerts: Keep,
    /// Cases that rest on imported evidence, after the notice: [`IMPORTED_DAYS_MAX`] at most.
    pub imported: Keep,
    /// Who looked at what.
    pub audit: Keep,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            flow_tuples: Keep::days(30),
            minute_rollup: Keep::days(35),
            ten_minute_rollup: Keep::days(400),
            hour_rollup: Keep::days(1_100),
            day_rollup: Keep::Forever,
            hourly_sources: Keep::days(30),
            batch_ledger: Keep::days(90),
            alerts: Keep::days(366),
            imported: Keep::days(IMPORTED_DAYS_MAX),
            audit: Keep::days(1_100),
        }
    }
}

impl Retention {
    /// Nothing ever goes: for throw-away stores, whose captures may be years old.
    pub fn forever() -> Self {
        Self {
            flow_tuples: Keep::Forever,
            minute_rollup: Keep::Forever,
            ten_minute_rollup: Keep::Forever,
            hour_rollup: Keep::Forever,
            day_rollup: Keep::Forever,
            hourly_sources: Keep::Forever,
            batch_ledger: Keep::Forever,
            alerts: Keep::Forever,
            imported: Keep::Forever,
            audit: Keep::Forever,
        }
    }

    /// Each table with its TTL, as the engine writes it back; `None` where rows stay for good.
    pub(crate) fn ttls(&self) -> Vec<(&'static str, Option<String>)> {
        let tables = [
            ("flow_tuples", "interval", self.flow_tuples),
            ("minute_rollup", "minute", self.minute_rollup),
            ("ten_minute_rollup", "start", self.ten_minute_rollup),
            ("hour_rollup", "start", self.hour_rollup),
            ("ten_minute_places", "start", self.ten_minute_rollup),
            ("ten_minute_services", "start", self.ten_minute_rollup),
            ("ten_minute_place_services", "start", self.ten_minute_rollup),
            ("rolled_up", "period", self.ten_minute_rollup),
            ("place_rollup", "start", self.hour_rollup),
            ("hour_services", "start", self.hour_rollup),
            ("hour_place_services", "start", self.hour_rollup),
            ("day_rollup", "start", self.day_rollup),
            ("day_services", "start", self.day_rollup),
            ("day_place_services", "start", self.day_rollup),
            ("hourly_sources", "hour", self.hourly_sources),
            ("batch_ledger", "last_end", self.batch_ledger),
            ("sensor_hellos", "at", self.batch_ledger),
            ("alerts", "last_seen", self.alerts),
            ("alert_history", "at", self.alerts),
            ("case_steps", "at", self.alerts),
            ("observations", "day", self.alerts),
            ("maintenance", "until", self.alerts),
            ("notices", "at", self.imported),
            ("audit", "at", self.audit),
            ("deliveries", "planned_at", self.alerts),
        ];
        let mut ttls = Vec::from(tables.map(|(table, column, keep)| (table, ttl(column, keep))));
        ttls.push(("stix_objects", self.of_publications()));
        ttls
    }

    /// What was published goes as what it was made from.
    fn of_publications(&self) -> Option<String> {
        let rows = [(0, self.alerts), (1, self.imported)];
        let ttls: Vec<String> = rows
            .into_iter()
            .filter_map(|(imported, keep)| {
                ttl("added", keep).map(|ttl| format!("{ttl} WHERE imported = {imported}"))
            })
            .collect();
        (!ttls.is_empty()).then(|| ttls.join(", "))
    }
}

/// The TTL of rows that age from `column`, as the engine writes it back.
///
/// In 64 bits: `DateTime + INTERVAL` has 32, and a sum beyond 2106 wraps to 1970, which deletes
/// every row as it is written.
fn ttl(column: &str, keep: Keep) -> Option<String> {
    match keep {
        Keep::Forever => None,
        Keep::Days(days) => Some(format!(
            "toDateTime64({column}, 0, 'UTC') + toIntervalDay({days})"
        )),
    }
}
