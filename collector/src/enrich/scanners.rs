//! Known scanners: addresses that an organisation's published list, or an observer's, names.
//!
//! | format        | file                                        | organisation            |
//! |---------------|---------------------------------------------|-------------------------|
//! | organisations | text, a prefix per line; `name_v4.txt`      | the file's name         |
//! | misp          | MISP warninglist (JSON, `type` is `cidr`)   | the file's name         |
//! | maltrail      | text, `address # host`; addresses only      | the host's domain       |
//!
//! The longest match decides; of equal prefixes the list named first. Maltrail's
//! addresses were seen by an observer, so they count only where no published list
//! matches, and its ranges are left out: they are whole /24s around single addresses.
//! A line that cannot be used is left out and counted, never fatal.

mod formats;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use noroshi_store::prefix_map::PrefixMap;

use formats::{Format, Parsed};

/// Largest list file, in bytes.
pub const LIST_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Most entries of all lists together.
pub const LIST_ENTRIES_MAX: usize = 1_000_000;
/// Most list files.
pub const LIST_FILES_MAX: usize = 10_000;

/// Where lists stand: files, or directories whose files are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPaths {
    /// One text file per organisation.
    pub organisations: Vec<PathBuf>,
    /// MISP warninglists.
    pub misp: Vec<PathBuf>,
    /// Maltrail's trails of mass scanners.
    pub maltrail: Vec<PathBuf>,
}

/// Organisations by address.
#[derive(Clone, Debug, Default)]
pub struct ScannerLists {
    published: PrefixMap<Arc<str>>,
    observed: PrefixMap<Arc<str>>,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListReport {
    /// The file.
    pub path: PathBuf,
    /// Entries in use.
    pub entries: usize,
    /// Entries left out.
    pub left_out: usize,
    /// The first entry left out and why.
    pub first: Option<String>,
}

/// Why lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A file or directory cannot be read.
    #[error("{}: cannot be read ({error}): check the path and its rights", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is larger than [`LIST_BYTES_MAX`].
    #[error("{}: larger than {LIST_BYTES_MAX} bytes: is it a list of scanners?", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// It is no list of its format.
    #[error("{}: {text}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong with it and what to do.
        text: String,
    },
    /// The lists hold more than [`LIST_ENTRIES_MAX`] entries or [`LIST_FILES_MAX`] files.
    #[error("{}: more than {LIST_ENTRIES_MAX} entries or {LIST_FILES_MAX} files: name fewer lists", path.display())]
    TooMany {
        /// Where the limit was passed.
        path: PathBuf,
    },
}

impl std::fmt::Display for ListReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} entries", self.path.display(), self.entries)?;
        match &self.first {
            Some(first) => write!(f, ", {} left out, the first {first}", self.left_out),
            None => Ok(()),
        }
    }
}

impl ScannerLists {
    /// Reads every list.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn load(paths: &ListPaths) -> Result<(Self, Vec<ListReport>), ListError> {
        let mut reports = Vec::new();
        let mut published = Vec::new();
        let mut observed = Vec::new();
        for (format, path) in files(paths)? {
            let text = read(&path)?;
            let Parsed {
                entries,
                left_out,
                first,
            } = format.parse(&path, &text)?;
            reports.push(ListReport {
                path: path.clone(),
                entries: entries.len(),
                left_out,
                first,
            });
            match format {
                Format::Organisations | Format::Misp => published.extend(entries),
                Format::Maltrail => observed.extend(entries),
            }
            if published.len() + observed.len() > LIST_ENTRIES_MAX {
                return Err(ListError::TooMany { path });
            }
        }
        let lists = Self {
            published: PrefixMap::new(published),
            observed: PrefixMap::new(observed),
        };
        Ok((lists, reports))
    }

    /// The organisation that scans from `source`.
    pub fn organisation(&self, source: IpAddr) -> Option<&Arc<str>> {
        let found = self
            .published
            .longest(source)
            .or_else(|| self.observed.longest(source));
        found.map(|(_, organisation)| organisation)
    }

    /// Entries of all lists.
    pub fn len(&self) -> usize {
        self.published.len() + self.observed.len()
    }

    /// Whether no list is in use.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Every list file with its format, in the order configured; a directory's by name.
pub(super) fn files(paths: &ListPaths) -> Result<Vec<(Format, PathBuf)>, ListError> {
    let formats = [
        (Format::Organisations, &paths.organisations),
        (Format::Misp, &paths.misp),
        (Format::Maltrail, &paths.maltrail),
    ];
    let mut found = Vec::new();
    for (format, paths) in formats {
        for path in paths {
            collect(format, path, &mut found)?;
        }
    }
    Ok(found)
}

/// A file as it is named; of a directory those with the format's ending, and one level of
/// directories below (warninglists come as `name/list.json`).
fn collect(
    format: Format,
    path: &Path,
    found: &mut Vec<(Format, PathBuf)>,
) -> Result<(), ListError> {
    if !path.is_dir() {
        found.push((format, path.to_owned()));
        return Ok(());
    }
    for inner in children(path)? {
        let below = if inner.is_dir() {
            children(&inner)?
        } else {
            vec![inner]
        };
        let lists = below.into_iter().filter(|path| format.reads(path));
        found.extend(lists.map(|path| (format, path)));
        if found.len() > LIST_FILES_MAX {
            return Err(ListError::TooMany {
                path: path.to_owned(),
            });
        }
    }
    Ok(())
}

fn children(directory: &Path) -> Result<Vec<PathBuf>, ListError> {
    let unreadable = |error| ListError::Unreadable {
        path: directory.to_owned(),
        error,
    };
    let mut children = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        children.push(entry.map_err(unreadable)?.path());
        if children.len() > LIST_FILES_MAX {
            return Err(ListError::TooMany {
                path: directory.to_owned(),
            });
        }
    }
    children.sort_unstable();
    Ok(children)
}

fn read(path: &Path) -> Result<String, ListError> {
    let unreadable = |error| ListError::Unreadable {
        path: path.to_owned(),
        error,
    };
    if std::fs::metadata(path).map_err(unreadable)?.len() > LIST_BYTES_MAX {
        return Err(ListError::TooLarge {
            path: path.to_owned(),
        });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned()) // comments come in any encoding
}

/// An entry of a list.
type Entry = (IpNet, Arc<str>);

#[cfg(test)]
mod tests;
