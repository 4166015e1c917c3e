//! Requests to amplifiers: who looks for them, and whom they are turned against.
//!
//! Whoever looks for amplifiers needs the answers, so the source is real. Whoever abuses
//! them forges the source: it is the victim. A telescope that never answers sees both as
//! the same requests, so a victim is named only on evidence:
//! - **paths**: one host is one number of hops away from a sensor. Requests in one name over
//!   several paths were sent by several machines. nmap draws the time-to-live at random
//!   from 37 to 59, so a wide spread within that range is no evidence;
//! - **repeats**: a search asks each address once or twice, abuse asks the same ones again
//!   and again;
//! - **port**: answers to port 80 or 443 would hit a web server; who wants them uses a port
//!   of its own.
//!
//! Otherwise it is a search, with the doubt stated where one of these is half there.

use noroshi_proto::flow::{Flow, Tally};
use noroshi_proto::traffic::Traffic;
use noroshi_store::alert::Kind;
use noroshi_store::window::{Sighting, Window};

use super::scanner::{Bar, report};
use super::sources::{Activity, Sensors, Sources, hops_spread};
use super::{Detector, Facts, Fill, WarmUp};
use crate::finding::{About, Finding, Reason, Support};
use crate::settings::{Hosts, Reflection, Settings};

/// Widest spread of random times-to-live that nmap may have drawn (37 to 59), and the
/// narrowest that 25 of them are likely to show.
const NMAP_SPREAD: std::ops::RangeInclusive<u8> = 14..=23;
/// Highest time-to-live that nmap draws.
const NMAP_TTL_MAX: u8 = 59;
/// Requests per target in one interval from which a search is in doubt: nmap repeats lost
/// probes, but rarely twice.
const DOUBT_PACKETS_PER_TARGET: u64 = 3;

/// Finds searches for amplifiers and victims of reflection.
#[derive(Debug)]
pub struct Reflections {
    settings: Reflection,
    hosts: Hosts,
    sources: Sources,
}

impl Reflections {
    /// Knows no source yet.
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.reflection.clone(),
            hosts: settings.hosts.clone(),
            sources: Sources::new(&settings.sources, is_wanted),
        }
    }
}

impl Detector for Reflections {
    fn tables(&self) -> Vec<Fill> {
        vec![self.sources.fill("amplifier_askers")]
    }

    fn facts(&self) -> Facts {
        Facts {
            name: "reflection",
            kinds: &[Kind::ReflectionRecon, Kind::ReflectionVictim],
            warm_up: WarmUp::Windows { seconds: 86_400 },
        }
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (settings, hosts) = (&self.settings, &self.hosts);
        let watched = window.addresses();
        self.sources
            .observe(window, |source, activity, sensors, seen| {
                if activity.settled.is_none() {
                    activity.settled = forgery(seen, settings);
                }
                let bar = Bar {
                    source,
                    settings: hosts,
                    watched,
                    targets: activity.targets(),
                };
                let Some(mut finding) = finding(&bar, activity, sensors) else {
                    return;
                };
                finding.late = seen.iter().all(|sighting| sighting.late);
                finding.at = window.end();
                findings.push(finding);
            });
        findings
    }
}

fn is_wanted(flow: &Flow) -> bool {
    flow.tuple.traffic == Traffic::ScanAmp
}

/// The evidence, within one interval, that these requests are forged.
fn forgery(seen: &[&Sighting], settings: &Reflection) -> Option<Reason> {
    let tallies = || seen.iter().map(|sighting| &sighting.flow.tally);
    if tallies().any(|tally| over_several_paths(tally, settings)) {
        return Some(Reason::ForgedPaths);
    }
    let again = |tally: &Tally| {
        tally.packets >= settings.repeats_min
            && tally.packets >= settings.packets_per_target * u64::from(tally.targets)
    };
    if tallies().any(again) {
        return Some(Reason::ForgedRepeats);
    }
    let at_a_server = |tally: &Tally| {
        tally.packets >= settings.packets_min
            && settings.attacked_ports.contains(&tally.source_port)
    };
    tallies().any(at_a_server).then_some(Reason::ForgedPort)
}

fn over_several_paths(tally: &Tally, settings: &Reflection) -> bool {
    let raw = tally.ttl_max.abs_diff(tally.ttl_min);
    let by_nmap = tally.ttl_max <= NMAP_TTL_MAX && NMAP_SPREAD.contains(&raw);
    let spread = hops_spread(tally.ttl_min, tally.ttl_max);
    tally.packets >= settings.packets_min && spread > settings.hops_spread && !by_nmap
}

fn finding(bar: &Bar<'_>, activity: &mut Activity, sensors: &Sensors) -> Option<Finding> {
    if bar.targets < bar.targets_min() {
        return None;
    }
    let origin = activity.origin.clone();
    if let Some(reason) = activity.settled {
        let all: Vec<usize> = (0..activity.conversations.len()).collect();
        let about = About::Victim(bar.source, origin);
        let mut finding = report(bar, activity, &all, sensors, about)?;
        finding.kind = Kind::ReflectionVictim;
        finding.reason = reason;
        finding.support = Support::Plain;
        return Some(finding);
    }
    let asked = bar.asked(activity, |_| false);
    if asked.is_empty() || !bar.covers_enough(activity) {
        return None;
    }
    let repeats = asked.iter().any(|index| {
        let one = &activity.conversations[*index];
        one.packets >= DOUBT_PACKETS_PER_TARGET * one.asked
    });
    let about = About::Source(bar.source, origin);
    let mut finding = report(bar, activity, &asked, sensors, about)?;
    finding.kind = Kind::ReflectionRecon;
    finding.reason = if repeats {
        Reason::AmplifierDoubt
    } else {
        Reason::AmplifierScan
    };
    Some(finding)
}
