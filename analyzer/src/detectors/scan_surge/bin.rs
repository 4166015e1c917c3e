//! Who asked for what, within one bin.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Service;
use noroshi_store::origin::Country;
use noroshi_store::window::Sighting;

use crate::detectors::distinct::{Distinct, mix};
use crate::finding::SENSORS_MAX;

/// Networks and targets kept one by one: more than any floor asks for.
const FEW_MAX: usize = 16;

/// One bin, while it is open.
#[derive(Debug)]
pub(super) struct Bin {
    /// Which, since 1970.
    pub(super) index: u64,
    /// The second after its last.
    pub(super) end: u64,
    /// Telescope addresses that were up.
    pub(super) addresses: u64,
    /// What was asked for.
    pub(super) services: HashMap<Service, Asked, FixedState>,
}

/// Who asked for one service.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) sources: Distinct,
    pub(super) networks: Vec<u64>,
    pub(super) sensors: Vec<u16>,
    pub(super) packets: u64,
    pub(super) country: Whence,
    pub(super) first: Millis,
    pub(super) last: Millis,
    targets: Vec<u64>,
    most: u32,
}

/// The country of all sources, as long as it is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Whence {
    #[default]
    Nobody,
    Only(Country),
    Mixed,
}

impl Whence {
    fn and(self, country: Option<Country>) -> Self {
        match (self, country) {
            (Self::Nobody, Some(country)) => Self::Only(country),
            (Self::Only(one), Some(other)) if one == other => self,
            _ => Self::Mixed,
        }
    }

    pub(super) fn only(self) -> Option<Country> {
        match self {
            Self::Only(country) => Some(country),
            Self::Nobody | Self::Mixed => None,
        }
    }
}

impl Bin {
    pub(super) fn new(index: u64, addresses: u64) -> Self {
        Self {
            index,
            end: 0,
            addresses,
            services: HashMap::default(),
        }
    }

    /// Counts a flow, if its source may count.
    pub(super) fn count(&mut self, sighting: &Sighting, sensor: u16, services_max: usize) {
        let (tuple, origin) = (&sighting.flow.tuple, &sighting.origin);
        let real = origin.bogon.is_none() && origin.scanner.is_none();
        if sighting.late || !tuple.traffic.is_scan() || !real {
            return;
        }
        let service = tuple.transport.service();
        if self.services.len() >= services_max && !self.services.contains_key(&service) {
            return;
        }
        self.services
            .entry(service)
            .or_default()
            .count(sighting, sensor);
    }
}

impl Asked {
    fn count(&mut self, sighting: &Sighting, sensor: u16) {
        let tally = &sighting.flow.tally;
        let (host, network) = keys(sighting.flow.tuple.source);
        self.sources.insert(mix(host));
        keep(&mut self.networks, network);
        for masked in tally.sample.as_slice() {
            keep(
                &mut self.targets,
                u64::from(sensor) << 32 | u64::from(*masked),
            );
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
        self.country = self.country.and(sighting.origin.country);
    }

    /// Distinct targets, at least: exact while they are few.
    pub(super) fn targets(&self) -> u64 {
        (self.targets.len() as u64).max(self.most.into())
    }
}

fn keep(few: &mut Vec<u64>, one: u64) {
    if few.len() < FEW_MAX && !few.contains(&one) {
        few.push(one);
    }
}

/// A source and its network (/24, /48), as numbers.
fn keys(source: IpAddr) -> (u64, u64) {
    match source {
        IpAddr::V4(address) => {
            let bits = u64::from(address.to_bits());
            (bits, bits >> 8)
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let (high, low) = ((bits >> 64) as u64, bits as u64);
            (mix(high) ^ low, high >> 16 | 1 << 63)
        }
    }
}
