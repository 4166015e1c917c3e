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

#[test]
fn what_is_no_silence_of_a_country() {
    let everybody = BTreeMap::from([("LA", 5), ("TH", 5), ("ID", 5)]);
    let laos = || BTreeMap::from([("LA", 5)]);
    let works = Maintenance {
        sensor: SensorId::new("s1").expect("an id"),
        span: MONDAY + START * BIN_SECONDS..MONDAY + (START + 72) * BIN_SECONDS,
    };
    let stories = [
        ("as ever", Story::default()),
        (
            "half of it",
            Story {
                left: BTreeMap::from([("LA", 50)]),
                ..Story::default()
            },
        ),
        (
            "everybody",
            Story {
                left: everybody,
                ..Story::default()
            },
        ),
        (
            "a sensor is down",
            Story {
                left: laos(),
                sensors: vec![512],
                ..Story::default()
            },
        ),
        (
            "a sensor sees less",
            Story {
                left: laos(),
                sensors: vec![512, 256],
                ..Story::default()
            },
        ),
        (
            "the collector stands still",
            Story {
                left: laos(),
                windows: Some(3),
                ..Story::default()
            },
        ),
        (
            "maintenance",
            Story {
                left: laos(),
                works: vec![works],
                ..Story::default()
            },
        ),
        (
            "a geo reload",
            Story {
                renamed: Some("VN"),
                ..Story::default()
            },
        ),
        (
            "labels are lost",
            Story {
                renamed: Some(""),
                ..Story::default()
            },
        ),
    ];
    for (name, story) in stories {
        let found = told(&story);
        assert!(
            found.is_empty(),
            "{name}: {} at first {:?}",
            found.len(),
            found.first()
        );
    }
}
