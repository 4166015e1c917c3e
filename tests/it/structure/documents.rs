//! Documents and samples that must be there, and be in order.

use std::fs;

use super::tree::{files, root, text};

#[test]
fn samples_and_documents_are_there() {
    for path in [
        "config/noroshi.toml",
        "config/registry.toml",
        "config/sensor.toml",
    ] {
        let parsed: Result<toml::Table, _> = toml::from_str(&text(path));
        assert!(parsed.is_ok(), "{path}: {parsed:?}");
    }
    for path in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "LICENSE",
    ] {
        assert!(!text(path).trim().is_empty(), "{path} is empty");
    }
    assert!(
        text("ARCHITECTURE.md").lines().count() < 300,
        "ARCHITECTURE.md is read in one go or not at all"
    );
}

#[test]
fn decisions_are_numbered_and_have_three_parts() {
    let mut names: Vec<String> = fs::read_dir(root().join("docs/decisions"))
        .expect("docs/decisions is there")
        .map(|entry| {
            let name = entry.expect("the entry can be read").file_name();
            name.into_string().expect("names are ASCII")
        })
        .collect();
    names.sort();
    for (number, name) in names.iter().enumerate() {
        assert!(
            name.starts_with(&format!("{number:04}-")) && name.ends_with(".md"),
            "{name}: numbers are four digits, without a gap (expected {number:04})"
        );
        let page = text(format!("docs/decisions/{name}"));
        for part in ["## Context", "## Decision", "## Consequences"] {
            assert!(page.contains(part), "{name}: no '{part}'");
        }
    }
}

#[test]
fn every_line_of_the_threat_model_is_tried_by_what_is_there() {
    let page = text("SECURITY.md");
    let (_, tried) = page.split_once("### What tries it").expect("it says so");
    let (tried, _) = tried.split_once("\n## ").expect("a section follows");
    let sources: String = files(".", "rs").iter().map(text).collect();
    let targets = [files("proto/fuzz", "rs"), files("sensor/fuzz", "rs")].concat();
    let is_fuzzed = |name: &str| {
        targets
            .iter()
            .any(|path| path.file_stem() == Some(name.as_ref()))
    };
    let rows = tried
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`'));
    let mut counted = 0;
    for row in rows {
        for name in row.split('`').skip(1).step_by(2) {
            let is_test = sources.contains(&format!("fn {name}("));
            assert!(
                is_test || is_fuzzed(name),
                "SECURITY.md: `{name}` is no test: {row}"
            );
        }
        counted += 1;
    }
    assert!(counted > 10, "the table was read");
}

#[test]
fn links_between_documents_lead_somewhere() {
    for path in files(".", "md") {
        let folder = root().join(path.parent().unwrap_or(&path));
        for target in local_links(&text(&path)) {
            assert!(
                folder.join(&target).exists(),
                "{} links to {target}, which is not there",
                path.display()
            );
        }
    }
}

/// The targets of `[text](target)` that name files, without anchors.
fn local_links(page: &str) -> Vec<String> {
    page.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or(target).to_owned())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}
