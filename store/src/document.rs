//! A TOML file as its author wrote it: every value with its line, every fault collected.
//!
//! Whoever mends a configuration wants to see all that is wrong with it at once, so a
//! reader asks a [`Section`] for its keys and goes on when one of them is faulty. The
//! faults are handed over at the end, in the order of their lines, and a file with
//! faults is never used.

mod section;
mod value;

use std::cell::RefCell;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;

use toml::Spanned;
use toml::de::DeTable;

pub use section::{Section, Written};
pub use value::Value;

/// Longest configuration file that is read, in bytes.
pub const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One thing wrong in a file, and what to do about it: `registry.toml:12: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named to us.
    pub file: String,
    /// The line, from 1; `None` where the fault concerns the file as a whole.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.text),
            None => write!(f, "{}: {}", self.file, self.text),
        }
    }
}

/// Everything wrong with a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// `Ok` where nothing is wrong.
    pub fn none_in(found: Vec<Fault>) -> Result<(), Self> {
        if found.is_empty() {
            Ok(())
        } else {
            Err(Self(found))
        }
    }

    /// One fault that concerns a file as a whole.
    pub fn of_file(file: &str, text: String) -> Self {
        Self(vec![Fault {
            file: file.to_owned(),
            line: None,
            text,
        }])
    }

    /// The faults, in the order of their lines.
    pub fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}

/// One fault per line.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

/// A parsed file and what was found wrong in it so far.
#[derive(Debug)]
pub struct Document<'t> {
    table: Spanned<DeTable<'t>>,
    log: Log,
}

/// Where faults are noted while a document is read.
#[derive(Debug)]
pub(crate) struct Log {
    file: String,
    /// Offset of each line's first byte.
    line_starts: Vec<usize>,
    found: RefCell<Vec<Fault>>,
}

impl Log {
    fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    fn note(&self, line: usize, text: String) {
        let file = self.file.clone();
        self.found.borrow_mut().push(Fault {
            file,
            line: Some(line),
            text,
        });
    }
}

impl<'t> Document<'t> {
    /// Parses `text`; `file` is how faults name it.
    ///
    /// # Errors
    /// All faults of syntax: nothing else can be said about such a file.
    pub fn parse(file: &str, text: &'t str) -> Result<Self, Faults> {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(newlines.map(|(at, _)| at + 1))
            .collect();
        let log = Log {
            file: file.to_owned(),
            line_starts,
            found: RefCell::default(),
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let line = log.line_of(error.span().map_or(0, |span| span.start));
            let what = error.message().trim().replace('\n', ", ");
            log.note(line, format!("this is not TOML: {what}"));
        }
        let document = Self { table, log };
        if errors.is_empty() {
            Ok(document)
        } else {
            Err(Faults(document.into_faults()))
        }
    }

    /// The file's top level.
    pub fn root(&self) -> Section<'_> {
        Section::new(&self.log, self.table.get_ref(), 1)
    }

    /// Notes that something on `line` is wrong.
    pub fn fault(&self, line: usize, text: String) {
        self.log.note(line, text);
    }

    /// Something worth knowing about `line` that is not wrong.
    pub fn remark(&self, line: usize, text: String) -> Fault {
        Fault {
            file: self.log.file.clone(),
            line: Some(line),
            text,
        }
    }

    /// What was found wrong, in the order of lines.
    pub fn into_faults(self) -> Vec<Fault> {
        let mut found = self.log.found.into_inner();
        found.sort_by_key(|fault| fault.line);
        found
    }
}

/// Whether others than its owner may read a file that is there.
pub fn is_open_to_others(path: &std::path::Path) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o077 != 0)
}

/// The text of a configuration file.
///
/// # Errors
/// The file cannot be read, is longer than [`DOCUMENT_BYTES_MAX`], or is not UTF-8.
pub fn read_text(path: &std::path::Path) -> Result<String, Faults> {
    let file = path.display().to_string();
    let refuse = |text: String| Err(Faults::of_file(&file, text));
    match std::fs::metadata(path) {
        Ok(facts) if facts.is_dir() => {
            return refuse("this is a directory: name a file".to_owned());
        }
        Ok(facts) if facts.len() > DOCUMENT_BYTES_MAX => {
            return refuse(format!(
                "longer than {DOCUMENT_BYTES_MAX} bytes: is it the right file?"
            ));
        }
        _ => {}
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            refuse("not UTF-8: save it as UTF-8 text".to_owned())
        }
        Err(error) => refuse(format!(
            "cannot be read ({error}): check the path and its rights"
        )),
    }
}

#[cfg(test)]
mod tests;
