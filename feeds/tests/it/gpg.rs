//! OpenPGP as its users have it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A keyring of Debian's gpg, with one key.
pub(crate) struct Gpg {
    pub(crate) home: TempDir,
}

impl Gpg {
    /// Makes a key for an address.
    pub(crate) fn new(address: &str) -> Self {
        let gpg = Self {
            home: tempfile::tempdir().expect("a directory"),
        };
        let made = gpg.run(&[
            "--passphrase",
            "",
            "--quick-generate-key",
            address,
            "default",
            "default",
            "never",
        ]);
        assert!(made.status.success(), "{made:?}");
        gpg
    }

    /// Runs it, and gives what it says of itself.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new("gpg")
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback"])
            .args(["--status-fd", "1"])
            .args(arguments)
            .output()
            .expect("gpg is there: ./setup.sh test installs it")
    }

    /// Writes its key to a file, armoured.
    pub(crate) fn export(&self, what: &str, to: &Path) {
        let file = to.display().to_string();
        let done = self.run(&["--armor", "--output", &file, what]);
        assert!(done.status.success(), "{done:?}");
    }

    /// Takes a key in.
    pub(crate) fn import(&self, file: &Path) {
        let done = self.run(&["--import", &file.display().to_string()]);
        assert!(done.status.success(), "{done:?}");
    }

    /// Writes a file beside the keyring.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut agent = Command::new("gpgconf");
        agent
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--kill", "all"]);
        let _ = agent.status(); // an agent that is gone already is as good
    }
}
