//! Sources that keep time, and what only looks so.

use std::net::Ipv4Addr;

use super::*;
use crate::finding::{About, Group};
use crate::settings::Coordinated;
use noroshi_store::origin::Country;

const DAY_SECONDS: u64 = 86_400;
const TELESCOPE: &str = "198.18.0.0/21";
/// Networks (/16) that background comes from.
const NETWORKS: u8 = 225;

/// Background from 900 networks, of which only what the detector may look at is kept: most
/// packets ask for ports that are left out.
fn calm(seed: u64, seconds: u64) -> Vec<Sent> {
    let population = |index: u32| Population {
        prefix: Ipv4Net::new_assert(
            Ipv4Addr::new(20 + (index % 4) as u8, (index / 4) as u8, 0, 0),
            16,
        ),
        sources: 4,
    };
    let background = Background {
        telescope: net(TELESCOPE),
        rate: 0.005,
        populations: (0..u32::from(NETWORKS) * 4).map(population).collect(),
        zipf: 0.6,
    };
    let until = Millis(NOON + seconds * 1_000);
    let mut packets = background.packets(seed, Millis(NOON), until);
    let excluded = Coordinated::default().excluded_ports;
    let is_judged = |packet: &Sent| match packet.content {
        Content::Syn { port, .. } => !excluded.contains(&port),
        _ => false,
    };
    packets.retain(is_judged);
    packets
}

/// One source's SYN.
fn syn(random: &mut Random, at: u64, source: Ipv4Addr, port: u16) -> Sent {
    Sent {
        at: Millis(at),
        source,
        target: random.address(net(TELESCOPE)),
        ttl: 50,
        content: Content::Syn {
            tool: Tool::Linux,
            port,
            source_port: 40_000,
        },
        salt: 0,
    }
}

/// A member of a group: each in a network of its own.
fn member(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(20 + number % 4, number, 7, 7)
}

/// Forty sources that are told three times within ten minutes to ask for a port, and then
/// send two packets each within 20 s; for `seconds` from `from` on.
fn group(from: u64, seconds: u64, port: u16) -> Vec<Sent> {
    let random = &mut Random::new(from ^ u64::from(port));
    let mut packets = Vec::new();
    for bin in 0..seconds / 600 {
        for order in [70, 220, 410] {
            for number in 0..40 {
                for _ in 0..2 {
                    let at = NOON + (from + bin * 600 + order) * 1_000 + random.below(20_000);
                    packets.push(syn(random, at, member(number), port));
                }
            }
        }
    }
    packets
}

fn of_rhythms(packets: Vec<Sent>) -> Vec<Finding> {
    let mut detector = coordinated::CoordinatedScans::new(&Coordinated::default());
    findings(&mut detector, &seen(&[net(TELESCOPE)], packets))
}

fn group_of(finding: &Finding) -> &Group {
    let About::Group(group) = &finding.about else {
        panic!("a rhythm of {:?}", finding.about);
    };
    group
}

#[test]
fn a_group_is_found_by_both_engines_after_a_day_without_false_ones() {
    let mut packets = calm(5, DAY_SECONDS + 5_400);
    packets.extend(group(DAY_SECONDS, 3_600, 5_432));
    let found = of_rhythms(packets);
    let early = |finding: &&Finding| finding.at * 1_000 <= NOON + DAY_SECONDS * 1_000;
    assert_eq!(found.iter().filter(early).count(), 0, "{found:?}");
    let of = |reason| {
        found
            .iter()
            .filter(move |finding| finding.reason == reason)
            .collect::<Vec<_>>()
    };
    let (dense, grouped) = (of(Reason::RhythmDensity), of(Reason::RhythmGroup));
    assert!(dense.len() >= 4, "of six windows: {}", dense.len());
    assert_eq!(grouped.len(), 2, "of two half hours");
    for finding in &found {
        assert_eq!(group_of(finding).service.to_string(), "tcp/5432");
        assert!((40..=43).contains(&finding.sources.expect("a number")));
        assert_eq!(finding.kind, Kind::CoordinatedScan);
    }
    // what one engine told, the other does not tell again
    let packets: u64 = found.iter().map(|finding| finding.packets).sum();
    assert!((1_440..1_480).contains(&packets), "{packets}");
}

#[test]
fn a_group_is_told_by_country_and_no_member_is_named() {
    let mut windows = seen(
        &[net(TELESCOPE)],
        [calm(7, 1_810), group(0, 1_800, 5_432)].concat(),
    );
    let of = |code| {
        Arc::new(Origin {
            country: Country::new(code),
            ..Origin::default()
        })
    };
    let (one, other) = (of("TH"), of("MY"));
    for sighting in windows.iter_mut().flat_map(|window| &mut window.flows) {
        let odd = sighting.flow.tuple.source.to_string().starts_with("21.");
        sighting.origin = Arc::clone(if odd { &one } else { &other });
    }
    let mut detector = coordinated::CoordinatedScans::new(&Coordinated::default());
    let found = findings(&mut detector, &windows);
    assert_eq!(found.len(), 1);
    let countries = &group_of(&found[0]).countries;
    assert_eq!(countries[0].0, Country::new("MY"));
    assert!((30..34).contains(&countries[0].1), "{countries:?}");
    assert!((10..13).contains(&countries[1].1), "{countries:?}");
    assert!(found[0].about.address().is_none() && found[0].about.origin().is_none());
}

#[test]
fn ports_of_the_same_sources_are_one_finding() {
    let both = [group(0, 1_800, 5_432), group(0, 1_800, 9_200)].concat();
    let found = of_rhythms([calm(9, 1_810), both].concat());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(group_of(&found[0]).service.port, 5_432);
    assert_eq!(found[0].services.len(), 2);
}

/// Twelve hosts of one /16, each in a /24 of its own, send one packet each within a minute.
#[test]
fn neighbours_that_keep_time_are_found_by_one_packet_each() {
    let random = &mut Random::new(23);
    let mut send = |spread: u64| {
        let each = |number: u8| {
            let at = NOON + 660_000 + random.below(spread);
            syn(random, at, Ipv4Addr::new(20, 9, number, 7), 11_000)
        };
        let packets: Vec<Sent> = (0..12).map(each).collect();
        of_rhythms([calm(17, 1_810), packets].concat())
    };
    let found = send(10_000);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].reason, Reason::RhythmNeighbours);
    assert_eq!(found[0].sources, Some(12));
    assert_eq!(group_of(&found[0]).service.port, 11_000);
    assert!(send(1_000_000).is_empty(), "each at its own time");
}

#[test]
fn what_is_no_rhythm() {
    let at_one_target = |packet: Sent| Sent {
        target: Ipv4Addr::new(198, 18, 1, 1),
        ..packet
    };
    let random = &mut Random::new(3);
    let mut each_at_its_own_time = group(0, 1_800, 5_432);
    for packet in &mut each_at_its_own_time {
        packet.at = Millis(NOON + random.below(1_800_000));
    }
    let cases: [(&str, Vec<Sent>); 5] = [
        (
            "a flood of one target",
            group(0, 1_800, 5_432)
                .into_iter()
                .map(at_one_target)
                .collect(),
        ),
        ("many that know nothing of each other", each_at_its_own_time),
        ("a port left out", group(0, 1_800, 445)),
        (
            "four sources",
            group(0, 1_800, 5_432)
                .into_iter()
                .filter(|packet| packet.source.octets()[1] < 4)
                .collect(),
        ),
        ("nobody", Vec::new()),
    ];
    for (name, packets) in cases {
        let found = of_rhythms([calm(11, 1_810), packets].concat());
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

/// 200 sources that ask for one port all the time, each as it likes.
fn crowd() -> Vec<Sent> {
    let random = &mut Random::new(21);
    let each = |index: u64| {
        let at = NOON + random.below(3_600_000);
        syn(random, at, member((index % 200) as u8), 6_379)
    };
    (0..8_000).map(each).collect()
}

/// Sensors that leave for twenty minutes take their share of every source with them.
#[test]
fn an_outage_is_no_rhythm() {
    let quarters = [
        "198.18.0.0/23",
        "198.18.2.0/23",
        "198.18.4.0/23",
        "198.18.6.0/23",
    ];
    let quarters = quarters.map(net);
    for stay in [0, 1] {
        let mut windows = seen(&quarters, [calm(13, 3_610), crowd()].concat());
        let outage = NOON / 1_000 + 300..NOON / 1_000 + 1_500;
        for window in &mut windows {
            if outage.contains(&window.interval.start()) {
                window.watches.truncate(stay);
                window.flows.retain(|sighting| sighting.watch < stay);
            }
        }
        windows.retain(|window| !window.watches.is_empty());
        let settings = Coordinated {
            chance: 1e-2,
            port_share: 0.0,
            ..Coordinated::default()
        };
        let mut detector = coordinated::CoordinatedScans::new(&settings);
        let found = findings(&mut detector, &windows);
        assert!(found.is_empty(), "{stay} stay: {found:?}");
    }
}

#[test]
fn a_pause_of_thirty_days_ends_what_was_open() {
    let telescope = [net(TELESCOPE)];
    let mut windows = seen(
        &telescope,
        [calm(15, 1_790), group(0, 1_800, 5_432)].concat(),
    );
    let month = Interval(NOON / 1_000 + 30 * DAY_SECONDS);
    windows.push(Window::empty(month, IntervalLength::DEFAULT));
    let mut detector = coordinated::CoordinatedScans::new(&Coordinated::default());
    let found = findings(&mut detector, &windows);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].at,
        NOON / 1_000 + 1_800,
        "its own time, not the next window's"
    );
}
