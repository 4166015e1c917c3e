//! What becomes of a manifest whose signature was found good.

use noroshi_proto::limits::CLOCK_AHEAD_MAX;
use noroshi_proto::time::Millis;
use noroshi_proto::update::Manifest;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;

use super::state::State;

/// What it says to this sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// Nothing newer than what runs.
    Current,
    /// Something to fetch.
    Wanted,
}

/// Why a signed manifest is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The centre's operator publishes the right file.
    #[error("it is for {offered}, and this is {here}")]
    OtherTarget {
        /// For which.
        offered: Target,
        /// Where this is.
        here: Target,
    },
    /// Somebody looks at a clock: here, or where it was signed.
    #[error("it was signed at {0}, which has not come yet: is this machine's clock right (NTP)?")]
    FromTheFuture(Millis),
    /// The owner of the key signs again; or the centre shows what is old.
    #[error("it expired at {0}: it has to be signed again, unless the centre shows what is old")]
    Expired(Millis),
    /// The centre shows what is old.
    #[error("it is version {offered}, and {seen} was signed before: the centre shows what is old")]
    Older {
        /// What it is.
        offered: Version,
        /// The newest that was ever seen here.
        seen: Version,
    },
    /// The owner of the key gives each file a version of its own.
    #[error("version {0} was signed before for another file: give this one a higher version")]
    OtherFile(Version),
    /// The owner of the key mends it, and signs a higher version.
    #[error("version {version} failed on this machine: {reason}")]
    FailedHere {
        /// Which.
        version: Version,
        /// Why.
        reason: String,
    },
}

/// Whether a sensor in this `state`, that `runs` this version on `here`, follows.
///
/// # Errors
/// See [`Refused`].
pub fn judge(
    manifest: &Manifest,
    state: &State,
    (runs, here): (Version, &Target),
    now: Millis,
) -> Result<Offered, Refused> {
    let version = manifest.version;
    if manifest.target != *here {
        return Err(Refused::OtherTarget {
            offered: manifest.target.clone(),
            here: here.clone(),
        });
    }
    let ahead = u64::try_from(CLOCK_AHEAD_MAX.as_millis()).unwrap_or(u64::MAX);
    if manifest.issued.0 > now.0.saturating_add(ahead) {
        return Err(Refused::FromTheFuture(manifest.issued));
    }
    if manifest.expires <= now {
        return Err(Refused::Expired(manifest.expires));
    }
    if let Some(seen) = &state.seen {
        if version < seen.version {
            return Err(Refused::Older {
                offered: version,
                seen: seen.version,
            });
        }
        if version == seen.version && manifest.sha256 != seen.sha256 {
            return Err(Refused::OtherFile(version));
        }
    }
    if let Some(failed) = state.failed.as_ref().filter(|f| version <= f.version) {
        return Err(Refused::FailedHere {
            version,
            reason: failed.reason.clone(),
        });
    }
    if version <= runs {
        return Ok(Offered::Current);
    }
    Ok(Offered::Wanted)
}
