//! What a sensor may need of memory, whatever arrives.

/// A budget for the whole process, beside the capture's ring: more packets than it has room for are
/// told in several batches of one interval, and none is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(usize);

const MEBIBYTE: usize = 1024 * 1024;

impl Memory {
    /// Some 500,000 packets an interval without a cut.
    pub const DEFAULT: Self = Self(64 * MEBIBYTE);
    /// Bytes, at least and at most.
    pub const MIN: usize = 24 * MEBIBYTE;
    /// See [`Memory::MIN`].
    pub const MAX: usize = 1024 * MEBIBYTE;
    /// The program, the batch under construction, and what is on its way.
    const FIXED: usize = 16 * MEBIBYTE;

    /// `None` below [`Memory::MIN`] and above [`Memory::MAX`].
    pub fn new(bytes: u64) -> Option<Self> {
        let bytes = usize::try_from(bytes).ok()?;
        (Self::MIN..=Self::MAX)
            .contains(&bytes)
            .then_some(Self(bytes))
    }

    /// For the packets of an interval. Sorting takes as much again where all sources share their
    /// first octet, and vectors that grow have up to twice what they hold.
    pub(super) const fn of_packets(self) -> usize {
        (self.0 - Self::FIXED) / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_what_is_left_is_for_packets() {
        assert_eq!(Memory::DEFAULT.of_packets(), 12 * MEBIBYTE);
        let of = |mebibytes: u64| Some(Memory::new(mebibytes << 20)?.of_packets() / MEBIBYTE);
        assert_eq!(
            [23, 24, 1024, 1025].map(of),
            [None, Some(2), Some(252), None]
        );
    }
}
