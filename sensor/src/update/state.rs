//! What a sensor remembers of its versions, and which one it starts.
//!
//! One file, replaced as a whole. Programs of many years read it, older ones, too: fields are
//! added, and never change what they say; what is not known is left out of account.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use noroshi_proto::limits::TEXT_BYTES_MAX;
use noroshi_proto::time::Millis;
use noroshi_proto::update::version::Version;
use noroshi_proto::update::{Digest, Manifest};
use serde::{Deserialize, Serialize};

/// How often a version on trial is started, before it is given up: the power may fail once, and
/// once again.
pub const STARTS_MAX: u32 = 3;
/// The file, in the directory of updates.
const FILE: &str = "state.json";

/// Everything that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The newest manifest that was ever believed.
    pub seen: Option<Seen>,
    /// The newest version that has reported.
    pub good: Option<Version>,
    /// The version that has still to report.
    pub trial: Option<Trial>,
    /// The newest version that failed here.
    pub failed: Option<Failed>,
}

/// What is remembered of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its version.
    pub version: Version,
    /// Its file's digest.
    pub sha256: Digest,
    /// From when on something newer should have come.
    pub expires: Millis,
}

/// A version that has not reported yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Which.
    pub version: Version,
    /// How often it was started.
    pub starts: u32,
}

/// A version that is not tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Which.
    pub version: Version,
    /// Why, at most [`TEXT_BYTES_MAX`] bytes.
    pub reason: String,
}

/// What is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The program that was installed.
    Installed,
    /// A version that has reported before.
    Good(Version),
    /// A version that has still to report.
    Trial(Version),
}

/// Why the state is not known.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operator looks at path and rights.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of ours was damaged.
    #[error(
        "{}: {problem}: restore it, or delete the directory, and updates begin anew with the \
         version that is installed", path.display()
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl State {
    /// What is started, by a program of version `installed`; it is noted that it is.
    pub fn start(&mut self, installed: Version) -> Choice {
        if let Some(trial) = &mut self.trial {
            let version = trial.version;
            if version <= installed || self.good.is_some_and(|good| version <= good) {
                self.trial = None; // a package has overtaken it
            } else if trial.starts >= STARTS_MAX {
                let reason = format!("it was started {STARTS_MAX} times and never reported");
                self.fail(version, &reason);
            } else {
                trial.starts += 1;
                return Choice::Trial(version);
            }
        }
        match self.good {
            Some(good) if good > installed => Choice::Good(good),
            _ => Choice::Installed,
        }
    }

    /// A manifest was believed, and followed or not needed.
    pub fn see(&mut self, manifest: &Manifest) {
        let known = self
            .seen
            .as_ref()
            .filter(|seen| seen.version == manifest.version);
        let expires = known.map_or(manifest.expires, |seen| seen.expires.max(manifest.expires));
        self.seen = Some(Seen {
            version: manifest.version,
            sha256: manifest.sha256,
            expires,
        });
    }

    /// A version is ready to be started.
    pub fn stage(&mut self, version: Version) {
        self.trial = Some(Trial { version, starts: 0 });
    }

    /// A version has reported: whether that was news.
    pub fn report(&mut self, version: Version) -> bool {
        if self.trial.is_none_or(|trial| trial.version != version) {
            return false;
        }
        self.trial = None;
        self.good = Some(version);
        true
    }

    /// A version is not tried again.
    pub fn fail(&mut self, version: Version, reason: &str) {
        let mut end = reason.len().min(TEXT_BYTES_MAX);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        if self.trial.is_some_and(|trial| trial.version == version) {
            self.trial = None;
        }
        self.failed = Some(Failed {
            version,
            reason: reason[..end].to_owned(),
        });
    }

    /// Somebody ended a version on trial before it could report: that start counts for nothing.
    pub fn interrupt(&mut self, version: Version) {
        if let Some(trial) = self.trial.as_mut().filter(|trial| trial.version == version) {
            trial.starts = trial.starts.saturating_sub(1);
        }
    }

    /// When something newer than what was seen should have come, where that is over.
    pub fn held_back_since(&self, now: Millis) -> Option<Millis> {
        let seen = self.seen.as_ref()?;
        (seen.expires <= now).then_some(seen.expires)
    }

    /// Versions whose files are needed.
    pub fn needed(&self) -> impl Iterator<Item = Version> {
        self.good
            .into_iter()
            .chain(self.trial.map(|trial| trial.version))
    }

    /// Reads what is kept in `directory`; nothing is remembered where there is nothing.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn load(directory: &Path) -> Result<Self, StateError> {
        let path = directory.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                let action = "read";
                return Err(StateError::File {
                    action,
                    path,
                    source,
                });
            }
        };
        Self::parse(&bytes).map_err(|problem| StateError::Damaged { path, problem })
    }

    /// Reads what [`State::to_bytes`] wrote, or a later version.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        written.try_into()
    }

    /// The file's text.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text =
            serde_json::to_vec(&Written::from(self)).expect("texts and numbers are JSON");
        text.push(b'\n');
        text
    }

    /// Keeps it, whole or not at all; it survives a crash once this returned.
    ///
    /// # Errors
    /// [`StateError::File`].
    pub fn save(&self, directory: &Path) -> Result<(), StateError> {
        let path = directory.join(FILE);
        let save = || {
            make(directory)?;
            let draft = directory.join(".state.new");
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(&self.to_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(directory)?.sync_all()
        };
        save().map_err(|source| StateError::File {
            action: "write",
            path: path.clone(),
            source,
        })
    }
}

/// Makes a directory for its owner alone.
pub(super) fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// The file as it is written.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    seen: Option<WrittenSeen>,
    good: Option<String>,
    trial: Option<WrittenTrial>,
    failed: Option<WrittenFailed>,
}

#[derive(Serialize, Deserialize)]
struct WrittenSeen {
    version: String,
    sha256: String,
    expires_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct WrittenTrial {
    version: String,
    starts: u32,
}

#[derive(Serialize, Deserialize)]
struct WrittenFailed {
    version: String,
    reason: String,
}

impl From<&State> for Written {
    fn from(state: &State) -> Self {
        Self {
            seen: state.seen.as_ref().map(|seen| WrittenSeen {
                version: seen.version.to_string(),
                sha256: seen.sha256.to_string(),
                expires_ms: seen.expires.0,
            }),
            good: state.good.map(|good| good.to_string()),
            trial: state.trial.map(|trial| WrittenTrial {
                version: trial.version.to_string(),
                starts: trial.starts,
            }),
            failed: state.failed.as_ref().map(|failed| WrittenFailed {
                version: failed.version.to_string(),
                reason: failed.reason.clone(),
            }),
        }
    }
}

impl TryFrom<Written> for State {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let version = |text: &String| {
            let parsed = text.parse::<Version>();
            parsed.map_err(|error| format!("`{text}`: {error}"))
        };
        let seen = written.seen.map(|seen| {
            Ok::<_, String>(Seen {
                version: version(&seen.version)?,
                sha256: Digest::parse(&seen.sha256).ok_or("a digest is none")?,
                expires: Millis(seen.expires_ms),
            })
        });
        let trial = written.trial.map(|trial| {
            Ok::<_, String>(Trial {
                version: version(&trial.version)?,
                starts: trial.starts,
            })
        });
        let failed = written.failed.map(|failed| {
            Ok::<_, String>(Failed {
                version: version(&failed.version)?,
                reason: failed.reason,
            })
        });
        Ok(Self {
            seen: seen.transpose()?,
            good: written.good.as_ref().map(version).transpose()?,
            trial: trial.transpose()?,
            failed: failed.transpose()?,
        })
    }
}
