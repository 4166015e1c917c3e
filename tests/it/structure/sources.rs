//! Rules about source files that the compiler and clippy do not hold.

use std::path::{Path, PathBuf};

use super::tree::{files, text};

/// Lines of one file. A longer one knows too much.
const LINES_MAX: usize = 500;

/// The only files that may say `unsafe`: the engine's C library, and the capture's.
const UNSAFE_ALLOWED: [&str; 2] = [
    "store/src/engine/library.rs",
    "sensor/src/capture/packet_socket.rs",
];

/// Made by a program and held by a test that makes them again.
fn is_generated(path: &Path) -> bool {
    text(path).starts_with("// This file is @generated")
}

fn sources() -> Vec<PathBuf> {
    let sources = files(".", "rs");
    assert!(sources.len() > 20, "the walk finds the sources");
    sources
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|path| !is_generated(path))
        .map(|path| (text(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "split by nouns: {long:#?}");
}

#[test]
fn modules_stand_beside_their_folder() {
    for path in sources() {
        let name = path.file_name().unwrap_or_default();
        assert!(name != "mod.rs", "{}: foo.rs beside foo/", path.display());
        for vague in ["common.rs", "util.rs", "utils.rs", "helpers.rs", "misc.rs"] {
            assert!(name != vague, "{}: name it after its noun", path.display());
        }
    }
}

#[test]
fn unsafe_code_stands_in_two_files() {
    for path in sources() {
        let allows = text(&path).lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("unsafe_code") || line.starts_with("#![allow(unsafe_code")
        });
        let may = UNSAFE_ALLOWED
            .iter()
            .any(|allowed| path == Path::new(allowed));
        assert!(
            !allows || may,
            "{}: unsafe code does not belong here",
            path.display()
        );
    }
}

#[test]
fn every_file_says_what_it_holds() {
    for path in sources() {
        if is_generated(&path) || is_told_by_its_module(&path) {
            continue;
        }
        let text = text(&path);
        let first = text.lines().find(|line| !line.starts_with("#!["));
        assert!(
            first.is_some_and(|line| line.starts_with("//!")),
            "{}: the first line says what it holds",
            path.display()
        );
    }
}

/// Unit tests beside their module, and fuzz targets, which begin with their `#![no_main]`.
fn is_told_by_its_module(path: &Path) -> bool {
    path.ends_with("tests.rs")
        || path
            .components()
            .any(|part| part.as_os_str() == "fuzz_targets")
}

#[test]
fn questions_stand_in_sql_files() {
    for path in sources() {
        // Tests may ask what they like; the engine's own files speak to the engine.
        let shown = path.to_string_lossy().into_owned();
        if shown.contains("tests")
            || shown.contains("examples")
            || shown.contains("benches")
            || shown.starts_with("store/src/engine")
        {
            continue;
        }
        let asks = text(&path).lines().any(|line| {
            let line = line.trim_start();
            !line.starts_with("//") && line.contains("SELECT ") && line.contains(" FROM ")
        });
        assert!(
            !asks,
            "{shown}: put the question into a .sql file named after its answer"
        );
    }
}
