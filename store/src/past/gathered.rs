//! Rows of rollups, gathered by bin as they come, and added up when a bin is asked for.
//!
//! # Promises
//! - A row costs 20 bytes until its bin has been asked for.
//! - In whatever order rows come, the same counts follow, in the same order.

use std::num::NonZeroU16;
use std::ops::Range;

use noroshi_proto::traffic::Service;

use super::{PastCount, PastPlace};
use crate::origin::{Country, PartnerId};

/// Sources below which a place is not told apart from the region.
const APART_MIN: u64 = 2;

/// What was asked for in some bins.
#[derive(Debug)]
pub(super) struct Gathered {
    /// The first second of the first bin.
    first: u64,
    /// Seconds of a bin.
    seconds: u64,
    bins: Vec<Vec<Part>>,
    partners: Vec<PartnerId>,
}

/// Who asked for a service in one bin, by one class of traffic: sources of one country and one
/// partner. No source is in two parts of one class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) service: Service,
    pub(super) country: Option<Country>,
    pub(super) partner: Option<PartnerNumber>,
    pub(super) sources: u32,
    pub(super) networks: u32,
}

/// The place of a partner among those that were met, from 1 on.
pub(super) type PartnerNumber = NonZeroU16;

impl Gathered {
    /// Has room for whole bins of `range`, in seconds since 1970.
    pub(super) fn new(range: &Range<u64>, seconds: u64) -> Self {
        let first = range.start / seconds * seconds;
        let bins = range.end.saturating_sub(first).div_ceil(seconds);
        Self {
            first,
            seconds,
            bins: (0..bins).map(|_| Vec::new()).collect(),
            partners: Vec::new(),
        }
    }

    /// The number of a partner; `None` where its name is none, or 65,535 others were met.
    pub(super) fn partner(&mut self, name: &str) -> Option<PartnerNumber> {
        let known = self.partners.iter().position(|one| one.as_str() == name);
        let index = match known {
            Some(index) => index,
            None => {
                self.partners.push(PartnerId::new(name)?);
                self.partners.len() - 1
            }
        };
        NonZeroU16::new(u16::try_from(index + 1).ok()?)
    }

    /// Takes in a part of the bin that began at this second; of another, nothing.
    pub(super) fn add(&mut self, start: u64, part: Part) {
        let since = start.checked_sub(self.first);
        let index = since.map(|since| (since / self.seconds) as usize);
        if let Some(bin) = index.and_then(|index| self.bins.get_mut(index)) {
            bin.push(part);
        }
    }

    /// The counts of the bin that began at this second, in order of services: each once.
    pub(super) fn take(&mut self, start: u64) -> Vec<PastCount> {
        let index = (start.saturating_sub(self.first) / self.seconds) as usize;
        let Some(bin) = self.bins.get_mut(index) else {
            return Vec::new();
        };
        let mut parts = std::mem::take(bin);
        let mut counts = Vec::with_capacity(parts.len() * 9 / 8);
        parts.sort_unstable_by_key(|part| (part.service, part.country));
        for of_service in parts.chunk_by_mut(|a, b| a.service == b.service) {
            self.count(of_service, &mut counts);
        }
        counts
    }

    /// One service, whose parts are in order of countries.
    fn count(&self, parts: &mut [Part], counts: &mut Vec<PastCount>) {
        counts.push(sum(parts, PastPlace::Region));
        let apart = |count: &PastCount| count.sources >= APART_MIN;
        for of_country in parts.chunk_by(|a, b| a.country == b.country) {
            if let Some(country) = of_country[0].country {
                let count = sum(of_country, PastPlace::Country(country));
                counts.extend(Some(count).filter(apart));
            }
        }
        if parts.iter().all(|part| part.partner.is_none()) {
            return; // nearly every service
        }
        let name = |number: PartnerNumber| &self.partners[usize::from(number.get()) - 1];
        parts.sort_unstable_by(|a, b| a.partner.map(name).cmp(&b.partner.map(name)));
        for of_partner in parts.chunk_by(|a, b| a.partner == b.partner) {
            if let Some(number) = of_partner[0].partner {
                let count = sum(of_partner, PastPlace::Partner(name(number).clone()));
                counts.extend(Some(count).filter(apart));
            }
        }
    }
}

fn sum(parts: &[Part], place: PastPlace) -> PastCount {
    let all = |of: fn(&Part) -> u32| parts.iter().map(|part| u64::from(of(part))).sum();
    PastCount {
        service: parts[0].service,
        place,
        sources: all(|part| part.sources),
        networks: all(|part| part.networks),
    }
}

#[cfg(test)]
mod tests {
    use noroshi_proto::traffic::Protocol;

    use super::*;

    const SSH: Service = Service {
        protocol: Protocol::Tcp,
        port: 22,
    };
    const NTP: Service = Service {
        protocol: Protocol::Udp,
        port: 123,
    };

    /// What was counted of two services in the bin at 600, by parts in this order.
    fn counts(order: &[usize]) -> Vec<(Service, PastPlace, u64, u64)> {
        let mut gathered = Gathered::new(&(600..1_800), 600);
        let numbers = ["uni", "isp"].map(|name| gathered.partner(name));
        let part = |service, country, partner: Option<usize>, sources| Part {
            service,
            country: Country::new(country),
            partner: partner.and_then(|at| numbers[at]),
            sources,
            networks: sources / 2,
        };
        let parts = [
            part(SSH, "TH", None, 8),
            part(SSH, "TH", Some(0), 4),
            part(SSH, "TH", Some(1), 1),
            part(SSH, "LA", Some(0), 2),
            part(SSH, "", None, 16),
            part(SSH, "MY", None, 1),
            part(NTP, "TH", None, 3),
            part(SSH, "TH", None, 2), // of another class
        ];
        for index in order {
            gathered.add(600, parts[*index]);
        }
        gathered.add(1_200, parts[0]);
        gathered.add(0, parts[0]);
        gathered.add(1_800, parts[0]);
        let counts = gathered.take(600);
        assert_eq!(gathered.take(600), [], "it was taken");
        assert_eq!(gathered.take(1_200).len(), 2);
        let told = |one: PastCount| (one.service, one.place, one.sources, one.networks);
        counts.into_iter().map(told).collect()
    }

    #[test]
    fn parts_add_up_by_place_in_whatever_order_they_come() {
        let country = |code| PastPlace::Country(Country::new(code).expect("a country"));
        let partner = |name| PastPlace::Partner(PartnerId::new(name).expect("an id"));
        let expected = [
            (SSH, PastPlace::Region, 34, 16),
            (SSH, country("LA"), 2, 1),
            (SSH, country("TH"), 15, 7),
            (SSH, partner("uni"), 6, 3),
            (NTP, PastPlace::Region, 3, 1),
            (NTP, country("TH"), 3, 1),
        ];
        assert_eq!(counts(&[0, 1, 2, 3, 4, 5, 6, 7]), expected);
        assert_eq!(counts(&[7, 3, 6, 2, 5, 4, 1, 0]), expected);
    }
}
