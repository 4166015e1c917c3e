//! Sources that are in another country than they were: a geo database was reloaded.
//!
//! Hosts do not move between countries; labels do. Without this a reload would look like an
//! outage of one country and a surge out of another.
//!
//! # Promises
//! - Memory is fixed: a table by hash, in which a newer source displaces an older one. What
//!   is not remembered has not moved.

use noroshi_store::origin::Country;

/// Sources remembered: 2 MiB.
const SLOTS: usize = 1 << 18;

/// Remembers where sources were.
#[derive(Debug)]
pub struct Moves {
    slots: Vec<Slot>,
    /// Days for which a source that moved stays moved.
    days: u16,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    tag: u32,
    country: [u8; 2],
    /// The day of its move, since 1970 and modulo 65,536; 0 where it never moved.
    moved: u16,
}

/// What is known of a source's country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It was there before, or was not known.
    No,
    /// It was elsewhere within the span that is remembered.
    Lately,
    /// Just now, from there.
    Now(Option<Country>),
}

impl Moves {
    /// A source that moved stays moved for `days`.
    pub fn new(days: u16) -> Self {
        Self {
            slots: Vec::new(),
            days,
        }
    }

    /// Takes in that a source is in a country on a day (since 1970).
    pub fn note(&mut self, hash: u64, country: Option<Country>, day: u64) -> Move {
        if self.slots.is_empty() {
            self.slots = vec![Slot::default(); SLOTS];
        }
        let slot = &mut self.slots[hash as usize % SLOTS];
        let (tag, day) = ((hash >> 32) as u32 | 1, (day % 65_536) as u16);
        let here = letters(country);
        if slot.tag != tag {
            *slot = Slot {
                tag,
                country: here,
                moved: 0,
            };
            return Move::No;
        }
        if slot.country != here {
            let from = std::str::from_utf8(&slot.country)
                .ok()
                .and_then(Country::new);
            slot.country = here;
            slot.moved = day.max(1);
            return Move::Now(from);
        }
        if slot.moved != 0 && day.wrapping_sub(slot.moved) < self.days {
            return Move::Lately;
        }
        slot.moved = 0;
        Move::No
    }
}

fn letters(country: Option<Country>) -> [u8; 2] {
    match country.as_ref().map(|country| country.as_str().as_bytes()) {
        Some([a, b]) => [*a, *b],
        _ => [0, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::distinct::mix;

    #[test]
    fn a_source_moves_once_and_is_forgiven_after_some_days() {
        let (thailand, laos) = (Country::new("TH"), Country::new("LA"));
        let mut moves = Moves::new(28);
        assert_eq!(moves.note(mix(1), thailand, 20_000), Move::No);
        assert_eq!(moves.note(mix(1), thailand, 20_001), Move::No);
        assert_eq!(moves.note(mix(1), laos, 20_001), Move::Now(thailand));
        assert_eq!(moves.note(mix(1), laos, 20_028), Move::Lately);
        assert_eq!(moves.note(mix(1), laos, 20_029), Move::No);
        assert_eq!(moves.note(mix(1), None, 20_030), Move::Now(laos));
        assert_eq!(moves.note(mix(1), laos, 20_030), Move::Now(None));
        assert_eq!(moves.note(mix(2), laos, 20_030), Move::No);
    }
}
