//! Clocks that step. libfaketime tells them to one program; what the kernel stamps on frames stays
//! right.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Test;
use super::host::said;
use super::scanner::Scanner;
use super::site::{Site, Wishes};

const TAKES: &[&str] = &["faketime", "zmap", "hping3"];

pub const TESTS: &[Test] = &[
    Test {
        name: "clocks::a_collector_whose_clock_steps_gets_it_all_when_it_is_right_again",
        takes: TAKES,
        run: collector,
    },
    Test {
        name: "clocks::a_sensor_whose_clock_steps_counts_every_packet",
        takes: TAKES,
        run: sensor,
    },
];

/// A program under this reads the clock with what stands in the file added.
fn environment(file: &Path) -> Vec<(String, String)> {
    let mut faketime = Command::new("faketime");
    faketime.args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]);
    let library = said(&mut faketime).expect("it tells where its library is");
    step(file, "+0");
    [
        ("LD_PRELOAD", library.trim()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().expect("text")),
        ("FAKETIME_CACHE_DURATION", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// In one piece: it may be read at any moment.
fn step(file: &Path, offset: &str) {
    let draft = file.with_extension("draft");
    fs::write(&draft, offset).expect("writable");
    fs::rename(draft, file).expect("writable");
}

fn collector() {
    let directory = tempfile::tempdir().expect("a directory");
    let clock = directory.path().join("clock");
    let wishes = Wishes {
        collector_environment: environment(&clock),
        ..Wishes::default()
    };
    let mut site = Site::start_with(directory, wishes);
    let mut sent = site.scan(Scanner::Zmap);
    site.settle();
    step(&clock, "+3600");
    // The clock is looked at once a second.
    site.restart_sensor_until("set the sensor's clock");
    sent += site.scan(Scanner::Flood(2_000));
    step(&clock, "+0");
    assert_eq!(site.settle().raw.packets, sent);

    step(&clock, "-3600");
    site.hear("sensor.log", "is complete through");
    sent += site.scan(Scanner::Flood(2_000));
    step(&clock, "+0");
    assert_eq!(site.settle().raw.packets, sent);
}

fn sensor() {
    let directory = tempfile::tempdir().expect("a directory");
    let clock = directory.path().join("clock");
    let wishes = Wishes {
        sensor_environment: environment(&clock),
        ..Wishes::default()
    };
    let mut site = Site::start_with(directory, wishes);
    let mut sent = 0;
    let mut scan = |site: &mut Site| {
        sent += site.scan(Scanner::Zmap) + site.scan(Scanner::Flood(1_000));
        sent
    };
    for offset in ["+0", "+120"] {
        step(&clock, offset);
        let sent = scan(&mut site);
        assert_eq!(site.settle().raw.packets, sent, "{offset}");
    }
    // The open interval is ahead now: the sensor ends, and its service would start it anew.
    step(&clock, "+0");
    site.sensor_ends();
    assert!(site.log("sensor.log").contains("was set back"));
    site.start_sensor();
    let sent = scan(&mut site);
    assert_eq!(site.settle().raw.packets, sent);

    step(&clock, "-3600");
    // The clock is looked at once a second.
    site.restart_sensor_until("set the sensor's clock");
    let sent = scan(&mut site);
    step(&clock, "+0");
    assert_eq!(site.settle().raw.packets, sent);
}
