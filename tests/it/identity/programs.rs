//! The two programs, as an operator and a field technician use them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use super::site::{REGISTRY, Site};
use crate::corpus::{json_lines, noroshi, noroshi_sensor};
use crate::process::{run_reading, run_within};

const SOON: Duration = Duration::from_secs(30);

/// The operator's desk.
fn centre(site: &Site) -> PathBuf {
    let directory = site.machine("centre");
    fs::create_dir(&directory).expect("writable");
    fs::write(directory.join("registry.toml"), REGISTRY).expect("writable");
    let config = directory.join("noroshi.toml");
    let text = format!(
        "registry = \"registry.toml\"\n[collector]\nlisten = \"{}\"\n[collector.tls]\n\
         names = [\"127.0.0.1\"]\npath = \"{}\"\n",
        site.address(),
        site.identity().display(),
    );
    fs::write(&config, text).expect("writable");
    config
}

/// A box in the field.
fn machine(site: &Site, name: &str) -> PathBuf {
    let directory = site.machine(name);
    fs::create_dir(&directory).expect("writable");
    let config = directory.join("sensor.toml");
    let text = format!(
        "sensor = \"jp-1\"\ncollector = \"https://{}\"\ninterface = \"lo\"\n\
         telescope = [\"198.18.0.0/24\"]\nsalt_file = \"salt\"\nspool = {{ path = \"spool\" }}\n",
        site.address(),
    );
    fs::write(&config, text).expect("writable");
    config
}

fn sensor_command(config: &Path, arguments: &[&str]) -> Output {
    let mut command = noroshi();
    command.arg("sensor").args(arguments);
    command.arg("--config").arg(config);
    run_within(command, SOON).expect("it ends")
}

fn enrol(config: &Path, token: &Path) -> Output {
    let mut command = noroshi_sensor();
    command.arg("enrol").arg("--config").arg(config);
    let token = File::open(token).expect("readable");
    run_reading(command, token.into(), SOON).expect("it ends")
}

fn state_of(config: &Path) -> String {
    let listed = json_lines(&sensor_command(config, &["list", "--json"]));
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!(listed[0]["sensor"], "jp-1");
    listed[0]["state"].as_str().expect("a word").to_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_and_a_technician_set_up_a_sensor_with_one_word() {
    let site = Site::start().await;
    let centre = centre(&site);
    assert_eq!(state_of(&centre), "not enrolled");
    let given = sensor_command(&centre, &["enrol", "jp-1", "--by", "operator"]);
    assert!(given.status.success(), "{}", said(&given));
    assert_eq!(state_of(&centre), "invited");
    let token = site.machine("token");
    fs::write(&token, &given.stdout).expect("writable");

    let first = machine(&site, "first");
    let enrolled = enrol(&first, &token);
    assert!(enrolled.status.success(), "{}", said(&enrolled));
    assert_eq!(state_of(&centre), "enrolled");
    let kept = first.with_file_name("identity");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&kept), 0o700);
    assert_eq!(mode(&kept.join("sensor.pem")), 0o600);

    let second = enrol(&machine(&site, "second"), &token);
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).contains("it was used"), "{}", said(&second));

    let revoked = sensor_command(&centre, &["revoke", "jp-1"]);
    assert!(revoked.status.success(), "{}", said(&revoked));
    assert_eq!(state_of(&centre), "revoked");
    let journal = fs::read_to_string(site.identity().join("journal.jsonl")).expect("readable");
    assert_eq!(journal.lines().count(), 3, "{journal}");
    let stranger = sensor_command(&centre, &["enrol", "jp-3"]);
    assert_eq!(stranger.status.code(), Some(1));
    assert!(
        said(&stranger).contains("jp-1, jp-2"),
        "{}",
        said(&stranger)
    );
}

#[test]
fn whatever_is_not_a_token_is_said_so_before_anybody_is_asked() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("sensor.toml");
    let text = "sensor = \"jp-1\"\ncollector = \"https://127.0.0.1:9\"\ninterface = \"lo\"\n\
                telescope = [\"198.18.0.0/24\"]\nsalt_file = \"salt\"\n\
                spool = { path = \"spool\" }\n";
    fs::write(&config, text).expect("writable");
    let token = directory.path().join("token");
    fs::write(&token, "noroshi1-half\n").expect("writable");
    let refused = enrol(&config, &token);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("copy the whole word"),
        "{}",
        said(&refused)
    );
    fs::write(
        &config,
        text.replace("https://127.0.0.1:9", "http://192.0.2.1:9"),
    )
    .expect("writable");
    let wrong = enrol(&config, &token);
    assert_eq!(wrong.status.code(), Some(78), "{}", said(&wrong));
    assert!(said(&wrong).contains("sensor.toml:2: "), "{}", said(&wrong));
}
