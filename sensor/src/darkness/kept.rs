//! What is lit, kept for the next run: a file of one prefix a line, which an operator edits.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use noroshi_proto::time::Millis;

/// The file, in the spool's directory.
const FILE: &str = "lit";
/// Read at most: more than a telescope has prefixes to light.
const PREFIXES_MAX: usize = 65_536;

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The operator looks at path and rights.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The operator mends the line.
    #[error("{}:{line}: `{text}` is no prefix: write one a line, as in 198.18.3.16/28", path.display())]
    NoPrefix {
        /// Where.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
}

/// Where the list stands.
pub fn path(spool: &Path) -> PathBuf {
    spool.join(FILE)
}

/// What is lit; nothing where there is no list. What stands behind a prefix is for people.
///
/// # Errors
/// See [`KeptError`]: without the list nothing may be recorded.
pub fn read(spool: &Path) -> Result<Vec<IpNet>, KeptError> {
    let path = path(spool);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed("read", &path)(source)),
    };
    let written = text.lines().enumerate().filter_map(|(index, line)| {
        let word = line.split('#').next()?.split_whitespace().next()?;
        Some((index + 1, word))
    });
    written
        .take(PREFIXES_MAX)
        .map(|(line, word)| {
            word.parse().map_err(|_| KeptError::NoPrefix {
                path: path.clone(),
                line,
                text: word.to_owned(),
            })
        })
        .collect()
}

/// Adds a prefix, on the disk when this returns.
///
/// # Errors
/// It cannot be written.
pub fn add(spool: &Path, lit: IpNet, now: Millis) -> Result<(), KeptError> {
    let path = path(spool);
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(format!("{lit}  # since {now}\n").as_bytes())?;
            file.sync_all()
        });
    written.map_err(failed("write", &path))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeptError {
    let path = path.to_owned();
    move |source| KeptError::File {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_read_and_what_is_no_prefix_is_told() {
        let spool = tempfile::tempdir().unwrap();
        assert_eq!(read(spool.path()).unwrap(), []);
        let prefixes = ["198.18.3.16/28", "2001:db8::/64"].map(|text| text.parse().unwrap());
        for lit in prefixes {
            add(spool.path(), lit, Millis(0)).unwrap();
        }
        assert_eq!(read(spool.path()).unwrap(), prefixes);
        fs::write(path(spool.path()), "# by hand\n\n198.18.3.0/28\nnonsense\n").unwrap();
        let error = read(spool.path()).unwrap_err().to_string();
        assert!(error.contains("lit:4: `nonsense` is no prefix"), "{error}");
    }
}
