//! Who asked for what, within one bin.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Service;
use noroshi_store::origin::Country;
use noroshi_store::window::Sighting;

use super::counts::Place;
use crate::detectors::crowd::{Compact, Crowd, Member, Standing};
use crate::finding::SENSORS_MAX;

/// Targets kept one by one: more than any floor asks for.
const FEW_MAX: usize = 16;

/// One bin, while it is open.
#[derive(Debug)]
pub(super) struct Bin {
    /// Which, since 1970.
    pub(super) index: u64,
    /// Its length in seconds.
    pub(super) seconds: u64,
    /// What was asked for.
    pub(super) services: HashMap<Service, Asked, FixedState>,
    /// Telescope addresses that were up, over all its windows, and how many those are.
    up: (u64, u64),
}

/// Who asked for one service.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) crowd: Crowd,
    pub(super) sensors: Vec<u16>,
    pub(super) packets: u64,
    pub(super) first: Millis,
    pub(super) last: Millis,
    targets: Vec<u64>,
    most: u32,
}

/// A source, as bins know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who {
    pub(super) hash: u64,
    pub(super) address: Compact,
    pub(super) country: Option<Country>,
    pub(super) partner: u16,
    pub(super) standing: Standing,
}

/// What was asked by a part of a service's sources.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) packets: u64,
    pub(super) first: Millis,
    pub(super) last: Millis,
}

impl Bin {
    pub(super) fn new(index: u64, seconds: u64) -> Self {
        Self {
            index,
            seconds,
            services: HashMap::default(),
            up: (0, 0),
        }
    }

    /// The second after its last.
    pub(super) fn end(&self) -> u64 {
        (self.index + 1) * self.seconds
    }

    /// Takes in that so many addresses were up in one of its windows.
    pub(super) fn watch(&mut self, addresses: u64) {
        self.up = (self.up.0 + addresses, self.up.1 + 1);
    }

    /// Telescope addresses that were up, on average.
    pub(super) fn addresses(&self) -> u64 {
        self.up.0.checked_div(self.up.1).unwrap_or(0)
    }

    /// Counts a flow of a source.
    pub(super) fn count(&mut self, who: &Who, sighting: &Sighting, sensor: u16, most: usize) {
        let service = sighting.flow.tuple.transport.service();
        let start = self.index * self.seconds * 1_000;
        if let Some(asked) = self.services.get_mut(&service) {
            asked.count(who, sighting, sensor, start);
        } else if self.services.len() < most {
            let asked = self.services.entry(service).or_default();
            asked.count(who, sighting, sensor, start);
        }
    }
}

impl Asked {
    fn count(&mut self, who: &Who, sighting: &Sighting, sensor: u16, start: u64) {
        let tally = &sighting.flow.tally;
        let since = |at: Millis| u32::try_from(at.0.saturating_sub(start)).unwrap_or(u32::MAX);
        let seen = (since(tally.first), since(tally.last));
        let target = |masked: &u32| u64::from(sensor) << 32 | u64::from(*masked);
        let member = self.crowd.note(who.hash, || Member {
            address: who.address,
            target: tally.sample.as_slice().first().map_or(0, |masked| {
                crate::detectors::distinct::mix(target(masked)) as u32
            }),
            country: who.country,
            partner: who.partner,
            standing: who.standing,
            packets: 0,
            seen,
        });
        if let Some(member) = member {
            let packets = u32::try_from(tally.packets).unwrap_or(u32::MAX);
            member.packets = member.packets.saturating_add(packets);
            member.seen = (member.seen.0.min(seen.0), member.seen.1.max(seen.1));
        }
        if !who.standing.counts() {
            return;
        }
        for masked in tally.sample.as_slice() {
            keep(&mut self.targets, target(masked));
        }
        if self.sensors.len() < SENSORS_MAX && !self.sensors.contains(&sensor) {
            self.sensors.push(sensor);
        }
        if self.packets == 0 {
            self.first = tally.first;
        }
        self.first = self.first.min(tally.first);
        self.last = self.last.max(tally.last);
        self.packets += tally.packets;
        self.most = self.most.max(tally.targets);
    }

    /// Distinct targets, at least: exact while they are few.
    pub(super) fn targets(&self) -> u64 {
        (self.targets.len() as u64).max(self.most.into())
    }

    /// What those sources asked that stand in `place`; of a sampled crowd, an estimate.
    pub(super) fn part(&self, place: Place, start: u64) -> Part {
        if place == Place::Region {
            return Part {
                packets: self.packets,
                first: self.first,
                last: self.last,
            };
        }
        let members = || self.crowd.members().filter(|one| place.holds(one));
        let packets: u64 = members().map(|one| u64::from(one.packets)).sum();
        let first = members().map(|one| one.seen.0).min().unwrap_or(0);
        let last = members().map(|one| one.seen.1).max().unwrap_or(0);
        Part {
            packets: packets * self.crowd.weight(),
            first: Millis(start + u64::from(first)),
            last: Millis(start + u64::from(last)),
        }
    }
}

fn keep(few: &mut Vec<u64>, one: u64) {
    if few.len() < FEW_MAX && !few.contains(&one) {
        few.push(one);
    }
}
