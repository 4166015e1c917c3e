use std::collections::BTreeSet;

use expect_test::expect_file;
use noroshi_proto::time::Millis;
use noroshi_store::observations::Observation;

use super::*;
use crate::samples::{infected, partner, samples, sightings};

const THAILAND: fn() -> Country = || Country::new("TH").expect("a country");

fn file(report: Report) -> File {
    let day = Observation::day_of(infected(1).first_seen);
    File { day, report }
}

fn rows(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

#[test]
fn the_columns_are_a_contract() {
    let (reader, seen) = (partner("th-cert"), sightings(samples()));
    let darknet = file(Report::Darknet).csv(&reader, &seen);
    expect_file!["../../golden/event4_honeypot_darknet.csv"].assert_eq(&darknet);
    let victims = file(Report::DdosTarget).csv(&reader, &seen);
    expect_file!["../../golden/event4_honeypot_ddos_target.csv"].assert_eq(&victims);
}

#[test]
fn a_report_without_rows_is_its_header() {
    for report in Report::ALL {
        let csv = file(report).csv(&partner("th-cert"), []);
        assert!(csv.starts_with("timestamp,protocol,") && csv.ends_with(",alert_id,state\n"));
        assert_eq!(csv.lines().count(), 1);
    }
}

#[test]
fn no_target_no_exercise_and_no_address_of_version_6() {
    let csv = file(Report::Darknet).csv(&partner("th-cert"), &sightings(samples()));
    let rows = rows(&csv);
    assert!(rows.len() >= 2);
    for row in &rows {
        for (column, cell) in row {
            let may = !column.starts_with("dst_") || column == "dst_port" || cell.is_empty();
            assert!(may, "{column}: {cell}");
        }
        assert!(row["src_ip"].parse::<Ipv4Addr>().is_ok(), "{row:?}");
        assert!(!row["alert_id"].ends_with('6'), "an exercise: {row:?}");
    }
}

#[test]
fn a_port_stands_beside_the_time_of_its_packet_alone() {
    let mut seen = sightings(samples());
    seen.truncate(1);
    let told = |seen: &[Sighting]| rows(&file(Report::Darknet).csv(&partner("th-cert"), seen));
    let first = told(&seen).remove(0);
    assert_eq!(first["src_port"], "40123");
    assert_eq!(first["timestamp"], "2026-11-02 06:00:02");
    seen[0].alert.first_seen = Millis(seen[0].observation.first.0 - 86_400_000);
    assert_eq!(told(&seen).remove(0)["src_port"], "");
}

#[test]
fn what_was_taken_back_stays_as_such() {
    let csv = file(Report::Darknet).csv(&partner("th-cert"), &sightings(samples()));
    let rows = rows(&csv);
    let row = rows
        .iter()
        .find(|row| row["state"] == "withdrawn")
        .expect("a row");
    assert_eq!(
        (row["tag"].as_str(), row["infection"].as_str()),
        ("withdrawn", "")
    );
    assert_eq!(row["severity"], "info");
}

#[test]
fn each_address_of_a_carpet_bombing_has_its_row() {
    let csv = file(Report::DdosTarget).csv(&partner("th-cert"), &sightings(samples()));
    let bombed: Vec<String> = rows(&csv)
        .into_iter()
        .filter(|row| row["dst_network"] == "198.51.100.0/30")
        .map(|row| row["dst_ip"].clone())
        .collect();
    assert_eq!(bombed, ["198.51.100.1", "198.51.100.2"]);
}

#[test]
fn a_file_has_one_name() {
    let file = file(Report::DdosTarget);
    let name = file.name(THAILAND());
    assert_eq!(name, "2026-11-02-event4_honeypot_ddos_target-th.csv");
    assert_eq!(File::named(&name, THAILAND()), Some(file));
    for other in [
        "",
        "é",
        "2026-11-02",
        "2026-11-02-event4_honeypot_ddos_target-my.csv",
        "2026-11-02-event4_honeypot_ddos_target-TH.csv",
        "2026-11-02-event6_honeypot_ddos_target-th.csv",
        "2026-11-02-event4_honeypot_ddos_target-th.csv.gz",
    ] {
        assert_eq!(File::named(other, THAILAND()), None, "{other}");
    }
}

#[test]
fn the_archive_is_the_same_each_time_and_holds_the_file() {
    let csv = file(Report::Darknet).csv(&partner("th-cert"), &sightings(samples()));
    let archive = zipped("a.csv", &csv).unwrap();
    assert_eq!(archive, zipped("a.csv", &csv).unwrap());
    let mut read = zip::ZipArchive::new(io::Cursor::new(archive)).unwrap();
    let names: BTreeSet<String> = read.file_names().map(str::to_owned).collect();
    assert_eq!(names, BTreeSet::from(["a.csv".to_owned()]));
    let text = io::read_to_string(read.by_index(0).unwrap()).unwrap();
    assert_eq!(text, csv);
}

#[test]
fn nothing_of_anybody_else_is_rendered() {
    let seen = sightings(samples());
    let nothing = file(Report::Darknet).csv(&partner("my-cert"), &seen);
    assert_eq!(nothing, file(Report::Darknet).csv(&partner("my-cert"), []));
}
