//! A spool and the thread that empties it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use noroshi_proto::v1;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{RunError, spawn};
use crate::clock;
use crate::ship::queue::Queue;
use crate::ship::{self, Phase, ShipError, Shipped};
use crate::spool::{self, Spool};

/// Batches pushed here reach the collector, or stay for the next run.
pub struct Delivery {
    queue: Arc<Queue>,
    phase: watch::Sender<Phase>,
    shipping: watch::Sender<ship::Settings>,
    /// Closed when the thread ends.
    alive: watch::Receiver<()>,
    thread: Mutex<Option<JoinHandle<Result<Shipped, ShipError>>>>,
}

impl Delivery {
    /// Opens the spool and begins to ship what it holds.
    ///
    /// # Errors
    /// The spool does not open, or the system has no thread.
    pub fn start(spool: &spool::Settings, ship: ship::Settings) -> Result<Self, RunError> {
        let spool = Spool::open(spool.clone(), ship.hello.epoch, clock::now().seconds())?;
        let queue = Arc::new(Queue::new(spool));
        let (phase, phases) = watch::channel(Phase::Running);
        let (shipping, settings) = watch::channel(ship);
        let (living, alive) = watch::channel(());
        let shared = Arc::clone(&queue);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(RunError::system("start a runtime"))?;
        let thread = spawn("ship", move || {
            let shipped = runtime.block_on(ship::ship(settings, Arc::clone(&shared), phases));
            shared.abandon();
            drop(living);
            shipped
        })?;
        Ok(Self {
            queue,
            phase,
            shipping,
            alive,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Keeps batches, in order; they survive a crash once this returned.
    ///
    /// # Errors
    /// The spool does not take them.
    pub fn push(&self, batches: &[v1::Batch]) -> Result<(), RunError> {
        Ok(self.queue.push(batches, clock::now())?)
    }

    /// What is pushed from now on is another epoch's, kept and shipped by other settings. The spool's
    /// directory stays.
    ///
    /// # Errors
    /// The spool does not take note of it.
    pub fn change(&self, spool: &spool::Settings, ship: ship::Settings) -> Result<(), RunError> {
        let now = clock::now();
        self.queue.begin(ship.hello.epoch, spool.bytes_max, now)?;
        self.shipping.send_replace(ship);
        Ok(())
    }

    /// How it is shipped, now and when that changes.
    pub fn shipping(&self) -> watch::Receiver<ship::Settings> {
        self.shipping.subscribe()
    }

    /// Waits until less than `bytes` are in the spool, or shipping has ended.
    pub fn wait_for_room(&self, bytes: u64) {
        self.queue.wait_for_room(bytes);
    }

    /// Whether shipping ended by itself; [`Delivery::finish`] says why.
    pub fn has_ended(&self) -> bool {
        self.queue.is_abandoned()
    }

    /// Resolves when shipping ended by itself.
    pub async fn ended(&self) {
        let mut alive = self.alive.clone();
        while alive.changed().await.is_ok() {}
    }

    /// Resolves when the collector has acknowledged something of what was shipped here.
    pub async fn reported(&self) {
        self.queue.reported().await;
    }

    /// Ships what is left, within `grace` where one is given, and says what became of it all.
    ///
    /// # Errors
    /// Why shipping ended.
    pub fn finish(&self, grace: Option<Duration>) -> Result<Shipped, RunError> {
        let until = grace.map(|grace| Instant::now() + grace);
        let _ = self.phase.send(Phase::Finishing(until)); // it may have ended by itself
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = thread.take() else {
            return Ok(Shipped::default()); // finished before
        };
        let shipped = thread.join().map_err(|_| RunError::BrokeOff("ship"))?;
        Ok(shipped?)
    }
}
