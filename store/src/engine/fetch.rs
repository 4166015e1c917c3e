//! Getting the engine's library, and finding it.
//!
//! It is the package `@chdb/lib-linux-x64-gnu`, which holds ClickHouse's `libchdb.so`. It comes
//! through the ordinary `npm` client, so that the machine's own settings say from where, and is
//! checked against the SHA-256 below before anything is unpacked.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use super::EngineError;
use super::endpoint::{Holder, holder};

/// The engine's version, as the package names it.
pub const VERSION: &str = "26.7.3-stable.1";

/// A package of the registry.
struct Package {
    name: &'static str,
    /// Of the packed file.
    sha256: &'static str,
}

/// The package for this machine. Others of its family exist (arm64, macOS); they need their
/// digest here.
const PACKAGE: Option<Package> = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    Some(Package {
        name: "@chdb/lib-linux-x64-gnu",
        sha256: "c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad",
    })
} else {
    None
};

/// What there is of the engine.
#[derive(Debug)]
pub struct Status {
    /// Where the library is, or belongs.
    pub library: PathBuf,
    /// The library's size in bytes; `None` where it is missing.
    pub bytes: Option<u64>,
    /// The version that `noroshi engine fetch` installs.
    pub version: &'static str,
    /// The URL and process of the engine that serves the directory asked about.
    pub running: Option<(String, u32)>,
}

/// Says what there is: the library, and whether an engine serves `directory`.
///
/// # Errors
/// When the user has no home directory, or `directory` cannot be read.
pub fn status(directory: &Path) -> Result<Status, EngineError> {
    let library = place()?;
    let running = match directory.join("engine.lock").exists() {
        true => holder(directory)?,
        false => Holder::Nobody,
    };
    Ok(Status {
        bytes: std::fs::metadata(&library).ok().map(|found| found.len()),
        library,
        version: VERSION,
        running: match running {
            Holder::Serving(found) => Some((found.url, found.pid)),
            Holder::Starting | Holder::Nobody => None,
        },
    })
}

/// The library: what `NOROSHI_ENGINE` names, else what was fetched.
///
/// # Errors
/// [`EngineError::Missing`], which names the command that fetches it.
pub fn locate() -> Result<PathBuf, EngineError> {
    let library = place()?;
    match library.is_file() {
        true => Ok(library),
        false => Err(EngineError::Missing(library)),
    }
}

fn place() -> Result<PathBuf, EngineError> {
    if let Some(named) = variable("NOROSHI_ENGINE") {
        return Ok(named);
    }
    Ok(installed()?.join("libchdb.so"))
}

/// The directory of the installed version.
fn installed() -> Result<PathBuf, EngineError> {
    let cache = variable("XDG_CACHE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .ok_or_else(|| {
            EngineError::Fetch("neither XDG_CACHE_HOME nor HOME says where to keep it".to_owned())
        })?;
    Ok(cache.join("noroshi/engine").join(VERSION))
}

#[allow(
    clippy::disallowed_methods,
    reason = "where a user's files belong is said by the environment; this is a shell"
)]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// Fetches the library (178 MB) and installs it (557 MB), unless it is there. Blocks. Shows its
/// progress on a terminal, nothing elsewhere. Gives the library's path.
///
/// # Errors
/// [`EngineError::Fetch`] without `npm` or `tar`, without the network, or when the file is not
/// the one expected. The cache then holds what it held before.
pub fn fetch() -> Result<PathBuf, EngineError> {
    let installed = installed()?;
    let library = installed.join("libchdb.so");
    if library.is_file() {
        return Ok(library);
    }
    let package = PACKAGE.ok_or_else(|| {
        EngineError::Fetch(
            "there is no known package for this machine: let NOROSHI_ENGINE name a libchdb.so"
                .to_owned(),
        )
    })?;
    std::fs::create_dir_all(&installed)
        .map_err(|source| EngineError::file("create", &installed, source))?;
    // In the cache itself, so that the last step is a rename.
    let work = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(&installed)
        .map_err(|source| EngineError::file("create a directory in", &installed, source))?;

    let progress = spinner();
    progress.set_message(format!("fetching {} {VERSION} (178 MB)", package.name));
    let packed = download(&package, work.path())?;
    progress.set_message("checking its SHA-256");
    check(&packed, package.sha256)?;
    progress.set_message("unpacking (557 MB)");
    unpack(&packed, work.path())?;
    let unpacked = work.path().join("package/libchdb.so");
    std::fs::File::open(&unpacked)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(&unpacked, &library))
        .map_err(|source| EngineError::file("install", &library, source))?;
    progress.finish_and_clear();
    Ok(library)
}

/// A bar that moves on a terminal and is silent elsewhere.
fn spinner() -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

fn download(package: &Package, work: &Path) -> Result<PathBuf, EngineError> {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--pack-destination"])
        .arg(work)
        .arg(format!("{}@{VERSION}", package.name))
        .current_dir(work);
    run(npm, "npm", "install Node.js, which brings it")?;
    let found = std::fs::read_dir(work)
        .map_err(|source| EngineError::file("read", work, source))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    found.ok_or_else(|| EngineError::Fetch("npm pack left no file".to_owned()))
}

fn check(packed: &Path, expected: &str) -> Result<(), EngineError> {
    let read = || {
        let mut file = std::fs::File::open(packed)?;
        let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1024 * 1024]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(digest.finalize()),
                length => digest.update(&buffer[..length]),
            }
        }
    };
    let digest = read().map_err(|source| EngineError::file("read", packed, source))?;
    let found = digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String does not fail
        text
    });
    if found == expected {
        return Ok(());
    }
    Err(EngineError::Fetch(format!(
        "the file is not the one expected: its SHA-256 is {found}, not {expected}"
    )))
}

fn unpack(packed: &Path, work: &Path) -> Result<(), EngineError> {
    let mut tar = Command::new("tar");
    tar.arg("-xzf")
        .arg(packed)
        .arg("-C")
        .arg(work)
        .arg("package/libchdb.so");
    run(tar, "tar", "install it")
}

fn run(mut command: Command, name: &str, remedy: &str) -> Result<(), EngineError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| EngineError::Fetch(format!("{name} does not run ({error}): {remedy}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    let last = said[said.len().saturating_sub(5)..].join("; ");
    Err(EngineError::Fetch(format!(
        "{name} failed ({}): {last}",
        output.status
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_another_digest_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("package.tgz");
        std::fs::write(&file, "abc").unwrap();
        // FIPS 180-2, appendix B.1
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        check(&file, abc).unwrap();
        let error = check(&file, &abc.replace('b', "c")).unwrap_err();
        assert!(error.to_string().contains(abc), "{error}");
    }

    #[test]
    fn a_missing_program_is_named_with_its_remedy() {
        let error = run(Command::new("noroshi-no-such-program"), "npm", "install it").unwrap_err();
        assert!(error.to_string().contains("npm does not run"), "{error}");
        assert!(error.to_string().ends_with("install it"), "{error}");
    }
}
