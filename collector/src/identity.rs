//! Who sensors are: the centre's own small authority, and whoever it has enrolled.
//!
//! A sensor is what its certificate says, and nothing else. The certificate is good while TLS
//! finds it signed and in time, and while no revocation stands that is younger than it.
//!
//! | module          | holds                                                         | touches the world |
//! |-----------------|---------------------------------------------------------------|-------------------|
//! | [`authority`]   | the key that signs, and what it signs                         | a file            |
//! | [`tokens`]      | one-time tokens, by their digests                             | a directory       |
//! | [`register`]    | certificates issued, sensors revoked                          | a directory       |
//! | [`journal`]     | who let whom in or out                                        | a file            |
//! | [`revocations`] | what stands against whom; and the watch on it                 | a directory       |
//! | [`caller`]      | who is at the other end of a connection                       | no                |
//! | [`tls`]         | the server's side of a handshake                              | files             |
//! | [`enrolment`]   | the gRPC service that gives certificates                      | the clock         |
//!
//! Everything stands in one directory (mode 0700), so that `noroshi sensor …` and any number of
//! collectors on one machine work on it at the same time: files appear whole, and a file that may
//! be used once is used by whoever removes it.

pub mod authority;
pub mod caller;
pub mod enrolment;
pub(crate) mod files;
pub mod journal;
pub mod register;
pub mod revocations;
pub mod tls;
pub mod tokens;

use std::path::PathBuf;

/// Why the directory of identities cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The operator looks at path and rights.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The operator restores the file.
    #[error("{}: {problem}: restore it from a backup", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody can: names that no certificate can carry.
    #[error("no certificate can be made: {0}")]
    Certificate(#[from] rcgen::Error),
}
