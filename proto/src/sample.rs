//! A mergeable sample of masked targets, from which distinct targets are estimated.

use std::fmt;

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
#[derive(Clone)]
pub struct TargetSample(Kept);

/// Most flows have few targets: those need no allocation.
#[derive(Clone)]
enum Kept {
    Few { length: u8, masked: [u32; FEW] },
    Many(Box<[u32]>),
}

/// As many as fit without making a [`TargetSample`] larger than a `Vec`.
const FEW: usize = 5;

impl TargetSample {
    /// Keeps the `most` smallest distinct of `masked`, which may come in any order.
    pub fn new(mut masked: Vec<u32>, most: usize) -> Self {
        masked.sort_unstable();
        masked.dedup();
        masked.truncate(most);
        Self::keep(masked.into_iter())
    }

    /// `None` unless `masked` is strictly ascending and no longer than `most`.
    pub fn from_ascending(masked: Vec<u32>, most: usize) -> Option<Self> {
        Self::from_slice(&masked, most)
    }

    /// `None` unless `masked` is strictly ascending and no longer than `most`.
    pub fn from_slice(masked: &[u32], most: usize) -> Option<Self> {
        let ascending = masked.is_sorted_by(|a, b| a < b);
        (ascending && masked.len() <= most).then(|| Self::keep(masked.iter().copied()))
    }

    /// The masked targets, ascending.
    pub fn as_slice(&self) -> &[u32] {
        match &self.0 {
            Kept::Few { length, masked } => &masked[..usize::from(*length)],
            Kept::Many(masked) => masked,
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether none are kept.
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// Both samples as if one had seen everything.
    pub fn merge(&mut self, other: &Self, most: usize) {
        // of a source that is seen again and again, most changes nothing
        if !self.covers(other, most) {
            *self = Self::keep(Union(self.as_slice(), other.as_slice()).take(most));
        }
    }

    /// Whether merging another leaves this one as it is.
    fn covers(&self, other: &Self, most: usize) -> bool {
        let kept = self.as_slice();
        if kept.len() > most {
            return false;
        }
        let last = kept.last().filter(|_| kept.len() == most);
        let may_count = |one: &&u32| last.is_none_or(|last| *one <= last);
        let mut counting = other.as_slice().iter().take_while(may_count);
        counting.all(|one| kept.binary_search(one).is_ok())
    }

    /// Estimated distinct targets: exact below `most`, else `(k - 1) / u_k`, where `u_k` is
    /// the k-th smallest as a fraction of the range (relative error about `1 / sqrt(k - 2)`).
    pub fn distinct(&self, most: usize, bits: TargetBits) -> u64 {
        let kept = self.as_slice();
        let Some(largest) = kept.last().filter(|_| kept.len() >= most) else {
            return kept.len() as u64;
        };
        let range = (1u64 << bits.bits()) as f64;
        let fraction = (f64::from(*largest) + 1.0) / range;
        ((kept.len() - 1) as f64 / fraction).round() as u64
    }

    fn keep(ascending: impl Iterator<Item = u32> + Clone) -> Self {
        let length = ascending.clone().count();
        if length > FEW {
            let mut many = Vec::with_capacity(length);
            many.extend(ascending);
            return Self(Kept::Many(many.into()));
        }
        let mut masked = [0; FEW];
        for (kept, one) in masked.iter_mut().zip(ascending) {
            *kept = one;
        }
        let length = length as u8;
        Self(Kept::Few { length, masked })
    }
}

/// Two strictly ascending runs as one.
#[derive(Clone)]
struct Union<'a>(&'a [u32], &'a [u32]);

impl Iterator for Union<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let least = match (self.0.first(), self.1.first()) {
            (Some(one), Some(other)) => *one.min(other),
            (one, other) => *one.or(other)?,
        };
        for run in [&mut self.0, &mut self.1] {
            *run = run.strip_prefix(&[least]).unwrap_or(run);
        }
        Some(least)
    }
}

impl Default for TargetSample {
    fn default() -> Self {
        Self::keep([].into_iter())
    }
}

impl fmt::Debug for TargetSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl PartialEq for TargetSample {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for TargetSample {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_merged_sample_holds_the_smallest_of_both(
            one in prop::collection::vec(0..40_u32, 0..24),
            other in prop::collection::vec(0..40_u32, 0..24),
            (kept, most) in (1..20_usize, 1..20_usize),
        ) {
            let mut merged = TargetSample::new(one, kept);
            let other = TargetSample::new(other, kept);
            let both = [merged.as_slice(), other.as_slice()].concat();
            merged.merge(&other, most);
            prop_assert_eq!(merged, TargetSample::new(both, most));
        }
    }
}
