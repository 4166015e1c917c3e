//! Countries that fall silent, and what only looks like it.

use std::collections::BTreeMap;

use super::bins::*;
use super::*;
use crate::finding::About;
use crate::settings::CountrySilence;

const START: u64 = 4 * DAY_BINS;

/// What is different from the ordinary.
#[derive(Default)]
struct Story {
    /// How many of a country's sources are left, in per cent, by label.
    left: BTreeMap<&'static str, u32>,
    /// What Laos is called instead.
    renamed: Option<&'static str>,
    sensors: Vec<u64>,
    works: Vec<Maintenance>,
    /// Windows of each bin that are there, of ten.
    windows: Option<usize>,
}

/// What is found from `START` on, for half a day.
fn told(story: &Story) -> Vec<Finding> {
    let mut detector = country_silence::CountrySilences::new(&CountrySilence::default());
    detector.maintain(&story.works);
    let random = &mut Random::new(31);
    let mut found = Vec::new();
    for index in 0..START + 72 {
        let is_told = index >= START;
        let mean = |label, mean: u32| {
            let left = story.left.get(label).filter(|_| is_told).unwrap_or(&100);
            mean * left / 100
        };
        let laos = story.renamed.filter(|_| is_told).unwrap_or("LA");
        let crowds = [
            crowd(23, about(mean("LA", 60), 0, random), laos),
            crowd(23, about(mean("TH", 200), 10_000, random), "TH"),
            crowd(80, about(mean("ID", 400), 20_000, random), "ID"),
        ];
        let up = if is_told && !story.sensors.is_empty() {
            watches(&story.sensors)
        } else {
            watches(&[512, 512])
        };
        let mut windows = bin(index, &crowds, &up);
        windows.truncate(story.windows.filter(|_| is_told).unwrap_or(10));
        found.extend(findings(&mut detector, &windows));
    }
    found
}

#[test]
fn a_country_that_falls_silent_is_found_in_its_second_bin() {
    let found = told(&Story {
        left: BTreeMap::from([("LA", 5)]),
        ..Story::default()
    });
    let first = found.first().expect("a finding");
    assert_eq!(first.kind, Kind::CountrySilence);
    assert_eq!((first.at - MONDAY) / BIN_SECONDS, START + 2);
    assert_eq!(first.first.seconds(), MONDAY + START * BIN_SECONDS);
    let usual = first.usual.expect("a level");
    assert!((50.0..70.0).contains(&usual), "{usual}");
    assert_eq!(
        found.len(),
        70,
        "as long as it lasts, and of no other country"
    );
    assert!(
        found
            .iter()
            .all(|finding| matches!(finding.about, About::Country(c) if c.as_str() == "LA"))
    );
}

/// Half of the telescope has been down for two hours when a country falls silent, and stays so.
#[test]
fn a_country_that_falls_silent_during_an_outage_is_found() {
    let mut detector = country_silence::CountrySilences::new(&CountrySilence::default());
    let random = &mut Random::new(32);
    let mut found = Vec::new();
    for index in 0..START + 24 {
        let (is_down, is_silent) = (index >= START, index >= START + 12);
        // half the addresses see two thirds of the sources
        let seen = if is_down { 2 } else { 3 };
        let laos = if is_silent { 1 } else { 20 * seen };
        let crowds = [
            crowd(23, about(laos, 0, random), "LA"),
            crowd(23, about(70 * seen, 10_000, random), "TH"),
            crowd(80, about(130 * seen, 20_000, random), "ID"),
        ];
        let up = watches(if is_down { &[512] } else { &[512, 512] });
        found.extend(findings(&mut detector, &bin(index, &crowds, &up)));
    }
    let at: Vec<u64> = found
        .iter()
        .map(|finding| (finding.at - MONDAY) / BIN_SECONDS - START)
        .collect();
    assert_eq!(at, Vec::from_iter(14..24), "as long as it lasts");
    let usual = found[0].usual.expect("a level");
    assert!((30.0..50.0).contains(&usual), "of what is up: {usual}");
}

fn no_silences() -> [(&'static str, Story); 9] {
    let story = Story::default;
    let laos = || Story {
        left: BTreeMap::from([("LA", 5)]),
        ..story()
    };
    let mut half = laos();
    half.left.insert("LA", 50);
    let mut everybody = laos();
    everybody.left.extend([("TH", 5), ("ID", 5)]);
    let renamed = |label| Story {
        renamed: Some(label),
        ..story()
    };
    let up = |sensors: &[u64]| Story {
        sensors: sensors.to_vec(),
        ..laos()
    };
    let still = Story {
        windows: Some(3),
        ..laos()
    };
    let works = Story {
        works: vec![Maintenance {
            sensor: SensorId::new("s1").expect("an id"),
            span: MONDAY + START * BIN_SECONDS..MONDAY + (START + 72) * BIN_SECONDS,
        }],
        ..laos()
    };
    [
        ("as ever", story()),
        ("half of it", half),
        ("everybody", everybody),
        ("a sensor is down", up(&[512])),
        ("a sensor sees less", up(&[512, 256])),
        ("the collector stands still", still),
        ("maintenance", works),
        ("a geo reload", renamed("VN")),
        ("labels are lost", renamed("")),
    ]
}

#[test]
fn what_is_no_silence_of_a_country() {
    for (name, story) in no_silences() {
        let found = told(&story);
        assert!(found.is_empty(), "{name}: {:?}", found.first());
    }
}
