//! The description of the feeds, held to what they answer.

use std::collections::BTreeMap;

use noroshi_feeds::links::Link;
use noroshi_feeds::taxii::collection;
use noroshi_proto::time::Millis;
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::Event;
use serde_json::Value;

use super::desk::{Answer, Desk, NORTH, day_name, today};
use super::gpg::Gpg;
use super::samples::{indicated, infected, reported};

async fn document(desk: &Desk) -> Value {
    let answer = desk.ask("GET /v1/openapi.json", None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    serde_json::from_str(&answer.body).expect("JSON")
}

/// What stands behind a reference, or the thing itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(place) => {
            let pointer = place.strip_prefix('#').expect("a place in the document");
            document.pointer(pointer).expect(place)
        }
        None => value,
    }
}

/// Something that is there, for each parameter of a path.
async fn there(desk: &Desk) -> BTreeMap<&'static str, String> {
    let alert = infected(1, "203.0.113.7");
    let case = alert.id;
    desk.keep(alert.clone(), 1).await;
    desk.observe(&[alert], &[today()]).await;
    let object = desk.publishes("indicator", 1).await.remove(0).id;
    let link = Link {
        case,
        event: Event::Acknowledge,
        until: Millis(4_102_444_800_000), // 2100
    };
    let link = link.path(&desk.key());
    let link: Vec<&str> = link.split('/').collect();
    let manifest = desk.get("/misp/manifest.json", NORTH).await;
    let manifest: Value = serde_json::from_str(&manifest.body).expect("JSON");
    let event = manifest.as_object().and_then(|events| events.keys().next());
    let partner = PartnerId::new("th-cert").expect("a name");
    let report = format!("{}-event4_honeypot_darknet-th.csv", day_name(today()));
    BTreeMap::from([
        ("{id}", case.to_string()),
        ("{week}", "latest".to_owned()),
        ("/v1/reports/{name}", report),
        ("/misp/{name}", format!("{}.json", event.expect("an event"))),
        ("{root}", partner.to_string()),
        ("{collection}", collection(&partner).to_string()),
        ("{object}", object),
        ("{case}", link[2].to_owned()),
        ("{state}", link[3].to_owned()),
        ("{until}", link[4].to_owned()),
        ("{signature}", link[5].to_owned()),
    ])
}

/// A path with something that is there in place of each parameter.
fn filled(path: &str, there: &BTreeMap<&str, String>) -> String {
    let parts = path.split('/').map(|part| {
        let own = there.get(path).filter(|_| part == "{name}");
        let value = own.or_else(|| there.get(part));
        value.map_or(part, String::as_str)
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn asked(desk: &Desk, line: &str) -> Answer {
    let bearer = format!("Bearer {NORTH}");
    let body = match line.ends_with("/remedy") {
        true => r#"{"note":"seen"}"#,
        false => "",
    };
    desk.send(line, &[("authorization", &bearer)], body).await
}

#[tokio::test]
async fn every_operation_is_answered_as_it_is_described() {
    let centre = Gpg::new("noroshi@centre.example");
    let desk = Desk::open_with(|directory| {
        centre.export("--export-secret-keys", &directory.join("sign.asc"));
        None
    })
    .await;
    let document = document(&desk).await;
    let there = there(&desk).await;
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if operation["operationId"] == "streamAlerts" {
                continue; // it has no end; the streams' own tests read it
            }
            operations += 1;
            let line = format!("{} {}", method.to_uppercase(), filled(path, &there));
            let answer = asked(&desk, &line).await;
            assert_ne!(answer.status, 404, "{line}: {answer:?}");
            let described = &operation["responses"][answer.status.to_string()];
            assert!(described.is_object(), "{line}: {answer:?}");
            let kinds = &resolved(&document, described)["content"];
            let kinds = kinds.as_object().expect("media types");
            let kind = answer.header("content-type");
            assert!(kinds.contains_key(kind), "{line}: {kind}");
            let is_open = operation["security"] == serde_json::json!([]);
            let stranger = desk.ask(&line, None).await;
            assert_eq!(stranger.status == 401, !is_open, "{line}");
        }
    }
    assert!(operations > 20, "{operations}");
    desk.close().await;
}

#[tokio::test]
async fn an_alert_is_as_it_is_described() {
    let desk = Desk::open().await;
    let document = document(&desk).await;
    let schema = &document["components"]["schemas"]["Alert"];
    let alerts: Vec<_> = indicated().into_iter().chain(reported()).collect();
    let count = alerts.len();
    for (_, alert) in alerts {
        desk.keep(alert, 1).await;
    }
    desk.shows(count).await;
    let page = desk.page(NORTH, "").await;
    assert_eq!(page.body.lines().count(), count);
    for line in page.body.lines() {
        let alert: Value = serde_json::from_str(line).expect("JSON");
        for name in words(&schema["required"]) {
            assert!(alert.get(name).is_some(), "{name}: {line}");
        }
        for (name, value) in alert.as_object().expect("an object") {
            let property = &schema["properties"][name];
            assert!(property.is_object(), "{name} is not described");
            if property["enum"].is_array() {
                let value = value.as_str().expect("a word");
                assert!(words(&property["enum"]).contains(&value), "{name}: {value}");
            }
        }
        let shapes = &schema["properties"]["subject"]["oneOf"];
        let shapes = shapes.as_array().expect("shapes").iter();
        let fits = |shape: &&Value| {
            let required = words(&shape["required"]);
            required
                .iter()
                .all(|name| alert["subject"].get(name).is_some())
        };
        assert_eq!(shapes.filter(fits).count(), 1, "{line}");
    }
    desk.close().await;
}

fn words(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|word| word.as_str().expect("a word")).collect()
}
