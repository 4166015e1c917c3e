//! `docs/detectors.md` says what the code does.
//!
//! Facts and settings stand between markers and are made from the code: after a change run
//! `UPDATE_EXPECT=1 cargo nextest run -p noroshi-analyzer documentation`. The rest is
//! prose; every reason must be named in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use noroshi_analyzer::detectors::{self, Facts, Observation, WarmUp};
use noroshi_analyzer::finding::Reason;
use noroshi_analyzer::settings::Settings;

const END: &str = "<!-- end -->";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/detectors.md")
}

/// Defaults of every section of the settings.
fn defaults() -> toml::Table {
    let text = toml::to_string(&Settings::default()).expect("settings are TOML");
    toml::from_str(&text).expect("what was written is read")
}

/// What the source says about each key, by the type of its section.
fn comments() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let (mut section, mut comment) = (String::new(), String::new());
    let source = [
        include_str!("../../src/settings.rs"),
        include_str!("../../src/settings/surges.rs"),
    ];
    for line in source.iter().flat_map(|text| text.lines()).map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            comment = format!("{comment} {text}");
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            section = rest.trim_end_matches(" {").to_owned();
            comment.clear();
        } else if let Some((key, kind)) = line.strip_prefix("pub ").and_then(|l| l.split_once(": "))
        {
            let fields = all.entry(section.clone()).or_default();
            let text = comment.trim().replace('|', "\\|");
            fields.insert(key.to_owned(), text);
            let of_type = format!("{key}:type");
            fields.insert(of_type, kind.trim_end_matches(',').to_owned());
            comment.clear();
        } else if !line.starts_with("#[") {
            comment.clear();
        }
    }
    all
}

fn settings_block(section: &str) -> Option<String> {
    let (all, comments) = (defaults(), comments());
    let keys = all.get(section)?.as_table()?;
    let of_type = &comments["Settings"][&format!("{section}:type")];
    let mut block = "| key | default | meaning |\n|---|---|---|\n".to_owned();
    write_keys(&mut block, "", keys, (of_type, &comments));
    Some(block)
}

/// A row per key; those of a section within the section follow it, under its name.
fn write_keys(
    block: &mut String,
    within: &str,
    keys: &toml::Table,
    (of_type, comments): (&str, &BTreeMap<String, BTreeMap<String, String>>),
) {
    for (key, value) in keys {
        let name = format!("{within}{key}");
        if let Some(inner) = value.as_table() {
            let inner_type = &comments[of_type][&format!("{key}:type")];
            let within = format!("{name}.");
            write_keys(block, &within, inner, (inner_type, comments));
            continue;
        }
        let text = &comments[of_type][key];
        writeln!(block, "| `{name}` | `{value}` | {text} |").expect("text grows");
    }
}

fn facts() -> Vec<Facts> {
    let all = detectors::all(&Settings::default(), Observation::Live);
    all.iter().map(|detector| detector.facts()).collect()
}

fn facts_block(name: &str) -> Option<String> {
    let facts = facts().into_iter().find(|facts| facts.name == name)?;
    let kinds = facts.kinds.iter().map(|kind| format!("`{}`", kind.name()));
    let kinds: Vec<String> = kinds.collect();
    let warm_up = match facts.warm_up {
        WarmUp::Nothing => "none".to_owned(),
        WarmUp::Windows { seconds } => format!("{seconds} s of windows"),
        WarmUp::Rollups { seconds } => format!("{seconds} s of ten-minute rollups"),
    };
    Some(format!(
        "Kinds: {}. Warm-up: {warm_up}.\n",
        kinds.join(", ")
    ))
}

/// Whatever the code says for a marker, such as `settings: hosts`.
fn block(marker: &str) -> Option<String> {
    match marker.split_once(": ")? {
        ("settings", section) => settings_block(section),
        ("facts", name) => facts_block(name),
        _ => None,
    }
}

fn marker(line: &str) -> Option<&str> {
    let inside = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    inside.contains(": ").then_some(inside)
}

/// The document with every block as the code has it.
fn made_again(document: &str) -> String {
    let mut made = String::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        made.push_str(line);
        made.push('\n');
        let Some(marker) = marker(line) else { continue };
        let Some(block) = block(marker) else {
            panic!("docs/detectors.md: nothing in the code is called {marker:?}");
        };
        let closed = lines.by_ref().any(|line| line == END);
        assert!(closed, "docs/detectors.md: {marker:?} has no {END}");
        made.push_str(&block);
        made.push_str(END);
        made.push('\n');
    }
    made
}

#[test]
fn facts_and_settings_are_those_of_the_code() {
    let document = std::fs::read_to_string(path()).expect("docs/detectors.md is there");
    let made = made_again(&document);
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever runs the test asks for it"
    )]
    let update = std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1");
    if update {
        std::fs::write(path(), &made).expect("docs/detectors.md can be written");
    } else {
        assert!(
            made == document,
            "docs/detectors.md is stale: UPDATE_EXPECT=1 cargo nextest run -p noroshi-analyzer documentation"
        );
    }
    let markers: BTreeSet<&str> = document.lines().filter_map(marker).collect();
    let sections = defaults()
        .into_iter()
        .map(|(key, _)| format!("settings: {key}"));
    let names = facts()
        .into_iter()
        .map(|facts| format!("facts: {}", facts.name));
    for wanted in sections.chain(names) {
        assert!(
            markers.contains(wanted.as_str()),
            "docs/detectors.md lacks <!-- {wanted} -->"
        );
    }
}

#[test]
fn every_reason_is_named_and_every_detector_has_a_section() {
    let document = std::fs::read_to_string(path()).expect("docs/detectors.md is there");
    for reason in Reason::ALL {
        let code = format!("`{}`", reason.code());
        assert!(document.contains(&code), "docs/detectors.md lacks {code}");
    }
    let titles: BTreeSet<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    for facts in facts() {
        assert!(
            titles.contains(facts.name),
            "docs/detectors.md lacks ## {}",
            facts.name
        );
        let begin = format!("## {}\n", facts.name);
        let after = document.split_once(&begin).map_or("", |(_, after)| after);
        let section = after.split("\n## ").next().unwrap_or("");
        for part in ["**Sees.**", "**Rule.**", "**Example.**", "**Blind to.**"] {
            assert!(section.contains(part), "## {} lacks {part}", facts.name);
        }
    }
}
