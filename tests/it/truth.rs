//! A recorded day with known truth, from captures to cases.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use expect_test::expect_file;
use serde_json::Value;

use crate::centre::Centre;
use crate::corpus::{corpus, json_lines};

/// Each source prefix of the day given to a test partner.
pub const REGISTRY: &str = include_str!("../data/day-registry.toml");

/// The captures of the day's two sensors.
pub fn day() -> Vec<(&'static str, PathBuf)> {
    let capture = |name: &str| corpus().join("captures").join(name);
    vec![
        ("a", capture("day_2026-11-02_A.pcap")),
        ("t", capture("day_2026-11-02_T.pcap")),
    ]
}

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn the_day_gives_exactly_the_expected_cases() {
    let output = Centre::new(REGISTRY, "").replay(&day());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let mut lines = json_lines(&output);
    let summary = lines.pop().expect("a summary");
    assert_eq!(summary["summary"]["frames"], 62_504 + 17_218, "{summary}");
    assert_eq!(summary["summary"]["packets"], 62_504 + 17_218, "{summary}");
    assert_eq!(summary["summary"]["alerts"], lines.len(), "{summary}");
    expect_file!["../data/day-expected.tsv"].assert_eq(&table(&lines));
}

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn two_replays_give_the_same_bytes() {
    let centre = Centre::new(REGISTRY, "");
    let (first, second) = (centre.replay(&day()), centre.replay(&day()));
    assert!(first.status.success());
    assert!(first.stdout == second.stdout, "two replays differ");
}

/// Cases by kind, partner, subject, services, fingerprint and basis. Hosts of the two crowds
/// (one bot or scanner each) are grouped by /16, with how many there are.
pub fn table(alerts: &[Value]) -> String {
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for alert in alerts {
        let evidence = &alert["evidence"];
        let mut services: Vec<_> = evidence["services"]
            .as_array()
            .expect("services are a list")
            .iter()
            .map(|service| service.as_str().expect("services are text"))
            .collect();
        services.sort_unstable();
        let row = [
            text(&alert["kind"]),
            text(&alert["partner"]),
            subject(&alert["subject"]),
            services.join(","),
            text(&evidence["fingerprint"]),
            text(&alert["attribution"]["basis"]),
        ]
        .join("\t");
        *rows.entry(row).or_default() += 1;
    }
    let mut table = String::from("kind\tpartner\tsubject\tservices\tfingerprint\tbasis\tcases\n");
    for (row, count) in rows {
        table.push_str(&format!("{row}\t{count}\n"));
    }
    table
}

fn subject(subject: &Value) -> String {
    let address = [&subject["source"], &subject["victim"]]
        .into_iter()
        .find_map(Value::as_str)
        .and_then(|address| address.parse::<IpAddr>().ok());
    match address {
        Some(IpAddr::V4(v4)) if v4.octets()[0] == 100 => format!("100.{}.0.0/16", v4.octets()[1]),
        Some(address) => address.to_string(),
        None => subject.to_string(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}
