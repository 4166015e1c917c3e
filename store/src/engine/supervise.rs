//! The parent's side: an engine that is there for as long as it is wanted.
//!
//! # Promises
//! - The engine that another process runs on the directory is used; else a child is started, and
//!   started again when it dies, whoever had started it.
//! - The [`Endpoint`] stays the same through all of that. Only if something else has taken its
//!   port meanwhile, the engine is given up.
//! - Starting again has a limit; [`Engine::lost`] tells when it is reached.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::endpoint::{Announcement, Endpoint, Holder, holder};
use super::{EngineError, fetch};

/// Time for a child to answer: loading and opening take half a second, recovery of many tables
/// after a crash on a slow disk takes longer.
const START_TIME_MAX: Duration = Duration::from_secs(120);
/// Time for a child to end after it was told to. Its own grace for requests is 20 s.
const STOP_TIME_MAX: Duration = Duration::from_secs(30);
/// Starts in a row that may fail, or end within [`HEALTHY_AFTER`].
const FAILURES_MAX: u32 = 8;
/// An engine that lived this long starts with a clean record.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// Pause before the second failed start is repeated; doubled each time, up to 5 s.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often an engine of another process is looked at, and one that is starting.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOK_FOR_START_EVERY: Duration = Duration::from_millis(15);
/// The child's last words kept for an error message.
const LAST_WORDS_BYTES: usize = 2048;

/// Which engine is wanted.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The directory of its data and of `engine.json`; made where it does not exist.
    pub path: PathBuf,
    /// The program that has the verb `engine serve`. `None`: see [`program`].
    pub program: Option<PathBuf>,
}

impl EngineConfig {
    /// The engine on `path`, run by the program that [`program`] finds.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            program: None,
        }
    }
}

/// An engine that stays alive. Dropping it tells a child of ours to end; [`Engine::stop`] also
/// waits for it.
pub struct Engine {
    endpoint: Endpoint,
    /// Of the engine that answers now; another one after a restart.
    pid: Arc<AtomicU32>,
    stop: watch::Sender<bool>,
    lost: watch::Receiver<Option<String>>,
    task: Option<JoinHandle<()>>,
    _directory: Option<TempDir>,
}

impl Engine {
    /// Uses the engine that lives on the directory, or starts a child.
    ///
    /// # Errors
    /// [`EngineError::Missing`] without the library, [`EngineError::Down`] with the child's last
    /// words when it does not come up.
    pub async fn start(config: EngineConfig) -> Result<Self, EngineError> {
        Self::begin(config, None).await
    }

    /// An engine on a directory of its own, which is deleted at the end: for replay and tests.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn throw_away(program: Option<PathBuf>) -> Result<Self, EngineError> {
        let directory = tempfile::Builder::new()
            .prefix("noroshi-engine-")
            .tempdir()
            .map_err(|source| EngineError::file("create", &std::env::temp_dir(), source))?;
        let path = directory.path().to_owned();
        Self::begin(EngineConfig { path, program }, Some(directory)).await
    }

    async fn begin(config: EngineConfig, own: Option<TempDir>) -> Result<Self, EngineError> {
        fetch::locate()?; // the clearest error comes first
        std::fs::create_dir_all(&config.path)
            .map_err(|source| EngineError::file("create", &config.path, source))?;
        let mut keeper = Keeper {
            program: program(config.program)?,
            path: config.path,
            throw_away: own.is_some(),
            pid: Arc::default(),
        };
        let (first, announcement) = keeper.attach().await?;
        let (stop, stopped) = watch::channel(false);
        let (losing, lost) = watch::channel(None);
        Ok(Self {
            endpoint: announcement.endpoint(),
            pid: Arc::clone(&keeper.pid),
            stop,
            lost,
            task: Some(tokio::spawn(async move {
                if let Err(error) = keeper.keep(first, announcement, stopped).await {
                    tracing::error!(%error, "the embedded engine is given up");
                    let _ = losing.send(Some(error.to_string())); // nobody may be listening
                }
            })),
            _directory: own,
        })
    }

    /// Where it is reached. Stays the same when the engine is started again.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The process that answers now.
    pub fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// Returns, with the reason, when the engine is given up; never while it is kept alive.
    pub async fn lost(&self) -> String {
        let mut lost = self.lost.clone();
        match lost.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await, // it was stopped, not lost
        }
    }

    /// Ends a child of ours and waits until its directory is closed. An engine that another
    /// process runs is left alone.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true); // the task may have given up already
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::warn!(%error, "the engine's keeper did not end cleanly");
        }
    }
}

/// The program that has the verb `engine serve`: `named`, else `NOROSHI_ENGINE_PROGRAM`, else
/// this program if it is `noroshi`, else `noroshi-engine` or `noroshi` beside it (a test finds
/// them one directory up).
///
/// # Errors
/// [`EngineError::Down`] when there is none.
#[allow(
    clippy::disallowed_methods,
    reason = "a person may choose the program; this is a shell"
)]
pub fn program(named: Option<PathBuf>) -> Result<PathBuf, EngineError> {
    let chosen = || {
        std::env::var("NOROSHI_ENGINE_PROGRAM")
            .ok()
            .map(PathBuf::from)
    };
    if let Some(program) = named.or_else(chosen) {
        return Ok(program);
    }
    let this = std::env::current_exe()
        .map_err(|error| EngineError::Down(format!("this program has no path: {error}")))?;
    if this
        .file_stem()
        .is_some_and(|name| name == "noroshi" || name == "noroshi-engine")
    {
        return Ok(this);
    }
    this.ancestors()
        .skip(1)
        .take(2)
        .flat_map(|directory| [directory.join("noroshi-engine"), directory.join("noroshi")])
        .find(|program| program.is_file())
        .ok_or_else(|| {
            EngineError::Down(format!(
                "there is no noroshi or noroshi-engine beside {}: build it, or let \
                 NOROSHI_ENGINE_PROGRAM name one",
                this.display()
            ))
        })
}

/// The engine that answers.
enum Attached {
    Ours(Box<Ours>),
    Theirs,
}

/// A child of ours.
struct Ours {
    child: Child,
    /// The pipe that keeps it alive. Held apart, because waiting for a child closes its own.
    pipe: Option<ChildStdin>,
    last_words: Arc<Mutex<LastWords>>,
}

/// What a child wrote to its standard error: kept until it answers, passed on from then.
#[derive(Default)]
struct LastWords {
    text: Vec<u8>,
    passing_on: bool,
}

struct Keeper {
    program: PathBuf,
    path: PathBuf,
    throw_away: bool,
    pid: Arc<AtomicU32>,
}

impl Keeper {
    /// Keeps the engine alive until it is to stop.
    async fn keep(
        &mut self,
        first: Attached,
        known: Announcement,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), EngineError> {
        let mut attached = first;
        let mut failures = 0;
        loop {
            let healthy = tokio::time::sleep(HEALTHY_AFTER);
            let mut healthy = std::pin::pin!(healthy);
            let ended = loop {
                tokio::select! {
                    () = told(&mut stop) => return attached.end().await,
                    () = healthy.as_mut(), if failures > 0 => failures = 0,
                    ended = attached.ended(&self.path) => break ended,
                }
            };
            tracing::warn!(
                reason = ended,
                "the embedded engine ended: it is started again"
            );
            attached = loop {
                failures += 1;
                if failures > FAILURES_MAX {
                    return Err(EngineError::Down(format!(
                        "it ended {FAILURES_MAX} times in a row, last: {ended}"
                    )));
                }
                if failures > 1 {
                    let pause = (PAUSE * 2_u32.pow(failures)).min(PAUSE_MAX);
                    tokio::select! {
                        () = told(&mut stop) => return Ok(()),
                        () = tokio::time::sleep(pause) => {}
                    }
                }
                match self.again(&known).await {
                    Ok(attached) => break attached,
                    Err(error) => tracing::warn!(%error, "the embedded engine did not start"),
                }
            };
        }
    }

    /// Attaches again, at the place where the engine was.
    async fn again(&self, known: &Announcement) -> Result<Attached, EngineError> {
        if Announcement::read(&self.path).is_none() {
            // The engine ended cleanly, as its owner told it: the next one takes its place.
            let place = Announcement {
                pid: 0,
                ..known.clone()
            };
            place.write(&self.path)?;
        }
        let (attached, announcement) = self.attach().await?;
        if announcement.url == known.url && announcement.password == known.password {
            return Ok(attached);
        }
        attached.end().await?;
        Err(EngineError::Down(format!(
            "{} was taken by another program meanwhile",
            known.url
        )))
    }

    /// Uses the engine that is there, or starts one.
    async fn attach(&self) -> Result<(Attached, Announcement), EngineError> {
        let attaching = async {
            loop {
                match holder(&self.path)? {
                    Holder::Serving(found) => return Ok((Attached::Theirs, found)),
                    Holder::Starting => tokio::time::sleep(LOOK_FOR_START_EVERY).await,
                    Holder::Nobody => match self.spawn().await? {
                        Some((ours, found)) => return Ok((Attached::Ours(ours), found)),
                        None => continue, // another process was quicker
                    },
                }
            }
        };
        let (attached, announcement) = tokio::time::timeout(START_TIME_MAX, attaching)
            .await
            .map_err(|_| {
                EngineError::Down(format!("it did not answer within {START_TIME_MAX:?}"))
            })??;
        self.pid.store(announcement.pid, Ordering::Relaxed);
        Ok((attached, announcement))
    }

    /// Starts a child and waits until it serves. `None` when another process took the directory.
    async fn spawn(&self) -> Result<Option<(Box<Ours>, Announcement)>, EngineError> {
        let mut command = Command::new(&self.program);
        command.args(["engine", "serve", "--path"]).arg(&self.path);
        if self.throw_away {
            command.arg("--throw-away");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0) // a ^C in the terminal reaches us; the engine ends after us
            .spawn()
            .map_err(|source| EngineError::file("run", &self.program, source))?;
        let last_words = Arc::default();
        if let Some(stderr) = child.stderr.take() {
            // Ends with the child.
            tokio::spawn(listen(stderr, Arc::clone(&last_words)));
        }
        let pipe = child.stdin.take();
        let mut ours = Box::new(Ours {
            child,
            pipe,
            last_words,
        });
        let pid = ours.child.id().unwrap_or(0);
        loop {
            match holder(&self.path)? {
                Holder::Serving(found) if found.pid == pid => {
                    ours.last_words().passing_on = true;
                    return Ok(Some((ours, found)));
                }
                _ => {}
            }
            let waited = tokio::time::timeout(LOOK_FOR_START_EVERY, ours.child.wait()).await;
            if let Ok(ended) = waited {
                if !matches!(holder(&self.path)?, Holder::Nobody) {
                    return Ok(None);
                }
                return Err(EngineError::Down(ours.epitaph(ended).await));
            }
        }
    }
}

impl Attached {
    /// Returns, with the reason, when the engine no longer serves.
    async fn ended(&mut self, path: &Path) -> String {
        match self {
            Self::Ours(ours) => {
                let ended = ours.child.wait().await;
                ours.epitaph(ended).await
            }
            Self::Theirs => loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if !matches!(holder(path), Ok(Holder::Serving(_))) {
                    return "the process that ran it is gone".to_owned();
                }
            },
        }
    }

    /// Tells a child of ours to end and waits for it.
    async fn end(self) -> Result<(), EngineError> {
        let Self::Ours(mut ours) = self else {
            return Ok(());
        };
        drop(ours.pipe.take());
        if tokio::time::timeout(STOP_TIME_MAX, ours.child.wait())
            .await
            .is_err()
        {
            tracing::warn!("the embedded engine did not end in time and is killed");
            let _ = ours.child.kill().await; // it may have ended just now
        }
        Ok(())
    }
}

impl Ours {
    fn last_words(&self) -> std::sync::MutexGuard<'_, LastWords> {
        self.last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn epitaph(&self, ended: std::io::Result<std::process::ExitStatus>) -> String {
        tokio::time::sleep(LOOK_FOR_START_EVERY).await; // what it said last is still on its way
        let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        let words = self.last_words();
        let words = String::from_utf8_lossy(&words.text);
        match words.trim() {
            "" => status,
            words => format!("{words} ({status})"),
        }
    }
}

/// Returns when the engine is to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that the engine was dropped: the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn listen(mut stderr: ChildStderr, last_words: Arc<Mutex<LastWords>>) {
    let mut buffer = vec![0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
        let said = &buffer[..length];
        let passing_on = {
            let mut words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
            words.text.extend_from_slice(said);
            let excess = words.text.len().saturating_sub(LAST_WORDS_BYTES);
            words.text.drain(..excess);
            words.passing_on
        };
        if passing_on {
            // A closed standard error of ours takes nothing from the engine.
            let _ = std::io::stderr().write_all(said);
        }
    }
}
