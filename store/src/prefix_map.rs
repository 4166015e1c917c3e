//! What is known about prefixes, found by address: longest match first.
//!
//! Built once, read often. Nested prefixes are flattened into disjoint ranges, so a
//! lookup is one binary search over sorted first addresses; from the longest match each
//! entry leads on to the next shorter prefix around it.

use std::cmp::Reverse;
use std::net::IpAddr;

use ipnet::IpNet;

/// No entry.
const NONE: u32 = u32::MAX;

/// Values by prefix, of both address families.
#[derive(Clone, Debug)]
pub struct PrefixMap<T> {
    entries: Vec<(IpNet, T)>,
    /// Of each entry, the next shorter one around it.
    around: Vec<u32>,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

/// Disjoint ranges by their first address; each lasts until the next one begins.
#[derive(Clone, Debug)]
struct Ranges<A> {
    firsts: Vec<A>,
    /// Of each range, the longest prefix it lies in.
    longest: Vec<u32>,
}

impl<T> PrefixMap<T> {
    /// Builds the map. Of equal prefixes the one given first matches first; host bits are cut off.
    ///
    /// # Panics
    /// With 2^32 − 1 entries or more.
    pub fn new(mut entries: Vec<(IpNet, T)>) -> Self {
        assert!(
            u32::try_from(entries.len()).is_ok_and(|count| count < NONE),
            "too many prefixes"
        );
        for (prefix, _) in &mut entries {
            *prefix = prefix.trunc();
        }
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for (index, (prefix, _)) in (0_u32..).zip(&entries) {
            match prefix {
                IpNet::V4(net) => v4.push((net.network().into(), net.broadcast().into(), index)),
                IpNet::V6(net) => v6.push((net.network().into(), net.broadcast().into(), index)),
            }
        }
        let mut around = vec![NONE; entries.len()];
        let v4 = Ranges::flatten(v4, &mut around, |last: u32| last.checked_add(1));
        let v6 = Ranges::flatten(v6, &mut around, |last: u128| last.checked_add(1));
        Self {
            entries,
            around,
            v4,
            v6,
        }
    }

    /// The longest prefix that holds `address`.
    pub fn longest(&self, address: IpAddr) -> Option<(IpNet, &T)> {
        self.matches(address).next()
    }

    /// Every prefix that holds `address`, longest first.
    pub fn matches(&self, address: IpAddr) -> impl Iterator<Item = (IpNet, &T)> {
        let mut next = match address {
            IpAddr::V4(v4) => self.v4.find(v4.into()),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => self.v4.find(v4.into()),
                None => self.v6.find(v6.into()),
            },
        };
        std::iter::from_fn(move || {
            let (prefix, value) = self.entries.get(next as usize)?;
            next = self.around[next as usize];
            Some((*prefix, value))
        })
    }

    /// Every entry, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (IpNet, &T)> {
        self.entries.iter().map(|(prefix, value)| (*prefix, value))
    }

    /// How many prefixes.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T> Default for PrefixMap<T> {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl<A: Ord + Copy> Ranges<A> {
    /// Flattens `(first, last, entry)`; fills in what lies `around` each entry.
    /// `after` is the address after the last one of a prefix, `None` at the end of all addresses.
    fn flatten(
        mut prefixes: Vec<(A, A, u32)>,
        around: &mut [u32],
        after: impl Fn(A) -> Option<A>,
    ) -> Self {
        prefixes
            .sort_unstable_by_key(|(first, last, index)| (*first, Reverse(*last), Reverse(*index)));
        let mut ranges = Self {
            firsts: Vec::new(),
            longest: Vec::new(),
        };
        let mut open: Vec<(A, u32)> = Vec::new();
        let outer = |open: &[(A, u32)]| open.last().map_or(NONE, |(_, index)| *index);
        for (first, last, index) in prefixes {
            while let Some((ended, _)) = open.pop_if(|(open_last, _)| *open_last < first) {
                if let Some(next) = after(ended) {
                    ranges.begin(next, outer(&open));
                }
            }
            around[index as usize] = outer(&open);
            ranges.begin(first, index);
            open.push((last, index));
        }
        while let Some((ended, _)) = open.pop() {
            if let Some(next) = after(ended) {
                ranges.begin(next, outer(&open));
            }
        }
        ranges
    }

    fn begin(&mut self, first: A, longest: u32) {
        if self.firsts.last() == Some(&first) {
            self.firsts.pop();
            self.longest.pop();
        }
        self.firsts.push(first);
        self.longest.push(longest);
    }

    fn find(&self, address: A) -> u32 {
        let after = self.firsts.partition_point(|first| *first <= address);
        if after == 0 {
            NONE
        } else {
            self.longest[after - 1]
        }
    }
}

#[cfg(test)]
mod tests;
