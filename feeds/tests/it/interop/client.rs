//! A partner's program in its own Python environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// One environment, made by `setup.sh` from `interop/requirements-NAME.txt`.
pub(crate) struct Client {
    python: PathBuf,
}

impl Client {
    pub(crate) fn named(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let python = root.join("target/interop").join(name).join("bin/python");
        assert!(
            python.is_file(),
            "{} is missing: run ./setup.sh test",
            python.display()
        );
        Self { python }
    }

    /// Runs a script of `feeds/interop`; gives the JSON that it prints.
    pub(crate) async fn run(&self, script: &str, home: &Path, arguments: &[&str]) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("interop")
            .join(script);
        let mut command = Command::new(&self.python);
        command
            .args(["-W", "ignore"])
            .arg(script)
            .args(arguments)
            .env("INTELMQ_ROOT_DIR", home)
            .env("HOME", home)
            .env("no_proxy", "*");
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.expect("no panic").expect("python starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {:?} {told}", output.stdout))
    }
}
