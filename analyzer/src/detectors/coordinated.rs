//! Sources that ask for a port in one rhythm: a botnet, or one scan from many hosts.
//!
//! Two engines of Dark-TRACER (Han, Takeuchi, Takahashi, Inoue: Dark-TRACER: Early Detection
//! Framework for Malware Activity Based on Anomalous Spatiotemporal Patterns, IEEE Access,
//! 2022) and one of ours say when to look:
//! - **density** (Dark-GLASSO): every ten minutes, networks of sources are tied by the
//!   graphical lasso of their packets in slots of 50 s; the density of ties stands out from
//!   that of the last three days;
//! - **groups** (Dark-NMF): every half hour, packets by minute and network are split into a
//!   few rhythms; the networks that take most part in one are a group.
//!
//! - **neighbours** (ours): every half hour, parts (/24) of one network, which is one column
//!   to both of them.
//!
//! What they point at is named only where a port has a rhythm of its own that chance does
//! not explain (`rhythm`), and more than one target.
//!
//! Beside surges, never instead: here few sources suffice, if they keep time. A window in
//! which part of the telescope went or came, or nobody watched, is not judged: all sources
//! would share that rhythm. A pause of any length costs nothing.

mod density;
mod eigen;
mod factors;
mod gathering;
mod lasso;
mod outliers;
mod report;
mod rhythm;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use noroshi_store::alert::Kind;
use noroshi_store::window::Window;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use self::density::Columns;
use self::factors::{Factors, Packets};
use self::gathering::{Gathering, Limits, Pair, Shape};
use self::outliers::Outliers;
use self::report::Context;
use self::rhythm::{Rhythm, Whose};
use super::sources::Sensors;
use super::{Detector, Facts, WarmUp};
use crate::finding::{Finding, Reason};
use crate::settings::Coordinated;

/// Ten minutes (Dark-GLASSO).
const DENSITY: Shape = Shape {
    slot_seconds: 50,
    slots: density::SLOTS,
};
/// Half an hour (Dark-NMF).
const GROUPS: Shape = Shape {
    slot_seconds: 60,
    slots: 30,
};

/// Finds sources with one rhythm.
#[derive(Debug)]
pub struct CoordinatedScans {
    settings: Coordinated,
    sensors: Sensors,
    density: Gathering,
    groups: Gathering,
    /// Past densities, by penalty.
    past: Vec<Outliers>,
    /// Packets told since the half hour began, by port.
    told: BTreeMap<u16, u64>,
}

impl CoordinatedScans {
    /// Has seen nothing yet.
    pub fn new(settings: &Coordinated) -> Self {
        Self {
            sensors: Sensors::default(),
            density: Gathering::new(DENSITY, 0),
            groups: Gathering::new(GROUPS, 0),
            past: vec![Outliers::default(); settings.penalties.len()],
            told: BTreeMap::new(),
            settings: settings.clone(),
        }
    }

    /// Closes what is over by `second`.
    fn advance_to(&mut self, second: u64) -> Vec<Finding> {
        let mut findings = Vec::new();
        let index = second / DENSITY.seconds();
        if index > self.density.index {
            let next = Gathering::new(DENSITY, index);
            let closed = mem::replace(&mut self.density, next);
            findings = self.close_density(&closed);
        }
        let index = second / GROUPS.seconds();
        if index > self.groups.index {
            let next = Gathering::new(GROUPS, index);
            let closed = mem::replace(&mut self.groups, next);
            findings.extend(self.close_groups(&closed));
            self.told.clear();
        }
        findings
    }

    fn close_density(&mut self, closed: &Gathering) -> Vec<Finding> {
        let settings = &self.settings;
        if !closed.is_steady() || closed.networks.len() < settings.networks_min {
            return Vec::new();
        }
        let sample = closed.sample(settings.networks_max, |_| true);
        let columns = Columns::of(sample.iter().map(|(_, counts)| &counts[..]));
        let densities = columns.densities(&settings.penalties);
        let size = closed.addresses();
        let mut stands_out = false;
        for (past, density) in self.past.iter_mut().zip(densities) {
            stands_out |= past.judge(density, size, settings);
        }
        if !stands_out {
            return Vec::new();
        }
        let ports = rhythm::by_port(closed);
        let each = ports.values().map(|pairs| &pairs[..]);
        let least = settings.density_networks_min;
        let rhythms = rhythms(each, by_network, (DENSITY.slots, least), settings);
        self.report(&rhythms, closed, Reason::RhythmDensity)
    }

    fn close_groups(&mut self, closed: &Gathering) -> Vec<Finding> {
        if !closed.is_steady() {
            return Vec::new();
        }
        let ports = rhythm::by_port(closed);
        let grouped = grouped(&ports, closed, &self.settings);
        let mut neighbours = neighbours(&ports, &self.settings);
        neighbours.retain(|one| !grouped.iter().any(|other| one.port == other.port));
        let mut findings = self.report(&grouped, closed, Reason::RhythmGroup);
        findings.extend(self.report(&neighbours, closed, Reason::RhythmNeighbours));
        findings
    }

    fn report(
        &mut self,
        rhythms: &[Rhythm<'_>],
        closed: &Gathering,
        reason: Reason,
    ) -> Vec<Finding> {
        let context = Context {
            reason,
            at: closed.end(),
            networks: closed.networks.len(),
            sensors: &self.sensors,
        };
        report::report(rhythms, context, &mut self.told)
    }
}

fn by_network(pair: &Pair) -> u64 {
    pair.network
}

fn by_subnet(pair: &Pair) -> u64 {
    pair.subnet
}

/// The rhythms of those sets of sources that have one: of at least so many networks, or parts
/// of one, and at more than one target.
fn rhythms<'a: 'b, 'b>(
    sets: impl Iterator<Item = &'b [&'a Pair]>,
    whose: Whose,
    (slots, least): (usize, usize),
    settings: &Coordinated,
) -> Vec<Rhythm<'a>> {
    let many = sets.filter(|pairs| rhythm::count(pairs, whose) >= least);
    many.filter_map(|pairs| rhythm::of(pairs, whose, (slots, settings.chance)))
        .filter(|one| one.networks.len() >= least)
        .filter(|one| !one.has_one_target(settings.target_share))
        .collect()
}

/// The ports asked for in a rhythm of their own by networks of one group.
fn grouped<'a>(
    ports: &BTreeMap<u16, Vec<&'a Pair>>,
    closed: &Gathering,
    settings: &Coordinated,
) -> Vec<Rhythm<'a>> {
    let each = ports.values().map(|pairs| &pairs[..]);
    let least = settings.group_networks_min;
    let mut rhythms = rhythms(each, by_network, (GROUPS.slots, least), settings);
    if rhythms.is_empty() {
        return rhythms; // whatever the groups are, none could be named
    }
    let groups = groups(closed, settings);
    rhythms.retain(|rhythm| {
        let within = |group: &BTreeSet<u64>| {
            let asking = group.intersection(&rhythm.networks).count();
            asking >= least && asking as f64 >= settings.port_share * group.len() as f64
        };
        groups.iter().any(within)
    });
    rhythms
}

/// The ports asked for in a rhythm of their own by parts of one network: a group of hosts
/// that one order reaches. Such a network is one column to both engines, and no group.
fn neighbours<'a>(ports: &BTreeMap<u16, Vec<&'a Pair>>, settings: &Coordinated) -> Vec<Rhythm<'a>> {
    let sets = ports.values();
    let sets = sets.flat_map(|pairs| pairs.chunk_by(|a, b| a.network == b.network));
    let least = settings.group_networks_min;
    rhythms(sets, by_subnet, (GROUPS.slots, least), settings)
}

/// The networks that take most part in each rhythm, for every rank.
fn groups(closed: &Gathering, settings: &Coordinated) -> BTreeSet<BTreeSet<u64>> {
    let most = u64::from(settings.minute_packets_max);
    let is_wanted = |counts: &[u16]| {
        let all: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        all >= settings.packets_min && counts.iter().all(|count| u64::from(*count) <= most)
    };
    let sample = closed.sample(settings.networks_max, is_wanted);
    let packets = Packets::of(GROUPS.slots, sample.iter().map(|(_, counts)| &counts[..]));
    let ranks = settings.ranks_max.min(packets.rank_max());
    if ranks == 0 {
        return BTreeSet::new();
    }
    let begin = packets.singular(ranks);
    let factors: Vec<Factors> = (1..ranks + 1)
        .into_par_iter()
        .map(|rank| begin.first(rank).improve(&packets, settings.iterations_max))
        .collect();
    let rhythms = factors
        .iter()
        .flat_map(|one| (0..one.rank).map(|rhythm| one.packets_in(rhythm)));
    let group = |parts: Vec<f64>| -> BTreeSet<u64> {
        let most = parts.iter().copied().fold(0.0, f64::max);
        let least = (most * settings.part_share).max(1.0); // active: one packet and more
        let taking = sample.iter().zip(parts).filter(|(_, part)| *part >= least);
        taking.map(|((network, _), _)| *network).collect()
    };
    rhythms.map(group).collect()
}

impl Detector for CoordinatedScans {
    fn facts(&self) -> Facts {
        let windows = self.settings.history_min as u64 + 1;
        Facts {
            name: "coordinated",
            kinds: &[Kind::CoordinatedScan],
            warm_up: WarmUp::Windows {
                seconds: windows * DENSITY.seconds(),
            },
        }
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let (start, seconds) = (window.interval.start(), u64::from(window.length.seconds()));
        let findings = self.advance_to(start);
        let sensors = &mut self.sensors;
        let watches = window.watches.iter();
        let numbers: Vec<u16> = watches.map(|one| sensors.number(&one.sensor)).collect();
        let limits = Limits {
            excluded: &self.settings.excluded_ports,
            pairs_max: self.settings.pairs_max,
        };
        for open in [&mut self.density, &mut self.groups] {
            let is_open = open.index == start / open.shape.seconds();
            if is_open && open.shape.takes(seconds) {
                open.add(window, &numbers, limits);
            }
        }
        findings
    }
}
