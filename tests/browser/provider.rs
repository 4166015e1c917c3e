//! A provider of identities that is not ours, for as long as a test needs it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::driver::{modules, program, top};

/// What browsers call the console: another site than the provider.
pub const CONSOLE: &str = "http://console.test";
/// What the console proves itself with there.
pub const SECRET: &str = "told to nobody";

/// Runs until it is dropped.
pub struct Provider {
    process: Child,
    /// Kept, for it may say more: a pipe without a reader would end it.
    _said: BufReader<ChildStdout>,
    issuer: String,
}

impl Provider {
    /// Starts it, on a port of its choice.
    pub fn start() -> Self {
        let mut command = Command::new(program("node"));
        command
            .arg(top().join("tests/browser/provider.mjs"))
            .arg(modules())
            .arg(format!("{CONSOLE}/sign-in/elsewhere/back"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null()); // it warns that it is for tests
        let mut process = command.spawn().expect("node starts");
        let mut said = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut lines = said.by_ref().lines().map_while(Result::ok);
        let issuer = lines.find(|line| line.starts_with("http://"));
        let issuer = issuer.expect("the provider says where it is");
        Self {
            process,
            _said: said,
            issuer,
        }
    }

    /// The sections of the console's configuration that name it.
    pub fn section(&self) -> String {
        let issuer = &self.issuer;
        format!(
            "public_url = \"{CONSOLE}\"\n[console.oidc]\nissuer = \"{issuer}\"\n\
             client = \"noroshi\"\nsecret = \"oidc.secret\"\nname = \"the ministry\"\n"
        )
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill(); // a panic must not hide the first
        let _ = self.process.wait();
    }
}
