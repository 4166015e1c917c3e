//! The sensor's next version: asked for, checked, tried, and given up where it does not report.
//!
//! | module       | takes                   | gives                            | touches the world |
//! |--------------|-------------------------|----------------------------------|-------------------|
//! | [`judge`]    | a manifest              | whether it is wanted, or why not | no                |
//! | [`state`]    | what happened           | which version is started         | a file            |
//! | [`releases`] | a file, piece by piece  | a program that may be run        | files             |
//! | [`fetch`]    | a manifest              | the file, from the collector     | the network       |
//! | [`selftest`] | a program               | whether it works here            | processes         |
//! | [`keep`]     | a running sensor        | its next version                 | all of these      |
//! | [`launch`]   | a sensor to be started  | the version that runs            | processes         |
//!
//! # Promises
//! - Nothing is run that none of the configured keys has signed; a program is checked again each
//!   time before it is started.
//! - Versions only grow. One that failed here is never tried again.
//! - A version is on trial until the collector has acknowledged a batch of its own. Where that
//!   does not come in time, or where it ends too often before, the one before runs again.
//! - Whenever the power fails, one version that worked is started next: what is started is decided
//!   by one small file that is replaced as a whole, after what it names is on disk.
//! - Capturing and shipping never wait for any of this.
//!
//! # Operation
//! The program that was installed starts, and starts the newest good version as its child where
//! that is newer than itself. It watches the child's trial, so that even a version that hangs is
//! given up. A sensor that has a new version ready ends with [`START_AGAIN`], and whatever looks
//! after it starts it again.

pub mod fetch;
pub mod judge;
pub mod keep;
pub mod launch;
pub mod releases;
pub mod selftest;
pub mod state;

use std::path::PathBuf;
use std::time::Duration;

use noroshi_proto::update::key::PublicKey;
use noroshi_proto::update::version::Version;

/// The exit code of a sensor that is to be started again (`EX_TEMPFAIL` of sysexits.h).
pub const START_AGAIN: u8 = 75;

/// `[update]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whose signature is believed: 1 to
    /// [`UPDATE_KEYS_MAX`](noroshi_proto::limits::UPDATE_KEYS_MAX).
    pub keys: Vec<PublicKey>,
    /// Where versions are kept.
    pub directory: PathBuf,
    /// How often the collector is asked.
    pub every: Duration,
    /// How long a new version may take until it has reported.
    pub trial: Duration,
}

/// The sensor's process that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its configuration's file.
    pub config: PathBuf,
    /// Its version.
    pub version: Version,
}

/// What this program was built as.
///
/// # Panics
/// Never: a test reads it.
pub fn own_version() -> Version {
    let version = env!("CARGO_PKG_VERSION").parse();
    version.expect("the workspace's version is three numbers, as a test holds")
}

#[cfg(test)]
mod tests;
