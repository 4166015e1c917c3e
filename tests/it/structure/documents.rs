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
