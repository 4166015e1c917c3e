//! Services that nobody asked for before.
//!
//! A service is new when hardly anybody asked for it in the days that are remembered, and
//! now sources of several networks do within an hour. It is told once; a service that then
//! surges is told as a surge.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use noroshi_proto::traffic::Service;

use super::bin::Bin;
use super::counts::{Counts, Place};
use crate::detectors::Fill;
use crate::detectors::crowd::Compact;
use crate::settings::ScanSurge;

/// Days remembered.
const DAYS: usize = 28;
/// Sources of one hour kept one by one for a service.
const HOUR_MAX: usize = 256;
/// Quiet services of which an hour is kept.
const SERVICES_MAX: usize = 131_072;

/// What was asked for, by service and day.
#[derive(Debug, Default)]
pub(super) struct Novelties {
    days: HashMap<Service, Days, FixedState>,
    /// The sources of the last hour of services that are quiet.
    hours: HashMap<Service, Vec<Asker>, FixedState>,
    /// When a new service was last seen as such.
    told: HashMap<Service, u64, FixedState>,
}

/// Sources per bin, added up by day.
#[derive(Clone, Copy, Debug)]
struct Days {
    newest: u64,
    totals: [u16; DAYS],
}

#[derive(Clone, Copy, Debug)]
struct Asker {
    bin: u32,
    address: Compact,
    target: u32,
}

/// What was heard of a service within an hour.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    sources: usize,
    networks: usize,
    targets: usize,
}

/// A new service, in the bin that closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Novelty {
    pub(super) service: Service,
    /// Sources within the hour.
    pub(super) sources: u64,
    /// Sources a day, before.
    pub(super) usual: f64,
}

impl Days {
    fn new(day: u64) -> Self {
        Self {
            newest: day,
            totals: [0; DAYS],
        }
    }

    fn advance_to(&mut self, day: u64) {
        let passed = day.saturating_sub(self.newest).min(DAYS as u64);
        for back in 0..passed {
            self.totals[((day - back) % DAYS as u64) as usize] = 0;
        }
        self.newest = self.newest.max(day);
    }

    fn add(&mut self, day: u64, sources: u32) {
        self.advance_to(day);
        let total = &mut self.totals[(day % DAYS as u64) as usize];
        *total = total.saturating_add(u16::try_from(sources).unwrap_or(u16::MAX));
    }

    /// Sources a day before today, of so many days.
    fn mean(&self, watched: f64) -> f64 {
        let today = self.totals[(self.newest % DAYS as u64) as usize];
        let all: u64 = self.totals.iter().map(|total| u64::from(*total)).sum();
        (all - u64::from(today)) as f64 / watched.clamp(1.0, DAYS as f64 - 1.0)
    }
}

impl Novelties {
    /// Quiet services whose hour is kept.
    pub(super) fn fill(&self) -> Fill {
        Fill::of("quiet_services", self.hours.len(), SERVICES_MAX)
    }

    /// Takes a closed bin in, and says which services are new in it, if so many days have
    /// been watched. Without the bin itself (recalled from rollups) nothing is said.
    pub(super) fn follow(
        &mut self,
        counts: &Counts,
        bin: Option<&Bin>,
        watched: f64,
        settings: &ScanSurge,
    ) -> Vec<Novelty> {
        let day = counts.index * settings.bin_seconds / 86_400;
        let hour = 3_600 / settings.bin_seconds.clamp(1, 3_600);
        self.forget(counts.index, hour, settings);
        let mut new = Vec::new();
        for count in &counts.each {
            let service = count.key.service;
            if count.key.place != Place::Region {
                continue;
            }
            let days = self.days.entry(service).or_insert_with(|| Days::new(day));
            days.add(day, count.sources);
            let usual = days.mean(watched);
            if usual > settings.new_service.sources_per_day {
                self.hours.remove(&service);
                continue;
            }
            let Some(bin) = bin else {
                if count.networks as usize >= settings.new_service.networks_min {
                    self.told.insert(service, counts.index); // it was told then
                }
                continue;
            };
            let heard = self.hear(service, bin);
            let targets_min = match counts.addresses {
                0 => settings.targets_min,
                some => settings.targets_min.min(some),
            };
            let is_new = watched >= settings.new_service.days_min
                && heard.networks >= settings.new_service.networks_min
                && heard.targets as u64 >= targets_min
                && !count.doubted;
            if is_new && self.tell(service, counts.index, settings) {
                new.push(Novelty {
                    service,
                    sources: heard.sources as u64,
                    usual,
                });
            }
        }
        new
    }

    /// Adds a bin's sources to the hour of a service, and says what there is.
    fn hear(&mut self, service: Service, bin: &Bin) -> Heard {
        if self.hours.len() >= SERVICES_MAX && !self.hours.contains_key(&service) {
            return Heard::default();
        }
        let askers = self.hours.entry(service).or_default();
        if let Some(asked) = bin.services.get(&service) {
            let members = asked.crowd.members().filter(|one| one.standing.counts());
            let room = HOUR_MAX.saturating_sub(askers.len());
            askers.extend(members.take(room).map(|member| Asker {
                bin: bin.index as u32,
                address: member.address,
                target: member.target,
            }));
        }
        if askers.len() < 2 {
            return Heard::default();
        }
        Heard {
            sources: distinct(askers.iter().map(|asker| asker.address)),
            networks: distinct(askers.iter().map(|asker| asker.address.network())),
            targets: distinct(askers.iter().map(|asker| asker.target)),
        }
    }

    /// Whether it is news, or still the same news.
    fn tell(&mut self, service: Service, index: u64, settings: &ScanSurge) -> bool {
        let same = |last: u64| index <= last + u64::from(settings.quiet_bins);
        let told = self.told.get(&service);
        if told.is_some_and(|last| !same(*last)) {
            return false;
        }
        self.told.insert(service, index);
        true
    }

    fn forget(&mut self, index: u64, hour: u64, settings: &ScanSurge) {
        self.hours.retain(|_, askers| {
            askers.retain(|asker| u64::from(asker.bin) + hour > index);
            !askers.is_empty()
        });
        let month = DAYS as u64 * 86_400 / settings.bin_seconds;
        if index.is_multiple_of(month / DAYS as u64) {
            let day = index * settings.bin_seconds / 86_400;
            self.told.retain(|_, last| *last + month > index);
            self.days.retain(|_, days| days.newest + DAYS as u64 > day);
        }
    }
}

fn distinct<T: Ord>(each: impl Iterator<Item = T>) -> usize {
    let mut all: Vec<T> = each.collect();
    all.sort_unstable();
    all.dedup();
    all.len()
}
