use expect_test::expect_file;
use noroshi_store::observations::Observation;

use super::*;
use crate::samples::{infected, partner, samples, sightings, withdrawn};

fn event(reader: &str) -> Event {
    let day = Observation::day_of(infected(1).first_seen);
    Event::new(
        &partner(reader),
        Tlp::Amber,
        day,
        Some(infected(1).last_seen),
    )
}

fn body(seen: &[Sighting]) -> Value {
    serde_json::from_str(&event("th-cert").body(seen)).expect("an event")
}

/// Every attribute, in objects and outside.
fn attributes(event: &Value) -> Vec<&Value> {
    let objects = event["Event"]["Object"].as_array().expect("objects");
    let inside = objects
        .iter()
        .flat_map(|one| one["Attribute"].as_array().expect("a list"));
    let outside = event["Event"]["Attribute"].as_array().expect("a list");
    inside.chain(outside).collect()
}

#[test]
fn the_event_is_a_contract() {
    let pretty = serde_json::to_string_pretty(&body(&sightings(samples()))).unwrap();
    expect_file!["../../golden/misp_event.json"].assert_eq(&(pretty + "\n"));
    let listed = manifest(&[event("th-cert")]);
    expect_file!["../../golden/misp_manifest.json"].assert_eq(&(listed + "\n"));
}

#[test]
fn manifest_and_event_say_the_same() {
    let listed: Value = serde_json::from_str(&manifest(&[event("th-cert")])).unwrap();
    let body = body(&sightings(samples()));
    let id = body["Event"]["uuid"].as_str().expect("a UUID");
    let entry = listed[id].as_object().expect("the event is listed");
    assert_eq!(entry.len(), 7);
    for (key, value) in entry {
        assert_eq!(value, &body["Event"][key], "{key}");
    }
}

#[test]
fn only_standing_attackers_are_for_blocking() {
    let seen = sightings(samples());
    let told = body(&seen);
    let blocked: Vec<&str> = attributes(&told)
        .into_iter()
        .filter(|one| one["to_ids"] == true)
        .map(|one| one["value"].as_str().expect("a text"))
        .collect();
    assert_eq!(blocked, ["203.0.113.7", "2001:db8::7"]);
}

#[test]
fn an_exercise_or_weak_evidence_blocks_nobody() {
    let vary: [fn(&mut noroshi_store::alert::Alert); 6] = [
        |alert| alert.exercise = true,
        |alert| alert.reason_code = noroshi_store::notices::SINKHOLE.to_owned(),
        |alert| alert.severity = noroshi_store::alert::Severity::Info,
        |alert| alert.confidence = noroshi_store::alert::Confidence::Low,
        |alert| alert.evidence.bogon = Some("private".to_owned()),
        |alert| alert.evidence.scanner = Some("a university".to_owned()),
    ];
    for vary in vary {
        let mut seen = sightings(samples());
        seen.truncate(1);
        vary(&mut seen[0].alert);
        let told = body(&seen);
        assert!(
            attributes(&told).iter().all(|one| one["to_ids"] == false),
            "{told}"
        );
    }
}

#[test]
fn what_was_taken_back_is_deleted_and_not_found_by_its_hash() {
    let standing = sightings(samples().drain(..1).collect());
    let taken_back = sightings(vec![withdrawn(infected(1))]);
    let (before, after) = (body(&standing), body(&taken_back));
    let object = |event: &Value| event["Event"]["Object"][0].clone();
    assert_eq!(object(&before)["uuid"], object(&after)["uuid"]);
    assert_eq!(object(&before)["deleted"], false);
    assert_eq!(object(&after)["deleted"], true);
    assert!(attributes(&after).iter().all(|one| one["deleted"] == true));
    assert_ne!(event("th-cert").hashes(&standing), "");
    assert_eq!(event("th-cert").hashes(&taken_back), "");
}

#[test]
fn events_of_partners_and_days_differ() {
    let (north, south) = (event("th-cert"), event("my-cert"));
    assert_ne!(north.id(), south.id());
    let tomorrow = Event::new(&partner("th-cert"), Tlp::Amber, north.day + 1, None);
    assert_ne!(north.id(), tomorrow.id());
    assert_eq!(north.id(), event("th-cert").id());
}

#[test]
fn nothing_of_anybody_else_is_rendered() {
    let reader = event("my-cert");
    let seen = sightings(samples());
    assert_eq!(reader.body(&seen), reader.body([]));
    assert_eq!(reader.hashes(&seen), "");
}
