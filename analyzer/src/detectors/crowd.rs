//! The distinct sources of something, with what matters about each, within a fixed room.
//!
//! # Promises
//! - Exact up to [`MEMBERS_MAX`] sources. Beyond, every second, fourth, … source is kept, by
//!   its hash (adaptive sampling: Flajolet, On Adaptive Sampling, 1990): the error of a
//!   count is then 1.2 / √4,096 = 1.9 %, and a flood costs one comparison a source.
//! - A source weighs one, however often it comes.
//! - Because members are kept one by one, the same crowd is counted by country, partner and
//!   network: no further sets, and parts always add up to the whole.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use noroshi_store::origin::Country;

use super::distinct::mix;

/// Sources kept one by one.
pub const MEMBERS_MAX: usize = 4_096;

/// Distinct sources.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    members: HashMap<u64, Member, FixedState>,
    /// Kept are hashes whose lowest so many bits are 0.
    level: u32,
}

/// One source of a crowd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its network and, of IPv4, its last octet.
    pub address: Compact,
    /// The first of our addresses it hit, as a hash.
    pub target: u32,
    /// Where it is.
    pub country: Option<Country>,
    /// Whose it is, by the detector's numbering; 0 for nobody's.
    pub partner: u16,
    /// How it counts.
    pub standing: Standing,
    /// Packets.
    pub packets: u32,
    /// First and last packet, in milliseconds since the crowd's bin began.
    pub seen: (u32, u32),
}

/// A source, as far as crowds need it: an IPv4 address, or a hash of a /48 above 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Compact(u32);

/// How a source counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As one.
    Counts,
    /// As one in the region, but not in its country: that was another lately.
    Moved,
    /// Apart: a published scanner.
    Scanner,
    /// Apart: an address that cannot be real.
    Bogon,
}

impl Standing {
    /// Whether it is one of those that surges are made of.
    pub fn counts(self) -> bool {
        matches!(self, Self::Counts | Self::Moved)
    }
}

impl Compact {
    /// The source and a hash that tells it from all others.
    pub fn of(source: IpAddr) -> (u64, Self) {
        match source {
            IpAddr::V4(address) => {
                let bits = address.to_bits();
                (mix(bits.into()), Self(bits))
            }
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                let (high, low) = ((bits >> 64) as u64, bits as u64);
                // an odd last octet: never the first or last address of a network
                let network = mix(high >> 16) as u32 & !0xff | 1;
                (mix(mix(high) ^ low), Self(network))
            }
        }
    }

    /// Its /24; of IPv6, its /48.
    pub fn network(self) -> u32 {
        self.0 >> 8
    }

    /// Whether it is the first or last address of its /24, where hosts are rare.
    pub fn is_edge(self) -> bool {
        matches!(self.0 & 0xff, 0 | 0xff)
    }
}

impl Crowd {
    /// The member of this hash, made by `new` where it is not known; `None` where it is not
    /// one of those kept.
    pub fn note(&mut self, hash: u64, new: impl FnOnce() -> Member) -> Option<&mut Member> {
        if !self.keeps(hash) {
            return None;
        }
        if self.members.len() >= MEMBERS_MAX && !self.members.contains_key(&hash) {
            while self.members.len() >= MEMBERS_MAX {
                self.level += 1;
                let mask = (1 << self.level) - 1;
                self.members.retain(|hash, _| hash & mask == 0);
            }
            if !self.keeps(hash) {
                return None;
            }
        }
        Some(self.members.entry(hash).or_insert_with(new))
    }

    fn keeps(&self, hash: u64) -> bool {
        hash & ((1 << self.level) - 1) == 0
    }

    /// Those kept, in no order.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// How many sources each of those kept stands for.
    pub fn weight(&self) -> u64 {
        1 << self.level
    }

    /// Distinct sources, of all standings.
    pub fn count(&self) -> u64 {
        self.members.len() as u64 * self.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(address: Compact) -> Member {
        Member {
            address,
            target: 0,
            country: Country::new("TH"),
            partner: 0,
            standing: Standing::Counts,
            packets: 0,
            seen: (0, 0),
        }
    }

    fn crowd(sources: u32) -> Crowd {
        let mut crowd = Crowd::default();
        for _ in 0..2 {
            for number in 0..sources {
                let source = IpAddr::V4((0x0500_0000 + number * 97).into());
                let (hash, address) = Compact::of(source);
                crowd.note(hash, || member(address));
            }
        }
        crowd
    }

    #[test]
    fn counts_exactly_then_nearly_within_its_room() {
        for sources in [0, 1, 500, MEMBERS_MAX as u32] {
            assert_eq!(crowd(sources).count(), u64::from(sources));
        }
        for sources in [6_000, 50_000, 2_000_000] {
            let crowd = crowd(sources);
            let off = crowd.count() as f64 / f64::from(sources) - 1.0;
            assert!(off.abs() < 0.06, "{sources} counted as {}", crowd.count());
            assert!(crowd.members().count() <= MEMBERS_MAX);
        }
    }

    #[test]
    fn networks_are_24s_and_48s() {
        let of = |text: &str| Compact::of(text.parse().expect("an address")).1;
        assert_eq!(of("192.0.2.1").network(), of("192.0.2.255").network());
        assert_ne!(of("192.0.2.1").network(), of("192.0.3.1").network());
        assert_eq!(
            of("2001:db8:1::1").network(),
            of("2001:db8:1:9::2").network()
        );
        assert_ne!(of("2001:db8:1::1").network(), of("2001:db8:2::1").network());
        assert!(of("192.0.2.0").is_edge() && of("192.0.2.255").is_edge());
        assert!(!of("192.0.2.9").is_edge() && !of("2001:db8::").is_edge());
        let hash = |text: &str| Compact::of(text.parse().expect("an address")).0;
        assert_ne!(hash("2001:db8:1::1"), hash("2001:db8:1:9::2"));
    }
}
