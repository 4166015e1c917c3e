//! A running sensor's part: it says once that it works, and asks for its next version from time
//! to time.

use std::time::Duration;

use noroshi_proto::id::SensorId;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;
use noroshi_proto::update::{Manifest, Signed};
use tokio::sync::watch;
use tokio::time::sleep;

use super::fetch::{FetchError, Patience, Source};
use super::judge::{Offered, Refused, judge};
use super::releases::{ReleaseError, Releases};
use super::selftest;
use super::state::{State, StateError};
use super::{Settings, Started};
use crate::clock;
use crate::config::collector::Collector;
use crate::key;
use crate::ship;

/// After the network or the collector failed it is asked again no later than this.
const AGAIN_MAX: Duration = Duration::from_secs(900);

/// Why there is no next version yet.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The collector, the network, or what came of it.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is signed, and not followed.
    #[error("the collector offers an update, and it is not followed: {0}")]
    Refused(#[from] Refused),
    /// It does not work on this machine.
    #[error("version {version} does not work here: {reason}")]
    SelfTest {
        /// Which.
        version: Version,
        /// Why not.
        reason: String,
    },
    /// The operator looks at the directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The operator looks at the directory.
    #[error(transparent)]
    Release(#[from] ReleaseError),
}

/// What looks after a running sensor's versions.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// `[update]`
    pub settings: Settings,
    /// Who is asked: whoever batches go to.
    pub shipping: watch::Receiver<ship::Settings>,
    /// Who asks.
    pub sensor: SensorId,
    /// What runs.
    pub started: Started,
}

impl Keeper {
    /// Waits until this version has `reported`, then asks for the next until one is ready to be
    /// started. Whatever fails is tried again.
    pub async fn keep(&self, reported: impl Future<Output = ()>) -> Version {
        reported.await;
        if let Err(error) = self.note_report() {
            tracing::error!(%error, "the sensor's versions");
        }
        // A tenth of the time, so that a thousand sensors that start as one do not ask as one.
        let mut pause = part(self.settings.every / 10, 0.0);
        loop {
            sleep(pause).await;
            pause = match self.ask().await {
                Ok(Some(version)) => return version,
                Ok(None) => part(self.settings.every, 0.9),
                Err(error) => {
                    tracing::warn!(%error, collector = %self.collector(), "no update");
                    let every = self.settings.every;
                    match error {
                        KeepError::Fetch(_) => part(every.min(AGAIN_MAX), 0.9),
                        _ => part(every, 0.9), // nothing would be different soon
                    }
                }
            };
        }
    }

    /// This version works: it is the one to go back to.
    fn note_report(&self) -> Result<(), StateError> {
        let mut state = State::load(&self.settings.directory)?;
        if state.report(self.started.version) {
            state.save(&self.settings.directory)?;
            tracing::warn!(version = %self.started.version, "the new version has reported: it stays");
        }
        Ok(())
    }

    /// Asks once; gives the version that is ready to be started, if there is one.
    ///
    /// # Errors
    /// See [`KeepError`].
    pub async fn ask(&self) -> Result<Option<Version>, KeepError> {
        let directory = &self.settings.directory;
        let mut state = State::load(directory)?;
        let here = Target::here();
        let mut source = Source::connect(&self.collector(), &self.sensor, &here).await?;
        let runs = self.started.version;
        let Some(signed) = source.offer(runs, state.failed.as_ref()).await? else {
            self.tell_what_is_held_back(&state);
            return Ok(None);
        };
        let manifest = signed
            .open(&self.settings.keys)
            .map_err(FetchError::NotBelieved)?;
        let offered = judge(&manifest, &state, (runs, &here), clock::now())?;
        state.see(&manifest);
        state.save(directory)?;
        match offered {
            Offered::Current => Ok(None),
            Offered::Wanted => {
                self.take(&mut source, &mut state, (&signed, &manifest))
                    .await?;
                Ok(Some(manifest.version))
            }
        }
    }

    fn collector(&self) -> Collector {
        self.shipping.borrow().collector.clone()
    }

    async fn take(
        &self,
        source: &mut Source,
        state: &mut State,
        (signed, manifest): (&Signed, &Manifest),
    ) -> Result<(), KeepError> {
        let directory = &self.settings.directory;
        let (version, releases) = (manifest.version, Releases::new(directory));
        tracing::info!(%version, bytes = manifest.bytes, "fetching an update");
        let what = (signed, manifest);
        let program = source.fetch(what, &releases, Patience::default()).await?;
        if let Err(reason) = selftest::try_out(&program, version, &self.started.config).await {
            state.fail(version, &reason);
            state.save(directory)?;
            releases.sweep(state.needed())?;
            return Err(KeepError::SelfTest { version, reason });
        }
        state.stage(version);
        state.save(directory)?; // from here on the next start is the new version's
        Ok(())
    }

    /// Whoever holds updates back cannot do so for long without being noticed.
    fn tell_what_is_held_back(&self, state: &State) {
        if let Some(since) = state.held_back_since(clock::now()) {
            tracing::warn!(
                %since, collector = %self.collector(),
                "the collector offers no update, and what it offered last has expired: sign again \
                 what runs, or ask the centre's operator who holds updates back"
            );
        }
    }
}

/// A random part of a time: at least this fraction of it.
fn part(whole: Duration, least: f64) -> Duration {
    let random = key::draw_epoch().map_or(u64::MAX, |random| random.0);
    let fraction = (random >> 11) as f64 / (1_u64 << 53) as f64;
    whole.mul_f64(least + (1.0 - least) * fraction)
}
