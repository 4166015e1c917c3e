//! TAXII as its real clients read it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use noroshi_feeds::taxii::collection;
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::Event;
use serde_json::Value;

use super::desk::{Answer, Desk, NORTH};
use super::samples::{indicated, infected, reported};

const MEDIA: &str = "application/taxii+json;version=2.1";

/// A file of the checkout.
fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What a client's program says, which must end well.
async fn client(script: &str, arguments: Vec<String>) -> String {
    let python = checkout("target/interop/stix/bin/python");
    assert!(
        python.exists(),
        "{} is not there: run ./setup.sh test",
        python.display()
    );
    let script = checkout("feeds/interop").join(script);
    let run = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .arg(script)
            .args(arguments)
            .output()
            .expect("Python starts")
    });
    let output = run.await.expect("no panic");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn real_clients_read_all_of_it_once_and_every_object_is_valid() {
    let desk = Desk::open().await;
    let url = format!("http://{}/taxii2/", desk.address);
    let (indicated, reported) = (indicated(), reported());
    let counts = [indicated.len(), reported.len()].map(|count| count.to_string());
    let arguments = [vec![url, NORTH.to_owned()], counts.to_vec()].concat();
    let reading = tokio::spawn(client("taxii.py", arguments));
    for (_, alert) in indicated.into_iter().chain(reported) {
        desk.keep(alert, 1).await;
        tokio::time::sleep(Duration::from_millis(200)).await; // the reader is at work meanwhile
    }
    let said = reading.await.expect("the clients are content");
    assert!(said.contains("objects"), "{said}");
    desk.close().await;
}

/// The path of Thailand's collection.
fn north() -> String {
    let partner = PartnerId::new("th-cert").expect("a name");
    format!("/taxii2/th-cert/collections/{}/", collection(&partner))
}

async fn get(desk: &Desk, path: &str) -> Answer {
    desk.ask(&format!("GET {path}"), Some(&format!("Bearer {NORTH}")))
        .await
}

/// The answer as JSON; every answer has the one media type.
fn json(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), MEDIA, "{answer:?}");
    serde_json::from_str(&answer.body).expect("JSON")
}

fn ids(envelope: &Value) -> Vec<String> {
    let objects = envelope["objects"].as_array().expect("objects");
    let id = |object: &Value| object["id"].as_str().expect("an id").to_owned();
    objects.iter().map(id).collect()
}

#[tokio::test]
async fn each_resource_leads_to_the_next() {
    let desk = Desk::open().await;
    let discovery = json(&get(&desk, "/taxii2/").await);
    let root = format!("http://{}/taxii2/th-cert/", desk.address);
    assert_eq!(discovery["api_roots"], serde_json::json!([root]));
    assert_eq!(discovery["default"], root.as_str());
    let root = json(&get(&desk, "/taxii2/th-cert/").await);
    assert_eq!(root["versions"], serde_json::json!([MEDIA]));
    let collections = json(&get(&desk, "/taxii2/th-cert/collections/").await);
    let one = json(&get(&desk, &north()).await);
    assert_eq!(collections["collections"], serde_json::json!([one]));
    assert_eq!(
        (&one["can_read"], &one["can_write"]),
        (&true.into(), &false.into())
    );
    assert!(north().contains(one["id"].as_str().expect("an id")));
    let empty = get(&desk, &format!("{}objects/", north())).await;
    assert_eq!((empty.status, empty.body.as_str()), (200, "{}"));
    assert_eq!(empty.header("x-taxii-date-added-last"), "");
    desk.close().await;
}

#[tokio::test]
async fn what_a_client_does_wrong_is_said_in_taxiis_words() {
    let desk = Desk::open().await;
    let objects = format!("{}objects/", north());
    let taxii = ("content-type", MEDIA);
    let plain = ("content-type", "application/json");
    let bearer = format!("Bearer {NORTH}");
    for (line, header, status) in [
        (format!("POST {objects}"), taxii, 403),
        (format!("POST {objects}"), plain, 415),
        (format!("DELETE {objects}indicator--1/"), taxii, 403),
        (
            format!("GET {objects}"),
            ("accept", "application/json"),
            406,
        ),
        (
            format!("GET {objects}"),
            ("accept", "application/stix+json;version=2.1"),
            406,
        ),
        (format!("GET {objects}?limit=0"), taxii, 400),
        (format!("GET {objects}?added_after=soon"), taxii, 400),
        (format!("GET {objects}?next=AAAA"), taxii, 400),
        (format!("GET {objects}indicator--1/"), taxii, 404),
        (format!("GET {objects}indicator--1/versions/"), taxii, 404),
        ("GET /taxii2/th-cert/status/1/".to_owned(), taxii, 404),
        ("GET /taxii2/th-cert/nowhere/".to_owned(), taxii, 404),
        ("PUT /taxii2/".to_owned(), taxii, 404),
    ] {
        let answer = desk
            .ask_with(&line, &[("authorization", &bearer), header])
            .await;
        assert_eq!(answer.status, status, "{line}");
        let error = json(&answer);
        assert_eq!(error["http_status"], status.to_string(), "{line}");
        assert!(
            !error["title"].as_str().expect("a title").is_empty(),
            "{line}"
        );
    }
    let stranger = desk.ask("GET /taxii2/", None).await;
    assert_eq!(stranger.status, 401);
    assert_eq!(json(&stranger)["http_status"], "401");
    assert_ne!(stranger.header("www-authenticate"), "");
    desk.close().await;
}

#[tokio::test]
async fn a_missing_slash_is_put_where_users_left_it_out() {
    let desk = Desk::open().await;
    for (asked, place) in [
        ("/taxii2", "/taxii2/".to_owned()),
        ("/taxii2/th-cert", "/taxii2/th-cert/".to_owned()),
        (
            "/taxii2/nowhere/x?limit=1",
            "/taxii2/nowhere/x/?limit=1".to_owned(),
        ),
    ] {
        let answer = get(&desk, asked).await;
        assert_eq!(answer.status, 308, "{asked}");
        let there = format!("http://{}{place}", desk.address);
        assert_eq!(answer.header("location"), there);
    }
    desk.close().await;
}

#[tokio::test]
async fn pages_are_replayed_and_filters_hold_on_every_one() {
    let desk = Desk::open().await;
    for number in 1..=3 {
        desk.keep(infected(number, &format!("203.0.113.{number}")), 1)
            .await;
    }
    desk.publishes("indicator", 3).await;
    let objects = format!("{}objects/", north());
    let first = get(
        &desk,
        &format!("{objects}?match%5Btype%5D=indicator%2Csighting&limit=4"),
    )
    .await;
    let page = json(&first);
    assert_eq!((page["more"].clone(), ids(&page).len()), (true.into(), 4));
    let last = first.header("x-taxii-date-added-last");
    assert!(last.ends_with("000Z") && first.header("x-taxii-date-added-first") < last);
    let token = page["next"].as_str().expect("a token");
    let path = format!(
        "{objects}?match[type]=indicator,sighting&next={token}&added_after=2020-01-01T00:00:00Z"
    );
    let second = json(&get(&desk, &path).await);
    assert_eq!(
        (second["more"].clone(), ids(&second).len()),
        (false.into(), 2)
    );
    assert_eq!(
        json(&get(&desk, &path).await),
        second,
        "a token can be used again"
    );
    let path = format!("{objects}?match[type]=indicator,sighting&added_after={last}");
    assert_eq!(json(&get(&desk, &path).await), second, "strictly after");
    let one = &ids(&page)[0];
    let manifest = json(&get(&desk, &format!("{}manifest/?match[id]={one}", north())).await);
    assert_eq!(&ids(&manifest), std::slice::from_ref(one));
    let alone = json(&get(&desk, &format!("{objects}{one}/")).await);
    assert_eq!(alone["objects"][0], page["objects"][0]);
    let later = get(&desk, &format!("{objects}{one}/?added_after={last}")).await;
    assert_eq!((later.status, later.body.as_str()), (200, "{}"));
    desk.close().await;
}

#[tokio::test]
async fn what_people_say_is_a_version_and_a_withdrawal_the_last() {
    let desk = Desk::open().await;
    let alert = infected(1, "203.0.113.7");
    let case = alert.id;
    desk.keep(alert, 1).await;
    desk.publishes("indicator", 1).await;
    desk.step(case.as_u128(), "th-cert", Event::Acknowledge)
        .await;
    let versions = desk.publishes("indicator", 2).await;
    assert!(versions[1].body.contains(r#""remedy":"acknowledged""#));
    desk.step(case.as_u128(), "th-cert", Event::Withdraw).await;
    let versions = desk.publishes("indicator", 3).await;
    let last = &versions[2];
    assert!(last.body.contains(r#""revoked":true"#), "{}", last.body);
    let objects = format!("{}objects/", north());
    let read = json(&get(&desk, &format!("{objects}{}/versions/", last.id)).await);
    let texts: Vec<String> = versions.iter().map(|it| it.version.to_string()).collect();
    assert_eq!(read["versions"], serde_json::json!(texts));
    let revoked = json(&get(&desk, &format!("{objects}?match[type]=indicator")).await);
    assert_eq!(revoked["objects"].as_array().map(Vec::len), Some(1));
    assert_eq!(revoked["objects"][0]["revoked"], true);
    let first = json(
        &get(
            &desk,
            &format!("{objects}{}/?match[version]=first", last.id),
        )
        .await,
    );
    assert_eq!(first["objects"][0]["modified"], texts[0].as_str());
    desk.close().await;
}
