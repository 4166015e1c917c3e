//! The sensor as a whole: capture, decode, summarise, spool and ship, joined by queues.
//!
//! ```text
//! thread "sense"  capture ─► decode ─► summarise ─► [channel, 64 batches] ─►
//! thread "spool"  push, fsync ─► spool ─►
//! thread "ship"   gRPC, its own runtime ─► collector
//! ```
//! Whatever happens behind the channel, capturing goes on: a collector that is away costs disk,
//! a disk that stalls costs what the kernel's ring cannot hold, and both are counted.
//!
//! A change of the configuration goes the same way: capturing goes over to it where an interval
//! ends, and says so in the channel, behind the last batch before it (`change`).

mod change;
mod delivery;
mod replay;
mod stint;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_proto::update::version::Version;
use noroshi_proto::v1;
use tokio::sync::mpsc;

use self::delivery::Delivery;
pub use self::replay::{Delivered, Replay, replay_to};
use self::stint::Stint;
pub use self::stint::ship_settings;
use self::watch::Watch;
use crate::capture::CaptureError;
use crate::capture::interface::Interface;
use crate::clock;
use crate::config::Config;
use crate::darkness;
use crate::key::KeyError;
use crate::rights;
use crate::ship::{Rest, ShipError};
use crate::spool::{self, Durability, SpoolError};
use crate::update::Started;
use crate::update::keep::Keeper;

/// How long what is left is sent for once the sensor is told to end. The rest stays in the
/// spool for the next run.
const GRACE: Duration = Duration::from_secs(5);
/// Groups of batches between summarising and the disk.
const CHANNEL_BATCHES: usize = 64;

/// Why the sensor ended, and so what to do.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The operator looks at the salt file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The operator looks at the spool's disk.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The operator looks at the telescope's times.
    #[error(
        "nothing is watched at {0}: every prefix of the telescope ended before, or begins later. \
         Write what is watched now, here and in the centre's registry"
    )]
    NothingWatched(Millis),
    /// The operator looks at the interface.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The operator mends the list of what is lit.
    #[error(transparent)]
    Lit(#[from] darkness::kept::KeptError),
    /// Nobody does anything, unless it happens again.
    #[error(
        "this machine's clock was set back by {0} s: the sensor ends, and counts anew once it is \
         started again. Let NTP slew the clock rather than step it"
    )]
    ClockSetBack(u64),
    /// The operator does what the collector says.
    #[error(transparent)]
    Ship(#[from] ShipError),
    /// The system has no threads, no random numbers or no directory for a moment.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// A replay is whole or it failed.
    #[error(
        "{refused} batches of the replay were refused for good: the collector's reasons are in \
         the log"
    )]
    NotKept {
        /// How many.
        refused: u64,
    },
    /// A defect: a thread of the sensor panicked.
    #[error("the sensor's {0} thread broke off")]
    BrokeOff(&'static str),
}

impl RunError {
    fn system(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { action, source }
    }
}

/// What is under way and where it is told to end.
struct Running {
    sense: JoinHandle<Result<(), RunError>>,
    spool: JoinHandle<Result<(), RunError>>,
    delivery: Arc<Delivery>,
    changes: SyncSender<Stint>,
    stop: Arc<AtomicBool>,
}

/// What capturing hands on, in order.
enum Handed {
    /// To be kept, and sent.
    Batches(Vec<v1::Batch>),
    /// What follows is another stint's.
    Begun(Box<Stint>),
}

/// How the sensor ended, when it ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Told,
    /// Its next version is to be started.
    ForUpdate,
}

/// Watches and reports until `shutdown` resolves, or another version is to be started; then the open interval is ended, kept, and
/// sent as far as a short grace allows.
///
/// What comes out of `changes` is gone over to where an interval ends, without a gap; where that
/// cannot be, the log says why, and all goes on as it was.
///
/// # Errors
/// See [`RunError`]. What was summarised is in the spool in any case, unless that failed.
pub async fn run(
    config: Config,
    started: &Started,
    mut changes: mpsc::Receiver<Config>,
    shutdown: impl Future<Output = ()>,
) -> Result<Ended, RunError> {
    let keeper = config
        .update
        .clone()
        .map(|settings| (settings, config.sensor.clone()));
    let running = start(config, started.version)?;
    let keeper = keeper.map(|(settings, sensor)| Keeper {
        settings,
        sensor,
        started: started.clone(),
        shipping: running.delivery.shipping(),
    });
    let change = async {
        while let Some(config) = changes.recv().await {
            running.change(config);
        }
        std::future::pending().await // nobody tells of changes any more
    };
    let mut ended = Ended::Told;
    tokio::select! {
        () = shutdown => tracing::info!("ending"),
        () = next_version(keeper, &running.delivery) => ended = Ended::ForUpdate,
        () = running.delivery.ended() => {}
        () = until_finished(&running.sense) => {}
        () = until_finished(&running.spool) => {}
        () = change => {}
    }
    running.finish().await?;
    Ok(ended)
}

impl Running {
    /// Asks for a change; what is wrong with it is logged here or where it is made.
    fn change(&self, config: Config) {
        let stint = match Stint::prepare(config, clock::now()) {
            Ok(stint) => stint,
            Err(error) => {
                tracing::error!(%error, "the configuration is not changed, and all goes on as it was");
                return;
            }
        };
        // Where nobody listens capturing has ended, and says why.
        if let Err(TrySendError::Full(_)) = self.changes.try_send(stint) {
            tracing::error!("two changes wait already: say this one again in a minute");
        }
    }

    async fn finish(self) -> Result<(), RunError> {
        self.stop.store(true, Ordering::Release);
        let finished = tokio::task::spawn_blocking(move || {
            let sensed = join("sense", self.sense);
            let spooled = join("spool", self.spool);
            let shipped = self.delivery.finish(Some(GRACE));
            (sensed, spooled, shipped)
        });
        let (sensed, spooled, shipped) = finished
            .await
            .map_err(|_| RunError::BrokeOff("finishing"))?;
        // Whichever failed first ended the others; the cause comes before its consequences.
        let shipped = shipped?;
        spooled?;
        sensed?;
        if shipped.rest == Rest::Batches {
            tracing::warn!(
                "some batches are not sent yet: they wait in the spool for the next run"
            );
        }
        Ok(())
    }
}

/// Resolves when another version is to be started; never where no update is taken.
async fn next_version(keeper: Option<Keeper>, delivery: &Delivery) {
    let Some(keeper) = keeper else {
        return std::future::pending().await;
    };
    let version = keeper.keep(delivery.reported()).await;
    tracing::warn!(
        %version,
        "a new version is ready: this one ends, and whatever looks after the sensor starts it again"
    );
}

fn start(config: Config, version: Version) -> Result<Running, RunError> {
    let stint = Stint::prepare(config, clock::now())?;
    let config = &stint.config;
    let interface = Interface::open(&config.capture, &stint.passed(), config.delivery)?;
    rights::give_up().map_err(RunError::system("give up rights"))?;
    let ship = stint.ship_settings(version);
    let delivery = Arc::new(Delivery::start(&spool_settings(config), ship)?);
    let (give, take) = sync_channel(CHANNEL_BATCHES);
    let (changes, wanted) = sync_channel(1);
    let stop = Arc::new(AtomicBool::new(false));
    let watch = Watch::new(interface, stint, (wanted, give), Arc::clone(&stop))?;
    let sense = spawn("sense", move || watch.run())?;
    let keeper = Arc::clone(&delivery);
    let spool = spawn("spool", move || keep(&take, &keeper, version))?;
    Ok(Running {
        sense,
        spool,
        delivery,
        changes,
        stop,
    })
}

fn spool_settings(config: &Config) -> spool::Settings {
    spool::Settings {
        directory: config.spool.path.clone(),
        sensor: config.sensor.clone(),
        bytes_max: config.spool.bytes_max.bytes(),
        keep: spool::KEEP,
        durability: Durability::Synced,
    }
}

/// The thread that waits for the disk.
fn keep(take: &Receiver<Handed>, delivery: &Delivery, version: Version) -> Result<(), RunError> {
    for handed in take {
        match handed {
            Handed::Batches(batches) => delivery.push(&batches)?,
            Handed::Begun(stint) => {
                let ship = stint.ship_settings(version);
                delivery.change(&spool_settings(&stint.config), ship)?;
            }
        }
    }
    Ok(())
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, RunError> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread
        .spawn(work)
        .map_err(RunError::system("start a thread"))
}

fn join<T>(name: &'static str, thread: JoinHandle<Result<T, RunError>>) -> Result<T, RunError> {
    thread.join().unwrap_or(Err(RunError::BrokeOff(name)))
}

async fn until_finished<T>(thread: &JoinHandle<T>) {
    const LOOK: Duration = Duration::from_millis(100);
    while !thread.is_finished() {
        tokio::time::sleep(LOOK).await;
    }
}
