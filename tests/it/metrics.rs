//! What Prometheus reads of a centre that runs, and the rules that ask for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::time::Duration;

use crate::centre::Centre;
use crate::corpus::noroshi;

const REGISTRY: &str = "[[partner]]\nid = \"th-cert\"\nname = \"x\"\ncountry = \"TH\"\n";
const RULES: &str = include_str!("../../dashboards/prometheus/noroshi.rules.yml");
/// All roles in one place; a port that the system chooses.
const SECTIONS: &str = "\
    [collector]\nlisten = \"127.0.0.1:0\"\n\
    [metrics]\ncollector = \"127.0.0.1:0\"\nanalyzer = \"127.0.0.1:0\"\nfeeds = \"127.0.0.1:0\"\n";

/// Killed with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again until what is told has this.
fn told(centre: &Centre, words: &str) -> String {
    let mut last = String::new();
    for _ in 0..600 {
        if let Some(address) = address(centre) {
            last = ask(address).unwrap_or_default();
            if last.contains(words) {
                return last;
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("not told: {words}\nbut: {last}");
}

fn address(centre: &Centre) -> Option<SocketAddr> {
    let log = std::fs::read_to_string(centre.beside("log")).expect("readable");
    let line = log
        .lines()
        .find(|line| line.contains("metrics are served"))?;
    line.split_once("address=")?.1.trim().parse().ok()
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Families by kind; each is told once, with words.
fn families(text: &str) -> BTreeMap<&str, &str> {
    let mut families = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a kind");
            assert!(families.insert(name, kind).is_none(), "{name} comes once");
            assert!(
                text.contains(&format!("# HELP {name} ")),
                "{name} has no words"
            );
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        }
    }
    families
}

#[test]
fn a_centre_tells_of_all_its_roles_and_the_rules_ask_for_what_it_tells() {
    let centre = Centre::new(REGISTRY, SECTIONS);
    let log = File::create(centre.beside("log")).expect("writable");
    let mut command = noroshi();
    command.args(["-v", "up", "--config"]).arg(centre.config());
    let running = Running(command.stderr(log).spawn().expect("it starts"));
    let text = told(&centre, "noroshi_analyzer_leads 1\n");
    let families = families(&text);
    for role in ["collector", "analyzer", "feeds"] {
        let prefix = format!("noroshi_{role}_");
        assert!(
            families.keys().any(|name| name.starts_with(&prefix)),
            "{role}"
        );
    }
    let asked = RULES.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let asked: BTreeSet<&str> = asked.filter(|word| word.starts_with("noroshi_")).collect();
    assert!(asked.len() >= 7, "{asked:?}");
    for name in asked {
        let family = name.strip_suffix("_bucket").unwrap_or(name);
        assert!(families.contains_key(family), "nothing is told of {name}");
    }
    drop(running);
}
