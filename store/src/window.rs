//! What all sensors saw in one closed interval, grouped for detectors.

use std::sync::Arc;

use noroshi_proto::flow::Flow;
use noroshi_proto::id::SensorId;
use noroshi_proto::sample::TargetBits;
use noroshi_proto::time::{Interval, IntervalLength};

use crate::origin::Origin;

/// One closed interval, as the region saw it.
///
/// Windows come in ascending order. Silent ones may be left out: a detector must
/// advance over a gap of any length at no cost.
#[derive(Clone, Debug)]
pub struct Window {
    /// Which interval.
    pub interval: Interval,
    /// How long it lasted.
    pub length: IntervalLength,
    /// The sensors that reported for it, silent ones included, by id.
    pub watches: Vec<Watch>,
    /// Everything they saw, ascending by source, then tuple, then watch.
    pub flows: Vec<Sighting>,
}

/// One sensor's part in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Who watched.
    pub sensor: SensorId,
    /// Dark IPv4 addresses it watched.
    pub addresses: u64,
    /// How it masks targets.
    pub target_bits: TargetBits,
}

/// One flow as one sensor saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Index into [`Window::watches`].
    pub watch: usize,
    /// The flow.
    pub flow: Flow,
    /// Where and whose its source is.
    pub origin: Arc<Origin>,
    /// Arrived after its window had closed: evidence for detectors keyed by source only.
    pub late: bool,
}

impl Window {
    /// An interval in which nothing arrived and nobody watched.
    pub fn empty(interval: Interval, length: IntervalLength) -> Self {
        Self {
            interval,
            length,
            watches: Vec::new(),
            flows: Vec::new(),
        }
    }

    /// Monitored dark IPv4 addresses that are up: N.
    pub fn addresses(&self) -> u64 {
        self.watches.iter().map(|watch| watch.addresses).sum()
    }

    /// The second (since 1970) after its last.
    pub fn end(&self) -> u64 {
        self.interval.end(self.length)
    }

    /// Packets of all flows.
    pub fn packets(&self) -> u64 {
        self.flows
            .iter()
            .map(|sighting| sighting.flow.tally.packets)
            .sum()
    }
}
