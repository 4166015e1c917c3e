//! A program of the OpenTelemetry project's own protocol that takes traces: `tests/interop/traces.py`.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::span::Spans;
use crate::up::{Running, until};

/// It runs until the test is over.
pub struct Receiver {
    directory: TempDir,
    port: u16,
    _running: Running,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.said());
        }
    }
}

impl Receiver {
    /// With the files of a certificate and its key, or without TLS.
    pub fn start(files: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/interop/traces/bin/python");
        let directory = tempfile::tempdir().expect("a directory");
        let said = File::create(directory.path().join("said")).expect("writable");
        let mut command = Command::new(&python);
        command
            .arg(root.join("tests/interop/traces.py"))
            .args(files);
        let running = command
            .stdin(Stdio::null())
            .stdout(said)
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}: run `make setup-test`", python.display()));
        let mut receiver = Self {
            directory,
            port: 0,
            _running: Running(running),
        };
        receiver.port = until("the receiver's port", || {
            receiver.said().lines().next()?.parse().ok()
        });
        receiver
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All that was told, as it was told.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("said")).expect("readable")
    }

    /// The spans in it.
    pub fn spans(&self) -> Spans {
        let said = self.said();
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        let requests = whole.lines().skip(1).map(|line| {
            serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e} in {line}"))
        });
        Spans::read(requests)
    }
}
