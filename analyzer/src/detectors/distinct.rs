//! Counts distinct sources: exactly up to 1,024, then by a sketch of fixed size
//! (HyperLogLog: Flajolet, Fusy, Gandouet, Meunier, 2007; 4,096 registers, 1.6 % error).

use std::collections::HashSet;

use foldhash::fast::FixedState;

/// Members kept one by one.
const EXACT_MAX: usize = 1_024;
const PRECISION: u32 = 12;
const REGISTERS: usize = 1 << PRECISION;
/// What a register may hold: 0, and as many leading zeros as the rest of a hash may have, and one.
const RANKS: usize = 64 - PRECISION as usize + 2;

/// A set that only knows how many it holds, within a fixed memory.
#[derive(Clone, Debug)]
pub enum Distinct {
    /// Every member, by its hash.
    Exact(HashSet<u64, FixedState>),
    /// The sketch.
    Sketch(Box<Sketch>),
}

/// Registers, and how many of them hold each rank: so a count costs no walk through them.
#[derive(Clone, Debug)]
pub struct Sketch {
    registers: [u8; REGISTERS],
    ranks: [u16; RANKS],
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(HashSet::with_hasher(FixedState::default()))
    }
}

impl Distinct {
    /// Adds a member by its hash (see [`mix`]); whether it was certainly new.
    pub fn insert(&mut self, hash: u64) -> bool {
        match self {
            Self::Exact(members) => {
                if !members.insert(hash) {
                    return false;
                }
                if members.len() > EXACT_MAX {
                    let mut sketch = Box::new(Sketch::default());
                    for member in members.iter() {
                        sketch.note(*member);
                    }
                    *self = Self::Sketch(sketch);
                }
                true
            }
            Self::Sketch(sketch) => {
                sketch.note(hash);
                false
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Exact(members) => members.len() as u64,
            Self::Sketch(sketch) => sketch.estimate(),
        }
    }
}

impl Default for Sketch {
    fn default() -> Self {
        let mut ranks = [0; RANKS];
        ranks[0] = REGISTERS as u16;
        Self {
            registers: [0; REGISTERS],
            ranks,
        }
    }
}

impl Sketch {
    fn note(&mut self, hash: u64) {
        let register = &mut self.registers[(hash >> (64 - PRECISION)) as usize];
        // at most 64 - 12 + 1
        let rank = ((hash << PRECISION) | (1 << (PRECISION - 1))).leading_zeros() as u8 + 1;
        if rank > *register {
            self.ranks[usize::from(*register)] -= 1;
            self.ranks[usize::from(rank)] += 1;
            *register = rank;
        }
    }

    fn estimate(&self) -> u64 {
        let count = REGISTERS as f64;
        let ranks = self.ranks.iter().zip(0..);
        let sum: f64 = ranks
            .map(|(registers, rank)| f64::from(*registers) * 2.0_f64.powi(-rank))
            .sum();
        let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
        let empty = self.ranks[0];
        if raw <= 2.5 * count && empty > 0 {
            return (count * (count / f64::from(empty)).ln()).round() as u64;
        }
        raw.round() as u64
    }
}

/// A well-spread hash of a number (the finaliser of SplitMix64: Steele, Lea, Flood, 2014).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_exactly_then_nearly() {
        let mut distinct = Distinct::default();
        for n in 0..EXACT_MAX as u64 {
            assert!(distinct.insert(mix(n)));
            assert!(!distinct.insert(mix(n)));
        }
        assert_eq!(distinct.count(), EXACT_MAX as u64);
        for total in [5_000_u64, 50_000, 1_000_000] {
            for n in 0..total {
                distinct.insert(mix(n));
            }
            let off = distinct.count() as f64 / total as f64 - 1.0;
            assert!(off.abs() < 0.05, "{total} counted as {}", distinct.count());
        }
    }
}
