//! Crowds of sources: forged ones, outbreaks, reflectors, and hosts behind one address.

use std::net::{IpAddr, Ipv4Addr};

use noroshi_proto::traffic::Traffic;

use super::*;
use crate::finding::About;

/// One machine that sends `each` SYNs of a tool in the name of each address of `framed`.
fn forged(framed: &str, each: u64, lasts: u64, ttl: fn(u32) -> u8) -> Vec<Sent> {
    let random = &mut Random::new(17);
    let framed = net(framed);
    let sources = 1_u64 << (32 - framed.prefix_len());
    let packets = sources * each;
    (0..packets)
        .map(|index| {
            // each address once, then again: a permutation by an odd factor
            let host = (index * 77 % sources) as u32;
            Sent {
                at: Millis(NOON + lasts * index / packets),
                source: Ipv4Addr::from_bits(framed.network().to_bits() + host),
                target: random.address(net("198.18.0.0/20")),
                ttl: ttl(host),
                content: Content::Syn {
                    tool: Tool::Mirai,
                    port: 23,
                    source_port: 40_000,
                },
                salt: index as u32,
            }
        })
        .collect()
}

fn kinds(found: &[Finding]) -> BTreeSet<Kind> {
    found.iter().map(|finding| finding.kind).collect()
}

fn of_crowd(packets: Vec<Sent>) -> Vec<Finding> {
    of_hosts(&[net("198.18.0.0/20")], packets)
}

#[test]
fn forged_bots_of_a_whole_prefix_frame_nobody() {
    for (framed, each, lasts) in [
        ("203.0.113.0/24", 4, 5_000),
        ("203.0.113.0/24", 20, 120_000),
        ("203.0.112.0/20", 4, 60_000),
    ] {
        let found = of_crowd(forged(framed, each, lasts, |_| 244));
        assert_eq!(
            kinds(&found),
            BTreeSet::from([Kind::SpoofSuspect]),
            "{framed}"
        );
        let subjects: BTreeSet<String> = found
            .iter()
            .map(|finding| match &finding.about {
                About::Prefix(prefix, _) => prefix.to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(subjects, BTreeSet::from([framed.to_owned()]));
        assert!(found.iter().all(|one| one.reason == Reason::Framing));
    }
}

#[test]
fn an_outbreak_over_many_paths_is_one() {
    let found = of_crowd(forged("203.0.113.0/24", 20, 120_000, |host| {
        46 + (host % 11) as u8
    }));
    assert_eq!(kinds(&found), BTreeSet::from([Kind::InfectedHost]));
    let sparse: Vec<Sent> = forged("203.0.113.0/24", 20, 120_000, |_| 55)
        .into_iter()
        .filter(|packet| packet.source.octets()[3] < 40)
        .collect();
    assert_eq!(
        kinds(&of_crowd(sparse)),
        BTreeSet::from([Kind::InfectedHost]),
        "40 of 256 are too few to be forged for sure"
    );
}

/// Bots of one access network behind one path, infected one after another within so many
/// milliseconds; each sends a packet a minute, for an hour.
fn outbreak(hosts: std::ops::Range<u8>, within: u64) -> Vec<Sent> {
    let random = &mut Random::new(23);
    let mut packets = Vec::new();
    for host in hosts.clone() {
        let infected = NOON + within * u64::from(host) / u64::from(hosts.end);
        let (source_port, salt) = (random.client_port(), random.bits() as u32);
        for _ in 0..60 {
            packets.push(Sent {
                at: Millis(infected + random.below(3_600_000)),
                source: Ipv4Addr::new(203, 0, 113, host),
                target: random.address(net("198.18.0.0/20")),
                ttl: 55,
                content: Content::Syn {
                    tool: Tool::Mirai,
                    port: 23,
                    source_port,
                },
                salt,
            });
        }
    }
    packets
}

#[test]
fn a_dense_outbreak_behind_one_path_is_told_in_the_end() {
    let found = of_crowd(outbreak(10..250, 60_000));
    let held_back = found.iter().any(|one| one.kind == Kind::SpoofSuspect);
    assert!(held_back, "at first nobody can tell");
    let infected = found.iter().filter(|one| one.kind == Kind::InfectedHost);
    let named: BTreeSet<_> = infected.clone().map(|one| one.about.address()).collect();
    assert_eq!(named.len(), 240);
    let surest = infected.map(|one| one.support).max();
    assert_eq!(surest, Some(Support::Plain), "a forger could go on too");
    let last = found.iter().filter(|one| one.kind == Kind::SpoofSuspect);
    let minutes = last
        .map(|one| one.at - NOON / 1_000)
        .max()
        .expect("a suspect")
        / 60;
    assert!(minutes < 15, "held back for {minutes} minutes");
}

#[test]
fn a_host_known_before_the_burst_stays_infected() {
    let before = Span {
        from: Millis(NOON - 3_600_000),
        ..span(60_000, 60)
    };
    let random = &mut Random::new(1);
    let telescopes = [net("198.18.0.0/20")];
    let mut packets = actors::scanner(random, before, BOT, Tool::Mirai, (&telescopes, &[23]));
    packets.extend(forged("203.0.113.0/24", 4, 5_000, |_| 244));
    let found = of_crowd(packets);
    let infected = found.iter().filter(|one| one.kind == Kind::InfectedHost);
    let infected: BTreeSet<_> = infected.map(|one| one.about.address()).collect();
    assert_eq!(infected, BTreeSet::from([Some(IpAddr::from(BOT))]));
}

/// As a captured flood: 37,623 sources anywhere, two times-to-live, one target.
#[test]
fn a_flood_from_anywhere_names_nobody() {
    let packets = (0..37_623_u32).map(|number| Sent {
        at: Millis(NOON + u64::from(number) / 4),
        source: Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761)),
        target: Ipv4Addr::new(198, 18, 7, 7),
        ttl: 242 + (number % 2 * 2) as u8,
        content: Content::Syn {
            tool: Tool::Linux,
            port: 80,
            source_port: 5,
        },
        salt: number,
    });
    assert!(of_crowd(packets.collect()).is_empty());
}

/// A bot among ordinary clients that share its address.
#[test]
fn a_bot_behind_a_shared_address_is_found() {
    let telescopes = [net("198.18.0.0/20")];
    let random = &mut Random::new(2);
    let mut packets = actors::scanner(
        random,
        span(300_000, 60),
        BOT,
        Tool::Mirai,
        (&telescopes, &[23]),
    );
    packets.extend(actors::scanner(
        random,
        span(300_000, 200),
        BOT,
        Tool::Windows,
        (&telescopes, &[443]),
    ));
    let found = of_crowd(packets);
    let last = found.last().expect("a finding");
    assert_eq!(last.fingerprint, Some(Fingerprint::Mirai));
    assert_eq!(last.kind, Kind::InfectedHost);
}

#[test]
fn rates_and_coverage_are_bounded() {
    let found = scan(Tool::Linux, span(60_000, 300), "198.18.0.0/20", &[22]);
    let last = found.last().expect("a finding");
    let (low, high) = last.estimates.rate_between.expect("bounds");
    let rate = last.rate.expect("a rate");
    assert!(low < rate && rate < high && low > rate * 0.8 && high < rate * 1.2);
    let coverage = last.estimates.coverage.expect("coverage");
    assert!((0.05..0.08).contains(&coverage), "{coverage}");
}

fn of_reflectors(targets: u32, days: u64) -> usize {
    let packets = (0..40_u64).map(|index| Sent {
        at: Millis(NOON + index * 250 + index % days * 86_000_000),
        source: BOT,
        target: Ipv4Addr::new(198, 18, 0, (index as u32 % targets) as u8),
        ttl: 50,
        content: Content::Reset {
            port: 53,
            source_port: 5,
        },
        salt: 0,
    });
    let mut windows = seen(&[net("198.18.0.0/20")], packets.collect());
    for sighting in windows.iter_mut().flat_map(|window| &mut window.flows) {
        sighting.flow.tuple.traffic = Traffic::BackscatterUdp;
    }
    let mut detector = open_reflector::OpenReflectors::new(&Settings::default());
    let found = findings(&mut detector, &windows);
    assert!(found.iter().all(|one| one.kind == Kind::OpenReflector));
    found.len()
}

#[test]
fn a_reflector_answers_two_targets_or_on_two_days() {
    assert_eq!(of_reflectors(1, 1), 0, "an attack on one address");
    assert!(of_reflectors(2, 1) > 0);
    assert!(of_reflectors(1, 2) > 0);
}
