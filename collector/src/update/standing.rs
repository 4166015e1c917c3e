//! What each sensor runs, as it said when it asked for updates last.

use std::path::{Path, PathBuf};

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use serde::{Deserialize, Serialize};

use crate::identity::{IdentityError, files};

/// What says the same is written again after so long.
const FRESH_MILLIS: u64 = 600_000;

/// A file per sensor of the registry.
#[derive(Clone, Debug)]
pub struct Standings {
    directory: PathBuf,
}

/// What a sensor said of its versions. It is a sensor's word, and nothing rests on it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Standing {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// What it runs.
    pub version: String,
    /// On which kind of machine.
    pub target: String,
    /// Which version failed there; empty where none did.
    pub failed_version: String,
    /// And why.
    pub failed_reason: String,
}

impl Standings {
    /// Those in the directory of updates.
    pub fn new(updates: &Path) -> Self {
        Self {
            directory: updates.join("sensors"),
        }
    }

    fn path(&self, sensor: &SensorId) -> PathBuf {
        self.directory.join(sensor.as_str())
    }

    /// Notes what a sensor said; gives whether it is news.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn note(&self, sensor: &SensorId, said: &Standing) -> Result<bool, IdentityError> {
        let before = self.of(sensor)?;
        let same = before.as_ref().is_some_and(|before| {
            let at_ms = said.at_ms;
            *said
                == Standing {
                    at_ms,
                    ..before.clone()
                }
        });
        let age = before.map_or(u64::MAX, |before| said.at_ms.abs_diff(before.at_ms));
        if !same || age > FRESH_MILLIS {
            files::make_directory(&self.directory)?;
            let text = serde_json::json!(said).to_string();
            files::put(&self.path(sensor), text.as_bytes())?;
        }
        Ok(!same)
    }

    /// What a sensor said last.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn of(&self, sensor: &SensorId) -> Result<Option<Standing>, IdentityError> {
        let path = self.path(sensor);
        let Some(text) = files::read(&path)? else {
            return Ok(None);
        };
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|error| IdentityError::Damaged {
            path,
            problem: error.to_string(),
        })
    }
}

impl Standing {
    /// When it was said.
    pub fn at(&self) -> Millis {
        Millis(self.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_only_news_are_news() {
        let directory = tempfile::tempdir().unwrap();
        let standings = Standings::new(directory.path());
        let sensor = SensorId::new("jp-1").unwrap();
        assert_eq!(standings.of(&sensor).unwrap(), None);
        let mut said = Standing {
            at_ms: 1_000,
            version: "0.2.0".to_owned(),
            target: "x86_64-linux".to_owned(),
            failed_version: String::new(),
            failed_reason: String::new(),
        };
        let mut told = |at_ms: u64, failed: &str| {
            said.at_ms = at_ms;
            said.failed_version = failed.to_owned();
            let news = standings.note(&sensor, &said).unwrap();
            (news, standings.of(&sensor).unwrap().unwrap().at_ms)
        };
        assert_eq!(told(1_000, ""), (true, 1_000));
        assert_eq!(told(2_000, ""), (false, 1_000), "not written for each word");
        assert_eq!(
            told(FRESH_MILLIS + 1_001, ""),
            (false, FRESH_MILLIS + 1_001)
        );
        assert_eq!(
            told(FRESH_MILLIS + 1_002, "0.3.0"),
            (true, FRESH_MILLIS + 1_002)
        );
    }
}
