//! What operators read of the feeds: counts, times and what waits, for all partners together.
//!
//! Written by hand: three kinds of numbers are less than a crate for them.
//!
//! # Promises
//! - No partner's name, no address, no path that was asked for: labels are routes as the router
//!   writes them, classes of statuses, and words of this program. So the series have an end too.
//! - Partners never read them: they have a listener of their own, on loopback (see [`listener`]).

mod counts;
pub mod listener;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::deliveries::{Delivery, Form};

pub(crate) use counts::{counted, named};

use crate::retry::Outcome;
use crate::seats::Seats;

/// Upper ends of the classes of answer times, in seconds: around the 200 ms that a page may take,
/// up to what the store may take.
const SECONDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0, 20.0,
];

/// How a partner is pushed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// Webhooks.
    Webhook,
    /// Mail.
    Mail,
    /// Syslog.
    Syslog,
}

impl Way {
    const ALL: [Self; 3] = [Self::Webhook, Self::Mail, Self::Syslog];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Mail => "mail",
            Self::Syslog => "syslog",
        }
    }
}

/// Why a connection was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NoConnection {
    /// Its address has its share.
    Share,
    /// The system said no: its table of open files is full.
    System,
}

impl NoConnection {
    const ALL: [Self; 2] = [Self::Share, Self::System];

    fn name(self) -> &'static str {
        match self {
            Self::Share => "address_has_its_share",
            Self::System => "system",
        }
    }
}

/// Everything that is counted, from the start of the program.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Answers by route and class of status.
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    /// Times of answers by route.
    times: Mutex<BTreeMap<String, Times>>,
    connections: AtomicU64,
    refused: Mutex<BTreeMap<NoConnection, u64>>,
    pub(crate) seats: Arc<Seats>,
    deliveries: Mutex<BTreeMap<(Way, &'static str), u64>>,
    /// One entry per channel at work.
    queues: Mutex<HashMap<u64, Waiting>>,
    /// Numbers the queues.
    queue: AtomicU64,
}

/// How long answers took.
#[derive(Debug, Default)]
struct Times {
    /// By class; those beyond the last are in `count` alone.
    classes: [u64; SECONDS.len()],
    sum: f64,
    count: u64,
}

/// What one channel has before it.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    way: Way,
    messages: usize,
    /// When the oldest that does not wait for a digest was planned.
    oldest: Option<Millis>,
}

/// A connection that is counted as open until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<Metrics>);

/// A channel's queue, which is told of until it is dropped.
#[derive(Debug)]
pub(crate) struct Queued {
    metrics: Arc<Metrics>,
    number: u64,
    way: Way,
}

impl Metrics {
    /// Counts an answer of a route, and how long it took.
    pub(crate) fn answered(&self, route: &str, status: u16, took: Duration) {
        let class = status / 100;
        *held(&self.requests)
            .entry((route.to_owned(), class))
            .or_default() += 1;
        let took = took.as_secs_f64();
        let mut times = held(&self.times);
        let times = times.entry(route.to_owned()).or_default();
        if let Some(class) = SECONDS.iter().position(|end| took <= *end) {
            times.classes[class] += 1;
        }
        times.sum += took;
        times.count += 1;
    }

    /// Counts a connection for as long as it is open.
    pub(crate) fn connected(self: &Arc<Self>) -> Open {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// Counts a connection that was not taken.
    pub(crate) fn not_connected(&self, why: NoConnection) {
        *held(&self.refused).entry(why).or_default() += 1;
    }

    /// Counts an attempt to deliver.
    pub(crate) fn tried(&self, way: Way, outcome: &Outcome) {
        *held(&self.deliveries)
            .entry((way, outcome.name()))
            .or_default() += 1;
    }

    /// A channel's queue, empty at first.
    pub(crate) fn queue(self: &Arc<Self>, way: Way) -> Queued {
        Queued {
            metrics: Arc::clone(self),
            number: self.queue.fetch_add(1, Ordering::Relaxed),
            way,
        }
    }
}

impl Queued {
    /// Says what is still to be delivered.
    pub(crate) fn tell(&self, open: &[Delivery]) {
        let at_once = open.iter().filter(|one| one.form != Form::Listed);
        let waiting = Waiting {
            way: self.way,
            messages: open.len(),
            oldest: at_once.map(|one| one.planned_at).min(),
        };
        held(&self.metrics.queues).insert(self.number, waiting);
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        held(&self.metrics.queues).remove(&self.number);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A panic elsewhere leaves counts as they were.
fn held<T>(counts: &Mutex<T>) -> MutexGuard<'_, T> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
