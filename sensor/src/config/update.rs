//! `[update]`: whose updates are taken, if any.

use std::path::{Path, PathBuf};
use std::time::Duration;

use noroshi_proto::limits::UPDATE_KEYS_MAX;
use noroshi_proto::update::key::PublicKey;
use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::Check;
use crate::update::Settings;

/// Beside the configuration.
const PATH_DEFAULT: &str = "update";
/// Four times a day: an update is no emergency brake.
const EVERY_DEFAULT: u32 = 360;
/// A week.
const EVERY_MAX: u32 = 10_080;
/// Sixty intervals, and the time that a stream may take to come back.
const TRIAL_DEFAULT: u32 = 10;
/// A day.
const TRIAL_MAX: u32 = 1_440;

/// Off unless it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateSection {
    keys: Spanned<Vec<Spanned<String>>>,
    path: Option<PathBuf>,
    every_minutes: Option<Spanned<u32>>,
    trial_minutes: Option<Spanned<u32>>,
}

impl UpdateSection {
    pub(super) fn check(self, check: &mut Check<'_>, directory: &Path) -> Option<Settings> {
        let at = self.keys.span().start;
        let written = self.keys.into_inner();
        let count = written.len();
        let mut keys = Vec::new();
        for key in written {
            let parsed = key.as_ref().parse::<PublicKey>();
            let parsed = parsed.map_err(|error| format!("`{}`: {error}", key.as_ref()));
            keys.extend(check.keep(key.span().start, parsed));
        }
        let some = (1..=UPDATE_KEYS_MAX).contains(&count);
        let counted = some.then_some(()).ok_or_else(|| {
            format!(
                "update.keys has {count} keys: write 1 to {UPDATE_KEYS_MAX}, or leave [update] out, \
                 and no update is ever taken"
            )
        });
        let counted = check.keep(at, counted);
        let every = minutes(
            check,
            "every",
            self.every_minutes,
            (EVERY_DEFAULT, EVERY_MAX),
        );
        let trial = minutes(
            check,
            "trial",
            self.trial_minutes,
            (TRIAL_DEFAULT, TRIAL_MAX),
        );
        counted?;
        Some(Settings {
            keys,
            directory: directory.join(self.path.unwrap_or_else(|| PATH_DEFAULT.into())),
            every: every?,
            trial: trial?,
        })
    }
}

fn minutes(
    check: &mut Check<'_>,
    name: &str,
    written: Option<Spanned<u32>>,
    (default, most): (u32, u32),
) -> Option<Duration> {
    let Some(written) = written else {
        return Some(of_minutes(default));
    };
    let minutes = *written.as_ref();
    let checked = if (1..=most).contains(&minutes) {
        Ok(of_minutes(minutes))
    } else {
        let text = format!("update.{name}_minutes {minutes}: write 1 to {most}, as in {default}");
        Err(text)
    };
    check.keep(written.span().start, checked)
}

fn of_minutes(minutes: u32) -> Duration {
    Duration::from_secs(60 * u64::from(minutes))
}

/// The same, of a file that may be written for a later version: this one only starts that one,
/// which then checks all of it. `None` where nothing is to be started, or it cannot be known.
pub fn glance(path: &Path) -> Option<Settings> {
    let text = std::fs::read_to_string(path).ok()?;
    let file: Table = text.parse().ok()?;
    let section = file.get("update")?.as_table()?;
    let keys = section.get("keys")?.as_array()?.iter();
    let keys = keys.filter_map(|key| key.as_str()?.parse().ok());
    let keys: Vec<PublicKey> = keys.take(UPDATE_KEYS_MAX).collect();
    if keys.is_empty() {
        return None;
    }
    let minutes = |key, (default, most)| {
        let written = section.get(key).and_then(Value::as_integer);
        let written = written.and_then(|minutes| u32::try_from(minutes).ok());
        of_minutes(written.unwrap_or(default).clamp(1, most))
    };
    let directory = section.get("path").and_then(Value::as_str);
    let directory = directory.unwrap_or(PATH_DEFAULT);
    Some(Settings {
        keys,
        directory: path.parent().unwrap_or(Path::new("")).join(directory),
        every: minutes("every_minutes", (EVERY_DEFAULT, EVERY_MAX)),
        trial: minutes("trial_minutes", (TRIAL_DEFAULT, TRIAL_MAX)),
    })
}
