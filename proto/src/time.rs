//! Instants and intervals, as a telescope counts them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// Milliseconds since 1970-01-01 UTC: when a packet was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// The interval of `length` this instant falls into.
    pub fn interval(self, length: IntervalLength) -> Interval {
        let seconds = self.0 / 1000;
        Interval(seconds - seconds % u64::from(length.seconds()))
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// ISO 8601 in UTC with milliseconds: `2026-11-02T06:00:10.000Z`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        match Timestamp::from_millisecond(millis) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

/// Not a day, and not an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written such as 2026-11-02 or 2026-11-02T06:00:00Z")]
pub struct NotATime;

/// A day is its first instant, `2026-11-02`; what names no offset is UTC, `2026-11-02T06:00`.
impl FromStr for Millis {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let timestamp = if let Ok(timestamp) = text.parse::<Timestamp>() {
            timestamp
        } else {
            let civil = text
                .parse::<DateTime>()
                .or_else(|_| text.parse::<Date>().map(DateTime::from))
                .map_err(|_| NotATime)?;
            Offset::UTC.to_timestamp(civil).map_err(|_| NotATime)?
        };
        let millis = u64::try_from(timestamp.as_millisecond());
        millis.map(Self).map_err(|_| NotATime)
    }
}

/// How long an interval lasts: 1 to 60 seconds, dividing a minute, so intervals
/// of every sensor align to UTC minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntervalLength(u8);

impl IntervalLength {
    /// The length every sensor uses unless told otherwise.
    pub const DEFAULT: Self = Self(10);

    /// `None` unless `seconds` is 1–60 and divides 60.
    pub fn new(seconds: u32) -> Option<Self> {
        match u8::try_from(seconds) {
            Ok(length) if length > 0 && 60 % length == 0 => Some(Self(length)),
            _ => None,
        }
    }

    /// Length in seconds.
    pub fn seconds(self) -> u8 {
        self.0
    }
}

/// The grain of everything, named by its first second since 1970, aligned to UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub u64);

impl Interval {
    /// The first interval there is.
    pub const EPOCH: Self = Self(0);

    /// First second, since 1970.
    pub fn start(self) -> u64 {
        self.0
    }

    /// The second after the last one.
    pub fn end(self, length: IntervalLength) -> u64 {
        self.0 + u64::from(length.seconds())
    }

    /// The interval that begins when this one ends.
    pub fn next(self, length: IntervalLength) -> Self {
        Self(self.end(length))
    }

    /// The day (UTC, days since 1970) this interval belongs to.
    pub fn day(self) -> u64 {
        self.0 / 86_400
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Millis(self.0 * 1000).fmt(f)
    }
}
