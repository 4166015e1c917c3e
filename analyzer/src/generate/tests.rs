//! The demonstration says what it promises.

use std::collections::BTreeSet;
use std::sync::Arc;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::origin::Origin;
use noroshi_store::registry::Registry;

use super::demo::Stage;
use super::observe;
use crate::alerts::Purpose;
use crate::analysis::Analysis;
use crate::detectors::Observation;
use crate::settings::Settings;

fn stage() -> Stage {
    let net = |text: &str| text.parse().expect("a prefix");
    Stage {
        seed: 7,
        from: Millis(1_793_577_600_000),
        telescopes: vec![net("198.18.0.0/23"), net("198.19.4.0/23")],
        constituencies: vec![
            net("203.0.113.0/24"),
            net("198.51.100.0/24"),
            net("192.0.2.0/24"),
            net("100.64.7.0/24"),
            net("100.64.8.0/24"),
        ],
        rate: 0.004,
    }
}

fn registry(stage: &Stage) -> Registry {
    let partners = stage
        .constituencies
        .iter()
        .zip(["TH", "MY", "ID", "PH", "SG"]);
    let mut text = String::new();
    for (prefix, country) in partners {
        text += &format!(
            "[[partner]]\nid = \"{}-cert\"\nname = \"{country}\"\ncountry = \"{country}\"\n\
             programmes = [\"practice\", \"daedalus\"]\ncontacts = [\"soc@example.org\"]\n\
             [[partner.prefix]]\nprefix = \"{prefix}\"\nuse = \"static\"\nclaim = \"verified\"\n\
             consent = {{ by = \"a\", on = 2013-02-01 }}\n",
            country.to_lowercase()
        );
    }
    Registry::parse("registry.toml", &text).expect("a valid registry")
}

#[test]
fn the_demonstration_gives_what_it_promises() {
    let stage = stage();
    let play = stage.play();
    assert!(play.packets.is_sorted_by_key(|packet| packet.at));
    let sensors: Vec<_> = ["north", "south"]
        .into_iter()
        .map(|name| SensorId::new(name).expect("an id"))
        .zip(stage.telescopes.clone())
        .collect();
    let nowhere = Arc::new(Origin::default());
    let windows = observe::windows(&sensors, &play.packets, |_| Arc::clone(&nowhere));
    let registry = Arc::new(registry(&stage));
    let mut analysis = Analysis::new(
        &Settings::default(),
        registry,
        Observation::Recorded,
        Purpose::Exercise,
    );
    let outcomes = analysis.examine(&windows);
    let alerts: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| outcome.into_numbered().alert)
        .collect();
    let said: BTreeSet<_> = alerts
        .iter()
        .map(|alert| (alert.kind, crate::alerts::subject_of(alert)))
        .collect();
    let mut promised = BTreeSet::new();
    for expected in &play.expected {
        let wanted = (expected.kind, expected.subject.clone());
        assert!(
            said.contains(&wanted),
            "{expected:?} is missing from {said:#?}"
        );
        let alert = alerts
            .iter()
            .find(|alert| (alert.kind, crate::alerts::subject_of(alert)) == wanted);
        let alert = alert.expect("it has just been found");
        assert_eq!(alert.evidence.fingerprint.as_deref(), expected.fingerprint);
        assert!(alert.exercise);
        promised.insert(wanted);
    }
    let unexpected: Vec<_> = said.difference(&promised).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    for trap in &play.silent {
        assert!(said.iter().all(|(_, subject)| *subject != trap.to_string()));
    }
}

#[test]
fn the_same_seed_plays_the_same_packets() {
    let one = stage().play().packets;
    assert_eq!(one, stage().play().packets);
    let mut other = stage();
    other.seed = 8;
    assert_ne!(one, other.play().packets);
}
