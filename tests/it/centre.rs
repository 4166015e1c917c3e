//! A centre's configuration in a directory of its own, gone afterwards.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use tempfile::TempDir;

use crate::corpus::noroshi;
use crate::process::run_within;

/// Longest one replay of a day may take on a busy machine; with background it needs a minute.
const HANG: Duration = Duration::from_secs(600);

/// A directory with `noroshi.toml` and `registry.toml`.
pub struct Centre {
    directory: TempDir,
}

impl Centre {
    /// With this registry, and `more` sections besides the store's.
    pub fn new(registry: &str, more: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("registry.toml"), registry).expect("writable");
        let config = format!("registry = \"registry.toml\"\n[store]\nurl = \"embedded\"\n{more}");
        std::fs::write(at("noroshi.toml"), config).expect("writable");
        Self { directory }
    }

    /// The configuration's path.
    pub fn config(&self) -> PathBuf {
        self.directory.path().join("noroshi.toml")
    }

    /// A path in the configuration's directory.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `noroshi replay --json` of each sensor's capture.
    pub fn replay(&self, sensors: &[(&str, PathBuf)]) -> Output {
        let mut command = noroshi();
        command
            .arg("replay")
            .arg("--json")
            .arg("--config")
            .arg(self.config());
        for (sensor, capture) in sensors {
            command
                .arg("--sensor")
                .arg(format!("{sensor}={}", capture.display()));
        }
        run_within(command, HANG).expect("a replay ends")
    }
}
