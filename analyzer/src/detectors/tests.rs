//! Promises every detector keeps, and what each says about known traffic.

mod attacks;
mod bins;
mod crowds;
mod probes;
mod rhythms;
mod seasons;
mod silences;
mod sources;
mod surges;
mod victims;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_store::alert::Kind;
use noroshi_store::origin::Origin;
use noroshi_store::window::Window;

use super::*;
use crate::finding::{Fingerprint, Reason, Support};
use crate::generate::actors::{self, Span};
use crate::generate::background::{Background, Population};
use crate::generate::observe;
use crate::generate::packet::{Content, Sent, Tool};
use crate::generate::random::Random;

pub(super) const NOON: u64 = 1_793_620_800_000;
pub(super) const BOT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

pub(super) fn net(text: &str) -> Ipv4Net {
    text.parse().expect("a prefix")
}

pub(super) fn span(lasts: u64, packets: u64) -> Span {
    Span {
        from: Millis(NOON),
        lasts,
        packets,
    }
}

/// What a sensor per telescope makes of these packets.
pub(super) fn seen(telescopes: &[Ipv4Net], mut packets: Vec<Sent>) -> Vec<Window> {
    packets.sort_unstable();
    let sensors: Vec<_> = telescopes
        .iter()
        .enumerate()
        .map(|(index, net)| (SensorId::new(&format!("s{index}")).expect("an id"), *net))
        .collect();
    let nowhere = Arc::new(Origin::default());
    observe::windows(&sensors, &packets, |_| Arc::clone(&nowhere))
}

pub(super) fn findings(detector: &mut dyn Detector, windows: &[Window]) -> Vec<Finding> {
    windows
        .iter()
        .flat_map(|window| detector.examine(window))
        .collect()
}

pub(super) fn of_hosts(telescopes: &[Ipv4Net], packets: Vec<Sent>) -> Vec<Finding> {
    let mut detector = hosts::HostScans::new(&Settings::default());
    findings(&mut detector, &seen(telescopes, packets))
}

fn scan(tool: Tool, span: Span, telescope: &str, ports: &[u16]) -> Vec<Finding> {
    let telescopes = [net(telescope)];
    let packets = actors::scanner(&mut Random::new(1), span, BOT, tool, (&telescopes, ports));
    of_hosts(&telescopes, packets)
}

fn background(minutes: u64) -> Vec<Window> {
    let telescope = net("198.18.0.0/22");
    let background = Background {
        telescope,
        rate: 0.02,
        populations: vec![Population {
            prefix: net("45.80.0.0/16"),
            sources: 500,
        }],
        zipf: 1.1,
    };
    let until = Millis(NOON + minutes * 60_000);
    let mut packets = background.packets(3, Millis(NOON), until);
    let victim = actors::victim(
        &mut Random::new(5),
        span(90_000, 900),
        Ipv4Addr::new(198, 51, 100, 8),
        (&[telescope], 80),
    );
    packets.extend(victim);
    seen(&[telescope], packets)
}

#[test]
fn every_detector_keeps_the_promises() {
    let settings = Settings::default();
    let mut names = BTreeSet::new();
    let recorded = background(30);
    let both = all(&settings, Observation::Live)
        .into_iter()
        .zip(all(&settings, Observation::Live));
    for (mut one, mut other) in both {
        let facts = one.facts();
        assert!(names.insert(facts.name), "{} is taken twice", facts.name);
        assert!(!facts.kinds.is_empty());
        let nothing = Window::empty(Interval::EPOCH, IntervalLength::DEFAULT);
        assert!(
            one.examine(&nothing).is_empty(),
            "{} fires on nothing",
            facts.name
        );
        other.examine(&nothing);
        for window in &recorded {
            let found = one.examine(window);
            assert_eq!(
                found,
                other.examine(window),
                "{} is not deterministic",
                facts.name
            );
            let kinds = found
                .iter()
                .all(|finding| facts.kinds.contains(&finding.kind));
            assert!(kinds, "{} finds what it does not say", facts.name);
        }
    }
    let live_only = all(&settings, Observation::Recorded).len() + 1;
    assert_eq!(names.len(), live_only, "the end of a capture is no silence");
}

/// What one tool's scan must be called; none of them says more than its packets do.
#[test]
fn tools_are_told_apart() {
    let expected = [
        (
            Tool::Mirai,
            Kind::InfectedHost,
            Some(Fingerprint::Mirai),
            Reason::MiraiSyn,
        ),
        (
            Tool::Zmap,
            Kind::ScanningHost,
            Some(Fingerprint::Zmap),
            Reason::ScanTool,
        ),
        (
            Tool::Masscan,
            Kind::ScanningHost,
            Some(Fingerprint::Masscan),
            Reason::ScanTool,
        ),
        (
            Tool::Nmap,
            Kind::ScanningHost,
            Some(Fingerprint::Nmap),
            Reason::ScanTool,
        ),
        (Tool::Linux, Kind::ScanningHost, None, Reason::Scan),
        (Tool::Windows, Kind::ScanningHost, None, Reason::Scan),
    ];
    for (tool, kind, fingerprint, reason) in expected {
        let found = scan(tool, span(60_000, 120), "198.18.0.0/20", &[23, 2_323]);
        let last = found.last().expect("a finding");
        assert_eq!((last.kind, last.reason), (kind, reason), "{tool:?}");
        assert_eq!(last.fingerprint, fingerprint, "{tool:?}");
        let packets: u64 = found.iter().map(|finding| finding.packets).sum();
        assert_eq!(packets, 120, "findings add up to what was sent: {tool:?}");
        assert!(
            (90..=120).contains(&last.targets),
            "{} targets",
            last.targets
        );
    }
}

#[test]
fn windows_asking_many_for_smb_is_a_worm() {
    let found = scan(Tool::Windows, span(120_000, 200), "198.18.0.0/20", &[445]);
    assert!(
        found
            .iter()
            .all(|finding| finding.kind == Kind::InfectedHost),
        "{found:?}"
    );
    assert_eq!(found.last().expect("a finding").reason, Reason::SmbWorm);
    let by_tool = scan(Tool::Zmap, span(120_000, 200), "198.18.0.0/20", &[445]);
    assert!(
        by_tool
            .iter()
            .all(|finding| finding.kind == Kind::ScanningHost)
    );
}

#[test]
fn nobody_is_named_on_fewer_than_three_targets() {
    for targets in 1..=4_u8 {
        let packets = (0..60_u64).map(|index| Sent {
            at: Millis(NOON + index * 1_000),
            source: BOT,
            target: Ipv4Addr::new(198, 18, 0, (index % u64::from(targets)) as u8),
            ttl: 55,
            content: Content::Syn {
                tool: Tool::Mirai,
                port: 23,
                source_port: 40_000,
            },
            salt: 1,
        });
        let found = of_hosts(&[net("198.18.0.0/24")], packets.collect());
        assert_eq!(found.is_empty(), targets < 3, "{targets} targets");
    }
}

#[test]
fn a_misdirected_host_is_none_and_stays_out_of_its_scans() {
    let telescopes = [net("198.18.0.0/20")];
    let target = Ipv4Addr::new(198, 18, 9, 9);
    let random = &mut Random::new(4);
    let mut packets = actors::misdirected(random, span(9_000, 150), BOT, (target, 514));
    assert!(of_hosts(&telescopes, packets.clone()).is_empty());
    let later = Span {
        from: Millis(NOON + 3_600_000),
        ..span(10_000, 100)
    };
    packets.extend(actors::scanner(
        random,
        later,
        BOT,
        Tool::Nmap,
        (&telescopes, &[22, 80]),
    ));
    let found = of_hosts(&telescopes, packets);
    let services: BTreeSet<String> = found
        .iter()
        .flat_map(|finding| {
            finding
                .services
                .iter()
                .map(|(service, _)| service.to_string())
        })
        .collect();
    assert_eq!(
        services,
        BTreeSet::from(["tcp/22".to_owned(), "tcp/80".to_owned()])
    );
    assert!(
        found
            .iter()
            .all(|finding| finding.first.0 >= NOON + 3_600_000)
    );
}

#[test]
fn evidence_grows_with_time_and_sensors() {
    let support = |span, telescopes: &[&str]| {
        let telescopes: Vec<Ipv4Net> = telescopes.iter().map(|text| net(text)).collect();
        let random = &mut Random::new(2);
        let packets = actors::scanner(random, span, BOT, Tool::Mirai, (&telescopes, &[23]));
        let found = of_hosts(&telescopes, packets);
        let last = found.last().expect("a finding").clone();
        (last.support, last.sensors.len())
    };
    let one = ["198.18.0.0/20"];
    let two = ["198.18.0.0/20", "198.19.0.0/20"];
    assert_eq!(support(span(5_000, 6), &one), (Support::Plain, 1));
    assert_eq!(support(span(60_000, 60), &one), (Support::Broad, 1));
    assert_eq!(support(span(60_000, 60), &two), (Support::Broad, 2));
    assert_eq!(support(span(400_000, 60), &one), (Support::Steady, 1));
}

#[test]
fn a_large_telescope_asks_for_more_of_a_scanner_but_not_of_a_bot() {
    let targets = |tool, packets| {
        let found = scan(tool, span(60_000, packets), "10.0.0.0/8", &[23]);
        found.last().map(|finding| finding.targets)
    };
    assert_eq!(
        targets(Tool::Linux, 200),
        None,
        "below 1.8e-5 of the telescope"
    );
    assert!(targets(Tool::Linux, 1_500).is_some());
    assert!(
        targets(Tool::Mirai, 20).is_some(),
        "a fingerprint needs no coverage"
    );
}

/// The same packets, seen by one telescope or by its two halves.
#[test]
fn findings_do_not_depend_on_who_saw_what() {
    let whole = [net("198.18.0.0/20")];
    let halves = [net("198.18.0.0/21"), net("198.18.8.0/21")];
    for tool in [Tool::Mirai, Tool::Zmap, Tool::Linux] {
        let random = &mut Random::new(9);
        let packets = actors::scanner(
            random,
            span(60_000, 300),
            BOT,
            tool,
            (&whole, &[23, 80, 443]),
        );
        let (one, two) = (
            of_hosts(&whole, packets.clone()),
            of_hosts(&halves, packets),
        );
        let gist = |found: &[Finding]| {
            let each = found
                .iter()
                .map(|f| (f.kind, f.reason, f.fingerprint, f.first, f.last, f.packets));
            each.collect::<Vec<_>>()
        };
        assert_eq!(gist(&one), gist(&two), "{tool:?}");
    }
}

#[test]
fn a_pause_of_thirty_days_begins_a_new_event() {
    let telescopes = [net("198.18.0.0/20")];
    let random = &mut Random::new(6);
    let month = Span {
        from: Millis(NOON + 30 * 86_400_000),
        ..span(10_000, 50)
    };
    let mut packets = actors::scanner(
        random,
        span(10_000, 50),
        BOT,
        Tool::Linux,
        (&telescopes, &[22]),
    );
    packets.extend(actors::scanner(
        random,
        month,
        BOT,
        Tool::Linux,
        (&telescopes, &[22]),
    ));
    let found = of_hosts(&telescopes, packets);
    let last = found.last().expect("a finding");
    assert_eq!(last.first, month.from);
    assert!(last.targets <= 50);
}

#[test]
fn late_sightings_count_for_sources_only() {
    let mut windows = background(20);
    for sighting in windows.iter_mut().flat_map(|window| &mut window.flows) {
        sighting.late = true;
    }
    let mut kinds = BTreeSet::new();
    for mut detector in all(&Settings::default(), Observation::Recorded) {
        for finding in findings(detector.as_mut(), &windows) {
            assert!(finding.late, "{finding:?}");
            kinds.insert(finding.kind);
        }
    }
    assert_eq!(
        kinds,
        BTreeSet::from([Kind::InfectedHost, Kind::ScanningHost])
    );
}

/// 300,000 forged sources, one packet each, and one real scanner among them.
#[test]
fn a_storm_of_forged_sources_stays_within_its_room() {
    let mut settings = Settings::default();
    settings.sources.remembered_max = 10_000;
    settings.spoof_suspect.remembered_max = 5_000;
    let mut detector = hosts::HostScans::new(&settings);
    let telescope = net("198.18.0.0/20");
    let random = &mut Random::new(8);
    let mut packets = actors::scanner(
        random,
        span(60_000, 600),
        BOT,
        Tool::Linux,
        (&[telescope], &[8_080]),
    );
    for number in 0..300_000_u32 {
        packets.push(Sent {
            at: Millis(NOON + u64::from(number) / 5),
            source: Ipv4Addr::from_bits(0x2000_0000 + number * 7_919),
            target: random.address(telescope),
            ttl: 50,
            content: Content::Syn {
                tool: Tool::Linux,
                port: 8_080,
                source_port: 1_025,
            },
            salt: number,
        });
    }
    let mut named = BTreeSet::new();
    for window in seen(&[telescope], packets) {
        for finding in detector.examine(&window) {
            named.insert(finding.about.address());
        }
    }
    assert_eq!(named, BTreeSet::from([Some(BOT.into())]));
    let tables = detector.tables();
    assert!(tables.iter().all(|fill| fill.entries <= fill.limit));
    let limits: Vec<usize> = tables.iter().map(|fill| fill.limit).collect();
    assert_eq!(limits, [10_000, 5_000]);
}
