//! Who sent how much when, within one window of many equal slots.
//!
//! # Promises
//! - At most [`NETWORKS_MAX`] networks and a set number of (source, port) pairs are kept;
//!   what comes beyond is not followed in this window.
//! - Only SYNs that count are taken in: neither late, nor of published scanners, nor of
//!   sources that cannot be real, nor to ports that everybody always asks for.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::origin::Country;
use noroshi_store::window::{Sighting, Window};

use crate::detectors::distinct::mix;

/// Slots of the longest window: thirty minutes.
pub(super) const SLOTS_MAX: usize = 30;
/// Networks followed in one window: all /16s of IPv4.
const NETWORKS_MAX: usize = 65_536;
/// Targets kept per pair, one by one.
const TARGETS_MAX: usize = 4;
/// Packets per slot from which a slot without any was not watched: by chance one is empty
/// with e^-10.
const SLOT_PACKETS_MIN: u64 = 10;
/// Share of the telescope that must be up throughout: a sensor that leaves or returns gives
/// all sources one rhythm.
const STEADY_SHARE: f64 = 0.9;

/// The shape of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Seconds of one slot.
    pub(super) slot_seconds: u64,
    /// How many slots.
    pub(super) slots: usize,
}

/// One window, while it is open.
#[derive(Debug)]
pub(super) struct Gathering {
    /// Its shape.
    pub(super) shape: Shape,
    /// Which, since 1970.
    pub(super) index: u64,
    /// Packets of each network (/16; IPv6: /32) in each slot.
    pub(super) networks: HashMap<u64, [u16; SLOTS_MAX], FixedState>,
    /// Who asked for what.
    pub(super) pairs: HashMap<u64, Pair, FixedState>,
    packets: [u64; SLOTS_MAX],
    addresses: Option<(u64, u64)>,
}

/// One source that asks for one port.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The source, by a hash.
    pub(super) source: u64,
    /// Its network.
    pub(super) network: u64,
    /// The part of it that it is in (/24; IPv6: /48).
    pub(super) subnet: u64,
    /// What it asks for.
    pub(super) port: u16,
    /// Where it is.
    pub(super) country: Option<Country>,
    /// The slots it was active in, one bit each.
    pub(super) slots: u32,
    /// The first 64 sensors that saw it, one bit each.
    pub(super) sensors: u64,
    /// Packets.
    pub(super) packets: u64,
    /// First packet.
    pub(super) first: Millis,
    /// Last packet.
    pub(super) last: Millis,
    targets: [(u64, u64); TARGETS_MAX],
    known: u8,
}

impl Shape {
    /// Seconds of the whole window.
    pub(super) fn seconds(self) -> u64 {
        self.slot_seconds * self.slots as u64
    }

    /// Whether intervals of this length fall into slots whole.
    pub(super) fn takes(self, seconds: u64) -> bool {
        self.slot_seconds.is_multiple_of(seconds)
    }
}

impl Gathering {
    /// An empty window.
    pub(super) fn new(shape: Shape, index: u64) -> Self {
        Self {
            shape,
            index,
            networks: HashMap::default(),
            pairs: HashMap::default(),
            packets: [0; SLOTS_MAX],
            addresses: None,
        }
    }

    /// The second after its last.
    pub(super) fn end(&self) -> u64 {
        (self.index + 1) * self.shape.seconds()
    }

    /// Takes an interval in; `numbers` are those of its sensors.
    pub(super) fn add(&mut self, window: &Window, numbers: &[u16], limits: Limits<'_>) {
        let now = window.addresses();
        let (least, most) = self.addresses.unwrap_or((now, now));
        self.addresses = Some((least.min(now), most.max(now)));
        let into = window.interval.start() % self.shape.seconds();
        let slot = (into / self.shape.slot_seconds) as usize;
        for sighting in &window.flows {
            if let Some(port) = limits.port(sighting) {
                let sensor = numbers[sighting.watch];
                self.count(sighting, (slot, port, sensor), limits.pairs_max);
            }
        }
    }

    fn count(
        &mut self,
        sighting: &Sighting,
        (slot, port, sensor): (usize, u16, u16),
        pairs_max: usize,
    ) {
        let tally = &sighting.flow.tally;
        let (source, network, subnet) = keys(sighting.flow.tuple.source);
        self.packets[slot] += tally.packets;
        if self.networks.len() < NETWORKS_MAX || self.networks.contains_key(&network) {
            let counts = self.networks.entry(network).or_insert([0; SLOTS_MAX]);
            let packets = u16::try_from(tally.packets).unwrap_or(u16::MAX);
            counts[slot] = counts[slot].saturating_add(packets);
        }
        let key = mix(source ^ u64::from(port).rotate_right(16));
        if self.pairs.len() >= pairs_max && !self.pairs.contains_key(&key) {
            return;
        }
        let pair = self.pairs.entry(key).or_insert_with(|| Pair {
            source,
            network,
            subnet,
            port,
            country: sighting.origin.country,
            slots: 0,
            sensors: 0,
            packets: 0,
            first: tally.first,
            last: tally.last,
            targets: [(0, 0); TARGETS_MAX],
            known: 0,
        });
        pair.add(sighting, slot, sensor);
    }

    /// Whether every slot was watched, by about the same telescope.
    pub(super) fn is_steady(&self) -> bool {
        let Some((least, most)) = self.addresses else {
            return false;
        };
        let packets = &self.packets[..self.shape.slots];
        let many = packets.iter().sum::<u64>() / packets.len() as u64 >= SLOT_PACKETS_MIN;
        least as f64 >= STEADY_SHARE * most as f64 && many && !packets.contains(&0)
    }

    /// The smallest telescope of this window.
    pub(super) fn addresses(&self) -> u64 {
        self.addresses.map_or(0, |(least, _)| least)
    }

    /// Networks with their packets, in ascending order; of more than `most` a sample that
    /// the window alone decides.
    pub(super) fn sample(
        &self,
        most: usize,
        is_wanted: impl Fn(&[u16]) -> bool,
    ) -> Vec<(u64, [u16; SLOTS_MAX])> {
        let slots = self.shape.slots;
        let wanted = self.networks.iter().filter(|(_, c)| is_wanted(&c[..slots]));
        let mut all: Vec<_> = wanted.map(|(key, counts)| (*key, *counts)).collect();
        if all.len() > most {
            let salt = mix(self.index);
            all.sort_unstable_by_key(|(network, _)| (mix(network ^ salt), *network));
            all.truncate(most);
        }
        all.sort_unstable_by_key(|(network, _)| *network);
        all
    }
}

impl Pair {
    fn add(&mut self, sighting: &Sighting, slot: usize, sensor: u16) {
        let tally = &sighting.flow.tally;
        self.slots |= 1 << slot;
        self.sensors |= 1 << sensor.min(63);
        self.packets += tally.packets;
        self.first = self.first.min(tally.first);
        self.last = self.last.max(tally.last);
        let each = tally.packets / u64::from(tally.targets.max(1));
        for masked in tally.sample.as_slice() {
            self.hit(u64::from(sensor) << 32 | u64::from(*masked), each.max(1));
        }
    }

    fn hit(&mut self, target: u64, packets: u64) {
        let count = usize::from(self.known);
        let known = self.targets[..count]
            .iter_mut()
            .find(|(one, _)| *one == target);
        match known {
            Some((_, sum)) => *sum += packets,
            None if count < TARGETS_MAX => {
                self.targets[count] = (target, packets);
                self.known += 1;
            }
            None => {}
        }
    }

    /// The first few targets, with their packets.
    pub(super) fn targets(&self) -> &[(u64, u64)] {
        &self.targets[..usize::from(self.known)]
    }
}

/// What is taken in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits<'a> {
    /// Ports left out.
    pub(super) excluded: &'a [u16],
    /// Pairs kept.
    pub(super) pairs_max: usize,
}

impl Limits<'_> {
    /// The port that a flow asks for, if it counts.
    fn port(&self, sighting: &Sighting) -> Option<u16> {
        let (tuple, origin) = (&sighting.flow.tuple, &sighting.origin);
        let real = origin.bogon.is_none() && origin.scanner.is_none();
        if sighting.late || tuple.traffic != Traffic::ScanSyn || !real {
            return None;
        }
        match tuple.transport {
            Transport::Tcp { service_port } if !self.excluded.contains(&service_port) => {
                Some(service_port)
            }
            _ => None,
        }
    }
}

/// A source, its network (/16, /32) and its part of that (/24, /48), as numbers.
fn keys(source: IpAddr) -> (u64, u64, u64) {
    match source {
        IpAddr::V4(address) => {
            let bits = u64::from(address.to_bits());
            (mix(bits), bits >> 16, bits >> 8)
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let (high, low) = ((bits >> 64) as u64, bits as u64);
            (mix(mix(high) ^ low), high >> 32 | 1 << 63, high >> 16)
        }
    }
}
