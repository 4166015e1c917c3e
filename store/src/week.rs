//! A week of ISO 8601, in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, ISOWeekDate, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use noroshi_proto::time::Millis;
use serde::{Serialize, Serializer};

/// Such as `2026-W47`: Monday to Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week(ISOWeekDate);

/// Not a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a week is written such as 2026-W47")]
pub struct NotAWeek;

impl Week {
    /// The one that `now` is in.
    pub fn of(now: Millis) -> Self {
        Self::of_day(day(now))
    }

    /// The last one that was over at `now`.
    pub fn before(now: Millis) -> Self {
        Self::of_day(day(now).saturating_sub(7.days()))
    }

    fn of_day(day: Date) -> Self {
        let then = day.iso_week_date();
        let monday = ISOWeekDate::new(then.year(), then.week(), Weekday::Monday);
        Self(monday.unwrap_or(then))
    }

    /// The year that it is counted in.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// Its first instant.
    pub fn start(self) -> Millis {
        let start = TimeZone::UTC.to_timestamp(self.0.date().to_datetime(Time::midnight()));
        let ms = start.map_or(0, Timestamp::as_millisecond);
        Millis(u64::try_from(ms).unwrap_or_default())
    }

    /// The first instant after it.
    pub fn end(self) -> Millis {
        Millis(self.start().0 + 7 * 86_400_000)
    }
}

/// Of UTC.
fn day(now: Millis) -> Date {
    let now = Timestamp::from_millisecond(i64::try_from(now.0).unwrap_or(i64::MAX));
    TimeZone::UTC
        .to_datetime(now.unwrap_or(Timestamp::MAX))
        .date()
}

impl FromStr for Week {
    type Err = NotAWeek;

    fn from_str(text: &str) -> Result<Self, NotAWeek> {
        let (year, week) = text.split_once("-W").ok_or(NotAWeek)?;
        let is_plain = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_plain(year, 4) || !is_plain(week, 2) {
            return Err(NotAWeek);
        }
        let (year, week) = (year.parse(), week.parse());
        let (Ok(year), Ok(week)) = (year, week) else {
            return Err(NotAWeek);
        };
        if year < 1970 {
            return Err(NotAWeek);
        }
        let monday = ISOWeekDate::new(year, week, Weekday::Monday);
        monday.map(Self).map_err(|_| NotAWeek)
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.0.year(), self.0.week())
    }
}

impl Serialize for Week {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_those_of_the_standard() {
        let week: Week = "2026-W01".parse().unwrap();
        assert_eq!(week.start().to_string(), "2025-12-29T00:00:00.000Z");
        assert_eq!(week.end().to_string(), "2026-01-05T00:00:00.000Z");
        assert_eq!(week.to_string(), "2026-W01");
        for wrong in [
            "", "2026", "2026-W00", "2026-W54", "2026-W1", "+026-W01", "1969-W01",
        ] {
            assert_eq!(wrong.parse::<Week>(), Err(NotAWeek), "{wrong}");
        }
    }

    #[test]
    fn the_last_week_is_over() {
        let sunday = Millis(1_793_577_600_000); // 2026-11-02, a Monday
        assert_eq!(Week::before(sunday).to_string(), "2026-W44");
        assert_eq!(Week::before(Millis(sunday.0 - 1)).to_string(), "2026-W43");
        assert!(Week::before(sunday).end() <= sunday);
    }
}
