//! Every frame of every capture is counted somewhere.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;

use crate::corpus::{corpus, entries, noroshi_sensor};
use crate::process::run_within;

/// Longest any file of the corpus may take. The slowest needs well under a second.
const HANG: Duration = Duration::from_secs(60);
/// Resident memory a sensor may use on any file, in KiB.
const MEMORY_MAX: i64 = 300 * 1024;

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn every_frame_of_the_captures_is_counted() {
    let mut checked = 0;
    for entry in entries("captures/")
        .iter()
        .filter(|entry| is_capture(&entry.file))
    {
        let (summary, code, stderr) = replay(&entry.file);
        assert_balanced(&entry.file, &summary);
        assert_eq!(code, 0, "{}: {stderr}", entry.file);
        if has_known_packets(&entry.file) {
            assert_eq!(summary["frames"].as_u64(), entry.packets, "{}", entry.file);
        }
        checked += 1;
    }
    assert!(checked > 60, "only {checked} captures were checked");
    assert_memory();
}

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn every_frame_of_the_malformed_files_is_counted() {
    let mut checked = 0;
    for entry in entries("malformed/") {
        let (summary, code, stderr) = replay(&entry.file);
        assert_balanced(&entry.file, &summary);
        match code {
            0 => {}
            1 => {
                let name = entry.file.rsplit('/').next().unwrap_or_default();
                assert!(stderr.contains(name), "the file is not named: {stderr}");
                assert!(stderr.contains("byte"), "no offset is named: {stderr}");
            }
            other => panic!("{}: exit code {other}: {stderr}", entry.file),
        }
        checked += 1;
    }
    assert!(checked > 490, "only {checked} files were checked");
    assert_memory();
}

fn is_capture(file: &str) -> bool {
    file.ends_with(".pcap") || file.ends_with(".pcapng")
}

fn has_known_packets(file: &str) -> bool {
    ["scan_", "real_", "day_"]
        .iter()
        .any(|prefix| file.starts_with(&format!("captures/{prefix}")))
}

/// Replays one file on a telescope that watches everything.
fn replay(file: &str) -> (Value, i32, String) {
    let mut command = noroshi_sensor();
    command.arg("replay").arg(corpus().join(file)).arg("--json");
    command.args(["--telescope", "0.0.0.0/0", "--telescope", "::/0"]);
    let output = run_within(command, HANG).unwrap_or_else(|| panic!("{file} hangs"));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout
        .lines()
        .last()
        .unwrap_or_else(|| panic!("{file}: no summary; {stderr}"));
    let summary: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{file}: {e}"));
    let code = output
        .status
        .code()
        .unwrap_or_else(|| panic!("{file}: killed; {stderr}"));
    (summary["summary"].clone(), code, stderr)
}

/// `frames == packets + sum(undecodable) + outside_telescope`
fn assert_balanced(file: &str, summary: &Value) {
    let count = |key: &str| {
        summary[key]
            .as_u64()
            .unwrap_or_else(|| panic!("{file}: {key} is missing in {summary}"))
    };
    let undecodable: u64 = summary["undecodable"]
        .as_object()
        .unwrap_or_else(|| panic!("{file}: undecodable is missing"))
        .values()
        .map(|value| value.as_u64().expect("a count"))
        .sum();
    let kept = count("packets") + undecodable + count("outside_telescope");
    assert_eq!(count("frames"), kept, "{file}: {summary}");
}

/// The largest of all children so far; each test is a process of its own.
fn assert_memory() {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel accounts for children");
    assert!(
        usage.max_rss() < MEMORY_MAX,
        "a replay used {} KiB",
        usage.max_rss()
    );
}
