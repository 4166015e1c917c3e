//! The background has the statistics that were measured, and the script its truth.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use noroshi_proto::id::SensorId;
use noroshi_store::registry::Registry;

use super::act::Act;
use super::catalogue;
use super::october;
use super::region::{self, Nature};
use super::truth::Verdict;
use super::{Place, Scenario};

/// A sensor as the one whose series is public: 54,000 packets and 700 hosts in ten minutes.
fn one_sensor(hours: u64) -> Scenario {
    Scenario {
        name: "one",
        summary: "",
        from: 1_538_352_000,
        until: 1_538_352_000 + hours * 3_600,
        sensors: vec![Place {
            sensor: SensorId::new("one").expect("an id"),
            addresses: 1_138,
        }],
        rate: 0.079,
        sources: 30_000,
        burst: 14.0,
        script: Vec::new(),
    }
}

fn variance_to_mean(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    squares.sum::<f64>() / values.len() as f64 / mean
}

#[test]
fn packets_are_bursty_and_hosts_are_not() {
    let mut bins: BTreeMap<u64, (f64, HashSet<std::net::IpAddr>)> = BTreeMap::new();
    for window in one_sensor(72).play(7) {
        let bin = bins.entry(window.interval.0 / 600).or_default();
        bin.0 += window.packets() as f64;
        let sources = window.flows.iter().map(|one| one.flow.tuple.source);
        bin.1.extend(sources);
    }
    let packets: Vec<f64> = bins.values().map(|bin| bin.0).collect();
    let hosts: Vec<f64> = bins.values().map(|bin| bin.1.len() as f64).collect();
    let mean = hosts.iter().sum::<f64>() / hosts.len() as f64;
    let (packets, hosts) = (variance_to_mean(&packets), variance_to_mean(&hosts));
    eprintln!("packets {packets:.0}, hosts {hosts:.2} of {mean:.0}");
    assert!((500.0..5_000.0).contains(&packets), "{packets}");
    assert!((1.0..2.4).contains(&hosts), "{hosts}");
    assert!((500.0..900.0).contains(&mean), "{mean}");
}

#[test]
fn few_sources_send_most_and_many_ports_are_asked_for() {
    let mut sent: HashMap<std::net::IpAddr, u64> = HashMap::new();
    let (mut all, mut listed) = (0, 0);
    let mut ports: BTreeMap<u16, u64> = BTreeMap::new();
    for window in one_sensor(24).play(11) {
        for one in &window.flows {
            let packets = one.flow.tally.packets;
            *sent.entry(one.flow.tuple.source).or_default() += packets;
            *ports
                .entry(one.flow.tuple.transport.service().port)
                .or_default() += packets;
            all += packets;
            if one.origin.scanner.is_some() {
                listed += packets;
            }
        }
    }
    let mut loudest: Vec<u64> = sent.into_values().collect();
    loudest.sort_unstable_by(|one, other| other.cmp(one));
    let hundredth = loudest.len().div_ceil(100);
    let top: u64 = loudest[..hundredth].iter().sum();
    let share = |part: u64| part as f64 / all as f64;
    eprintln!(
        "top {:.2}, listed {:.2}, {} sources, {} ports",
        share(top),
        share(listed),
        loudest.len(),
        ports.len()
    );
    assert!((0.75..0.87).contains(&share(top)), "{}", share(top));
    assert!((0.45..0.65).contains(&share(listed)), "{}", share(listed));
    assert!((12_000..30_000).contains(&ports.len()), "{}", ports.len());
}

#[test]
fn the_same_seed_gives_the_same_windows() {
    let week = catalogue::named("week").expect("it is there");
    let some = |seed: u64| -> Vec<_> {
        let windows = week.play(seed).skip(20_000).take(200);
        windows
            .map(|window| (window.interval, window.flows))
            .collect()
    };
    assert_eq!(some(3), some(3));
    assert_ne!(some(3), some(4));
}

#[test]
fn windows_are_in_order_and_a_pause_costs_nothing() {
    let mut month = october::month();
    let gap = month.script.iter().find(|one| one.act == Act::Gap);
    let gap = gap.expect("the month has a pause");
    let (before, after) = (gap.from - 60, gap.until);
    (month.from, month.until) = (before, after + 60);
    let windows: Vec<_> = month.play(1).collect();
    let starts: Vec<u64> = windows.iter().map(|window| window.interval.0).collect();
    assert_eq!(starts.len(), 12);
    assert_eq!((starts[5], starts[6]), (before + 50, after));
    for window in windows {
        let keys = window.flows.iter().map(|one| (one.flow.tuple, one.watch));
        assert!(keys.is_sorted());
        for one in &window.flows {
            let tally = &one.flow.tally;
            assert!(u64::from(tally.targets) <= tally.packets && tally.targets > 0);
            assert!(tally.sample.len() as u32 <= tally.targets);
            assert_eq!(tally.first.seconds() / 10, window.interval.0 / 10);
        }
    }
}

#[test]
fn every_scenario_can_be_played_and_has_a_truth() {
    for scenario in catalogue::all() {
        assert_eq!(scenario.from % 600, 0, "{}", scenario.name);
        let text = region::registry(&scenario.sensors);
        Registry::parse("registry.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
        let mut play = scenario.play(5);
        let truths = play.truths();
        assert_eq!(truths.len(), scenario.script.len());
        let names: BTreeSet<&str> = truths.iter().map(|one| one.campaign.as_str()).collect();
        assert_eq!(names.len(), truths.len(), "{}", scenario.name);
        assert!(truths.iter().all(|one| one.start < one.end));
        assert!(play.next().is_some_and(|window| !window.flows.is_empty()));
    }
}

#[test]
fn the_month_has_what_is_known_of_it() {
    let month = october::month();
    let sizes: Vec<u32> = month.sensors.iter().map(|place| place.addresses).collect();
    assert_eq!(month.addresses(), 80_630, "{sizes:?}");
    let truths = month.play(1).truths();
    let scans: Vec<_> = truths.iter().filter(|one| one.size.is_some()).collect();
    let groups: BTreeSet<&str> = scans
        .iter()
        .map(|one| one.group.trim_end_matches([' ', 'I']))
        .collect();
    assert_eq!((scans.len(), groups.len()), (35, 13), "{groups:?}");
    let silent = truths.iter().filter(|one| one.verdict == Verdict::Silent);
    assert_eq!(silent.count(), 7);
}

#[test]
fn what_a_source_is_stands_in_its_address() {
    for nature in [
        Nature::Infected,
        Nature::Scanner,
        Nature::Bystander,
        Nature::Research,
    ] {
        for land in 0..region::LANDS.len() {
            let address = region::address(land, nature, 0x1234_5678_9abc_def0);
            let shown = std::net::Ipv4Addr::from_bits(address).into();
            assert_eq!(Nature::of(shown), Some(nature));
            assert_eq!(region::land_of(address), Some(land));
        }
    }
}

#[test]
fn a_capture_holds_the_packets_of_the_windows() {
    let mut week = catalogue::named("week").expect("it is there");
    week.from += 3 * 86_400 + 9 * 3_600; // the carpet bombing
    week.until = week.from + 120;
    for window in week.play(2) {
        let mut sent = 0;
        for index in 0..week.sensors.len() {
            let packets = super::capture::packets(&window, &week.sensors, index, 2);
            let telescope = region::telescope(&week.sensors, index);
            assert!(
                packets
                    .iter()
                    .all(|packet| telescope.contains(&packet.target))
            );
            assert!(packets.is_sorted_by_key(|packet| packet.at));
            sent += packets.len() as u64;
        }
        assert_eq!(sent, window.packets());
    }
}
