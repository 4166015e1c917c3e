//! A real Prometheus judges the rules, their tests, and a centre that runs.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::metrics;
use crate::process::run_within;
use crate::up::{Running, get, until};

const RULES: &str = include_str!("../../dashboards/prometheus/noroshi.rules.yml");
const TESTS: &str = include_str!("../../dashboards/prometheus/noroshi.tests.yml");
const EXAMPLE: &str = include_str!("../../dashboards/prometheus/prometheus.example.yml");
/// What the example reads: `[metrics]` of the shipped configuration.
const TARGETS: &str = "targets: [\"127.0.0.1:7616\"]";
const SOON: Duration = Duration::from_secs(60);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/prometheus")
}

fn promtool(arguments: &[&str]) {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(folder());
    let output = run_within(command, SOON).expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// What follows `key: ` in the text.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let lines = text
        .lines()
        .map(|line| line.trim().trim_start_matches("- "));
    lines.filter_map(|line| line.strip_prefix(key)).collect()
}

#[test]
fn promtool_has_nothing_against_rules_tests_and_example() {
    promtool(&["check", "rules", "noroshi.rules.yml"]);
    promtool(&["check", "config", "prometheus.example.yml"]);
    promtool(&["test", "rules", "noroshi.tests.yml"]);
}

#[test]
fn every_rule_is_seen_firing_and_quiet() {
    let alerts = values(RULES, "alert: ");
    let expected: BTreeSet<String> = alerts
        .iter()
        .flat_map(|alert| [format!("{alert} fires"), format!("{alert} is quiet")])
        .collect();
    let mut tests = BTreeSet::new();
    for test in TESTS.split("\n  - name: ").skip(1) {
        let (name, body) = test.split_once('\n').expect("a name has a line");
        let (alert, manner) = name.split_once(' ').expect("an alert, and how it is");
        let told = format!("alertname: {alert}");
        let looks = body.matches("alertname: ").count();
        assert_eq!(
            body.matches(&told).count(),
            looks,
            "{name} is about another"
        );
        let quiet = body.matches("exp_alerts: []").count();
        let fires = usize::from(manner == "fires");
        assert_eq!(looks - quiet, fires, "{name}");
        assert!(quiet > 0, "{name} looks once only");
        assert!(tests.insert(name.to_owned()), "{name} comes twice");
    }
    assert_eq!(tests, expected);
}

#[test]
fn the_example_reads_where_the_shipped_configuration_tells() {
    let shipped = include_str!("../../config/noroshi.toml");
    for role in ["collector", "analyzer", "feeds", "console"] {
        let line = format!("# {role} = \"127.0.0.1:7616\"");
        assert!(shipped.contains(&line), "{line}");
    }
    assert!(EXAMPLE.contains(TARGETS), "{EXAMPLE}");
    let job = values(EXAMPLE, "job_name: ")[0];
    assert!(RULES.contains(&format!("up{{job=\"{job}\"}}")), "{job}");
}

/// A Prometheus with the example's configuration, a second for a quarter of a minute.
struct Prometheus {
    address: SocketAddr,
    directory: TempDir,
    _running: Running,
}

impl Prometheus {
    fn start(targets: &[SocketAddr]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        let listed: Vec<String> = targets.iter().map(|at| format!("\"{at}\"")).collect();
        let config = EXAMPLE
            .replace(TARGETS, &format!("targets: [{}]", listed.join(", ")))
            .replace("15s", "1s");
        std::fs::write(at("prometheus.yml"), config).expect("writable");
        std::fs::write(at("noroshi.rules.yml"), RULES).expect("writable");
        // Nothing tells which port it was given, so it is given one that was free.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = free.local_addr().expect("it is bound");
        drop(free);
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", at("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", at("data").display()))
            .arg(format!("--web.listen-address={address}"));
        let log = File::create(at("log")).expect("writable");
        command.stdin(Stdio::null()).stderr(log);
        let running = command
            .spawn()
            .expect("prometheus is installed: run `make setup-test`");
        Self {
            address,
            directory,
            _running: Running(running),
        }
    }

    /// What its API answers, once it does.
    fn data(&self, path: &str) -> Option<Value> {
        let answer = get(self.address, &format!("/api/v1/{path}")).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let answer: Value = serde_json::from_str(body).ok()?;
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        Some(answer["data"].clone())
    }

    /// How many series a question finds.
    fn finds(&self, question: &str) -> usize {
        let data = self.data(&format!("query?query={question}"));
        let found = data.and_then(|data| data["result"].as_array().map(Vec::len));
        found.unwrap_or(0)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).expect("readable")
    }
}

#[test]
fn a_prometheus_reads_every_role_and_has_what_the_rules_ask_for() {
    let (_up, addresses) = metrics::centre();
    let told = metrics::told(&addresses);
    let prometheus = Prometheus::start(&addresses);
    until("every role is up", || {
        (prometheus.finds("up==1") == addresses.len()).then_some(())
    });
    let rules = until("the rules are judged", || {
        let data = prometheus.data("rules")?;
        let rules = data["groups"][0]["rules"].as_array()?.clone();
        let is_judged = |rule: &Value| rule["health"] != "unknown";
        rules.iter().all(is_judged).then_some(rules)
    });
    assert_eq!(rules.len(), values(RULES, "alert: ").len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    let mut found = 0;
    for name in metrics::asked() {
        let has_value = |line: &str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{']))
        };
        if told.lines().any(has_value) {
            until(name, || (prometheus.finds(name) > 0).then_some(()));
            found += 1;
        }
    }
    // Refusals by reason have none, as long as none was refused.
    assert_eq!(found, metrics::asked().len() - 2, "{told}");
    let log = prometheus.log();
    assert!(!log.contains("level=error"), "{log}");
}
