//! What operators read of the feeds: counts, times and what waits, for all partners together.
//!
//! # Promises
//! - No partner's name, no address, no path that was asked for: labels are routes as the router
//!   writes them, classes of statuses, and words of this program. So the series have an end too.
//! - Partners never read them: they have a listener of their own, on loopback
//!   (see [`noroshi_web::prometheus`]).

mod text;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use noroshi_metrics::answers::Answers;
use noroshi_metrics::connections::Connections;
use noroshi_metrics::held;
use noroshi_proto::time::Millis;
use noroshi_store::deliveries::{Delivery, Form};

use crate::retry::Outcome;
use crate::seats::Seats;

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

/// Everything that is counted, from the start of the program.
#[derive(Debug, Default)]
pub struct Metrics {
    pub(crate) answers: Arc<Answers>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) seats: Arc<Seats>,
    deliveries: Mutex<BTreeMap<(Way, &'static str), u64>>,
    /// One entry per channel at work.
    queues: Mutex<HashMap<u64, Waiting>>,
    /// Numbers the queues.
    queue: AtomicU64,
}

/// What one channel has before it.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    way: Way,
    messages: usize,
    /// When the oldest that does not wait for a digest was planned.
    oldest: Option<Millis>,
}

/// A channel's queue, which is told of until it is dropped.
#[derive(Debug)]
pub(crate) struct Queued {
    metrics: Arc<Metrics>,
    number: u64,
    way: Way,
}

impl Metrics {
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

#[cfg(test)]
mod tests;
