//! The embedded engine: ClickHouse itself, loaded from its C library by a child process of ours
//! that serves it over HTTP on a loopback port.
//!
//! | module        | takes                     | gives                               | touches the world |
//! |---------------|---------------------------|-------------------------------------|-------------------|
//! | [`fetch`]     | the package's name        | the library, in the cache directory | yes               |
//! | `library`     | the library               | connections, results, inserts       | yes (`unsafe`)    |
//! | `http`        | requests of the client    | statements, and their answers       | yes               |
//! | [`serve`]     | a directory               | a serving process                   | yes               |
//! | [`endpoint`]  | a running engine          | its address, for other processes    | yes               |
//! | [`supervise`] | a program and a directory | an [`Endpoint`] that stays alive    | yes               |
//!
//! # Promises
//! - One process has a directory at a time; a second one is refused by name.
//! - The engine never outlives the process that started it.
//! - A request that breaks off before its end changes nothing.

pub mod endpoint;
mod execute;
pub mod fetch;
mod http;
mod library;
pub mod serve;
mod statement;
pub mod supervise;
pub mod testing;

use std::io;
use std::path::{Path, PathBuf};

pub use endpoint::Endpoint;
pub use supervise::{Engine, EngineConfig};

/// Why there is no engine, and so what to do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The operator fetches the library.
    #[error(
        "the embedded engine is not installed (looked for {0}): run `noroshi engine fetch`, or let \
         NOROSHI_ENGINE name a libchdb.so"
    )]
    Missing(PathBuf),
    /// The library is there and does not work: fetch it again.
    #[error("the embedded engine does not load: {0}: run `noroshi engine fetch` again")]
    Broken(String),
    /// Another process has the directory: use its endpoint, or end it.
    #[error("{path} is in use by the engine of process {pid}: end that process, or use its store")]
    Held {
        /// The directory asked for.
        path: PathBuf,
        /// Its holder; 0 where it is not known.
        pid: u32,
    },
    /// The operator looks at the file.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The child did not come up, or went down too often.
    #[error("the embedded engine does not run: {0}")]
    Down(String),
    /// Nothing was installed; what was there before still is.
    #[error("the embedded engine cannot be fetched: {0}")]
    Fetch(String),
}

impl EngineError {
    fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
