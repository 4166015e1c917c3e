//! Days of UTC, counted from 1970-01-01, and their names.

use jiff::civil::Date;
use noroshi_proto::time::Millis;

const DAY_MS: u64 = 86_400_000;

/// The first instant of a day.
pub(crate) fn start(day: u64) -> Millis {
    Millis(day.saturating_mul(DAY_MS))
}

/// `2026-11-02`
pub(crate) fn name(day: u64) -> String {
    start(day).to_string().chars().take(10).collect()
}

/// The day of a name, in no other spelling than [`name`]'s.
pub(crate) fn named(text: &str) -> Option<u64> {
    let date: Date = text.parse().ok()?;
    let epoch = Date::new(1970, 1, 1).ok()?;
    let day = u64::try_from((date - epoch).get_days()).ok()?;
    (name(day) == text).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_name() {
        for text in ["1970-01-01", "2024-02-29", "2026-11-02", "2026-12-31"] {
            assert_eq!(named(text).map(name).as_deref(), Some(text));
        }
        for text in [
            "",
            "20261102",
            "2026-11-2",
            "2026-02-30",
            "1969-12-31",
            "2026-11-02T00",
        ] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
