//! Times as people write them, in UTC.

use noroshi_proto::time::Millis;

/// `2026-11-02T06:00:00Z`, `2026-11-02T06:00`, or `2026-11-02` for its first instant.
pub(super) fn instant(text: &str) -> Result<Millis, String> {
    let wrong = || format!("`{text}` is no time: write 2026-11-02 or 2026-11-02T06:00:00Z (UTC)");
    text.parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_utc() {
        for (text, expected) in [
            ("2026-11-02", "2026-11-02T00:00:00.000Z"),
            ("2026-11-02T06:00", "2026-11-02T06:00:00.000Z"),
            ("2026-11-02T06:00:01.5Z", "2026-11-02T06:00:01.500Z"),
            ("2026-11-02T15:00:00+09:00", "2026-11-02T06:00:00.000Z"),
        ] {
            let read = instant(text).map(|at| at.to_string());
            assert_eq!(read.as_deref(), Ok(expected));
        }
        assert!(instant("yesterday").is_err());
        assert!(instant("1969-12-31").is_err());
    }
}
