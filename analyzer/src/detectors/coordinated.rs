//! Sources that ask for a port in one rhythm: a botnet, or one scan from many hosts.
//!
//! Two engines of Dark-TRACER (Han, Takeuchi, Takahashi, Inoue: Dark-TRACER: Early Detection
//! Framework for Malware Activity Based on Anomalous Spatiotemporal Patterns, IEEE Access,
//! 2022) say when to look:
//! - **density** (Dark-GLASSO): every ten minutes, networks of sources are tied by the
//!   graphical lasso of their packets in slots of 50 s; the density of ties stands out from
//!   that of the last three days;
//! - **groups** (Dark-NMF): every half hour, packets by minute and network are split into a
//!   few rhythms; the networks that take most part in one are a group.
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
use self::gathering::{Gathering, Limits, Shape};
use self::outliers::Outliers;
use self::report::Context;
use self::rhythm::Rhythm;
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
        let chance = settings.chance;
        let rhythms: Vec<Rhythm<'_>> = rhythm::by_port(closed)
            .values()
            .filter(|pairs| rhythm::networks(pairs) >= settings.density_networks_min)
            .filter_map(|pairs| rhythm::of(pairs, DENSITY.slots, chance))
            .filter(|one| one.networks.len() >= settings.density_networks_min)
            .filter(|one| !one.has_one_target(settings.target_share))
            .collect();
        self.report(&rhythms, closed, Reason::RhythmDensity)
    }

    fn close_groups(&mut self, closed: &Gathering) -> Vec<Finding> {
        if !closed.is_steady() {
            return Vec::new();
        }
        let settings = &self.settings;
        let rhythms: Vec<Rhythm<'_>> = rhythm::by_port(closed)
            .values()
            .filter(|pairs| rhythm::networks(pairs) >= settings.group_networks_min)
            .filter_map(|pairs| rhythm::of(pairs, GROUPS.slots, settings.chance))
            .filter(|one| one.networks.len() >= settings.group_networks_min)
            .filter(|one| !one.has_one_target(settings.target_share))
            .collect();
        if rhythms.is_empty() {
            return Vec::new(); // whatever the groups are, none could be named
        }
        let groups = groups(closed, settings);
        let is_grouped = |rhythm: &Rhythm<'_>| {
            let within = |group: &BTreeSet<u64>| {
                let asking = group.intersection(&rhythm.networks).count();
                asking >= settings.group_networks_min
                    && asking as f64 >= settings.port_share * group.len() as f64
            };
            groups.iter().any(within)
        };
        let grouped: Vec<_> = rhythms.into_iter().filter(is_grouped).collect();
        self.report(&grouped, closed, Reason::RhythmGroup)
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
