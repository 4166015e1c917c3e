//! Attacks by several protocols, on whole prefixes, and how long they last.

use std::net::{IpAddr, Ipv6Addr};

use noroshi_proto::traffic::{Traffic, Transport};

use super::*;
use crate::finding::{About, Duration};
use crate::settings::DdosVictim;

const VICTIM: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 80);

fn of_victims(windows: &[Window]) -> Vec<Finding> {
    findings(
        &mut ddos_victim::DdosVictims::new(&DdosVictim::default()),
        windows,
    )
}

/// Answers of one victim to addresses of a telescope.
fn flood(telescope: &str, victim: Ipv4Addr, span: Span, seed: u64) -> Vec<Sent> {
    actors::victim(
        &mut Random::new(seed),
        span,
        victim,
        (&[net(telescope)], 80),
    )
}

/// Answers of `hosts` victims, each with so many addresses of `of` one after another.
fn carpet(hosts: u8, per_network: u8) -> Vec<Window> {
    let mut packets = Vec::new();
    for host in 0..hosts {
        let network = host / per_network;
        let victim = Ipv4Addr::new(198, 51, network, host % per_network);
        packets.extend(flood("10.0.0.0/8", victim, span(120_000, 60), host.into()));
    }
    seen(&[net("10.0.0.0/8")], packets)
}

/// The same, of hosts of IPv6: 198.51.n.h becomes 2001:db8:33:n::h.
fn of_ipv6(mut windows: Vec<Window>) -> Vec<Window> {
    for sighting in windows.iter_mut().flat_map(|window| &mut window.flows) {
        let IpAddr::V4(source) = sighting.flow.tuple.source else {
            continue;
        };
        let [_, site, network, host] = source.octets().map(u16::from);
        let source = Ipv6Addr::new(0x2001, 0xdb8, site, network, 0, 0, 0, host);
        sighting.flow.tuple.source = source.into();
    }
    windows
}

/// What findings are about, without repetition.
fn subjects(found: &[Finding]) -> BTreeSet<String> {
    let subject = |finding: &Finding| match &finding.about {
        About::Prefix(prefix, _) => prefix.to_string(),
        About::Victim(victim, _) => victim.to_string(),
        other => format!("{other:?}"),
    };
    found.iter().map(subject).collect()
}

#[test]
fn an_attack_by_several_protocols_is_one() {
    let telescope = "198.18.0.0/16";
    let packets = flood(telescope, VICTIM, span(180_000, 900), 1);
    let mut windows = seen(&[net(telescope)], packets);
    for (index, window) in windows.iter_mut().enumerate() {
        for sighting in &mut window.flows {
            let tuple = &mut sighting.flow.tuple;
            // TCP throughout; now and then routers quote UDP, or pings are answered
            match index % 3 {
                1 => {
                    tuple.traffic = Traffic::BackscatterIcmpError;
                    tuple.transport = Transport::Udp { service_port: 53 };
                }
                2 => {
                    tuple.traffic = Traffic::BackscatterIcmp;
                    tuple.transport = Transport::Icmp { kind: 0, code: 0 };
                }
                _ => {}
            }
        }
    }
    let found = of_victims(&windows);
    assert_eq!(subjects(&found), BTreeSet::from([VICTIM.to_string()]));
    let last = found.last().expect("a finding");
    let vectors: Vec<_> = last.estimates.vectors.names().collect();
    assert_eq!(vectors, ["tcp", "udp", "icmp"]);
    let services: BTreeSet<String> = found
        .iter()
        .flat_map(|finding| &finding.services)
        .map(|(service, _)| service.to_string())
        .collect();
    let expected = ["icmp/8", "tcp/80", "udp/53"].map(str::to_owned);
    assert_eq!(services, BTreeSet::from(expected));
    let packets: u64 = found.iter().map(|finding| finding.packets).sum();
    assert_eq!(packets, 900);
}

#[test]
fn twenty_addresses_of_one_network_are_one_carpet() {
    let found = of_victims(&carpet(20, 20));
    assert_eq!(
        subjects(&found),
        BTreeSet::from(["198.51.0.0/24".to_owned()])
    );
    assert_eq!(found.last().expect("a finding").victims.len(), 20);
    let apart = of_victims(&carpet(20, 1));
    assert_eq!(subjects(&apart).len(), 20, "each in a network of its own");
}

#[test]
fn a_carpet_of_ipv6_is_a_network_or_a_site() {
    let one_network = of_victims(&of_ipv6(carpet(20, 20)));
    let expected = BTreeSet::from(["2001:db8:33::/64".to_owned()]);
    assert_eq!(subjects(&one_network), expected);
    let site = of_victims(&of_ipv6(carpet(20, 2)));
    let expected = BTreeSet::from(["2001:db8:33::/48".to_owned()]);
    assert_eq!(subjects(&site), expected, "two in each of ten networks");
    let last = site.last().expect("a finding");
    assert_eq!(last.victims.len(), 20, "addresses, not networks");
    assert_eq!(last.reason, Reason::CarpetBombing);
    let few = of_victims(&of_ipv6(carpet(14, 2)));
    assert_eq!(subjects(&few).len(), 14, "seven networks are no carpet");
}

fn duration(packets: Vec<Sent>) -> Duration {
    let found = of_victims(&seen(&[net("198.18.0.0/16")], packets));
    let last = found.last().expect("a finding");
    last.estimates.duration.expect("a duration")
}

/// Answers to an attack of ten minutes, each at a random moment: 300 attacks.
#[test]
fn durations_lie_between_their_bounds() {
    let lasted = 600.0;
    let (mut within, mut sum) = (0, 0.0);
    for seed in 0..300 {
        let random = &mut Random::new(seed);
        let mut packets = flood("198.18.0.0/16", VICTIM, span(1, 20), seed);
        for packet in &mut packets {
            packet.at = Millis(NOON + random.below(600_000));
        }
        let known = duration(packets);
        assert!(known.low <= lasted, "no longer than it was");
        assert!(known.low <= known.seconds && known.seconds <= known.high);
        within += u32::from(known.high >= lasted);
        sum += known.seconds;
    }
    let mean = sum / 300.0;
    assert!((mean - lasted).abs() < 12.0, "unbiased: {mean}");
    // 95 % of 300 are 285; fewer than 273 have a chance of 1e-3
    assert!(within >= 273, "{within} of 300");
}

#[test]
fn an_attack_ends_by_five_minutes_of_silence() {
    let firsts = |pause| {
        let mut packets = flood("198.18.0.0/16", VICTIM, span(120_000, 200), 1);
        let again = Span {
            from: Millis(packets.last().expect("answers").at.0 + pause),
            ..span(120_000, 200)
        };
        packets.extend(flood("198.18.0.0/16", VICTIM, again, 2));
        let found = of_victims(&seen(&[net("198.18.0.0/16")], packets));
        let firsts: BTreeSet<Millis> = found.iter().map(|one| one.first).collect();
        firsts.len()
    };
    assert_eq!(firsts(299_000), 1);
    assert_eq!(firsts(301_000), 2);
}

/// As the storm of 11 March 2020, in which seventy million forged sources answered within a
/// day: 810 a second, of which there is room for two minutes. Here it is an eighth of both.
#[test]
fn a_storm_of_forged_answers_stays_within_its_room() {
    let telescope = "198.18.0.0/16";
    let mut packets = flood(telescope, VICTIM, span(600_000, 900), 1);
    let random = &mut Random::new(9);
    for number in 0..60_000_u64 {
        let source = Ipv4Addr::from_bits(random.bits() as u32);
        let once = Span {
            from: Millis(NOON + number * 10),
            ..span(1, 1)
        };
        packets.extend(flood(telescope, source, once, number));
    }
    let settings = DdosVictim {
        remembered_max: 12_500,
        ..DdosVictim::default()
    };
    let mut detector = ddos_victim::DdosVictims::new(&settings);
    let mut found = Vec::new();
    for window in seen(&[net(telescope)], packets) {
        found.extend(detector.examine(&window));
        for fill in detector.tables() {
            assert!(fill.entries <= fill.limit && fill.limit <= 12_500);
        }
    }
    assert_eq!(subjects(&found), BTreeSet::from([VICTIM.to_string()]));
    let packets: u64 = found.iter().map(|finding| finding.packets).sum();
    assert_eq!(packets, 900, "the victim was never forgotten");
}
