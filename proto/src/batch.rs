//! What one sensor summarised in consecutive intervals.

use crate::flow::Flow;
use crate::id::BatchId;
use crate::loss::Counters;
use crate::sample::TargetBits;
use crate::time::{Interval, IntervalLength};

/// Consecutive intervals of one sensor, ready to be kept.
///
/// All intervals with flows lie in one UTC day, so a batch never crosses a
/// partition of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its one name.
    pub id: BatchId,
    /// How long each interval lasted.
    pub interval_length: IntervalLength,
    /// The intervals, ascending, without overlap.
    pub spans: Vec<Span>,
    /// Every interval that ended at or before this second (since 1970) is complete.
    pub complete_through: u64,
    /// Monitored dark IPv4 addresses.
    pub telescope_addresses: u64,
    /// How targets were masked.
    pub target_bits: TargetBits,
    /// Totals of the epoch, this batch included.
    pub counters: Counters,
}

/// Some intervals of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Nothing arrived during `intervals` consecutive intervals: zero, not missing.
    Silent {
        /// The first silent interval.
        first: Interval,
        /// How many, at least 1.
        intervals: u64,
    },
    /// One interval in which packets arrived.
    Active {
        /// Which.
        interval: Interval,
        /// Its flows, ascending by tuple, each tuple once, never empty.
        flows: Vec<Flow>,
    },
}

impl Batch {
    /// Packets of all flows.
    pub fn packets(&self) -> u64 {
        self.flows().map(|(_, flow)| flow.tally.packets).sum()
    }

    /// Every flow with its interval.
    pub fn flows(&self) -> impl Iterator<Item = (Interval, &Flow)> {
        self.spans.iter().flat_map(|span| {
            let (interval, flows) = match span {
                Span::Silent { first, .. } => (*first, [].as_slice()),
                Span::Active { interval, flows } => (*interval, flows.as_slice()),
            };
            flows.iter().map(move |flow| (interval, flow))
        })
    }
}
