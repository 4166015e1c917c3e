//! Counts distinct sources: exactly up to 1,024, then by a sketch of fixed size
//! (HyperLogLog: Flajolet, Fusy, Gandouet, Meunier, 2007; 4,096 registers, 1.6 % error).

use std::collections::HashSet;

use foldhash::fast::FixedState;

/// Members kept one by one.
const EXACT_MAX: usize = 1_024;
const PRECISION: u32 = 12;
const REGISTERS: usize = 1 << PRECISION;

/// A set that only knows how many it holds, within a fixed memory.
#[derive(Clone, Debug)]
pub enum Distinct {
    /// Every member, by its hash.
    Exact(HashSet<u64, FixedState>),
    /// Registers of the sketch.
    Sketch(Box<[u8; REGISTERS]>),
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
                    let mut registers = Box::new([0; REGISTERS]);
                    for member in members.iter() {
                        note(&mut registers, *member);
                    }
                    *self = Self::Sketch(registers);
                }
                true
            }
            Self::Sketch(registers) => {
                note(registers, hash);
                false
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Exact(members) => members.len() as u64,
            Self::Sketch(registers) => estimate(registers.as_slice()),
        }
    }
}

fn note(registers: &mut [u8; REGISTERS], hash: u64) {
    let register = (hash >> (64 - PRECISION)) as usize;
    // at most 64 - 12 + 1
    let rank = ((hash << PRECISION) | (1 << (PRECISION - 1))).leading_zeros() as u8 + 1;
    registers[register] = registers[register].max(rank);
}

fn estimate(registers: &[u8]) -> u64 {
    let count = registers.len() as f64;
    let sum: f64 = registers.iter().map(|r| 2.0_f64.powi(-i32::from(*r))).sum();
    let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
    let empty = registers.iter().filter(|r| **r == 0).count();
    if raw <= 2.5 * count && empty > 0 {
        return (count * (count / empty as f64).ln()).round() as u64;
    }
    raw.round() as u64
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
