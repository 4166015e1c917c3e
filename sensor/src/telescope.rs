//! The unused address space that is watched.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

pub use self::timetable::{Timetable, Watched};

mod timetable;

/// A set of unused, routed prefixes.
///
/// Its addresses have an order: IPv4 before IPv6, ascending, each address once even where
/// prefixes overlap. [`Telescope::offset`] is the place of an address in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telescope {
    prefixes: Vec<IpNet>,
    v4: Vec<Stretch<u32>>,
    v6: Vec<Stretch<u128>>,
    addresses_v4: u64,
}

/// Neighbouring addresses, all of them watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch<A> {
    first: A,
    last: A,
    /// Watched addresses of the same family before `first`, saturating.
    before: u64,
}

impl Telescope {
    /// Everything in `prefixes`, in any order.
    pub fn new(prefixes: &[IpNet]) -> Self {
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for prefix in prefixes {
            match prefix {
                IpNet::V4(prefix) => {
                    v4.push((u32::from(prefix.network()), u32::from(prefix.broadcast())));
                }
                IpNet::V6(prefix) => {
                    v6.push((u128::from(prefix.network()), u128::from(prefix.broadcast())));
                }
            }
        }
        let mut addresses_v4 = 0;
        let v4 = joined(v4, |first, last| first.checked_sub(1) == Some(last))
            .into_iter()
            .map(|(first, last)| {
                let before = addresses_v4;
                addresses_v4 += u64::from(last - first) + 1;
                Stretch {
                    first,
                    last,
                    before,
                }
            })
            .collect();
        let mut addresses_v6 = 0_u64;
        let v6 = joined(v6, |first, last| first.checked_sub(1) == Some(last))
            .into_iter()
            .map(|(first, last)| {
                let before = addresses_v6;
                let length = u64::try_from(last - first).unwrap_or(u64::MAX);
                addresses_v6 = addresses_v6.saturating_add(length).saturating_add(1);
                Stretch {
                    first,
                    last,
                    before,
                }
            })
            .collect();
        let mut prefixes: Vec<IpNet> = prefixes.iter().map(IpNet::trunc).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        Self {
            prefixes,
            v4,
            v6,
            addresses_v4,
        }
    }

    /// The prefixes it was made of, sorted, host bits cleared.
    pub fn prefixes(&self) -> &[IpNet] {
        &self.prefixes
    }

    /// Watched IPv4 addresses: the N that thresholds are scaled by.
    pub fn addresses(&self) -> u64 {
        self.addresses_v4
    }

    /// Whether `address` is watched.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.contains_v4(address),
            IpAddr::V6(address) => self.contains_v6(address),
        }
    }

    /// How many watched addresses stand before `address`; `None` where it is not watched.
    ///
    /// IPv6 addresses follow all of IPv4; offsets in more than 2^64 addresses saturate.
    #[inline]
    pub fn offset(&self, address: IpAddr) -> Option<u64> {
        match address {
            IpAddr::V4(address) => {
                let stretch = stretch_of(&self.v4, u32::from(address))?;
                Some(stretch.before + u64::from(u32::from(address) - stretch.first))
            }
            IpAddr::V6(address) => {
                let stretch = stretch_of(&self.v6, u128::from(address))?;
                let within = u64::try_from(u128::from(address) - stretch.first);
                let before = self.addresses_v4.saturating_add(stretch.before);
                Some(before.saturating_add(within.unwrap_or(u64::MAX)))
            }
        }
    }

    #[inline]
    fn contains_v4(&self, address: Ipv4Addr) -> bool {
        stretch_of(&self.v4, u32::from(address)).is_some()
    }

    fn contains_v6(&self, address: Ipv6Addr) -> bool {
        stretch_of(&self.v6, u128::from(address)).is_some()
    }
}

#[inline]
fn stretch_of<A: Copy + Ord>(stretches: &[Stretch<A>], address: A) -> Option<&Stretch<A>> {
    let stretch = match stretches {
        [only] => only, // most telescopes are one prefix
        several => {
            let after = several.partition_point(|stretch| stretch.first <= address);
            &several[after.checked_sub(1)?]
        }
    };
    (stretch.first <= address && address <= stretch.last).then_some(stretch)
}

/// Sorts ranges and joins those that overlap or touch.
fn joined<A: Copy + Ord>(mut ranges: Vec<(A, A)>, follows: impl Fn(A, A) -> bool) -> Vec<(A, A)> {
    ranges.sort_unstable();
    let mut joined: Vec<(A, A)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= *end || follows(first, *end) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
