//! Tells the tests whether the corpus of real captures is there, so that those which need it
//! are reported as ignored, by name, where it is absent. Shared by every crate with such tests.

use std::env;
use std::path::{Path, PathBuf};

#[allow(
    clippy::disallowed_methods,
    reason = "a build script is configured by the environment"
)]
fn main() {
    println!("cargo::rustc-check-cfg=cfg(corpus)");
    println!("cargo::rerun-if-env-changed=NOROSHI_CORPUS");
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let corpus = match env::var("NOROSHI_CORPUS") {
        Ok(path) => PathBuf::from(path),
        Err(_) => beside_the_checkout(&package),
    };
    let index = corpus.join("INDEX.tsv");
    println!("cargo::rerun-if-changed={}", index.display());
    if index.is_file() {
        println!("cargo::rustc-cfg=corpus");
        println!("cargo::rustc-env=NOROSHI_CORPUS_FOUND={}", corpus.display());
    }
}

/// `../shared/data` beside the workspace's root, which is this package or its parent.
fn beside_the_checkout(package: &Path) -> PathBuf {
    let root = package
        .ancestors()
        .find(|at| at.join("Cargo.lock").is_file())
        .unwrap_or(package);
    root.join("../shared/data")
}
