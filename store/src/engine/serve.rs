//! The child process: opens the library and a directory, and serves them on a loopback port.
//!
//! # Promises
//! - It ends when SIGTERM or SIGINT comes, and when its standard input, if that is a pipe,
//!   closes: so it never outlives the parent that holds the other end.
//! - Whatever ends it, what a client was told is stored stays stored.

use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

use super::endpoint::{Announcement, Lock};
use super::execute::Database;
use super::http::{self, Credentials, Ended};
use super::library::Library;
use super::{EngineError, fetch};

/// What becomes of the directory when the engine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It stays: a store.
    Lasting,
    /// It is deleted: replay and tests.
    ThrowAway,
}

/// Serves `directory` until the process is told to end. This is what `noroshi engine serve
/// --path DIR` runs.
///
/// Where a statement is still at work 20 s after that, the whole process exits with 1.
///
/// # Errors
/// [`EngineError::Missing`] without the library, [`EngineError::Held`] while another process
/// serves the directory.
pub async fn serve(directory: PathBuf, keep: Keep) -> Result<(), EngineError> {
    // Before anything slow: a parent that dies early is noticed, a signal is not lost.
    let stop = told_to_end()?;
    let library = fetch::locate()?;
    std::fs::create_dir_all(&directory)
        .map_err(|source| EngineError::file("create", &directory, source))?;
    let directory = directory
        .canonicalize()
        .map_err(|source| EngineError::file("open", &directory, source))?;
    let lock = Lock::take(&directory)?;
    let database = open(&library, &directory).await?;
    let (listener, announcement) = listen(&directory, &database.version).await?;
    announcement.write(&directory)?;
    tracing::info!(
        url = announcement.url,
        version = announcement.version,
        directory = %directory.display(),
        "the embedded engine serves"
    );

    let credentials = Credentials {
        user: announcement.user,
        password: announcement.password,
    };
    let ended = http::serve(listener, Arc::clone(&database), credentials, stop).await;
    if ended == Ended::AtWork {
        tracing::warn!("requests were still at work when the engine was told to end");
        Announcement::remove(&directory);
        // Threads inside the engine cannot be called back, and would keep the process alive.
        std::process::exit(1);
    }

    let closing = tokio::task::spawn_blocking(move || database.close());
    if let Err(error) = closing.await {
        tracing::warn!(%error, "the engine did not close cleanly");
    }
    Announcement::remove(&directory);
    if keep == Keep::ThrowAway {
        // A directory that stays does no harm: it is one of the system's temporary ones.
        let _ = std::fs::remove_dir_all(&directory);
    }
    drop(lock);
    Ok(())
}

/// Opens the engine on `directory/clickhouse`.
async fn open(library: &Path, directory: &Path) -> Result<Arc<Database>, EngineError> {
    let (library, data) = (library.to_owned(), directory.join("clickhouse"));
    let opening = tokio::task::spawn_blocking(move || {
        let library = Library::open(&library).map_err(|e| EngineError::Broken(e.to_string()))?;
        Database::open(library, &data).map_err(|e| EngineError::Down(e.to_string()))
    });
    let opened = opening.await;
    Ok(Arc::new(
        opened.map_err(|e| EngineError::Down(e.to_string()))??,
    ))
}

/// Listens where an engine that crashed on this directory did, with its credentials, so that its
/// clients find this one; else on a free port with a new password.
async fn listen(
    directory: &Path,
    version: &str,
) -> Result<(TcpListener, Announcement), EngineError> {
    let mut announcement = Announcement {
        url: String::new(),
        user: "noroshi".to_owned(),
        password: uuid::Uuid::new_v4().simple().to_string(),
        pid: std::process::id(),
        version: version.to_owned(),
    };
    if let Some(before) = Announcement::read(directory)
        && let Some(address) = before.url.strip_prefix("http://")
        && address.starts_with("127.0.0.1:")
        && let Ok(listener) = TcpListener::bind(address).await
    {
        announcement.url = before.url;
        announcement.user = before.user;
        announcement.password = before.password;
        return Ok((listener, announcement));
    }
    let down = |error: std::io::Error| {
        EngineError::Down(format!("it cannot listen on 127.0.0.1: {error}"))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(down)?;
    announcement.url = format!("http://{}", listener.local_addr().map_err(down)?);
    Ok((listener, announcement))
}

/// Becomes true when the process is told to end.
fn told_to_end() -> Result<watch::Receiver<bool>, EngineError> {
    let down =
        |error: std::io::Error| EngineError::Down(format!("it cannot listen for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(down)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(down)?;
    let (stop, stopped) = watch::channel(false);
    // Runs until the process ends.
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = parent_gone() => {}
        }
        let _ = stop.send(true); // nobody is left to be told
        std::future::pending::<()>().await;
    });
    Ok(stopped)
}

/// Returns when the pipe on standard input closes; never where it is not a pipe (a terminal, a
/// service manager).
async fn parent_gone() {
    let piped = std::fs::metadata("/dev/stdin")
        .is_ok_and(|input| input.file_type().is_fifo() || input.file_type().is_socket());
    let (tell, told) = oneshot::channel();
    if piped {
        // A thread of its own, which the process does not wait for.
        std::thread::spawn(move || {
            let mut byte = [0; 64];
            while matches!(std::io::stdin().read(&mut byte), Ok(1..)) {}
            tell.send(())
        });
        if told.await.is_ok() {
            return;
        }
    }
    std::future::pending().await
}
