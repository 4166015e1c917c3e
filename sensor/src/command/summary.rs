//! What became of every frame of a replay.

use std::collections::BTreeMap;
use std::fmt;

use noroshi_proto::loss::{Counters, Loss};
use serde::Serialize;

/// `frames == packets + sum(undecodable) + outside_telescope`.
#[derive(Serialize)]
pub(super) struct Summary {
    frames: u64,
    packets: u64,
    undecodable: BTreeMap<&'static str, u64>,
    outside_telescope: u64,
    flow_tuples: u64,
    batches: u64,
    /// Of all batches, as they would travel.
    batch_bytes: u64,
}

/// What was made of the packets.
#[derive(Default)]
pub(super) struct Made {
    pub flow_tuples: u64,
    pub batches: u64,
    pub batch_bytes: u64,
}

impl Summary {
    pub fn new(counters: &Counters, made: &Made) -> Self {
        let undecodable = counters
            .losses
            .iter()
            .filter(|(loss, _)| loss.is_undecodable());
        Self {
            frames: counters.frames,
            packets: counters.packets,
            undecodable: undecodable
                .map(|(loss, count)| (loss.name(), count))
                .collect(),
            outside_telescope: counters.losses.of(Loss::OutsideTelescope),
            flow_tuples: made.flow_tuples,
            batches: made.batches,
            batch_bytes: made.batch_bytes,
        }
    }
}

/// As a person reads it.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>12} frames", self.frames)?;
        writeln!(f, "{:>12} packets of the telescope", self.packets)?;
        writeln!(f, "{:>12} packets of others", self.outside_telescope)?;
        for (reason, count) in &self.undecodable {
            writeln!(f, "{count:>12} frames not decoded: {reason}")?;
        }
        writeln!(
            f,
            "{:>12} flow tuples in {} batches",
            self.flow_tuples, self.batches
        )?;
        write!(f, "{:>12} bytes to send", self.batch_bytes)
    }
}
