//! The command line: a contract others script against.

use std::process::Command;
use std::time::Duration;

use crate::centre::Centre;
use crate::corpus::{noroshi, noroshi_sensor};
use crate::process::run_within;

/// The demo needs about a minute on a busy machine.
const DEMO: Duration = Duration::from_secs(240);
const SOON: Duration = Duration::from_secs(30);

/// Exit code and standard error.
fn end_of(mut command: Command, arguments: &[&str]) -> (i32, String) {
    command.args(arguments);
    let output = run_within(command, SOON).expect("the command ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("not killed"), stderr)
}

#[test]
fn the_demo_ends_well_only_with_every_expected_alert() {
    noroshi_sensor(); // must be there
    let mut demo = noroshi();
    demo.args(["demo", "--exit"]);
    let output = run_within(demo, DEMO).expect("the demo ends by itself");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(
        stdout.contains("Every expected alert came, and no other."),
        "{stdout}"
    );
    assert!(!stdout.contains('\x1b'), "escape codes went into a pipe");
}

#[test]
fn wrong_use_is_2_and_wrong_configuration_is_78() {
    assert_eq!(end_of(noroshi(), &["repaly"]).0, 2);
    assert_eq!(end_of(noroshi_sensor(), &["replay"]).0, 2);
    let (code, stderr) = end_of(noroshi(), &["check", "--config", "/does/not/exist.toml"]);
    assert_eq!(code, 78, "{stderr}");
    assert!(stderr.contains("/does/not/exist.toml"), "{stderr}");
}

#[test]
fn check_names_file_and_line_of_every_fault() {
    let registry = "[[partner]]\nid = \"TH\"\nname = \"x\"\ncountry = \"Thailand\"\n";
    let centre = Centre::new(registry, "[colector]\nlisten = \"127.0.0.1:1\"\n");
    let config = centre.config();
    let path = config.to_str().expect("a temporary path is text");
    let (code, stderr) = end_of(noroshi(), &["check", "--config", path]);
    assert_eq!(code, 78, "{stderr}");
    assert!(
        stderr.contains("noroshi.toml:4"),
        "the misspelt section: {stderr}"
    );
    assert!(
        stderr.contains("registry.toml:2"),
        "the partner's id: {stderr}"
    );
    assert!(stderr.contains("registry.toml:4"), "the country: {stderr}");
}
