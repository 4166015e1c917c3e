//! Disks that are full: what has no room is counted, what waits for room comes later.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use noroshi_proto::loss::Loss;

use super::Test;
use super::host::said;
use super::scanner::Scanner;
use super::site::{Site, Wishes};

pub const TESTS: &[Test] = &[
    Test {
        name: "disks::a_full_spool_gives_up_the_oldest_and_counts_them",
        takes: &["hping3"],
        run: spool,
    },
    Test {
        name: "disks::a_disk_without_any_room_costs_what_came_meanwhile_and_that_is_counted",
        takes: &["hping3"],
        run: spool_without_room,
    },
    Test {
        name: "disks::a_full_store_takes_it_once_it_has_room",
        takes: &["hping3"],
        run: store,
    },
];

/// Some had no room; they are counted, and the rest is in the store.
fn assert_kept_or_counted(site: &Site, sent: u64) {
    let accounting = site.settle();
    let lost = |loss| accounting.sensors[0].losses.of(loss);
    assert!(lost(Loss::SpoolFull) > 0, "{accounting:?}");
    let unread = lost(Loss::KernelDropped) + lost(Loss::InterfaceDropped);
    assert_eq!(
        accounting.raw.packets + lost(Loss::SpoolFull) + unread,
        sent
    );
}

/// The disk is full long before the spool has what it may have; an eighth of that is a segment.
fn spool() {
    let wishes = Wishes {
        spool_bytes: Some("64 MiB"),
        disks: vec![("spool", "20m")],
        ..Wishes::default()
    };
    let directory = tempfile::tempdir().expect("a directory");
    let mut site = Site::start_with(directory, wishes);
    site.kill_collector();
    let mut sent = 0;
    let full = "oldest segment was given up";
    while !site.log("sensor.log").contains(full) {
        sent += site.scan(Scanner::Burst(200_000));
        assert!(sent < 4_000_000, "{}", site.log("sensor.log"));
        site.assert_sensor_runs();
    }
    site.start_collector();
    sent += site.scan(Scanner::Flood(1_000));
    assert_kept_or_counted(&site, sent);
}

/// Nothing is left on it, by somebody else's doing.
fn spool_without_room() {
    let wishes = Wishes {
        disks: vec![("spool", "20m")],
        ..Wishes::default()
    };
    let directory = tempfile::tempdir().expect("a directory");
    let mut site = Site::start_with(directory, wishes);
    let mut sent = site.scan(Scanner::Flood(2_000));
    site.settle();
    let ballast = site.path("spool/ballast");
    fill(&ballast);
    for _ in 0..3 {
        sent += site.scan(Scanner::Burst(100_000)); // which no block's end has room for
        sleep(Duration::from_millis(1_500));
        site.assert_sensor_runs();
    }
    site.hear("sensor.log", "the spool's disk is full");
    fs::remove_file(&ballast).expect("it is there");
    sent += site.scan(Scanner::Flood(1_000));
    assert_kept_or_counted(&site, sent);
}

fn store() {
    let wishes = Wishes {
        disks: vec![("data", "256m")],
        ..Wishes::default()
    };
    let directory = tempfile::tempdir().expect("a directory");
    let mut site = Site::start_with(directory, wishes);
    let mut sent = site.scan(Scanner::Flood(2_000));
    site.settle();
    let ballast = site.path("data/ballast");
    fill(&ballast);
    sent += site.scan(Scanner::Flood(2_000));
    site.hear("sensor.log", "not connected");
    sent += site.scan(Scanner::Flood(2_000));
    fs::remove_file(&ballast).expect("it is there");
    assert_eq!(site.settle().raw.packets, sent);
}

/// Writes until nothing more goes.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("there is room yet");
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![0; size];
        let full = loop {
            if let Err(error) = file.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }
}

/// A disk that is small.
pub struct Disk(PathBuf);

impl Disk {
    pub fn mount(at: PathBuf, size: &str) -> Self {
        fs::create_dir(&at).expect("writable");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "lab"]);
        said(mount.arg(&at)).expect("root may mount");
        Self(at)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = said(Command::new("umount").arg("--lazy").arg(&self.0)); // a panic must not hide the first
    }
}
