//! The sensor as a whole: capture, decode, summarise, spool and ship, joined by queues.
//!
//! ```text
//! thread "sense"  capture ─► decode ─► summarise ─► [channel, 64 batches] ─►
//! thread "spool"  push, fsync ─► spool ─►
//! thread "ship"   gRPC, its own runtime ─► collector
//! ```
//! Whatever happens behind the channel, capturing goes on: a collector that is away costs disk,
//! a disk that stalls costs what the kernel's ring cannot hold, and both are counted.

mod delivery;
mod replay;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ipnet::IpNet;
use noroshi_proto::hello::{Hello, Purpose};
use noroshi_proto::id::Epoch;
use noroshi_proto::time::{IntervalLength, Millis};
use noroshi_proto::v1;

use self::delivery::Delivery;
pub use self::replay::{Delivered, Replay, replay_to};
use crate::capture::interface::Interface;
use crate::capture::{CaptureError, Progress};
use crate::clock;
use crate::config::Config;
use crate::darkness::{self, Darkness};
use crate::decode::Decoder;
use crate::key::{self, KeyError};
use crate::mask::Mask;
use crate::rights;
use crate::sense::Sense;
use crate::ship::lanes::Order;
use crate::ship::{self, Rest, ShipError};
use crate::spool::{self, Durability, SpoolError};
use crate::summarise::{Cut, Settings, Summariser};
use crate::update::Started;
use crate::update::keep::Keeper;

/// How long what is left is sent for once the sensor is told to end. The rest stays in the
/// spool for the next run.
const GRACE: Duration = Duration::from_secs(5);
/// Groups of batches between summarising and the disk.
const CHANNEL_BATCHES: usize = 64;
/// What the sensor's clock may differ from the kernel's stamps, beside the ring's delay.
const SLACK: Duration = Duration::from_millis(200);
/// A clock that is set back by more ends the sensor, which its service starts anew: the open
/// interval lies ahead then, and nothing would be told until the clock has come there again. By less
/// it is waited for; NTP slews what is smaller still.
const SET_BACK_MAX: Duration = Duration::from_secs(60);

/// Why the sensor ended, and so what to do.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The operator looks at the salt file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The operator looks at the spool's disk.
    #[error(transparent)]
    Spool(#[from] SpoolError),
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
    stop: Arc<AtomicBool>,
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
/// # Errors
/// See [`RunError`]. What was summarised is in the spool in any case, unless that failed.
pub async fn run(
    config: &Config,
    started: &Started,
    shutdown: impl Future<Output = ()>,
) -> Result<Ended, RunError> {
    let running = start(config, started)?;
    let mut ended = Ended::Told;
    tokio::select! {
        () = shutdown => tracing::info!("ending"),
        () = next_version(config, started, &running.delivery) => ended = Ended::ForUpdate,
        () = running.delivery.ended() => {}
        () = until_finished(&running.sense) => {}
        () = until_finished(&running.spool) => {}
    }
    running.stop.store(true, Ordering::Release);
    let finished = tokio::task::spawn_blocking(move || {
        let sensed = join("sense", running.sense);
        let spooled = join("spool", running.spool);
        let shipped = running.delivery.finish(Some(GRACE));
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
        tracing::warn!("some batches are not sent yet: they wait in the spool for the next run");
    }
    Ok(ended)
}

/// Resolves when another version is to be started; never where no update is taken.
async fn next_version(config: &Config, started: &Started, delivery: &Delivery) {
    let Some(settings) = &config.update else {
        return std::future::pending().await;
    };
    let keeper = Keeper {
        settings: settings.clone(),
        collector: config.collector.clone(),
        sensor: config.sensor.clone(),
        started: started.clone(),
    };
    let version = keeper.keep(delivery.reported()).await;
    tracing::warn!(
        %version,
        "a new version is ready: this one ends, and whatever looks after the sensor starts it again"
    );
}

fn start(config: &Config, started: &Started) -> Result<Running, RunError> {
    let key = key::load_or_draw(&config.salt_file)?;
    let epoch = key::draw_epoch().map_err(RunError::system("read random numbers"))?;
    let interface = Interface::open(&config.capture, &config.telescope, config.delivery)?;
    rights::give_up().map_err(RunError::system("give up rights"))?;
    let mut ship = ship_settings(config, epoch);
    ship.hello.software_version = started.version.to_string();
    let delivery = Arc::new(Delivery::start(&spool_settings(config), ship)?);
    let settings = Settings {
        sensor: config.sensor.clone(),
        epoch,
        interval_length: config.interval_length,
        cut: Cut::EveryInterval,
    };
    let mask = Mask::new(&key, config.telescope.clone());
    let decoder = Decoder::new(config.telescope.clone(), config.delivery);
    let darkness = Darkness::new(darkness::kept::read(&config.spool.path)?);
    let sense = Sense::new(decoder, Summariser::new(settings, mask)).doubting(darkness);
    let (give, take) = sync_channel(CHANNEL_BATCHES);
    let stop = Arc::new(AtomicBool::new(false));
    let watch = Watch {
        interface,
        sense,
        interval_length: config.interval_length,
        spool: config.spool.path.clone(),
        give,
        stop: Arc::clone(&stop),
    };
    let sense = spawn("sense", move || watch.run())?;
    let keeper = Arc::clone(&delivery);
    let spool = spawn("spool", move || keep(&take, &keeper))?;
    Ok(Running {
        sense,
        spool,
        delivery,
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

/// How the sensor of this configuration ships.
pub fn ship_settings(config: &Config, epoch: Epoch) -> ship::Settings {
    ship::Settings {
        collector: config.collector.clone(),
        hello: hello(config, epoch),
        order: Order::LiveFirst,
        patience: None,
    }
}

fn hello(config: &Config, epoch: Epoch) -> Hello {
    Hello {
        sensor: config.sensor.clone(),
        epoch,
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
        interval_length: config.interval_length,
        telescope: config.telescope.prefixes().to_vec(),
        purpose: Purpose::Live,
        clock: clock::now(),
    }
}

/// The thread that captures, decodes and summarises.
struct Watch {
    interface: Interface,
    sense: Sense,
    interval_length: IntervalLength,
    /// Where what is lit is kept.
    spool: PathBuf,
    give: SyncSender<Vec<v1::Batch>>,
    stop: Arc<AtomicBool>,
}

impl Watch {
    fn run(mut self) -> Result<(), RunError> {
        let captured = self.capture().and_then(|()| self.drain());
        // Whatever ended it: what was counted is kept.
        let _ = self.give.send(self.sense.finish()); // fails only where the spool failed before
        captured
    }

    fn capture(&mut self) -> Result<(), RunError> {
        const TICK: u64 = 100;
        const ASK_KERNEL: u64 = 10_000;
        let (mut ticked, mut asked, mut latest) = (Millis(0), Millis(0), Millis(0));
        while !self.stop.load(Ordering::Acquire) {
            let progress = self.sense.read(&mut self.interface)?;
            let now = clock::now();
            latest = latest.max(now);
            set_back(latest, now)?;
            for lit in self.sense.dawns() {
                self.note(lit, now)?;
            }
            if now.0.abs_diff(asked.0) >= ASK_KERNEL {
                asked = now;
                for (reason, count) in self.interface.losses()?.iter() {
                    self.sense.lose(reason, count);
                }
            }
            if progress == Progress::Idle || now.0.abs_diff(ticked.0) >= TICK {
                ticked = now;
                let behind = Interface::delay() + SLACK;
                let surely = now.0.saturating_sub(behind.as_millis() as u64);
                self.sense
                    .advance_to(Millis(surely).interval(self.interval_length));
            }
            let batches = self.sense.take();
            if !batches.is_empty() && self.give.send(batches).is_err() {
                break; // the spool failed, and its thread says how
            }
            if progress == Progress::End {
                break;
            }
        }
        Ok(())
    }
}

/// Whether the clock, which showed `latest` before, can be gone on with.
fn set_back(latest: Millis, now: Millis) -> Result<(), RunError> {
    let back = Duration::from_millis(latest.0.saturating_sub(now.0));
    if back > SET_BACK_MAX {
        return Err(RunError::ClockSetBack(back.as_secs()));
    }
    Ok(())
}

impl Watch {
    /// Reads what arrived before the sensor was told to end, and waits in the kernel's ring.
    fn drain(&mut self) -> Result<(), RunError> {
        let until = clock::now().0 + (Interface::delay() + SLACK).as_millis() as u64;
        while self.sense.read(&mut self.interface)? == Progress::More && clock::now().0 < until {
            let batches = self.sense.take();
            if !batches.is_empty() && self.give.send(batches).is_err() {
                break; // the spool failed, and its thread says how
            }
        }
        Ok(())
    }

    /// Tells whoever looks after this machine, and remembers it.
    fn note(&self, lit: IpNet, now: Millis) -> Result<(), RunError> {
        let list = darkness::kept::path(&self.spool);
        tracing::error!(
            %lit, list = %list.display(),
            "this part of the telescope is in use: nothing of it is recorded any more. Take it out \
             of the telescope, here and in the centre's registry; if it is unused, take its line \
             out of the list and start the sensor anew"
        );
        Ok(darkness::kept::add(&self.spool, lit, now)?)
    }
}

/// The thread that waits for the disk.
fn keep(take: &Receiver<Vec<v1::Batch>>, delivery: &Delivery) -> Result<(), RunError> {
    for batches in take {
        delivery.push(&batches)?;
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

#[cfg(test)]
mod tests {
    use noroshi_proto::time::Millis;

    use super::{RunError, SET_BACK_MAX, set_back};

    #[test]
    fn a_clock_is_waited_for_a_minute() {
        let latest = Millis(1_762_000_000_000);
        let by = |millis: u64| set_back(latest, Millis(latest.0 - millis));
        let most = SET_BACK_MAX.as_millis() as u64;
        assert!(by(0).is_ok() && by(most).is_ok());
        assert!(matches!(by(most + 1), Err(RunError::ClockSetBack(60))));
        assert!(set_back(latest, Millis(latest.0 + 86_400_000)).is_ok());
    }
}
