//! Which crate may know which, and what every crate inherits.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{Metadata, MetadataCommand};

use super::tree::{root, text};

/// What roles that people watch over may know.
const SERVER: [&str; 3] = ["noroshi-metrics", "noroshi-proto", "noroshi-store"];

/// What those may know that speak HTTP.
const HTTP_SERVER: [&str; 4] = [
    "noroshi-metrics",
    "noroshi-proto",
    "noroshi-store",
    "noroshi-web",
];

/// Who may depend on whom, `proto ← sensor` and
/// `proto ← store ← {collector, analyzer, feeds, dashboards, console} ← noroshi`.
/// The root package depends on the sensor for `replay` and `demo`.
///
/// A new edge needs its own commit and a page in docs/decisions.
const EDGES: [(&str, &[&str]); 11] = [
    ("noroshi-metrics", &[]),
    ("noroshi-web", &["noroshi-metrics"]),
    ("noroshi-proto", &[]),
    ("noroshi-sensor", &["noroshi-proto"]),
    ("noroshi-store", &["noroshi-proto"]),
    ("noroshi-collector", &SERVER),
    ("noroshi-analyzer", &SERVER),
    ("noroshi-feeds", &HTTP_SERVER),
    ("noroshi-dashboards", &["noroshi-proto", "noroshi-store"]),
    ("noroshi-console", &HTTP_SERVER),
    (
        "noroshi",
        &[
            "noroshi-analyzer",
            "noroshi-collector",
            "noroshi-console",
            "noroshi-dashboards",
            "noroshi-feeds",
            "noroshi-metrics",
            "noroshi-proto",
            "noroshi-sensor",
            "noroshi-store",
            "noroshi-web",
        ],
    ),
];

/// What each manifest takes from the workspace, as `[package] key.workspace = true`.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo reads its own workspace")
}

/// Name of each package and the text of its manifest, parsed.
fn manifests() -> BTreeMap<String, toml::Table> {
    metadata()
        .packages
        .iter()
        .map(|package| {
            let manifest = text(&package.manifest_path);
            let manifest = toml::from_str(&manifest).expect("cargo has read it");
            (package.name.to_string(), manifest)
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let listed: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        ours, listed,
        "a crate came or went: say in EDGES what it may know"
    );

    for package in &metadata.packages {
        let allowed = EDGES
            .iter()
            .find(|(name, _)| *name == package.name.as_str())
            .map(|(_, allowed)| *allowed)
            .expect("compared above");
        // Dependencies of tests and benchmarks count as well: they are edges like any other.
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            assert!(
                !ours.contains(name) || allowed.contains(&name),
                "{} must not depend on {name}",
                package.name
            );
        }
    }
}

#[test]
fn every_crate_inherits_lints_and_facts() {
    for (name, manifest) in manifests() {
        let lints = &manifest["lints"]["workspace"];
        assert_eq!(
            lints.as_bool(),
            Some(true),
            "{name}: [lints] workspace = true"
        );
        for key in INHERITED {
            let inherited = manifest["package"][key].get("workspace");
            assert_eq!(
                inherited.and_then(toml::Value::as_bool),
                Some(true),
                "{name}: {key}.workspace = true"
            );
        }
        assert!(
            manifest["package"].get("description").is_some(),
            "{name}: say in `description` what it is for"
        );
    }
}

#[test]
fn every_dependency_is_declared_once_for_all() {
    for (name, manifest) in manifests() {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(kind).and_then(toml::Value::as_table) else {
                continue;
            };
            for (dependency, source) in dependencies {
                assert_eq!(
                    source.get("workspace").and_then(toml::Value::as_bool),
                    Some(true),
                    "{name}: {dependency} stands in [workspace.dependencies], with its version"
                );
            }
        }
    }
}

#[test]
fn one_build_script_and_it_makes_nothing() {
    // Generated code is committed and the engine is loaded at run time. The one script only looks
    // whether the corpus of captures is there, so that tests can be reported as ignored.
    let shared = root().join("build.rs");
    for package in metadata().packages {
        for target in package
            .targets
            .iter()
            .filter(|target| target.is_custom_build())
        {
            let script = target
                .src_path
                .canonicalize_utf8()
                .expect("cargo has found it");
            assert_eq!(
                script.as_std_path(),
                shared,
                "{}: no build.rs of its own",
                package.name
            );
        }
    }
    let script = text("build.rs");
    for way_out in ["Command", "fs::write", "File::create", "TcpStream"] {
        assert!(!script.contains(way_out), "build.rs must not use {way_out}");
    }
}

#[test]
fn two_binaries_are_shipped_and_one_serves_tests() {
    let binaries: BTreeSet<String> = metadata()
        .packages
        .iter()
        .flat_map(|package| &package.targets)
        .filter(|target| target.is_bin())
        .map(|target| target.name.clone())
        .collect();
    // noroshi-engine is `noroshi engine …` alone: what the store's own tests start.
    let known = ["noroshi", "noroshi-engine", "noroshi-sensor"].map(str::to_owned);
    assert_eq!(binaries, BTreeSet::from(known));
}
