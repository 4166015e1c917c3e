//! Networks that a geo database has put into another country.
//!
//! Hosts that turn up after a reload were never seen under the old label, and yet their
//! country has not gained them: their network is known, and its country is new.
//!
//! # Promises
//! - Memory is fixed: one day for each network, and `PAIRS_MAX` countries of networks. What
//!   is beyond has not moved.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use noroshi_store::origin::Country;

/// Networks: all /16s of IPv4. Of IPv6 sources alone are remembered ([`super::moves`]).
const NETWORKS: usize = 1 << 16;
/// Countries of networks remembered: 4 MiB. A network has one to four.
const PAIRS_MAX: usize = 1 << 18;
/// Days after which a network's countries are known: in a week whoever is there was seen.
const KNOWN_DAYS: u16 = 7;

/// Remembers which countries each network was in.
#[derive(Debug)]
pub struct Labels {
    /// The first day of each network.
    networks: Vec<Option<u16>>,
    /// The first day of each country of a network.
    pairs: HashMap<(u16, Option<Country>), u16, FixedState>,
    /// Days for which a country stays new to a network.
    days: u16,
}

impl Labels {
    /// A country stays new to a network for `days`.
    pub fn new(days: u16) -> Self {
        Self {
            networks: Vec::new(),
            pairs: HashMap::default(),
            days,
        }
    }

    /// Takes in that a source is in a country on a day (since 1970), and says whether that
    /// country is new to a network that is known.
    pub fn is_new(&mut self, source: IpAddr, country: Option<Country>, day: u64) -> bool {
        if self.networks.is_empty() {
            self.networks = vec![None; NETWORKS];
        }
        let IpAddr::V4(address) = source else {
            return false;
        };
        let (network, day) = ((address.to_bits() >> 16) as u16, (day % 65_536) as u16);
        let known = *self.networks[usize::from(network)].get_or_insert(day);
        let is_full = self.pairs.len() >= PAIRS_MAX;
        let since = match self.pairs.get(&(network, country)) {
            Some(since) => *since,
            None if is_full => return false,
            None => *self.pairs.entry((network, country)).or_insert(day),
        };
        since.wrapping_sub(known) >= KNOWN_DAYS && day.wrapping_sub(since) < self.days
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_new_to_a_known_network_for_some_days() {
        let (thailand, laos) = (Country::new("TH"), Country::new("LA"));
        let source = |text: &str| text.parse::<IpAddr>().expect("an address");
        let (one, other) = (source("192.0.2.1"), source("198.51.100.1"));
        let mut labels = Labels::new(28);
        assert!(!labels.is_new(one, thailand, 20_000), "nothing is known");
        assert!(!labels.is_new(one, None, 20_006), "nor is all of it yet");
        assert!(labels.is_new(one, laos, 20_007));
        assert!(labels.is_new(source("192.0.99.9"), laos, 20_034), "a /16");
        assert!(!labels.is_new(one, laos, 20_035), "it has settled");
        assert!(!labels.is_new(one, thailand, 20_035));
        assert!(!labels.is_new(other, laos, 20_035), "another network");
        assert!(labels.is_new(other, thailand, 20_042));
    }
}
