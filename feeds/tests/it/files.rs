//! Daily reports: which there are, and what a reader is told that asks for others.

use noroshi_feeds::routes::REPORT_DAYS;
use serde_json::Value;

use super::desk::{Desk, NORTH, SOUTH, alert, day_name, today};
use super::gpg::Gpg;

fn darknet(day: u64) -> String {
    format!(
        "/v1/reports/{}-event4_honeypot_darknet-th.csv",
        day_name(day)
    )
}

#[tokio::test]
async fn a_week_of_files_is_listed_and_each_can_be_read() {
    let desk = Desk::open().await;
    let host = vec![alert(1, 1, Some("th-cert"))];
    desk.record_all(vec![(host[0].clone(), 1)]).await;
    desk.observe(&host, &[today() - 1]).await;
    let index = desk.get("/v1/reports/", NORTH).await;
    let index: Vec<Value> = serde_json::from_str(&index.body).expect("a list");
    assert_eq!(index.len(), 2 * 7);
    let grows = |file: &&Value| file["grows"] == true;
    assert_eq!(index.iter().filter(grows).count(), 2, "today's");
    let sizes: Vec<u64> = index
        .iter()
        .filter_map(|file| file["bytes"].as_u64())
        .collect();
    let header = sizes[0];
    let larger = sizes
        .iter()
        .zip(&index)
        .filter(|(size, file)| file["report"] == "event4_honeypot_darknet" && **size > header);
    let days: Vec<&str> = larger
        .filter_map(|(_, file)| file["day"].as_str())
        .collect();
    assert_eq!(days, [day_name(today() - 1)]);

    let csv = desk.get(&darknet(today() - 1), NORTH).await;
    assert_eq!((csv.status, csv.body.lines().count()), (200, 2));
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let empty = desk.get(&darknet(today() - 2), NORTH).await;
    assert_eq!((empty.status, empty.body.len() as u64), (200, header));
    let bearer = format!("Bearer {NORTH}");
    let line = format!("HEAD {}.zip", darknet(today() - 1));
    let zip = desk.ask(&line, Some(&bearer)).await;
    assert_eq!(zip.header("content-type"), "application/zip");

    let from = format!("/v1/reports/?from={}", day_name(today()));
    let index = desk.get(&from, NORTH).await;
    let index: Vec<Value> = serde_json::from_str(&index.body).expect("a list");
    assert_eq!(index.len(), 2);
    desk.close().await;
}

#[tokio::test]
async fn there_is_no_report_of_another_day_or_name() {
    let desk = Desk::open().await;
    let unknown = desk.get("/v1/nothing", NORTH).await;
    assert_eq!(unknown.status, 404);
    let oldest = darknet(today() + 1 - REPORT_DAYS);
    assert_eq!(desk.get(&oldest, NORTH).await.status, 200);
    for path in [
        darknet(today() + 1),
        darknet(today() - REPORT_DAYS),
        darknet(today()).replace("event4", "event6"),
        darknet(today()).replace(".csv", ".csv.gz"),
        darknet(today()).replace("-th.", "-my."),
        "/v1/reports".to_owned(),
    ] {
        assert_eq!(desk.get(&path, NORTH).await, unknown, "{path}");
    }
    assert_eq!(desk.get(&darknet(today()), SOUTH).await, unknown);
    for query in ["?from=today", "?from=2026-13-01", "?until=2026-11-02"] {
        let wrong = desk.get(&format!("/v1/reports/{query}"), NORTH).await;
        assert_eq!(wrong.status, 400, "{query}");
        assert!(wrong.body.contains("'from' (a day"), "{}", wrong.body);
    }
    desk.close().await;
}

#[tokio::test]
async fn a_report_is_signed_by_the_key_that_is_served_beside_it() {
    let centre = Gpg::new("noroshi@centre.example");
    let desk = Desk::open_with(|directory| {
        centre.export("--export-secret-keys", &directory.join("sign.asc"));
        None
    })
    .await;
    let host = vec![alert(1, 1, Some("th-cert"))];
    desk.record_all(vec![(host[0].clone(), 1)]).await;
    desk.observe(&host, &[today() - 1]).await;
    let path = darknet(today() - 1);
    let csv = desk.get(&path, NORTH).await;
    let signature = desk.get(&format!("{path}.asc"), NORTH).await;
    let key = desk.get("/v1/key.asc", NORTH).await;
    desk.close().await;
    assert_eq!(
        signature.header("content-type"),
        "application/pgp-signature"
    );
    assert!(!key.body.contains("PRIVATE"), "{}", key.body);

    let reader = Gpg::new("soc@th-cert.example");
    reader.import(&reader.write("key.asc", key.body.as_bytes()));
    let signature = reader.write("report.asc", signature.body.as_bytes());
    let report = reader.write("report.csv", csv.body.as_bytes());
    let (signature, report) = (
        signature.display().to_string(),
        report.display().to_string(),
    );
    let verified = reader.run(&["--verify", &signature, &report]);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(said.contains("[GNUPG:] GOODSIG"), "{said}");
}

#[tokio::test]
async fn who_has_no_key_signs_nothing() {
    let desk = Desk::open().await;
    for path in ["/v1/key.asc", &format!("{}.asc", darknet(today() - 1))] {
        assert_eq!(desk.get(path, NORTH).await.status, 404, "{path}");
    }
    desk.close().await;
}

#[tokio::test]
async fn a_day_that_is_not_over_tells_nothing_that_grows() {
    let desk = Desk::open().await;
    let host = [alert(1, 1, Some("th-cert"))];
    desk.record_all(vec![(host[0].clone(), 1)]).await;
    desk.observe(&host, &[today() - 1, today()]).await;
    let seen = async |day| {
        let csv = desk.get(&darknet(day), NORTH).await.body;
        let manifest = desk.get("/misp/manifest.json", NORTH).await.body;
        let manifest: Value = serde_json::from_str(&manifest).expect("an object");
        let events = manifest.as_object().expect("an object");
        let of_day = |(_, event): &(&String, &Value)| event["date"] == day_name(day);
        let (id, head) = events.iter().find(of_day).expect("an event of the day");
        let event = desk.get(&format!("/misp/{id}.json"), NORTH).await.body;
        (csv, head.clone(), event)
    };
    let (running, over) = (seen(today()).await, seen(today() - 1).await);
    assert_eq!(running.0.lines().count(), 2);
    let days = [today() - 1, today()];
    let packets = 16 * 3_600_000; // and the last of them as many milliseconds later
    desk.observe_packets(&host, &days, packets).await;
    assert_eq!(seen(today()).await, running);
    let later = seen(today() - 1).await;
    assert!(later.0 != over.0 && later.2 != over.2, "{later:?}");
    desk.close().await;
}
