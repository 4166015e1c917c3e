//! What Prometheus reads of a centre that runs, and the rules that ask for it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use noroshi_console::user::{Role, with_password};

use crate::centre::Centre;
use crate::up::{Up, get, until, write_secret};

const REGISTRY: &str = "[[partner]]\nid = \"th-cert\"\nname = \"x\"\ncountry = \"TH\"\n";
const RULES: &str = include_str!("../../dashboards/prometheus/noroshi.rules.yml");
/// Each role on an address of its own, on ports that the system chooses.
const SECTIONS: &str = "\
    [collector]\nlisten = \"127.0.0.1:0\"\n\
    [feeds]\nlisten = \"127.0.0.1:0\"\ntokens = \"tokens\"\n\
    [console]\nlisten = \"127.0.0.1:0\"\nusers = \"users.toml\"\n\
    [metrics]\ncollector = \"127.0.0.1:0\"\nanalyzer = \"127.0.0.2:0\"\n\
    feeds = \"127.0.0.3:0\"\nconsole = \"127.0.0.4:0\"\n";
const ROLES: [&str; 4] = ["collector", "analyzer", "feeds", "console"];

/// A centre with all roles, and where each is read.
pub fn centre() -> (Up, Vec<SocketAddr>) {
    let centre = Centre::new(REGISTRY, SECTIONS);
    std::fs::create_dir(centre.beside("tokens")).expect("it can be made");
    let user = with_password("aiko", Role::Viewer, "a long pass phrase", &[3; 16]);
    write_secret(&centre, "users.toml", &user.expect("a user").written());
    let up = Up::start(centre);
    let addresses = up.addresses("metrics are served", ROLES.len());
    (up, addresses)
}

/// What each place tells, once the analyzer decides.
pub fn told(addresses: &[SocketAddr]) -> String {
    until("the analyzer decides", || {
        let tell = |address: &SocketAddr| get(*address, "/metrics").unwrap_or_default();
        let text: String = addresses.iter().map(tell).collect();
        text.contains("noroshi_analyzer_leads 1\n").then_some(text)
    })
}

/// Names of metrics in the rules.
pub fn asked() -> BTreeSet<&'static str> {
    let words = RULES.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("noroshi_")).collect()
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

/// What `promtool check metrics` has against a text.
fn complaints(text: &str) -> String {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = command
        .spawn()
        .expect("promtool is installed: run `make setup-test`");
    let mut input = promtool.stdin.take().expect("piped above");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = promtool.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    match output.status.success() {
        true => said,
        false => format!("{said}({})", output.status),
    }
}

#[test]
fn a_centre_tells_of_all_its_roles_and_the_rules_ask_for_what_it_tells() {
    let (up, addresses) = centre();
    let console = up.address("the console is served");
    get(console, "/sign-in").expect("it answers");
    let feeds = up.address("feeds are served");
    get(feeds, "/health").expect("it answers");
    let text = told(&addresses);
    let families = families(&text);
    for role in ROLES {
        let prefix = format!("noroshi_{role}_");
        assert!(
            families.keys().any(|name| name.starts_with(&prefix)),
            "{role}"
        );
    }
    let asked = asked();
    assert!(asked.len() >= 7, "{asked:?}");
    for name in asked {
        let family = name.strip_suffix("_bucket").unwrap_or(name);
        assert!(families.contains_key(family), "nothing is told of {name}");
    }
    for address in addresses {
        let answer = get(address, "/metrics").expect("it answers");
        let (_, text) = answer.split_once("\r\n\r\n").expect("a body");
        assert_eq!(complaints(text), "", "{text}");
    }
}
