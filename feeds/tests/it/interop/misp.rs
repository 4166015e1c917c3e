//! MISP, as PyMISP reads a feed.

use noroshi_store::alert::{Alert, Kind, Subject};
use noroshi_store::remedy::Event;
use serde_json::{Value, json};

use super::client::Client;
use crate::desk::{Desk, NORTH, SOUTH, alert, today};

async fn read(desk: &Desk, token: &str) -> Value {
    let home = tempfile::tempdir().expect("a directory");
    let url = format!("http://{}/misp/", desk.address);
    let bearer = format!("Bearer {token}");
    let arguments = [url.as_str(), &bearer];
    let client = Client::named("misp");
    let read = client.run("misp_feed.py", home.path(), &arguments).await;
    assert_eq!(read["wrong"], json!([]));
    read
}

fn attributes<'v>(read: &'v Value, kind: &str) -> Vec<&'v Value> {
    let events = read["events"].as_object().expect("events").values();
    let attributes = events.flat_map(|event| event["attributes"].as_array().expect("a list"));
    attributes.filter(|one| one["type"] == kind).collect()
}

fn seen() -> Vec<Alert> {
    let host = alert(1, 1, Some("th-cert"));
    let mut victim = alert(2, 1, Some("th-cert"));
    victim.kind = Kind::DdosVictim;
    victim.evidence.rate = Some(812.4);
    victim.evidence.services = vec!["tcp/443".to_owned()];
    victim.subject = Subject::Victim {
        victim: "198.51.100.0/24".to_owned(),
        asn: Some(64_500),
    };
    let mut surge = alert(3, 1, Some("th-cert"));
    surge.kind = Kind::ScanSurge;
    surge.subject = Subject::Service {
        service: "tcp/23".to_owned(),
        scope: "region".to_owned(),
    };
    let mut exercise = alert(4, 1, Some("th-cert"));
    exercise.exercise = true;
    let mut withdrawn = alert(5, 1, Some("th-cert"));
    withdrawn.subject = Subject::Source {
        source: "203.0.113.99".parse().expect("an address"),
        asn: None,
    };
    vec![host, victim, surge, exercise, withdrawn]
}

#[tokio::test]
async fn pymisp_reads_events_and_objects_as_misp_defines_them() {
    let desk = Desk::open().await;
    let today = today();
    let seen = seen();
    desk.record_all(seen.iter().map(|one| (one.clone(), 1)).collect())
        .await;
    desk.observe(&seen, &[today, today - 1]).await;
    desk.step(5, "th-cert", Event::Withdraw).await;
    let north = read(&desk, NORTH).await;
    let south = read(&desk, SOUTH).await;
    desk.close().await;

    let events = north["events"].as_object().expect("events");
    assert_eq!(events.len(), 2, "one a day: {north}");
    for event in events.values() {
        assert_eq!(event["tags"], json!(["tlp:amber"]));
        let objects = event["objects"].as_array().expect("objects");
        let deleted = objects.iter().filter(|one| one["deleted"] == true).count();
        assert_eq!((objects.len(), deleted), (5, 1), "{event}");
    }
    for source in attributes(&north, "ip-src") {
        let is_exercise = source["tags"] == json!(["tlp:amber", "rsit:test=\"test\""]);
        let is_deleted = source["value"] == "203.0.113.99";
        assert_eq!(source["deleted"], is_deleted, "{source}");
        assert_eq!(source["to_ids"], !is_exercise && !is_deleted, "{source}");
    }
    for victim in attributes(&north, "ip-dst") {
        assert_eq!(victim["value"], "198.51.100.0/24");
        assert_eq!(victim["to_ids"], false);
    }
    assert_eq!(
        attributes(&north, "comment").len(),
        2,
        "the surge, each day"
    );

    // Nothing to tell is an event of today without anything in it.
    let nothing = south["events"].as_object().expect("events");
    assert_eq!((nothing.len(), &south["hashes"]), (1, &json!(0)));
    assert!(nothing.keys().all(|id| !events.contains_key(id)));
}
