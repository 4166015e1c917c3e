//! The files of the checkout, without what is built or not ours.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what tools made, not what people wrote.
const NOT_OURS: [&str; 5] = ["target", ".git", "data", "corpus", "artifacts"];

/// The top of the checkout.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` (relative to the top) with that extension, relative to the top.
pub(super) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    let mut found: Vec<PathBuf> = found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|name| name == extension))
        .map(|path| relative(&path))
        .collect();
    found.sort();
    found
}

/// The text of a file, its path relative to the top.
pub(super) fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn relative(path: &Path) -> PathBuf {
    path.strip_prefix(root())
        .expect("the walk starts at the top")
        .to_owned()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_file() {
            found.push(path);
        } else if path.is_dir() && !NOT_OURS.iter().any(|skipped| name == *skipped) {
            collect(&path, found);
        }
    }
}
