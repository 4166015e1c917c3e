//! A map that never grows beyond a limit, in which what is not touched is forgotten.
//!
//! Two generations: what is touched moves to the young one; when that is half the limit,
//! the old one is forgotten whole and the young one grows old. Every operation costs O(1),
//! a flood of keys seen once pushes out other keys seen once before it pushes out what
//! keeps coming, and what is forgotten does not depend on the order of any hash table.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

use foldhash::fast::FixedState;

use super::Fill;

type Generation<K, V> = HashMap<K, V, FixedState>;

/// The map.
#[derive(Debug)]
pub struct Generations<K, V> {
    young: Generation<K, V>,
    old: Generation<K, V>,
    half: usize,
    forgotten: u64,
}

impl<K: Eq + Hash + Copy, V> Generations<K, V> {
    /// Holds at most `limit` entries, at least 2.
    pub fn new(limit: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            half: (limit / 2).max(1),
            forgotten: 0,
        }
    }

    /// The entry of `key`, made by `make` where there is none; it is young now.
    pub fn touch(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            let value = self.old.remove(&key);
            self.grow_old();
            return self
                .young
                .entry(key)
                .or_insert_with(|| value.unwrap_or_else(make));
        }
        let old = &mut self.old;
        let renew = || old.remove(&key).unwrap_or_else(make);
        self.young.entry(key).or_insert_with(renew)
    }

    /// Forgets the old; both tables keep their room.
    fn grow_old(&mut self) {
        self.forgotten += self.old.len() as u64;
        mem::swap(&mut self.old, &mut self.young);
        self.young.clear();
    }

    /// The entry of `key`, as old as it was.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// The entry of `key`, as old as it was.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.young.get_mut(key).or_else(|| self.old.get_mut(key))
    }

    /// How full it is, as a table of this name.
    pub fn fill(&self, table: &'static str) -> Fill {
        Fill::of(table, self.len(), 2 * self.half)
    }

    /// Entries held.
    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Entries pushed out by the limit so far.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_strangers_leaves_the_regulars() {
        let mut map = Generations::new(1_000);
        for n in 0..1_000_000_u64 {
            *map.touch(n, || 0) += 1;
            if n % 100 == 0 {
                *map.touch(u64::MAX, || 0) += 1;
            }
            assert!(map.len() <= 1_000);
        }
        assert_eq!(map.get(&u64::MAX), Some(&10_000));
        assert!(map.forgotten() > 998_000);
        assert_eq!(map.get(&5), None);
    }
}
