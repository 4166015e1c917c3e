//! One source, seen over several sensors, many ports, or many days.

use super::*;

const NORTH: &str = "198.18.0.0/20";
const SOUTH: &str = "198.19.0.0/20";

/// A scanner at two sensors, so many hops farther from the second.
fn over_two(tool: Tool, farther: u8) -> Vec<Finding> {
    let telescopes = [net(NORTH), net(SOUTH)];
    let random = &mut Random::new(2);
    let mut packets = actors::scanner(
        random,
        span(400_000, 80),
        BOT,
        tool,
        (&telescopes, &[23, 80]),
    );
    for packet in &mut packets {
        if telescopes[1].contains(&packet.target) {
            packet.ttl -= farther;
        }
    }
    of_hosts(&telescopes, packets)
}

#[test]
fn sensors_that_count_other_hops_cost_confidence() {
    let support = |farther| {
        let found = over_two(Tool::Mirai, farther);
        found.last().expect("a finding").support
    };
    assert_eq!(support(0), Support::Steady);
    assert_eq!(support(3), Support::Steady);
    assert_eq!(support(4), Support::Torn);
    assert_eq!(support(20), Support::Torn);
}

#[test]
fn a_scanner_seen_over_two_sensors_is_one_event() {
    let found = over_two(Tool::Linux, 0);
    let packets: u64 = found.iter().map(|finding| finding.packets).sum();
    assert_eq!(packets, 80);
    let last = found.last().expect("a finding");
    assert_eq!(last.sensors.len(), 2);
    assert_eq!(last.first, Millis(NOON));
    let subjects: BTreeSet<String> = found.iter().map(|one| format!("{:?}", one.about)).collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}

/// The label of the last finding about [`BOT`].
fn aggression(settings: &Settings, telescope: &str, packets: Vec<Sent>) -> Vec<&'static str> {
    let mut detector = hosts::HostScans::new(settings);
    let found = findings(&mut detector, &seen(&[net(telescope)], packets));
    let of_bot = |finding: &&Finding| finding.about.address() == Some(BOT.into());
    let last = found.iter().rev().find(of_bot).expect("a finding");
    last.estimates.aggression.names().collect()
}

fn scanner(telescope: &str, span: Span, ports: &[u16]) -> Vec<Sent> {
    let telescopes = [net(telescope)];
    let random = &mut Random::new(3);
    actors::scanner(random, span, BOT, Tool::Zmap, (&telescopes, ports))
}

#[test]
fn the_loudest_are_called_aggressive() {
    let usual = Settings::default();
    let many: Vec<u16> = (1..=120).collect();
    let few: Vec<u16> = (1..=40).collect();
    // 250 random draws hit some 240 of 4,096 addresses, 900 some 810 (estimated within 27 %)
    let expected: [(u64, &[u16], &[&str]); 5] = [
        (250, &[23], &[]),
        (900, &[23], &["targets"]),
        (250, &few, &[]),
        (250, &many, &["services"]),
        (1_500, &many, &["targets", "packets", "services"]),
    ];
    for (packets, ports, names) in expected {
        let sent = scanner(NORTH, span(60_000, packets), ports);
        let said = aggression(&usual, NORTH, sent);
        assert_eq!(said, names, "{packets} packets, {} ports", ports.len());
    }
    // the same packets at a telescope sixteen times as large are a smaller part of it
    let large = scanner("198.16.0.0/12", span(60_000, 900), &[23]);
    assert!(aggression(&usual, "198.16.0.0/12", large).is_empty());
}

/// A thousand sources send 5 packets each and ten of them 50, on one day; on the next, one
/// sends 30, then 60.
#[test]
fn a_day_is_measured_against_the_day_before() {
    let mut settings = Settings::default();
    settings.aggressive.sources_min = 1_000;
    settings.aggressive.share = 0.01;
    settings.aggressive.packets_min = 20;
    let telescopes = [net(NORTH)];
    let mut before = Vec::new();
    for number in 0..1_000_u32 {
        let source = Ipv4Addr::from_bits(0x2d50_0000 + number * 257);
        let sent = span(3_600_000, if number < 10 { 50 } else { 5 });
        let random = &mut Random::new(number.into());
        before.extend(actors::scanner(
            random,
            sent,
            source,
            Tool::Linux,
            (&telescopes, &[23]),
        ));
    }
    let named = |packets, first_day: &[Sent]| {
        let next_day = Span {
            from: Millis(NOON + 86_400_000),
            ..span(600_000, packets)
        };
        let mut sent = scanner(NORTH, next_day, &[23]);
        sent.extend_from_slice(first_day);
        aggression(&settings, NORTH, sent)
    };
    assert!(named(30, &before).is_empty(), "ten sent more");
    assert_eq!(named(60, &before), ["packets"]);
    assert_eq!(
        named(30, &[]),
        ["packets"],
        "nothing known: above the floor"
    );
}

fn of_ports(tool: Tool, ports: &[u16]) -> (Kind, Reason, Option<Fingerprint>) {
    let found = scan(tool, span(60_000, 120), NORTH, ports);
    let last = found.last().expect("a finding");
    (last.kind, last.reason, last.fingerprint)
}

#[test]
fn bots_without_a_mark_are_known_by_their_ports() {
    let bot = |family| (Kind::InfectedHost, Reason::BotPorts, Some(family));
    let scanner = (Kind::ScanningHost, Reason::Scan, None);
    let linux = |ports: &[u16]| of_ports(Tool::Linux, ports);
    assert_eq!(linux(&[5_358, 9_000]), bot(Fingerprint::Hajime));
    assert_eq!(linux(&[23, 5_358, 9_000, 23]), bot(Fingerprint::Hajime));
    assert_eq!(linux(&[2_480, 5_984, 23]), bot(Fingerprint::Hns));
    let routers = bot(Fingerprint::Mikrotik);
    assert_eq!(linux(&[8_291, 21, 25, 23_023]), routers);
    assert_eq!(linux(&[8_291, 21, 25]), scanner, "two besides");
    assert_eq!(linux(&[21, 25, 110, 443]), scanner, "not the router's own");
    assert_eq!(linux(&[5_984]), scanner, "one of two");
    assert_eq!(linux(&[23, 2_323]), scanner, "Telnet alone");
    assert_eq!(
        linux(&[2_480, 5_984, 80, 443, 8_080]),
        scanner,
        "much besides"
    );
    let by_tool = of_ports(Tool::Zmap, &[2_480, 5_984]);
    assert_eq!(by_tool.1, Reason::ScanTool);
    let marked = of_ports(Tool::Mirai, &[2_480, 5_984]);
    assert_eq!(marked.1, Reason::MiraiSyn);
}
