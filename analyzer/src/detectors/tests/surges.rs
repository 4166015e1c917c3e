//! Surges, and what must not be one.

use std::net::Ipv4Addr;

use noroshi_proto::traffic::Service;
use noroshi_store::origin::Country;

use super::*;
use crate::finding::About;
use crate::settings::{ScanSurge, SensorSilence};

const BIN: u64 = 600_000;
/// Bins of a quiet day, and one more.
const DAY: u64 = 145;

/// `sources` in as many /24s ask for `port` within one bin, each so many times.
fn crowd(bin: u64, sources: u32, port: u16, each: u64) -> Vec<Sent> {
    let random = &mut Random::new(bin * 31 + u64::from(port));
    let mut packets = Vec::new();
    for number in 0..sources {
        for _ in 0..each {
            packets.push(Sent {
                at: Millis(NOON + bin * BIN + random.below(BIN)),
                source: Ipv4Addr::from_bits(0x5b00_0000 + number * 256),
                target: random.address(net("198.18.0.0/22")),
                ttl: 50,
                content: Content::Syn {
                    tool: Tool::Linux,
                    port,
                    source_port: 40_000,
                },
                salt: 0,
            });
        }
    }
    packets
}

/// A quiet day in which three sources ask for each of two services.
fn quiet(bins: std::ops::Range<u64>) -> Vec<Sent> {
    bins.flat_map(|bin| [crowd(bin, 3, 23, 1), crowd(bin, 3, 80, 2)].concat())
        .collect()
}

fn of_surges(packets: Vec<Sent>) -> Vec<Finding> {
    let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
    findings(&mut detector, &seen(&[net("198.18.0.0/22")], packets))
}

fn services(found: &[Finding]) -> BTreeSet<String> {
    let each = found.iter().map(|finding| match &finding.about {
        About::Service(service, _) => Service::to_string(service),
        other => panic!("a surge of {other:?}"),
    });
    each.collect()
}

#[test]
fn a_surge_is_found_in_its_second_bin_and_ends_with_it() {
    let mut packets = quiet(0..DAY + 12);
    for bin in DAY..DAY + 4 {
        packets.extend(crowd(bin, 40, 5_900, 1));
    }
    let found = of_surges(packets);
    assert_eq!(services(&found), BTreeSet::from(["tcp/5900".to_owned()]));
    let at: Vec<u64> = found
        .iter()
        .map(|finding| (finding.at * 1_000 - NOON) / BIN - DAY)
        .collect();
    assert_eq!(
        at,
        [2, 3, 4],
        "at the end of its second, third and fourth bin"
    );
    assert_eq!((found[0].sources, found[0].usual), (Some(40), Some(0.0)));
}

#[test]
fn what_is_no_surge() {
    let cases: [(&str, Vec<Sent>); 6] = [
        ("one loud source", crowd(DAY, 1, 445, 20_000)),
        ("a single bin", crowd(DAY, 40, 445, 1)),
        (
            "four sources",
            (DAY..DAY + 4)
                .flat_map(|bin| crowd(bin, 4, 445, 9))
                .collect(),
        ),
        (
            "one network",
            (DAY..DAY + 4)
                .flat_map(|bin| in_one_network(crowd(bin, 60, 445, 1)))
                .collect(),
        ),
        (
            "one target",
            (DAY..DAY + 4)
                .flat_map(|bin| at_one_target(crowd(bin, 60, 445, 1)))
                .collect(),
        ),
        ("as usual", Vec::new()),
    ];
    for (name, event) in cases {
        let found = of_surges([quiet(0..DAY + 6), event].concat());
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

fn in_one_network(packets: Vec<Sent>) -> Vec<Sent> {
    let host = |source: Ipv4Addr| Ipv4Addr::from_bits(0x5b00_0000 + (source.to_bits() >> 8 & 0xff));
    let moved = packets.into_iter().map(|packet| Sent {
        source: host(packet.source),
        ..packet
    });
    moved.collect()
}

fn at_one_target(packets: Vec<Sent>) -> Vec<Sent> {
    let target = Ipv4Addr::new(198, 18, 1, 1);
    packets
        .into_iter()
        .map(|packet| Sent { target, ..packet })
        .collect()
}

#[test]
fn without_a_day_of_history_nothing_is_said() {
    let mut packets = quiet(0..140);
    for bin in 100..106 {
        packets.extend(crowd(bin, 100, 5_900, 1));
    }
    assert!(of_surges(packets).is_empty());
}

#[test]
fn a_gap_in_observation_is_neither_a_surge_nor_quiet() {
    let month = 30 * 144;
    let busy = |bins: std::ops::Range<u64>| bins.flat_map(|bin| crowd(bin, 30, 22, 1));
    let mut packets = quiet(0..DAY);
    packets.extend(quiet(DAY + month..DAY + month + 6));
    packets.extend(busy(0..DAY));
    packets.extend(busy(DAY + month..DAY + month + 6));
    assert!(of_surges(packets).is_empty());
}

#[test]
fn known_scanners_and_impossible_sources_do_not_count() {
    let packets = || {
        let surge = (DAY..DAY + 4).flat_map(|bin| crowd(bin, 40, 5_900, 1));
        quiet(0..DAY + 6)
            .into_iter()
            .chain(surge)
            .collect::<Vec<_>>()
    };
    let origins = [
        Origin {
            scanner: Some("a list".into()),
            ..Origin::default()
        },
        Origin {
            bogon: Some("private"),
            ..Origin::default()
        },
    ];
    for origin in origins {
        let mut windows = seen(&[net("198.18.0.0/22")], packets());
        let origin = Arc::new(origin);
        for sighting in windows.iter_mut().flat_map(|window| &mut window.flows) {
            sighting.origin = Arc::clone(&origin);
        }
        let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
        assert!(findings(&mut detector, &windows).is_empty(), "{origin:?}");
    }
}

#[test]
fn a_surge_out_of_one_country_names_it() {
    let surge = (DAY..DAY + 4).flat_map(|bin| crowd(bin, 40, 5_900, 1));
    let mut windows = seen(
        &[net("198.18.0.0/22")],
        quiet(0..DAY + 6).into_iter().chain(surge).collect(),
    );
    let thailand = Country::new("TH");
    let origin = Arc::new(Origin {
        country: thailand,
        ..Origin::default()
    });
    for sighting in windows.iter_mut().flat_map(|window| &mut window.flows) {
        sighting.origin = Arc::clone(&origin);
    }
    let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
    let found = findings(&mut detector, &windows);
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|finding| matches!(finding.about, About::Service(_, scope) if scope == thailand))
    );
}

#[test]
fn a_sensor_that_comes_back_is_no_surge() {
    let both = [net("198.18.0.0/23"), net("198.18.2.0/23")];
    let mut packets = Vec::new();
    for bin in 0..DAY + 12 {
        packets.extend(crowd(bin, 30, 23, 2));
    }
    // half of the telescope is away for half a day
    let away = NOON + 20 * BIN..NOON + 140 * BIN;
    let kept = |packet: &Sent| !(away.contains(&packet.at.0) && both[1].contains(&packet.target));
    packets.retain(kept);
    let mut windows = seen(&both, packets);
    for window in &mut windows {
        if away.contains(&(window.interval.start() * 1_000)) {
            window.watches.truncate(1);
        }
    }
    let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
    assert!(findings(&mut detector, &windows).is_empty());
}

#[test]
fn a_sensor_falls_silent_only_while_others_report() {
    let both = [net("198.18.0.0/23"), net("198.18.2.0/23")];
    let mut windows = seen(&both, quiet(0..12));
    let silent_from = NOON / 1_000 + 3_600;
    for window in &mut windows {
        if window.interval.start() >= silent_from {
            window.watches.truncate(1);
            window.flows.retain(|sighting| sighting.watch == 0);
        }
    }
    let mut detector = sensor_silence::SensorSilences::new(&SensorSilence::default());
    let found = findings(&mut detector, &windows);
    assert!(
        found
            .iter()
            .all(|finding| finding.sensors[0].as_str() == "s1")
    );
    let first = found.first().expect("a finding").at;
    assert!(
        (silent_from + 890..silent_from + 1_100).contains(&first),
        "{}",
        first - silent_from
    );
}
