//! What becomes of an alert in STIX: one golden file per kind, and what holds for every one.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use noroshi_feeds::stix::{Audience, Object, id, objects};
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Kind, Severity, Subject, Tlp};
use noroshi_store::changes::Shown;
use noroshi_store::registry::partner::StixMarkings;
use noroshi_store::remedy::{Event, Standing};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::samples::{indicated, infected, reported};

const AUDIENCE: Audience<'static> = Audience {
    centre: "Noroshi",
    partner: "th-cert",
    country: "TH",
    markings: StixMarkings::Tlp2,
};

fn told(alert: Alert) -> Vec<Object> {
    objects(&Shown::new(alert, None), &AUDIENCE)
}

fn after(event: Event, alert: Alert) -> Vec<Object> {
    let mut standing = Standing::default();
    assert!(standing.take(event, Millis(1_793_599_300_000), "wrong geo build", None));
    objects(&Shown::new(alert, Some(standing)), &AUDIENCE)
}

/// What is published of an alert that is told for the first time.
fn live(objects: &[Object]) -> Vec<&Object> {
    objects
        .iter()
        .filter(|object| !object.head.revoked)
        .collect()
}

fn kinds(objects: &[Object]) -> Vec<&'static str> {
    live(objects).iter().map(|object| object.kind).collect()
}

fn json_of(object: &Object) -> Value {
    serde_json::from_str(&object.json()).expect("JSON")
}

#[test]
fn every_kind_is_told_as_its_file_shows() {
    let mut kinds = BTreeSet::new();
    for (name, alert) in indicated().into_iter().chain(reported()) {
        kinds.insert(alert.kind);
        let told = told(alert);
        let values: Vec<Value> = live(&told).into_iter().map(json_of).collect();
        let text = serde_json::to_string_pretty(&values).expect("JSON");
        let file = format!("{}/tests/it/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
        expect_file![file].assert_eq(&(text + "\n"));
    }
    assert_eq!(kinds.len(), 11, "every kind but the silence of a sensor");
}

#[test]
fn only_hosts_that_do_harm_become_indicators() {
    for (name, alert) in indicated() {
        let kinds = kinds(&told(alert));
        assert!(
            kinds.contains(&"indicator") && !kinds.contains(&"report"),
            "{name}"
        );
    }
    for (name, alert) in reported() {
        let kinds = kinds(&told(alert));
        assert!(
            !kinds.contains(&"indicator") && kinds.contains(&"report"),
            "{name}"
        );
        assert!(!kinds.contains(&"sighting"), "{name}");
    }
}

#[test]
fn a_sensors_silence_and_what_is_anothers_are_not_told() {
    let mut silence = infected(1, "203.0.113.7");
    silence.kind = Kind::SensorSilence;
    silence.subject = Subject::Sensor {
        sensor: "th-1".to_owned(),
    };
    assert_eq!(told(silence), []);
    for partner in [None, Some("my-cert".to_owned())] {
        let mut foreign = infected(1, "203.0.113.7");
        foreign.partner = partner;
        assert_eq!(told(foreign), []);
    }
}

#[test]
fn ids_follow_from_the_alert_and_look_random() {
    let (one, again) = (
        told(infected(1, "203.0.113.7")),
        told(infected(1, "203.0.113.7")),
    );
    assert_eq!(one, again);
    let other = told(infected(2, "203.0.113.7"));
    let ids = |objects: &[Object]| -> BTreeSet<String> {
        objects.iter().map(|object| object.id.clone()).collect()
    };
    let common: Vec<String> = ids(&one).intersection(&ids(&other)).cloned().collect();
    for id in &common {
        let own = [
            "indicator",
            "relationship",
            "sighting",
            "observed-data",
            "report",
        ];
        assert!(
            !own.iter().any(|kind| id.starts_with(kind)),
            "{id} is of two alerts"
        );
    }
    for object in &one {
        let (kind, id) = object.id.split_once("--").expect("type and UUID");
        assert_eq!(kind, object.kind);
        let observable = object.head.created.is_none();
        assert_eq!(
            &id[14..15],
            if observable { "5" } else { "4" },
            "{}",
            object.id
        );
        assert!("89ab".contains(&id[19..20]), "{}", object.id);
    }
}

/// As Python's `stix2` 3.0.2 makes them.
#[test]
fn ids_of_observables_are_those_of_others() {
    let address = "ipv4-addr--9ddd739e-87b1-587d-83f2-62ef1130af2f";
    let traffic = BTreeMap::from([
        ("start", json!("2026-11-02T06:00:02Z")),
        ("end", json!("2026-11-02T06:00:10Z")),
        ("src_ref", json!(address)),
        ("dst_port", json!(23)),
        ("protocols", json!(["ipv4", "tcp"])),
    ]);
    let value = |text: &str| BTreeMap::from([("value", json!(text))]);
    for (kind, identifying, id_elsewhere) in [
        ("ipv4-addr", value("203.0.113.7"), address),
        (
            "ipv4-addr",
            value("203.0.113.0/24"),
            "ipv4-addr--a0895f10-d89d-56ad-a4a4-dc873ee08b8c",
        ),
        (
            "ipv6-addr",
            value("2001:db8::7"),
            "ipv6-addr--9ed76cd5-ab3b-55a5-b6ec-b55c3efb0be2",
        ),
        (
            "autonomous-system",
            BTreeMap::from([("number", json!(64500))]),
            "autonomous-system--0a5f7072-df00-5729-9f0a-4eb18631a446",
        ),
        (
            "network-traffic",
            traffic,
            "network-traffic--75bec9e1-dc97-5b1d-9fa9-99ce187314e8",
        ),
    ] {
        assert_eq!(id::of_observable(kind, &identifying), id_elsewhere);
    }
}

#[test]
fn what_is_withdrawn_is_revoked_and_says_why() {
    let withdrawn = after(Event::Withdraw, infected(1, "203.0.113.7"));
    for kind in [
        "indicator",
        "observed-data",
        "relationship",
        "sighting",
        "report",
    ] {
        let mut of_kind = withdrawn.iter().filter(|object| object.kind == kind);
        assert!(of_kind.all(|object| object.head.revoked), "{kind}");
    }
    // what other alerts refer to as well, and what has no versions
    for kind in [
        "identity",
        "location",
        "malware",
        "ipv4-addr",
        "network-traffic",
    ] {
        let mut of_kind = withdrawn.iter().filter(|object| object.kind == kind);
        assert!(of_kind.all(|object| !object.head.revoked), "{kind}");
    }
    let indicator = withdrawn.iter().find(|object| object.kind == "indicator");
    let indicator = json_of(indicator.expect("it is still told"));
    let said = indicator["extensions"].as_object().expect("extensions");
    let said = said.values().next().expect("ours");
    assert_eq!(said["remedy"], "withdrawn");
    assert_eq!(said["reason"], "wrong geo build");
}

#[test]
fn an_indicator_ends_when_the_partner_says_that_nothing_is_wrong() {
    let until = |objects: Vec<Object>| {
        let indicator = objects.iter().find(|object| object.kind == "indicator");
        json_of(indicator.expect("an indicator"))["valid_until"].clone()
    };
    let alert = infected(1, "203.0.113.7");
    assert_eq!(until(told(alert.clone())), "2026-11-09T06:00:09.900Z");
    let acknowledged = until(after(Event::Acknowledge, alert.clone()));
    assert_eq!(acknowledged, "2026-11-09T06:00:09.900Z");
    let refuted = until(after(Event::Refute, alert));
    assert_eq!(refuted, "2026-11-02T06:01:40.000Z");
}

#[test]
fn what_becomes_an_indicator_is_no_report_any_more() {
    let mut alert = infected(1, "203.0.113.7");
    alert.severity = Severity::Info;
    assert!(kinds(&told(alert.clone())).contains(&"report"));
    alert.severity = Severity::High;
    let told = told(alert);
    let report = told.iter().find(|object| object.kind == "report");
    assert!(report.is_some_and(|report| report.head.revoked));
    let mut exercise = infected(1, "203.0.113.7");
    exercise.exercise = true;
    let kinds: Vec<_> = super::stix::told(exercise)
        .iter()
        .map(|it| it.kind)
        .collect();
    assert!(!kinds.contains(&"indicator"), "not even to be revoked");
}

#[test]
fn labels_are_said_as_a_platform_knows_them() {
    for (markings, tlp, marking) in [
        (
            StixMarkings::Tlp2,
            Tlp::Amber,
            "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        ),
        (
            StixMarkings::Tlp1,
            Tlp::Amber,
            "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        ),
        (
            StixMarkings::Tlp1,
            Tlp::Clear,
            "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        ),
    ] {
        let mut alert = infected(1, "203.0.113.7");
        alert.tlp = tlp;
        let audience = Audience {
            markings,
            ..AUDIENCE
        };
        let told = objects(&Shown::new(alert, None), &audience);
        assert!(told.iter().any(|object| object.id == marking));
        let marked = told.iter().filter(|object| object.kind == "indicator");
        for object in marked {
            assert_eq!(object.head.object_marking_refs, [marking]);
        }
    }
}

/// Any alert that an analyzer could make, with names in it that nobody may read.
fn any_alert() -> impl Strategy<Value = Alert> {
    let samples: Vec<Alert> = indicated()
        .into_iter()
        .chain(reported())
        .map(|(_, it)| it)
        .collect();
    let services = prop::collection::vec("(tcp|udp|icmp|icmp6|ip)/[0-9]{1,6}|secret-sensor", 0..4);
    let partner = prop::sample::select(vec!["th-cert", "my-cert"]);
    let numbers = (any::<u64>(), any::<u64>(), any::<u16>());
    (
        prop::sample::select(samples),
        services,
        partner,
        numbers,
        any::<bool>(),
    )
        .prop_map(
            |(mut alert, services, partner, (packets, targets, port), foreign_scope)| {
                alert.partner = Some(partner.to_owned());
                alert.evidence.services = services;
                alert.evidence.packets = packets;
                alert.evidence.targets = targets;
                alert.evidence.source_port = Some(port);
                alert.evidence.reasons = vec!["seen by secret-sensor".to_owned()];
                alert.evidence.rule = "secret-sensor".to_owned();
                alert.evidence.countries.insert("MY".to_owned(), 3);
                if foreign_scope && matches!(alert.subject, Subject::Service { .. }) {
                    alert.subject = Subject::Service {
                        service: "tcp/23".to_owned(),
                        scope: "my-cert".to_owned(),
                    };
                }
                alert
            },
        )
}

proptest! {
    #[test]
    fn nothing_tells_of_a_sensor_or_another_partner(alert in any_alert()) {
        let own = alert.partner.as_deref() == Some("th-cert");
        let told = told(alert);
        prop_assert_eq!(told.is_empty(), !own);
        let mut known = BTreeSet::new();
        for object in &told {
            let text = object.json();
            for secret in ["my-cert", "secret-sensor", "MY\"", "\"note\"", "[]", "{}", "null"] {
                prop_assert!(!text.contains(secret), "{}: {}", secret, text);
            }
            for id in referred_to(&json_of(object)) {
                prop_assert!(known.contains(&id) || id == object.id, "{} before {}", object.id, id);
            }
            prop_assert!(known.insert(object.id.clone()), "{} twice", object.id);
        }
    }
}

fn referred_to(object: &Value) -> Vec<String> {
    let properties = object.as_object().expect("an object").iter();
    let references =
        properties.filter(|(name, _)| name.ends_with("_ref") || name.ends_with("_refs"));
    let ids = references.flat_map(|(_, value)| match value {
        Value::Array(ids) => ids.clone(),
        one => vec![one.clone()],
    });
    ids.filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}
