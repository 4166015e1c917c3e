//! One prefix of the telescope, and when it is watched: as the centre's registry has it.

use jiff::civil;
use jiff::tz::Offset;
use noroshi_proto::time::Millis;
use serde::Deserialize;
use toml::value::{Datetime, Offset as WrittenOffset};

use crate::telescope::Watched;

/// As an operator writes it.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a prefix is \"198.18.0.0/20\", or with its time \
                 { prefix = \"198.18.0.0/20\", from = 2026-06-01, until = 2027-01-01T09:00:00Z }"
)]
pub(super) enum WatchedLine {
    /// Always.
    Always(String),
    /// For some time.
    Sometimes(WatchedSection),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WatchedSection {
    prefix: String,
    from: Option<Datetime>,
    until: Option<Datetime>,
}

impl WatchedLine {
    pub(super) fn check(self) -> Result<Watched, String> {
        let (text, from, until) = match self {
            Self::Always(prefix) => (prefix, None, None),
            Self::Sometimes(section) => (section.prefix, section.from, section.until),
        };
        let prefix = super::prefix(&text)?;
        let at = |written: Option<Datetime>, absent: Millis| {
            written.map_or(Ok(absent), |written| {
                millis(&written).ok_or_else(|| {
                    format!(
                        "`{written}` is no time that `{text}` could begin or end at: write a day \
                         (UTC) such as 2026-06-01, or an instant such as 2026-06-01T09:00:00Z"
                    )
                })
            })
        };
        let (from, until) = (at(from, Millis(0))?, at(until, Millis(u64::MAX))?);
        if from >= until {
            return Err(format!(
                "`{text}` is watched from {from} until {until}: never"
            ));
        }
        Ok(Watched {
            prefix,
            from,
            until,
        })
    }
}

/// A day is its first millisecond; what has no offset is UTC.
fn millis(written: &Datetime) -> Option<Millis> {
    let date = written.date?;
    let small = |number: u8| i8::try_from(number).ok();
    let year = i16::try_from(date.year).ok()?;
    let day = civil::Date::new(year, small(date.month)?, small(date.day)?).ok()?;
    let clock = match written.time {
        None => civil::Time::midnight(),
        Some(time) => civil::Time::new(
            small(time.hour)?,
            small(time.minute)?,
            small(time.second.unwrap_or(0).min(59))?, // a leap second counts as the one before it
            i32::try_from(time.nanosecond.unwrap_or(0)).ok()?,
        )
        .ok()?,
    };
    let minutes = match written.offset {
        Some(WrittenOffset::Custom { minutes }) => minutes,
        Some(WrittenOffset::Z) | None => 0,
    };
    let offset = Offset::from_seconds(i32::from(minutes) * 60).ok()?;
    let instant = offset.to_timestamp(day.to_datetime(clock)).ok()?;
    u64::try_from(instant.as_millisecond()).ok().map(Millis)
}
