//! Who sent a batch, and which one it is.

use std::fmt;
use std::sync::Arc;

/// Longest id of a sensor or partner, in bytes.
pub const ID_BYTES_MAX: usize = 64;

/// The name of a sensor as the registry knows it: lower-case letters, digits and
/// hyphens, 1 to [`ID_BYTES_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SensorId(Arc<str>);

impl SensorId {
    /// `None` where the name has other characters or another length.
    pub fn new(name: &str) -> Option<Self> {
        is_id(name).then(|| Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SensorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `name` may name a sensor or a partner.
pub fn is_id(name: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// 64 random bits drawn when a sensor's process started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The one name a batch ever has: sensor, epoch, and the count of batches before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId {
    /// Who made it.
    pub sensor: SensorId,
    /// In which run of its process.
    pub epoch: Epoch,
    /// 0 for the first batch of the epoch, then one more each.
    pub sequence: u64,
}

/// `sensor/epoch/sequence`: also the store's deduplication token.
impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.sensor, self.epoch, self.sequence)
    }
}
