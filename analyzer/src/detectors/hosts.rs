//! Sources that scan: infected hosts, and any other.
//!
//! A source is named once one of its conversations reached `targets_min` telescope
//! addresses (or all there are) and the source as a whole covered as much of some telescope
//! as scanners do; or once it reached `targets_published` addresses over many services.
//! What keeps asking one address is misdirected, and yields nothing. A bare ACK may be the
//! echo of an attack: only a sweep by ACKs counts, and never as a sign of infection.

use noroshi_proto::flow::{Flow, Marks, OptionLayout};
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Protocol, Service, Traffic};
use noroshi_store::alert::Kind;
use noroshi_store::window::Window;

use super::aggressive::Days;
use super::scanner::{Bar, report};
use super::sources::{Activity, Conversation, Sensors, Sources};
use super::spoof_suspect::Crowds;
use super::statistics::binomial_tail_bound;
use super::{Detector, Facts, Fill, WarmUp, bots};
use crate::finding::{About, Finding, Fingerprint, Reason};
use crate::settings::{Hosts, Settings};

/// Targets of bare ACKs in one interval from which they are a sweep.
const ACK_TARGETS_MIN: u32 = 10;
/// Targets of SMB from which an ordinary Windows stack is taken for a worm's.
const WORM_TARGETS_MIN: u64 = 10;
const SMB: Service = Service {
    protocol: Protocol::Tcp,
    port: 445,
};

/// Finds scanning and infected hosts.
#[derive(Debug)]
pub struct HostScans {
    settings: Hosts,
    sources: Sources,
    crowds: Crowds,
    days: Days,
}

impl HostScans {
    /// Knows no source yet.
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.hosts.clone(),
            sources: Sources::new(&settings.sources, is_wanted),
            crowds: Crowds::new(&settings.spoof_suspect),
            days: Days::new(&settings.aggressive),
        }
    }
}

impl Detector for HostScans {
    fn tables(&self) -> Vec<Fill> {
        vec![self.sources.fill("scanning_sources"), self.crowds.fill()]
    }

    fn facts(&self) -> Facts {
        Facts {
            name: "hosts",
            kinds: &[Kind::InfectedHost, Kind::ScanningHost, Kind::SpoofSuspect],
            // the last whole day, and this one
            warm_up: WarmUp::Windows { seconds: 172_800 },
        }
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (settings, watched) = (&self.settings, window.addresses());
        let start = Millis(window.interval.start() * 1000);
        let (crowds, days) = (&mut self.crowds, &mut self.days);
        self.sources
            .observe(window, |source, activity, sensors, seen| {
                crowds.add(source, activity, seen, start);
                days.add(source, activity, seen, start.0);
                let bar = Bar {
                    source,
                    settings,
                    watched,
                    targets: activity.targets(),
                };
                let Some(mut finding) = finding(&bar, activity, sensors) else {
                    return;
                };
                finding.estimates.aggression = days.judge(&bar, activity);
                finding.at = window.end();
                finding.late = seen.iter().all(|sighting| sighting.late);
                findings.push(finding);
            });
        self.crowds.judge(findings)
    }
}

fn is_wanted(flow: &Flow) -> bool {
    match flow.tuple.traffic {
        Traffic::ScanSyn
        | Traffic::ScanStealth
        | Traffic::ScanEcho
        | Traffic::ScanIcmp
        | Traffic::ScanUdp => true,
        Traffic::TcpAck => flow.tally.targets >= ACK_TARGETS_MIN,
        _ => false,
    }
}

fn finding(bar: &Bar<'_>, activity: &mut Activity, sensors: &Sensors) -> Option<Finding> {
    if bar.targets < bar.targets_min() {
        return None;
    }
    let fingerprint = fingerprint(&activity.marks, activity.packets(), bar.settings);
    let marked = |one: &Conversation| fingerprint.is_some() && one.traffic == Traffic::ScanSyn;
    let asked = bar.asked(activity, marked);
    let fingerprint = fingerprint.or_else(|| bot(bar, activity));
    let (kind, reason) = verdict(bar, activity, &asked, fingerprint)?;
    let about = About::Source(bar.source, activity.origin.clone());
    let mut finding = report(bar, activity, &asked, sensors, about)?;
    finding.kind = kind;
    finding.reason = reason;
    finding.fingerprint = fingerprint;
    Some(finding)
}

/// What it is, if it is enough for anything.
fn verdict(
    bar: &Bar<'_>,
    activity: &Activity,
    asked: &[usize],
    fingerprint: Option<Fingerprint>,
) -> Option<(Kind, Reason)> {
    if asked.is_empty() {
        return None;
    }
    if fingerprint == Some(Fingerprint::Mirai) {
        return Some((Kind::InfectedHost, Reason::MiraiSyn));
    }
    if !bar.covers_enough(activity) {
        return None;
    }
    match fingerprint {
        Some(one) if one.is_by_ports() => return Some((Kind::InfectedHost, Reason::BotPorts)),
        Some(_) => return Some((Kind::ScanningHost, Reason::ScanTool)),
        None => {}
    }
    let conversations = asked.iter().map(|index| &activity.conversations[*index]);
    if conversations.clone().any(is_like_smb_worm) {
        // between a few wrong addresses and a worm: wait, rather than say one and then the other
        let worm = Some((Kind::InfectedHost, Reason::SmbWorm));
        return worm.filter(|_| bar.targets >= WORM_TARGETS_MIN);
    }
    let mut classes = conversations.map(|one| one.traffic);
    if classes.all(|class| matches!(class, Traffic::ScanStealth | Traffic::TcpAck)) {
        return Some((Kind::ScanningHost, Reason::StealthScan));
    }
    Some((Kind::ScanningHost, Reason::Scan))
}

/// The botnet of a source that bears no mark, by its ports; of published scanners none.
fn bot(bar: &Bar<'_>, activity: &Activity) -> Option<Fingerprint> {
    let is_enough = bar.targets >= bar.settings.targets_published;
    if !is_enough || activity.origin.scanner.is_some() {
        return None;
    }
    bots::family(activity)
}

/// Whether these could be a worm's: an ordinary Windows stack (no tool's raw packets) asks
/// for SMB, as Conficker and WannaCry do.
fn is_like_smb_worm(one: &Conversation) -> bool {
    one.service == SMB
        && one.traffic == Traffic::ScanSyn
        && one.options == OptionLayout::Windows
        && (65..=128).contains(&one.ttl_max)
}

/// The tool or malware of a source: all but a few of at least three SYNs match (of a source
/// without SYNs, of all `packets`), or more match than chance allows, because an address may
/// stand for many hosts.
pub fn fingerprint(marks: &Marks, packets: u64, settings: &Hosts) -> Option<Fingerprint> {
    let by_chance_16 = 2.0_f64.powi(-16);
    let candidates = [
        (Fingerprint::Mirai, marks.mirai, 2.0_f64.powi(-32)),
        (Fingerprint::Masscan, marks.masscan, by_chance_16),
        (Fingerprint::Zmap, marks.zmap, by_chance_16),
        (Fingerprint::Zmap, marks.zmap_modern, 1.0),
        (Fingerprint::Nmap, marks.nmap, 1.0),
    ];
    let trials = match marks.syns {
        0 => u32::try_from(packets).unwrap_or(u32::MAX),
        syns => syns,
    };
    let matches = |matched: u32, chance: f64| {
        matched >= settings.fingerprint_packets_min
            && (f64::from(matched) >= settings.fingerprint_share * f64::from(trials)
                || binomial_tail_bound(matched, trials, chance) < settings.fingerprint_chance)
    };
    candidates
        .into_iter()
        .find(|(_, matched, chance)| matches(*matched, *chance))
        .map(|(fingerprint, ..)| fingerprint)
}
