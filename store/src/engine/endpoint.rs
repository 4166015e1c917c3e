//! Where a running engine is reached, and the file that says so to other processes.
//!
//! # Promises
//! - `engine.lock` is locked by the kernel for as long as the engine's process lives, however
//!   it ends, and holds its process id.
//! - `engine.json` (mode 0600) appears in one piece, before the engine is called ready. A clean
//!   end removes it; after a crash the next engine answers at the same place, so that clients
//!   only have to try again.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::EngineError;

/// An engine's address and credentials, as the `clickhouse` client needs them.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `http://127.0.0.1:PORT`, or a server's URL.
    pub url: String,
    /// The user to log in as.
    pub user: String,
    /// The user's password; never logged.
    pub password: String,
    /// The database that tables live in; empty for the user's default.
    pub database: String,
}

impl Endpoint {
    /// The official client, pointed here.
    pub fn client(&self) -> clickhouse::Client {
        let client = clickhouse::Client::default()
            .with_url(&self.url)
            .with_user(&self.user)
            .with_password(&self.password);
        if self.database.is_empty() {
            return client;
        }
        client.with_database(&self.database)
    }

    /// The same place with another database.
    #[must_use]
    pub fn with_database(&self, database: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            ..self.clone()
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}/{}", self.user, self.url, self.database)
    }
}

/// What `engine.json` holds.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Announcement {
    pub(super) url: String,
    pub(super) user: String,
    pub(super) password: String,
    /// Process that serves; 0 where none does yet.
    pub(super) pid: u32,
    /// The engine's version.
    pub(super) version: String,
}

impl Announcement {
    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint {
            url: self.url.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
            database: String::new(),
        }
    }

    /// Reads the file; `None` where there is none, or one that a person has spoiled.
    pub(super) fn read(directory: &Path) -> Option<Self> {
        let text = fs::read(file(directory)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes the file in one piece.
    pub(super) fn write(&self, directory: &Path) -> Result<(), EngineError> {
        let whole = file(directory);
        let part = directory.join("engine.json.part");
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&part)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            fs::rename(&part, &whole)
        };
        write().map_err(|source| EngineError::file("write", &whole, source))
    }

    pub(super) fn remove(directory: &Path) {
        // Nobody is misled by a file that stays: the lock says whether an engine lives.
        let _ = fs::remove_file(file(directory));
    }
}

fn file(directory: &Path) -> PathBuf {
    directory.join("engine.json")
}

/// Held while an engine serves a directory.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the directory for this process.
    ///
    /// # Errors
    /// [`EngineError::Held`] while another process has it.
    pub(super) fn take(directory: &Path) -> Result<Self, EngineError> {
        let path = directory.join("engine.lock");
        let mut file = open(&path)?;
        // `holder` locks for an instant when it looks, hence more than one try.
        for _ in 0..20 {
            match file.try_lock() {
                Ok(()) => {
                    let write = |file: &mut File| {
                        file.set_len(0)?;
                        write!(file, "{}", std::process::id())
                    };
                    write(&mut file).map_err(|source| EngineError::file("write", &path, source))?;
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::Error(source)) => {
                    return Err(EngineError::file("lock", &path, source));
                }
            }
        }
        Err(EngineError::Held {
            path: directory.to_owned(),
            pid: pid(&mut file),
        })
    }
}

/// Who has a directory.
pub(super) enum Holder {
    Nobody,
    /// A process that does not answer yet.
    Starting,
    Serving(Announcement),
}

/// Looks who has `directory`, without taking it.
pub(super) fn holder(directory: &Path) -> Result<Holder, EngineError> {
    let path = directory.join("engine.lock");
    let mut file = open(&path)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(Holder::Nobody), // closing the file lets go
        Err(TryLockError::Error(source)) => Err(EngineError::file("lock", &path, source)),
        Err(TryLockError::WouldBlock) => Ok(match Announcement::read(directory) {
            Some(found) if found.pid != 0 && found.pid == pid(&mut file) => Holder::Serving(found),
            _ => Holder::Starting,
        }),
    }
}

fn open(path: &Path) -> Result<File, EngineError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| EngineError::file("open", path, source))
}

fn pid(file: &mut File) -> u32 {
    let mut text = String::new();
    // Where it cannot be read the message goes without a number.
    let _ = file.read_to_string(&mut text);
    text.trim().parse().unwrap_or(0)
}
