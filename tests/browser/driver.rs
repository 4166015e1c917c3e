//! Node, which drives the browser: one program a subject, and what each of them complains about.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::run_within;

/// Longest one subject may take on a busy machine; the longest, every page in every role, needs half a minute.
const HANG: Duration = Duration::from_secs(240);
const MISSING: &str = "is missing: run `make setup-test`";

/// Has each of these files do its part at the console that `facts` describe.
///
/// # Panics
/// With all that they complain about.
pub fn drive(subjects: &[&str], facts: &Value) {
    let mut facts = facts.clone();
    facts["modules"] = modules().into();
    facts["chromium"] = program("chromium").into();
    let node = program("node");
    let tell = |subject: &&str| perform(&node, subject, &facts);
    let complaints: Vec<String> = subjects.iter().filter_map(tell).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// One subject; what it complains about.
fn perform(node: &str, subject: &str, facts: &Value) -> Option<String> {
    let mut command = Command::new(node);
    command.arg(top().join("tests/browser").join(subject));
    command.arg(facts.to_string()).current_dir(top());
    let output =
        run_within(command, HANG).unwrap_or_else(|| panic!("{subject} does not come to an end"));
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{subject}\n{said}");
    let error = String::from_utf8_lossy(&output.stderr);
    (!output.status.success()).then(|| format!("{subject}:\n{said}{error}"))
}

pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where `setup.sh` puts what `package.json` lists, at these versions.
pub fn modules() -> String {
    let wanted = fs::read(top().join("tests/browser/package.json")).expect("it is in the tree");
    let modules = top().join("target/interop/browser");
    let have = fs::read(modules.join("package.json")).unwrap_or_default();
    assert!(
        wanted == have && modules.join("node_modules").is_dir(),
        "what drives the browser {MISSING}"
    );
    modules.display().to_string()
}

/// The path of a program of the system.
#[allow(
    clippy::disallowed_methods,
    reason = "where programs are, the environment says"
)]
pub fn program(name: &str) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut places = path
        .split(':')
        .map(|folder| PathBuf::from(folder).join(name));
    let found = places.find(|place| place.is_file());
    let found = found.unwrap_or_else(|| panic!("{name} {MISSING}"));
    found.display().to_string()
}
