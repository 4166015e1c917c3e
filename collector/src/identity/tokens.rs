//! One-time tokens: kept by their digests, gone when used.

use std::path::{Path, PathBuf};

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_proto::token::{Fingerprint, SECRET_BYTES, Token};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{IdentityError, files};

/// How long a token may be used: a day in which somebody travels to the box.
pub const TOKEN_MILLIS: u64 = 24 * 3_600_000;
/// Unused tokens at a time, of all sensors.
pub const TOKENS_MAX: usize = 1_024;

/// The directory of unused tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    directory: PathBuf,
}

/// What is known of an unused token; its name is the digest of its secret.
#[derive(Debug, Deserialize, Serialize)]
struct Unused {
    sensor: String,
    until_ms: u64,
    by: String,
}

/// Why a token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Another is needed.
    #[error(
        "the token is not known: it was used, has expired, or was withdrawn: ask the centre's \
         operator for another (`noroshi sensor enrol {0}`)"
    )]
    Unknown(SensorId),
    /// Another is needed.
    #[error(
        "the token expired at {until}: ask the centre's operator for another (`noroshi sensor \
         enrol {sensor}`)"
    )]
    Expired {
        /// Whose it was.
        sensor: SensorId,
        /// Since when.
        until: Millis,
    },
    /// The right one is needed.
    #[error("the token is not for sensor {0}: each sensor needs its own")]
    Another(SensorId),
    /// The centre's own trouble.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Why no token is given.
#[derive(Debug, thiserror::Error)]
pub enum NotGiven {
    /// The operator waits, or looks why nobody uses them.
    #[error("{TOKENS_MAX} tokens wait to be used: they go a day after they were given")]
    TooMany,
    /// The operator looks at the directory.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Tokens {
    /// Those in the directory of identities.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn open(identity: &Path) -> Result<Self, IdentityError> {
        let directory = identity.join("tokens");
        files::make_directory(&directory)?;
        Ok(Self { directory })
    }

    /// A new token for `sensor`, good until `until`; its older ones are withdrawn, and all that
    /// have expired are forgotten.
    ///
    /// # Errors
    /// There are too many, or the directory cannot be written.
    pub fn give(
        &self,
        sensor: &SensorId,
        authority: Fingerprint,
        by: &str,
        (now, until): (Millis, Millis),
    ) -> Result<Token, NotGiven> {
        self.forget(|unused| unused.until_ms <= now.0 || unused.sensor == sensor.as_str())?;
        if files::names(&self.directory)?.len() >= TOKENS_MAX {
            return Err(NotGiven::TooMany);
        }
        let token = Token {
            secret: files::random()?,
            authority,
        };
        let unused = Unused {
            sensor: sensor.to_string(),
            until_ms: until.0,
            by: by.to_owned(),
        };
        let text = serde_json::json!(unused).to_string();
        files::put(&self.path(&token.secret), text.as_bytes())?;
        Ok(token)
    }

    /// Uses a token up. Of those who bring the same at the same time, one succeeds.
    ///
    /// # Errors
    /// See [`NotTaken`].
    pub fn take(
        &self,
        secret: &[u8; SECRET_BYTES],
        sensor: &SensorId,
        now: Millis,
    ) -> Result<(), NotTaken> {
        let path = self.path(secret);
        let unknown = || NotTaken::Unknown(sensor.clone());
        let unused = read(&path)?.ok_or_else(unknown)?;
        if unused.sensor != sensor.as_str() {
            return Err(NotTaken::Another(sensor.clone()));
        }
        if unused.until_ms <= now.0 {
            files::remove(&path)?;
            return Err(NotTaken::Expired {
                sensor: sensor.clone(),
                until: Millis(unused.until_ms),
            });
        }
        if files::remove(&path)? {
            Ok(())
        } else {
            Err(unknown())
        }
    }

    /// Withdraws what was given for `sensor`.
    ///
    /// # Errors
    /// The directory cannot be read or written.
    pub fn withdraw(&self, sensor: &SensorId) -> Result<(), IdentityError> {
        self.forget(|unused| unused.sensor == sensor.as_str())
    }

    /// Until when a token for `sensor` waits to be used; `None` where there is none.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn waiting(&self, sensor: &SensorId, now: Millis) -> Result<Option<Millis>, IdentityError> {
        let mut waiting = None;
        for name in files::names(&self.directory)? {
            let unused = read(&self.directory.join(name))?;
            let until = unused
                .filter(|unused| unused.sensor == sensor.as_str() && unused.until_ms > now.0)
                .map(|unused| Millis(unused.until_ms));
            waiting = waiting.max(until);
        }
        Ok(waiting)
    }

    fn forget(&self, which: impl Fn(&Unused) -> bool) -> Result<(), IdentityError> {
        for name in files::names(&self.directory)? {
            let path = self.directory.join(name);
            if read(&path)?.is_some_and(|unused| which(&unused)) {
                files::remove(&path)?;
            }
        }
        Ok(())
    }

    fn path(&self, secret: &[u8; SECRET_BYTES]) -> PathBuf {
        let digest = Fingerprint(Sha256::digest(secret).into());
        self.directory.join(digest.to_string())
    }
}

fn read(path: &Path) -> Result<Option<Unused>, IdentityError> {
    let Some(text) = files::read(path)? else {
        return Ok(None); // used meanwhile
    };
    let parsed = serde_json::from_str(&text).map_err(|error| IdentityError::Damaged {
        path: path.to_owned(),
        problem: error.to_string(),
    });
    parsed.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_793_599_200_000);
    const UNTIL: Millis = Millis(NOW.0 + TOKEN_MILLIS);

    fn sensor(id: &str) -> SensorId {
        SensorId::new(id).unwrap()
    }

    fn tokens() -> (tempfile::TempDir, Tokens) {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(directory.path()).unwrap();
        (directory, tokens)
    }

    fn give(tokens: &Tokens, id: &str) -> Token {
        let given = tokens.give(&sensor(id), Fingerprint([1; 32]), "operator", (NOW, UNTIL));
        given.unwrap()
    }

    #[test]
    fn a_token_is_good_once_for_its_sensor() {
        let (_directory, tokens) = tokens();
        let token = give(&tokens, "a");
        let take = |id: &str| tokens.take(&token.secret, &sensor(id), NOW);
        assert!(matches!(take("b"), Err(NotTaken::Another(_))));
        assert!(take("a").is_ok());
        assert!(matches!(take("a"), Err(NotTaken::Unknown(_))));
    }

    #[test]
    fn a_token_is_good_until_its_time() {
        let (_directory, tokens) = tokens();
        let token = give(&tokens, "a");
        let late = tokens.take(&token.secret, &sensor("a"), UNTIL);
        assert!(matches!(late, Err(NotTaken::Expired { until: UNTIL, .. })));
        let again = give(&tokens, "a");
        let last = Millis(UNTIL.0 - 1);
        assert!(tokens.take(&again.secret, &sensor("a"), last).is_ok());
    }

    #[test]
    fn a_new_token_withdraws_the_sensor_s_older_ones() {
        let (_directory, tokens) = tokens();
        let (older, other) = (give(&tokens, "a"), give(&tokens, "b"));
        let newer = give(&tokens, "a");
        assert_eq!(tokens.waiting(&sensor("a"), NOW).unwrap(), Some(UNTIL));
        assert!(tokens.take(&older.secret, &sensor("a"), NOW).is_err());
        assert!(tokens.take(&newer.secret, &sensor("a"), NOW).is_ok());
        assert!(tokens.take(&other.secret, &sensor("b"), NOW).is_ok());
        assert_eq!(tokens.waiting(&sensor("a"), NOW).unwrap(), None);
    }

    #[test]
    fn the_secret_is_not_on_disk() {
        let (directory, tokens) = tokens();
        let token = give(&tokens, "a");
        let secret = token.to_string();
        let secret = secret.split('-').nth(1).unwrap();
        let names = files::names(&directory.path().join("tokens")).unwrap();
        let text = files::read(&tokens.path(&token.secret)).unwrap().unwrap();
        assert!(!names[0].contains(secret) && !text.contains(secret));
    }

    #[test]
    fn of_many_who_bring_one_token_one_succeeds() {
        let (_directory, tokens) = tokens();
        let token = give(&tokens, "a");
        let taken = std::thread::scope(|scope| {
            let take = || tokens.take(&token.secret, &sensor("a"), NOW).is_ok();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            let taken = threads.into_iter().map(|thread| thread.join().unwrap());
            taken.filter(|taken| *taken).count()
        });
        assert_eq!(taken, 1);
    }
}
