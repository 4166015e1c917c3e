//! How a stream of batches begins.

use ipnet::IpNet;

use crate::id::{Epoch, SensorId};
use crate::time::{IntervalLength, Millis};

/// What a sensor says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Who it is.
    pub sensor: SensorId,
    /// Which run of its process.
    pub epoch: Epoch,
    /// Version of its software, at most
    /// [`TEXT_BYTES_MAX`](crate::limits::TEXT_BYTES_MAX) bytes.
    pub software_version: String,
    /// How long its intervals last.
    pub interval_length: IntervalLength,
    /// The prefixes it watches, at most
    /// [`TELESCOPE_PREFIXES_MAX`](crate::limits::TELESCOPE_PREFIXES_MAX).
    pub telescope: Vec<IpNet>,
    /// Where its packets come from.
    pub purpose: Purpose,
    /// Its clock.
    pub clock: Millis,
}

/// Where a sensor's packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// An interface: they arrive now.
    Live,
    /// Capture files: only demo, replay and exercise stores admit them.
    Replay,
}

/// The centre's answer to a [`Hello`]: what it already holds of this sensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// Ranges of sequences, at most
    /// [`HELD_RANGES_MAX`](crate::limits::HELD_RANGES_MAX), newest epochs first.
    pub held: Vec<Held>,
    /// The collector's clock.
    pub clock: Millis,
}

/// Sequences of one epoch that are in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which run of the sensor's process.
    pub epoch: Epoch,
    /// The first sequence held.
    pub first: u64,
    /// The last one; at least `first`.
    pub last: u64,
}

impl Held {
    /// Whether this range holds the batch.
    pub fn holds(&self, epoch: Epoch, sequence: u64) -> bool {
        self.epoch == epoch && (self.first..=self.last).contains(&sequence)
    }
}
