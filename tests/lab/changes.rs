//! What is watched, and how, changes while packets come: none is missed.

use std::fs;
use std::path::PathBuf;
use std::thread::{scope, sleep};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use noroshi_proto::loss::Loss;
use noroshi_proto::time::Millis;
use noroshi_sensor::clock;

use super::Test;
use super::scanner::Scanner;
use super::site::{Site, Wishes, until};

const TAKES: &[&str] = &["hping3", "zmap"];

pub const TESTS: &[Test] = &[
    Test {
        name: "changes::nothing_is_missed_while_the_configuration_changes",
        takes: TAKES,
        run: configuration,
    },
    Test {
        name: "changes::a_telescope_grows_at_its_time_to_the_packet",
        takes: TAKES,
        run: telescope,
    },
];

/// A running sensor's.
pub struct Configuration {
    path: PathBuf,
    sensor: Pid,
}

impl Configuration {
    pub fn new(path: PathBuf, sensor: Pid) -> Self {
        Self { path, sensor }
    }

    /// Puts one text in place of another, and says so to the sensor.
    pub fn change(&self, before: &str, after: &str) {
        let text = fs::read_to_string(&self.path).expect("readable");
        assert!(text.contains(before), "no {before} in {text}");
        fs::write(&self.path, text.replace(before, after)).expect("writable");
        kill(self.sensor, Signal::SIGHUP).expect("it lives");
    }
}

const CHANGED: &str = "has changed";

fn configuration() {
    let mut site = Site::start();
    let sensor = site.configuration();
    let steps = [
        ("interval_seconds = 1", "interval_seconds = 2"),
        ("salt_file = \"salt\"", "salt_file = \"other\""),
        ("interface = \"tap\"", "interface = \"elsewhere\""), // cannot change
        ("elsewhere", "tap"),
        ("[spool]", "nonsense = 1\n[spool]"),
        ("nonsense = 1\n", ""),
        ("interval_seconds = 2", "interval_seconds = 1"),
    ];
    scope(|threads| {
        let changing = threads.spawn(move || {
            for (before, after) in steps {
                sleep(Duration::from_millis(2_100));
                sensor.change(before, after);
            }
        });
        let mut sent = 0;
        while !changing.is_finished() {
            sent += site.scan(Scanner::Flood(10_000));
        }
        sent += site.scan(Scanner::Zmap);
        assert_eq!(site.settle().raw.packets, sent);
    });
    // What was mended counts as a change.
    let changes = || site.log("sensor.log").matches(CHANGED).count();
    until("it has changed five times", || changes() >= 5);
    assert_eq!(changes(), 5);
    site.assert_sensor_runs();
    let log = site.log("sensor.log");
    assert!(log.contains("interface, [capture] cannot change"), "{log}");
    assert!(
        log.contains("sensor.toml:7: unknown field `nonsense`"),
        "{log}"
    );
}

fn telescope() {
    let at = Millis((clock::now().seconds() + 12) * 1_000);
    let watched = format!(
        "[{{ prefix = \"198.18.0.0/23\", from = 2020-01-01 }}, {{ prefix = \"198.18.2.0/23\", from = {at} }}]"
    );
    let wishes = Wishes {
        telescope: Some(watched),
        kernel_filter: Some("off"), // so that what is not watched yet is counted, too
        ..Wishes::default()
    };
    let directory = tempfile::tempdir().expect("a directory");
    let mut site = Site::start_with(directory, wishes);
    assert_eq!(site.scan(Scanner::Zmap), 1_024);
    let before = site.settle();
    assert_eq!(before.raw.packets, 512, "it watches half of it: {before:?}");
    let mut sent = 1_024;
    while !site.log("sensor.log").contains(CHANGED) {
        sent += site.scan(Scanner::Flood(5_000)); // to the other half
    }
    sent += site.scan(Scanner::Zmap);
    let after = site.settle();
    let outside = after.sensors[0].losses.of(Loss::OutsideTelescope);
    assert_eq!(after.raw.packets + outside, sent);
    let (early, late) = packets_around(&site, at);
    assert_eq!(early, 512, "none before its time");
    assert_eq!(early + late, after.raw.packets);
    assert!(late >= 1_024, "{late}");
    site.assert_sensor_runs();
}

/// Packets of intervals before this time, and of those from it on.
fn packets_around(site: &Site, at: Millis) -> (u64, u64) {
    site.ask(async |store| {
        let query =
            "SELECT sumIf(packets, toUnixTimestamp(interval) < ?), sumIf(packets, toUnixTimestamp(interval) >= ?) FROM flow_tuples";
        let asked = store
            .client()
            .query(query)
            .bind(at.seconds())
            .bind(at.seconds());
        asked
            .fetch_one::<(u64, u64)>()
            .await
            .expect("the store answers")
    })
}
