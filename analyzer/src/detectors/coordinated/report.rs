//! Rhythms become findings: one for all ports that the same sources ask for.

use std::collections::{BTreeMap, BTreeSet};

use noroshi_proto::traffic::{Protocol, Service};
use noroshi_store::alert::Kind;
use noroshi_store::origin::Country;

use super::gathering::Pair;
use super::rhythm::Rhythm;
use crate::detectors::sources::Sensors;
use crate::finding::{About, Finding, Group, Reason, SERVICES_MAX, Support};

/// Networks, and their share of all, from which a group is large (level 1 of Dark-GLASSO).
const LARGE: (usize, f64) = (20, 0.1);
/// Telescope addresses below which the evidence is not broad, however many sources there are.
const TARGETS_MIN: usize = 10;

/// What a report needs beside rhythms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    /// Which engine found it.
    pub(super) reason: Reason,
    /// The second after the window.
    pub(super) at: u64,
    /// Networks in the window.
    pub(super) networks: usize,
    /// Names of sensors.
    pub(super) sensors: &'a Sensors,
}

/// One finding per group of sources, about its lowest port; `told` are the packets of each
/// such port that were already reported for this time.
pub(super) fn report(
    rhythms: &[Rhythm<'_>],
    context: Context<'_>,
    told: &mut BTreeMap<u16, u64>,
) -> Vec<Finding> {
    let mut groups: Vec<Vec<&Rhythm<'_>>> = Vec::new();
    for rhythm in rhythms {
        match groups.iter_mut().find(|group| rhythm.is_of(group[0])) {
            Some(group) => group.push(rhythm),
            None => groups.push(vec![rhythm]),
        }
    }
    let mut findings: Vec<Finding> = Vec::new();
    for group in groups {
        let mut finding = finding(&group, context);
        let told = told.entry(group[0].port).or_default();
        match context.reason {
            // its half hour holds the windows of ten minutes of which some was told
            Reason::RhythmGroup => finding.packets = finding.packets.saturating_sub(*told),
            _ => *told += finding.packets,
        }
        findings.push(finding);
    }
    findings
}

fn finding(group: &[&Rhythm<'_>], context: Context<'_>) -> Finding {
    let members = || group.iter().flat_map(|rhythm| &rhythm.members);
    let sources: BTreeSet<u64> = members().map(|pair| pair.source).collect();
    let targets = members().flat_map(|pair| pair.targets());
    let targets: BTreeSet<u64> = targets.map(|(target, _)| *target).collect();
    let networks: BTreeSet<&u64> = group.iter().flat_map(|one| &one.networks).collect();
    let large = networks.len() >= LARGE.0
        && networks.len() as f64 >= LARGE.1 * context.networks as f64
        && targets.len() >= TARGETS_MIN;
    let mut services: Vec<(Service, u64)> = group.iter().map(|one| packets(one)).collect();
    services.sort_by_key(|(service, packets)| (std::cmp::Reverse(*packets), *service));
    services.truncate(SERVICES_MAX);
    let seen = members().fold(0, |bits, pair| bits | pair.sensors);
    let numbers = (0..64_u16).filter(|number| seen >> number & 1 == 1);
    Finding {
        kind: Kind::CoordinatedScan,
        about: About::Group(Group {
            service: service(group[0].port),
            countries: countries(members()),
        }),
        first: members().map(|pair| pair.first).min().unwrap_or_default(),
        last: members().map(|pair| pair.last).max().unwrap_or_default(),
        at: context.at,
        packets: members().map(|pair| pair.packets).sum(),
        targets: targets.len() as u64,
        sources: Some(sources.len() as u64),
        sensors: context.sensors.names(numbers),
        services,
        source_port: None,
        fingerprint: None,
        usual: Some(group[0].usual),
        rate: None,
        estimates: Default::default(),
        support: if large {
            Support::Broad
        } else {
            Support::Plain
        },
        reason: context.reason,
        late: false,
        victims: Vec::new(),
    }
}

fn packets(rhythm: &Rhythm<'_>) -> (Service, u64) {
    let packets = rhythm.members.iter().map(|pair| pair.packets);
    (service(rhythm.port), packets.sum())
}

fn service(port: u16) -> Service {
    Service {
        protocol: Protocol::Tcp,
        port,
    }
}

/// Sources by country, most first.
fn countries<'a>(members: impl Iterator<Item = &'a &'a Pair>) -> Vec<(Option<Country>, u64)> {
    let mut by_country: BTreeMap<Option<Country>, BTreeSet<u64>> = BTreeMap::new();
    for pair in members {
        let sources = by_country.entry(pair.country).or_default();
        sources.insert(pair.source);
    }
    let counted = by_country.into_iter();
    let mut counted: Vec<_> = counted.map(|(one, all)| (one, all.len() as u64)).collect();
    counted.sort_by_key(|(country, sources)| (std::cmp::Reverse(*sources), *country));
    counted
}
