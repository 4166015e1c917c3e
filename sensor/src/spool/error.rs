//! What fails, and whether that is for lack of room.

use std::io;
use std::path::{Path, PathBuf};

use noroshi_proto::id::SensorId;
use noroshi_proto::limits::BATCH_BYTES_MAX;

/// Why the spool does not work, and so what to do.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// End the other process, or give this one its own directory.
    #[error("the spool {0} is in use by another process: one sensor process per spool directory")]
    Held(PathBuf),
    /// Name the sensor as before until its spool is empty, or give it another directory.
    #[error(
        "the spool {directory} belongs to sensor {owner}: give {sensor} a directory of its own"
    )]
    OtherSensor {
        /// The directory asked for.
        directory: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who asked.
        sensor: SensorId,
    },
    /// A batch larger than any collector takes: a defect of the sensor.
    #[error("a batch of {0} bytes is larger than the limit of {BATCH_BYTES_MAX}")]
    TooLarge(usize),
    /// The operator looks at the disk.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SpoolError {
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// Whether it would go if there were room.
    pub(super) fn is_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        let Self::File { source, .. } = self else {
            return false;
        };
        matches!(source.kind(), StorageFull | QuotaExceeded)
    }
}
