//! A mergeable sample of masked targets, from which distinct targets are estimated.

use crate::traffic::Traffic;

/// Masked targets kept for one flow tuple.
pub const SAMPLE_MAX: usize = 16;
/// Masked targets kept for one backscatter tuple: the spread over the telescope
/// is the evidence of random spoofing.
pub const SAMPLE_BACKSCATTER_MAX: usize = 128;

/// How many masked targets are kept for this class.
pub fn sample_max(traffic: Traffic) -> usize {
    if traffic.is_backscatter() {
        SAMPLE_BACKSCATTER_MAX
    } else {
        SAMPLE_MAX
    }
}

/// How targets are masked before they leave the sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetBits {
    /// A keyed permutation of the offset in a telescope of at most 65,536 addresses.
    Sixteen,
    /// A keyed hash, for larger telescopes and IPv6.
    ThirtyTwo,
}

impl TargetBits {
    /// 16 or 32.
    pub fn bits(self) -> u32 {
        match self {
            Self::Sixteen => 16,
            Self::ThirtyTwo => 32,
        }
    }

    /// The reverse of [`TargetBits::bits`].
    pub fn from_wire(bits: u32) -> Option<Self> {
        match bits {
            16 => Some(Self::Sixteen),
            32 => Some(Self::ThirtyTwo),
            _ => None,
        }
    }
}

/// The smallest masked targets, ascending and distinct (a bottom-k sketch: Bar-Yossef
/// et al. 2002; Beyer et al. 2007). At most [`sample_max`] of them.
///
/// Fewer than that many are all there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSample(Vec<u32>);

impl TargetSample {
    /// Keeps the `most` smallest distinct of `masked`, which may come in any order.
    pub fn new(mut masked: Vec<u32>, most: usize) -> Self {
        masked.sort_unstable();
        masked.dedup();
        masked.truncate(most);
        Self(masked)
    }

    /// `None` unless `masked` is strictly ascending and no longer than `most`.
    pub fn from_ascending(masked: Vec<u32>, most: usize) -> Option<Self> {
        let ascending = masked.is_sorted_by(|a, b| a < b);
        (ascending && masked.len() <= most).then_some(Self(masked))
    }

    /// The masked targets, ascending.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// Both samples as if one had seen everything.
    pub fn merge(&mut self, other: &Self, most: usize) {
        self.0.extend_from_slice(&other.0);
        self.0.sort_unstable();
        self.0.dedup();
        self.0.truncate(most);
    }

    /// Estimated distinct targets: exact below `most`, else `(k - 1) / u_k`, where `u_k` is
    /// the k-th smallest as a fraction of the range (relative error about `1 / sqrt(k - 2)`).
    pub fn distinct(&self, most: usize, bits: TargetBits) -> u64 {
        let Some(largest) = self.0.last().filter(|_| self.0.len() >= most) else {
            return self.0.len() as u64;
        };
        let range = (1u64 << bits.bits()) as f64;
        let fraction = (f64::from(*largest) + 1.0) / range;
        ((self.0.len() - 1) as f64 / fraction).round() as u64
    }
}
