//! Batches from the spool to the collector, acknowledgements back into the spool.
//!
//! # Promises
//! - A batch leaves the spool only by the collector's word: kept, or refused for good (then it
//!   is counted as [`Loss::Refused`](noroshi_proto::loss::Loss::Refused)).
//! - At most [`IN_FLIGHT_MAX`](noroshi_proto::limits::IN_FLIGHT_MAX) batches and
//!   [`IN_FLIGHT_BYTES_MAX`] bytes are sent and unanswered.
//! - Whoever captures never waits for this.
//! - A connection that neither answers nor closes is given up and made anew.
//!
//! # Operation
//! Each connection begins with a hello and the collector's list of what it holds; what it holds
//! is not sent again, what it lost is. Whatever was under way when a connection ends goes back
//! to the backlog. Between connections it waits as [`backoff`] says.

pub mod backoff;
pub mod lanes;
pub mod probe;
pub mod queue;
mod session;

use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::hello::Hello;
use noroshi_proto::refusal::Refusal;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use self::backoff::Backoff;
use self::lanes::Order;
use self::queue::Queue;
use self::session::{Ended, Session};
use crate::config::collector::Collector;
use crate::identity::renew;
use crate::spool::SpoolError;

/// Bytes sent and not answered, at most (one batch may always be).
pub const IN_FLIGHT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// For connecting, and for the answer to a hello.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often an idle connection is asked whether it still is one.
pub const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Where to ship, as whom, and how persistently.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The collector, and who the sensor is to it.
    pub collector: Collector,
    /// How every connection begins; its clock is set each time.
    pub hello: Hello,
    /// In which order batches leave.
    pub order: Order,
    /// Without progress for so long it is given up; `None`: never.
    pub patience: Option<Duration>,
}

/// What is expected of the shipper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Go on.
    Running,
    /// Nothing more is pushed: end when everything is answered, or at this time.
    Finishing(Option<Instant>),
}

/// What was shipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shipped {
    /// Batches the centre has kept.
    pub acknowledged: u64,
    /// Batches it will never keep.
    pub refused: u64,
    /// Whether the spool was left empty.
    pub rest: Rest,
}

/// What is left in the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// Nothing that has to be sent.
    #[default]
    Nothing,
    /// Batches for the next run of the sensor.
    Batches,
}

/// Why shipping ended before its time, and so what to do.
#[derive(Debug, thiserror::Error)]
pub enum ShipError {
    /// The operator mends what the collector says.
    #[error("the collector at {collector} refuses this sensor: {refusal}")]
    Refused {
        /// Who says so.
        collector: String,
        /// Why.
        refusal: Refusal,
    },
    /// Patience ended.
    #[error("the collector at {collector} took nothing for {seconds} s: {reason}")]
    OutOfPatience {
        /// Who does not answer.
        collector: String,
        /// For how long.
        seconds: u64,
        /// What happened last.
        reason: String,
    },
    /// The operator looks at the disk.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// Ships until `phase` says to finish, and renews the sensor's certificate meanwhile. Other settings
/// are followed from the next connection on; another collector at once.
///
/// Reads the spool without a thread of its own: give it a runtime where a moment of disk
/// harms nobody else.
///
/// # Errors
/// See [`ShipError`]; the spool keeps what was not acknowledged.
pub async fn ship(
    mut settings: watch::Receiver<Settings>,
    queue: Arc<Queue>,
    mut phase: watch::Receiver<Phase>,
) -> Result<Shipped, ShipError> {
    let mut shipped = Shipped::default();
    loop {
        let collector = settings.borrow().collector.clone();
        let current = settings.clone();
        tokio::select! {
            rest = deliver(&current, &queue, &mut phase, &mut shipped) => {
                return rest.map(|rest| Shipped { rest, ..shipped });
            }
            never = renew::keep_valid(&collector) => never,
            // What was under way is sent again, unless the other one says that it has it.
            () = moved(&mut settings, &collector) => {}
        }
    }
}

/// Resolves when there is another collector than this.
async fn moved(settings: &mut watch::Receiver<Settings>, collector: &Collector) {
    let moved = settings.wait_for(|settings| settings.collector != *collector);
    if moved.await.is_err() {
        std::future::pending().await // nobody can change them any more
    }
}

async fn deliver(
    current: &watch::Receiver<Settings>,
    queue: &Queue,
    phase: &mut watch::Receiver<Phase>,
    shipped: &mut Shipped,
) -> Result<Rest, ShipError> {
    let mut backoff = Backoff::new(current.borrow().hello.epoch.0);
    let mut progress = Instant::now();
    loop {
        let before = *shipped;
        let settings = &current.borrow().clone();
        let ended = Session::new(settings, queue, shipped).run(phase).await?;
        let reason = match ended {
            Ended::Finished => break,
            Ended::Stopped(refusal) => {
                let collector = settings.collector.to_string();
                return Err(ShipError::Refused { collector, refusal });
            }
            Ended::Later(reason) => reason,
        };
        if *shipped != before {
            backoff.reset();
            progress = Instant::now();
        }
        if let Some(patience) = settings.patience.filter(|p| progress.elapsed() >= *p) {
            let collector = settings.collector.to_string();
            let seconds = patience.as_secs();
            return Err(ShipError::OutOfPatience {
                collector,
                seconds,
                reason,
            });
        }
        let pause = backoff.pause();
        tracing::warn!(%reason, ?pause, collector = %settings.collector, "not connected");
        if wait(pause, phase, queue).await == Waited::Finish {
            break;
        }
    }
    let rest = queue.with_spool(|spool| {
        spool.save(crate::clock::now().seconds())?;
        Ok::<_, SpoolError>(if spool.is_drained() {
            Rest::Nothing
        } else {
            Rest::Batches
        })
    })?;
    Ok(rest)
}

#[derive(PartialEq, Eq)]
enum Waited {
    TryAgain,
    Finish,
}

/// Waits out a pause, unless the end comes first.
async fn wait(pause: Duration, phase: &mut watch::Receiver<Phase>, queue: &Queue) -> Waited {
    let over = sleep(pause);
    tokio::pin!(over);
    loop {
        let now = *phase.borrow_and_update();
        if now != Phase::Running && queue.with_spool(|spool| spool.is_drained()) {
            return Waited::Finish;
        }
        tokio::select! {
            () = &mut over => return Waited::TryAgain,
            () = deadline(now) => return Waited::Finish,
            changed = phase.changed() => if changed.is_err() { return Waited::Finish },
        }
    }
}

/// Resolves when a finishing phase runs out of time.
async fn deadline(phase: Phase) {
    match phase {
        Phase::Finishing(Some(until)) => sleep_until(until).await,
        _ => std::future::pending().await,
    }
}
