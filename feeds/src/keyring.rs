//! The credentials in force: read again whenever their files change, so that one is revoked by
//! taking its line out.

use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use noroshi_store::origin::PartnerId;

use crate::credential::{CredentialError, Credentials};

/// How often the files are looked at: what was revoked is refused within this time.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A directory of credentials, and what it said last.
pub struct Keyring {
    directory: PathBuf,
    partners: Vec<PartnerId>,
    current: ArcSwap<Credentials>,
}

/// What tells that a file changed: its name, length, and time of modification.
type Stamp = Vec<(PathBuf, u64, Option<SystemTime>)>;

impl Keyring {
    /// Reads a directory of credentials of `partners`.
    ///
    /// # Errors
    /// With the file and line at fault.
    pub fn open(directory: PathBuf, partners: Vec<PartnerId>) -> Result<Self, CredentialError> {
        let credentials = Credentials::load(&directory, &partners)?;
        Ok(Self {
            directory,
            partners,
            current: ArcSwap::from_pointee(credentials),
        })
    }

    /// What is in force now.
    pub fn current(&self) -> Arc<Credentials> {
        self.current.load_full()
    }

    /// Follows the directory until `shutdown`. A file at fault lets nobody in until it is mended.
    pub async fn follow(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut seen = Stamp::new(); // the first look reads again: something may have changed since
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let stamp = self.stamp();
            if stamp != seen {
                self.read_again();
                seen = stamp;
            }
        }
    }

    fn read_again(&self) {
        let read = Credentials::load_what_can_be(&self.directory, &self.partners);
        let (credentials, faults) = match read {
            Ok(read) => read,
            Err(fault) => (Credentials::default(), vec![fault]),
        };
        for fault in faults {
            tracing::error!("{fault}: nobody is let in by it");
        }
        self.current.store(Arc::new(credentials));
    }

    fn stamp(&self) -> Stamp {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return Stamp::new();
        };
        let mut stamp: Stamp = entries
            .filter_map(Result::ok)
            .map(|entry| match entry.metadata() {
                Ok(about) => (entry.path(), about.len(), about.modified().ok()),
                Err(_) => (entry.path(), 0, None),
            })
            .collect();
        stamp.sort();
        stamp
    }
}
