//! The program that was installed starts the version that is to run, and watches it.
//!
//! What it starts is its child and has the rights that it had; then it gives up its own. A child
//! on trial that has not reported in time is ended, whatever it does; one that ends by itself is
//! started again as often as [`STARTS_MAX`] allows.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{self, kill};
use nix::unistd::Pid;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;
use tokio::process::{Child, Command};
use tokio::signal::unix::Signal;
use tokio::time::{sleep, timeout};

use super::releases::{ReleaseError, Releases};
use super::state::{Choice, STARTS_MAX, State, StateError, make};
use super::{START_AGAIN, Settings};
use crate::rights;

/// How long a version that is given up may take to end, before it is killed: longer than a sensor
/// takes to deliver what it can.
const GRACE: Duration = Duration::from_secs(10);
/// The argument by which a version learns that it was launched, and as which.
pub const LAUNCHED: &str = "--launched";

/// What came of it.
#[derive(Debug)]
pub enum Launch {
    /// This program is the one to run. While the file is held nobody else launches.
    Here(Option<File>),
    /// Another version ran, and this is how this program ends.
    Ended(u8),
}

/// Why nothing is launched.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The operator ends one of them.
    #[error("another sensor runs with the versions in {}", .0.display())]
    Held(PathBuf),
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
    /// The system does not let go of rights, or has no processes.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The operator looks at the directory.
    #[error(transparent)]
    State(#[from] StateError),
}

/// How a child ended.
enum End {
    /// By itself.
    Itself(ExitStatus),
    /// Because this program was told to end.
    Told(ExitStatus),
    /// It did not report in time, and was ended.
    Overdue,
}

/// Starts the version that is to run with `arguments`, and stays until it ends; `told` resolves
/// when this program is told to end, and what hangs up on it is handed on.
///
/// Gives up this thread's rights once another version runs: call it where nothing else has been
/// started.
///
/// # Errors
/// See [`LaunchError`]. A version that cannot be started is given up for the one before.
pub async fn launch(
    settings: &Settings,
    installed: Version,
    arguments: &[OsString],
    (told, hangups): (impl Future<Output = ()>, &mut Signal),
) -> Result<Launch, LaunchError> {
    let lock = lock(&settings.directory)?;
    let releases = Releases::new(&settings.directory);
    let mut state = match State::load(&settings.directory) {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(%error, "the sensor's versions: the one that was installed runs");
            return Ok(Launch::Here(Some(lock)));
        }
    };
    let (child, version, on_trial) = loop {
        let before = state.clone();
        let choice = state.start(installed);
        if state != before {
            state.save(&settings.directory)?; // a start counts before it happens
        }
        let (version, on_trial) = match choice {
            Choice::Installed => {
                sweep(&releases, &state);
                return Ok(Launch::Here(Some(lock)));
            }
            Choice::Good(version) => (version, false),
            Choice::Trial(version) => (version, true),
        };
        match spawn(&releases, settings, version, arguments) {
            Ok(child) => break (child, version, on_trial),
            Err(error) if on_trial => {
                tracing::error!(%error, %version, "the new version is given up");
                state.fail(version, &format!("it cannot be started: {error}"));
                state.save(&settings.directory)?;
            }
            Err(error) => {
                tracing::error!(%error, %version, "the version that was installed runs instead");
                return Ok(Launch::Here(Some(lock)));
            }
        }
    };
    sweep(&releases, &state);
    rights::give_up().map_err(|source| LaunchError::System {
        action: "give up rights",
        source,
    })?;
    let trial = on_trial.then_some((settings, version));
    let end = watch(child, trial, told, hangups).await?;
    conclude(settings, version, end).map(Launch::Ended)
}

fn spawn(
    releases: &Releases,
    settings: &Settings,
    version: Version,
    arguments: &[OsString],
) -> Result<Child, ReleaseError> {
    let program = releases.program(version, &settings.keys, &Target::here())?;
    tracing::info!(%version, "starting");
    let mut command = Command::new(&program);
    command
        .args(arguments)
        .arg(LAUNCHED)
        .arg(version.to_string());
    command.kill_on_drop(true);
    command.spawn().map_err(|source| ReleaseError::File {
        action: "start",
        path: program,
        source,
    })
}

/// Waits for a child's end, and ends it where it is told to or has not reported in time.
async fn watch(
    mut child: Child,
    trial: Option<(&Settings, Version)>,
    told: impl Future<Output = ()>,
    hangups: &mut Signal,
) -> Result<End, LaunchError> {
    let waiting = |source| LaunchError::System {
        action: "wait for the sensor's process",
        source,
    };
    let overdue = async {
        let Some((settings, version)) = trial else {
            return std::future::pending().await;
        };
        sleep(settings.trial).await;
        if !is_on_trial(settings, version) {
            std::future::pending::<()>().await;
        }
    };
    enum Cause {
        Told,
        Overdue,
    }
    tokio::pin!(told, overdue);
    let cause = loop {
        tokio::select! {
            status = child.wait() => return status.map(End::Itself).map_err(waiting),
            () = &mut told => break Cause::Told,
            () = &mut overdue => break Cause::Overdue,
            Some(()) = hangups.recv() => tell(&child, signal::Signal::SIGHUP),
        }
    };
    let status = end(&mut child).await.map_err(waiting)?;
    Ok(match cause {
        Cause::Told => End::Told(status),
        Cause::Overdue => End::Overdue,
    })
}

fn tell(child: &Child, signal: signal::Signal) {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = kill(Pid::from_raw(id), signal); // it may have ended meanwhile
    }
}

/// By SIGTERM; by SIGKILL where that is not heard.
async fn end(child: &mut Child) -> io::Result<ExitStatus> {
    tell(child, signal::Signal::SIGTERM);
    if let Ok(ended) = timeout(GRACE, child.wait()).await {
        return ended;
    }
    child.kill().await?;
    child.wait().await
}

/// What is remembered of it, and with which code this program ends.
fn conclude(settings: &Settings, version: Version, end: End) -> Result<u8, LaunchError> {
    let mut state = State::load(&settings.directory)?;
    let trial = state.trial.filter(|trial| trial.version == version);
    let Some(trial) = trial else {
        return Ok(match end {
            End::Itself(status) | End::Told(status) => code(status),
            End::Overdue => START_AGAIN, // it reported at the last moment
        });
    };
    match end {
        End::Told(status) => {
            state.interrupt(version);
            state.save(&settings.directory)?;
            return Ok(code(status));
        }
        End::Overdue => {
            let seconds = settings.trial.as_secs();
            let reason = format!("it did not report within {seconds} s");
            give_up(settings, &mut state, version, &reason)?;
        }
        End::Itself(status) if trial.starts >= STARTS_MAX => {
            let reason = format!("it ended {STARTS_MAX} times before it reported, with {status}");
            give_up(settings, &mut state, version, &reason)?;
        }
        End::Itself(status) => {
            tracing::warn!(%version, %status, "the new version ended before it reported");
        }
    }
    // Never the child's own code: 78 would keep it from being started, and so from going back.
    Ok(START_AGAIN)
}

fn give_up(
    settings: &Settings,
    state: &mut State,
    version: Version,
    reason: &str,
) -> Result<(), LaunchError> {
    tracing::error!(%version, reason, "the new version is given up: the one before runs next");
    state.fail(version, reason);
    Ok(state.save(&settings.directory)?)
}

fn is_on_trial(settings: &Settings, version: Version) -> bool {
    State::load(&settings.directory)
        .is_ok_and(|state| state.trial.is_some_and(|trial| trial.version == version))
}

/// A child that a signal ended has no code.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.unwrap_or(1)
}

/// What cannot be removed costs room and nothing else.
fn sweep(releases: &Releases, state: &State) {
    if let Err(error) = releases.sweep(state.needed()) {
        tracing::warn!(%error, "old versions");
    }
}

fn lock(directory: &Path) -> Result<File, LaunchError> {
    let path = directory.join("lock");
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| LaunchError::File {
            action,
            path,
            source,
        }
    };
    make(directory).map_err(failed("make", directory))?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed("open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(LaunchError::Held(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}
