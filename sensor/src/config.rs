//! The sensor's configuration: what an operator wrote, and what is meant.
//!
//! Everything wrong in a file is told at once, with its line and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use noroshi_proto::id::SensorId;
use noroshi_proto::limits::TELESCOPE_PREFIXES_MAX;
use noroshi_proto::time::IntervalLength;
use serde::Deserialize;

use crate::decode::tunnel::Delivery;
use crate::identity::IdentityFiles;
use crate::summarise::Memory;
use crate::telescope::{Timetable, Watched};
use crate::update::Settings as UpdateSettings;

pub mod collector;
mod file;
pub mod size;
pub mod update;
mod watched;

use self::collector::Collector;
use self::file::File;
use self::size::ByteSize;
use self::watched::WatchedLine;

/// What the sensor runs on: checked, complete, nothing optional left.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its name in the centre's registry.
    pub sensor: SensorId,
    /// Where batches go.
    pub collector: Collector,
    /// What is watched, and when.
    pub telescope: Timetable,
    /// Who the sensor is, where the collector asks.
    pub identity: IdentityFiles,
    /// How the telescope's packets arrive.
    pub delivery: Delivery,
    /// How long an interval lasts.
    pub interval_length: IntervalLength,
    /// Where the key that masks targets is kept; drawn when absent.
    pub salt_file: PathBuf,
    /// Where batches wait.
    pub spool: Spool,
    /// Where frames come from.
    pub capture: Capture,
    /// What the process may need of memory, beside the capture's ring.
    pub memory: Memory,
    /// Whose updates are taken; none where it is not written.
    pub update: Option<UpdateSettings>,
}

/// Where batches wait until the centre has them.
#[derive(Clone, Debug)]
pub struct Spool {
    /// Its directory.
    pub path: PathBuf,
    /// When it is larger, the oldest batches go.
    pub bytes_max: ByteSize,
}

/// How frames are captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The interface, by name.
    pub interface: String,
    /// By which way.
    pub method: Method,
    /// Memory for frames that wait to be read: about 170 bytes each. The kernel's, and all
    /// that capturing takes.
    pub ring: ByteSize,
    /// The most that is captured of a frame, in bytes.
    pub snaplen: u32,
    /// Whether the kernel drops what is not addressed to the telescope.
    pub kernel_filter: KernelFilter,
}

/// The way frames of an interface are captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Our own ring, which the kernel fills: Linux and Ethernet only.
    #[cfg_attr(target_os = "linux", default)]
    Ring,
    /// libpcap: every system and kind of interface that it knows.
    #[cfg_attr(not(target_os = "linux"), default)]
    Pcap,
}

impl Method {
    /// What to do where this binary has no such method.
    pub fn lacking(self) -> Option<&'static str> {
        match self {
            Self::Ring if cfg!(not(target_os = "linux")) => {
                Some("the ring is Linux's: write capture.method = \"pcap\"")
            }
            Self::Pcap if cfg!(not(feature = "libpcap")) => Some(
                "this binary was built without libpcap: write capture.method = \"ring\", or \
                 build the sensor with its default features",
            ),
            Self::Ring | Self::Pcap => None,
        }
    }
}

/// Whether the kernel drops what is not addressed to the telescope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelFilter {
    /// It does, uncounted: right for an interface that carries other traffic, too.
    On,
    /// The sensor does, and counts it.
    Off,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What is written there is wrong.
    #[error("{0}")]
    Faulty(Faults),
}

/// Everything wrong in one file; never empty.
#[derive(Debug, PartialEq, Eq)]
pub struct Faults {
    file: String,
    found: Vec<Fault>,
}

/// One thing wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which line of the file, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub text: String,
}

/// `sensor.toml:12: …`, one line per fault.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.found.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}:{}: {}", self.file, fault.line, fault.text)?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads and checks a file. Paths in it are relative to its own directory.
    ///
    /// # Errors
    /// The file cannot be read, or everything that is wrong in it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.into(),
            source,
        })?;
        let directory = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, directory).map_err(|found| {
            let file = path.display().to_string();
            ConfigError::Faulty(Faults { file, found })
        })
    }

    /// Reads what a file in `directory` holds.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, Vec<Fault>> {
        let line = |offset: usize| text[..offset].matches('\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|error| {
            let at = line(error.span().map_or(0, |span| span.start));
            vec![Fault {
                line: at,
                text: error.message().replace('\n', " "),
            }]
        })?;
        let mut check = Check {
            line: &line,
            found: Vec::new(),
        };
        let config = file.check(&mut check, directory);
        match config {
            Some(config) if check.found.is_empty() => Ok(config),
            _ => Err(check.in_order()),
        }
    }
}

/// Collects what is wrong while a file is checked.
struct Check<'a> {
    line: &'a dyn Fn(usize) -> usize,
    found: Vec<Fault>,
}

impl Check<'_> {
    /// The value, or a note of what is wrong with it.
    fn keep<T>(&mut self, offset: usize, checked: Result<T, String>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(text) => {
                self.found.push(Fault {
                    line: (self.line)(offset),
                    text,
                });
                None
            }
        }
    }

    fn in_order(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|fault| fault.line);
        self.found
    }
}

/// What these lines, each as an operator would write it, say is watched.
///
/// # Errors
/// What is wrong with the first faulty one, and what to write instead.
fn telescope(lines: Vec<WatchedLine>) -> Result<Timetable, String> {
    if lines.is_empty() {
        return Err("telescope is empty: name the prefixes that are watched".into());
    }
    if lines.len() > TELESCOPE_PREFIXES_MAX {
        let written = lines.len();
        return Err(format!(
            "telescope has {written} prefixes, more than {TELESCOPE_PREFIXES_MAX}: join neighbours"
        ));
    }
    let watched: Result<Vec<Watched>, _> = lines.into_iter().map(WatchedLine::check).collect();
    Ok(Timetable::new(watched?))
}

/// One prefix of a telescope.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub fn prefix(text: &str) -> Result<ipnet::IpNet, String> {
    let prefix: ipnet::IpNet = text
        .parse()
        .map_err(|_| format!("`{text}` is no prefix: write one like 198.18.0.0/20"))?;
    if prefix.trunc() != prefix {
        let meant = prefix.trunc();
        return Err(format!(
            "`{text}` has bits set behind its length: write {meant}"
        ));
    }
    Ok(prefix)
}

#[cfg(test)]
mod tests;
