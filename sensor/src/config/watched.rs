//! One prefix of the telescope, and when it is watched: as the centre's registry has it.

use noroshi_proto::time::Millis;
use serde::Deserialize;
use toml::value::Datetime;

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
                written.to_string().parse().map_err(|_| {
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
