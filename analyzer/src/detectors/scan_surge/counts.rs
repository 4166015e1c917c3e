//! A bin that has closed, as numbers: how many sources asked for what, from where.

use noroshi_proto::traffic::Service;
use noroshi_store::origin::{Country, PartnerId};
use noroshi_store::past::{PastBin, PastPlace};

use super::bin::{Asked, Bin};
use crate::detectors::crowd::{Member, Standing};
use crate::settings::ScanSurge;

/// Sources below which a count is not kept and reads as none.
pub(super) const COUNT_MIN: u32 = 2;
/// Impossible sources from which on a storm of forged ones is suspected, at least.
const BOGONS_MIN: usize = 5;
/// First and last addresses of networks, at least, for the same.
const EDGES_MIN: usize = 8;
/// One of so many sources may have come from another country lately.
const MOVED_MAX: usize = 5;
/// Distinct targets told apart in one place.
const TARGETS_MAX: usize = 16;

/// Which series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) service: Service,
    pub(super) place: Place,
}

/// Whose sources a series counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// All.
    Region,
    /// A country's.
    Country(Country),
    /// A partner's, by number.
    Partner(u16),
}

impl Place {
    /// Whether a member stands here.
    pub(super) fn holds(self, member: &Member) -> bool {
        match self {
            Self::Region => member.standing.counts(),
            Self::Country(country) => {
                member.standing == Standing::Counts && member.country == Some(country)
            }
            Self::Partner(number) => member.standing.counts() && member.partner == number,
        }
    }
}

/// One series in one bin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) key: Key,
    /// Distinct sources.
    pub(super) sources: u32,
    /// Distinct /24s; of IPv6, /48s.
    pub(super) networks: u32,
    /// Whether its sources hit enough targets.
    pub(super) spread: bool,
    /// Whether there is something against it: forged sources, or moved labels.
    pub(super) doubted: bool,
}

impl Count {
    /// Whether it may be a finding.
    pub(super) fn is_sound(&self) -> bool {
        self.spread && !self.doubted
    }
}

/// Every series of one bin.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) index: u64,
    /// Telescope addresses that were up.
    pub(super) addresses: u64,
    /// Ascending by key: of each service the region first.
    pub(super) each: Vec<Count>,
}

impl Counts {
    /// Nobody asked for anything.
    pub(super) fn silent(index: u64, addresses: u64) -> Self {
        Self {
            index,
            addresses,
            each: Vec::new(),
        }
    }

    pub(super) fn of(bin: &Bin, settings: &ScanSurge) -> Self {
        let addresses = bin.addresses();
        let targets_min = match addresses {
            0 => settings.targets_min,
            some => settings.targets_min.min(some),
        };
        let mut each = Vec::new();
        let mut members = Vec::new();
        for (service, asked) in &bin.services {
            members.clear();
            members.extend(asked.crowd.members().copied());
            let mut service = OfService {
                service: *service,
                weight: asked.crowd.weight() as u32,
                forged: is_forged(&members, settings),
                targets_min,
                counts: &mut each,
            };
            members.retain(|member| member.standing.counts());
            service.count(asked, &mut members);
        }
        each.sort_unstable_by_key(|count| count.key);
        Self {
            index: bin.index,
            addresses,
            each,
        }
    }

    /// A bin as the store's rollups remember it. What only packets could tell (targets,
    /// forgery) is taken to have been in order: nothing is found in the past.
    pub(super) fn recalled(past: &PastBin, mut number: impl FnMut(&PartnerId) -> u16) -> Self {
        let each = past.counts.iter().map(|count| Count {
            key: Key {
                service: count.service,
                place: match &count.place {
                    PastPlace::Region => Place::Region,
                    PastPlace::Country(country) => Place::Country(*country),
                    PastPlace::Partner(partner) => Place::Partner(number(partner)),
                },
            },
            sources: u32::try_from(count.sources).unwrap_or(u32::MAX),
            networks: u32::try_from(count.networks).unwrap_or(u32::MAX),
            spread: true,
            doubted: false,
        });
        let mut each: Vec<Count> = each.collect();
        each.sort_unstable_by_key(|count| count.key);
        Self {
            index: past.start / past.seconds,
            addresses: past.addresses,
            each,
        }
    }

    /// The count of one series.
    pub(super) fn get(&self, key: Key) -> Option<&Count> {
        let at = self.each.binary_search_by_key(&key, |count| count.key);
        at.ok().map(|at| &self.each[at])
    }
}

/// Whether a flood of forged sources must be suspected: random sources fall into address
/// space that cannot send (14 % of IPv4), and onto the first and last address of networks
/// (0.8 %), where hosts are rare; many more of those are no chance either.
fn is_forged(members: &[Member], settings: &ScanSurge) -> bool {
    let of = |wanted: fn(&Member) -> bool| members.iter().filter(|one| wanted(one)).count();
    let real = of(|one| one.standing.counts());
    let bogons = of(|one| one.standing == Standing::Bogon);
    let edges = of(|one| one.standing.counts() && one.address.is_edge());
    let share = |count: usize| count as f64 / real.max(1) as f64;
    let as_random = settings.forged_edges..settings.forged_edges * 5.0;
    (bogons >= BOGONS_MIN && share(bogons) >= settings.forged_bogons)
        || (edges >= EDGES_MIN && as_random.contains(&share(edges)))
}

/// Counts one service by place.
struct OfService<'a> {
    service: Service,
    weight: u32,
    forged: bool,
    targets_min: u64,
    counts: &'a mut Vec<Count>,
}

impl OfService<'_> {
    fn count(&mut self, asked: &Asked, members: &mut [Member]) {
        if members.is_empty() {
            return;
        }
        // networks are told apart within one country and partner, as the rollups do
        members.sort_unstable_by_key(|one| (one.country, one.partner, one.address.network()));
        self.push(Place::Region, members, asked.targets());
        for of_country in members.chunk_by(|a, b| a.country == b.country) {
            if let Some(country) = of_country[0].country {
                self.push(Place::Country(country), of_country, targets(of_country));
            }
        }
        members.sort_unstable_by_key(|one| (one.partner, one.country, one.address.network()));
        for of_partner in members.chunk_by(|a, b| a.partner == b.partner) {
            if of_partner[0].partner != 0 {
                let place = Place::Partner(of_partner[0].partner);
                self.push(place, of_partner, targets(of_partner));
            }
        }
    }

    fn push(&mut self, place: Place, members: &[Member], targets: u64) {
        let counted = members.iter().filter(|one| place.holds(one)).count();
        let elsewhere = members.len() - counted;
        let weigh = |count: usize| u32::try_from(count).unwrap_or(u32::MAX) * self.weight;
        let sources = weigh(counted);
        if place != Place::Region && sources < COUNT_MIN {
            return;
        }
        self.counts.push(Count {
            key: Key {
                service: self.service,
                place,
            },
            sources,
            networks: weigh(networks(members)).min(sources.max(1)),
            spread: targets >= self.targets_min,
            doubted: self.forged || elsewhere * MOVED_MAX >= members.len(),
        });
    }
}

/// Distinct targets of members, by the first that each hit: exact while they are few.
fn targets(members: &[Member]) -> u64 {
    let mut few: Vec<u32> = Vec::new();
    for member in members {
        if few.len() < TARGETS_MAX && !few.contains(&member.target) {
            few.push(member.target);
        }
    }
    few.len() as u64
}

/// Distinct networks of members in order.
fn networks(members: &[Member]) -> usize {
    members
        .chunk_by(|a, b| {
            (a.country, a.partner, a.address.network())
                == (b.country, b.partner, b.address.network())
        })
        .count()
}
