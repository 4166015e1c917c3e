//! The formats of scanner lists, each parsed from its text.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use serde::Deserialize;

use super::{Entry, ListError};

/// Shortest IPv4 prefix that may be one organisation's scanners.
const V4_LENGTH_MIN: u8 = 16;
/// Shortest IPv6 prefix that may be one organisation's scanners.
const V6_LENGTH_MIN: u8 = 24;
/// Longest name of an organisation, in bytes; longer ones are cut.
const NAME_BYTES_MAX: usize = 64;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::enrich) enum Format {
    /// A prefix or address per line, the organisation is the file's name.
    Organisations,
    /// A MISP warninglist.
    Misp,
    /// `address # host`.
    Maltrail,
}

/// A parsed list.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) entries: Vec<Entry>,
    pub(super) left_out: usize,
    pub(super) first: Option<String>,
}

impl Parsed {
    fn leave_out(&mut self, place: &str, entry: &str, why: &str) {
        self.left_out += 1;
        let entry: String = entry.chars().take(64).collect();
        self.first
            .get_or_insert_with(|| format!("{place}: {entry:?} {why}"));
    }
}

/// A MISP warninglist, as far as it is read.
#[derive(Deserialize)]
struct Warninglist {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(rename = "type")]
    kind: String,
    list: Vec<String>,
}

impl Format {
    /// Whether a directory's file is such a list, by its name.
    pub(super) fn reads(self, path: &Path) -> bool {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match self {
            Self::Organisations | Self::Maltrail => ending == Some("txt"),
            Self::Misp => ending == Some("json"),
        }
    }

    pub(super) fn parse(self, path: &Path, text: &str) -> Result<Parsed, ListError> {
        match self {
            Self::Organisations => Ok(organisations(&organisation(path), text)),
            Self::Misp => misp(path, text),
            Self::Maltrail => Ok(maltrail(text)),
        }
    }
}

fn organisations(name: &Arc<str>, text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for (place, line, _) in lines(text) {
        match prefix(line) {
            Ok(prefix) => parsed.entries.push((prefix, Arc::clone(name))),
            Err(why) => parsed.leave_out(&place, line, why),
        }
    }
    parsed
}

fn misp(path: &Path, text: &str) -> Result<Parsed, ListError> {
    let malformed = |text: String| ListError::Malformed {
        path: path.to_owned(),
        text,
    };
    let list: Warninglist = serde_json::from_str(text)
        .map_err(|error| malformed(format!("no MISP warninglist ({error}): fetch it again")))?;
    let mut parsed = Parsed::default();
    let about = format!("{} {}", list.name, list.description).to_ascii_lowercase();
    if list.kind != "cidr" || !about.contains("scan") {
        parsed.left_out = list.list.len();
        parsed.first = Some(format!("because {:?} is no list of scanners", list.name));
        return Ok(parsed);
    }
    let name = organisation(path);
    for (index, entry) in list.list.iter().enumerate() {
        match prefix(entry) {
            Ok(prefix) => parsed.entries.push((prefix, Arc::clone(&name))),
            Err(why) => parsed.leave_out(&format!("at entry {}", index + 1), entry, why),
        }
    }
    Ok(parsed)
}

fn maltrail(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut names: HashSet<Arc<str>> = HashSet::new();
    for (place, line, comment) in lines(text) {
        match prefix(line) {
            Ok(prefix) if prefix.prefix_len() == prefix.max_prefix_len() => {
                let name: Arc<str> = domain(comment).into();
                let name = names.get(&name).cloned().unwrap_or(name);
                names.insert(Arc::clone(&name));
                parsed.entries.push((prefix, name));
            }
            Ok(_) => parsed.leave_out(&place, line, "is a range, and its ranges are too wide"),
            Err(why) => parsed.leave_out(&place, line, why),
        }
    }
    parsed
}

/// Every line that says something: where it is, what it says, and its comment.
fn lines(text: &str) -> impl Iterator<Item = (String, &str, &str)> {
    let numbered = text.lines().zip(1..).map(|(line, number): (&str, usize)| {
        let (entry, comment) = line.split_once('#').unwrap_or((line, ""));
        (number, entry.trim(), comment.trim())
    });
    let said = numbered.filter(|(_, entry, _)| !entry.is_empty());
    said.map(|(number, entry, comment)| (format!("on line {number}"), entry, comment))
}

fn prefix(text: &str) -> Result<IpNet, &'static str> {
    let prefix = match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
        (Ok(prefix), _) => prefix,
        (_, Ok(address)) => IpNet::from(address),
        _ => return Err("is neither a prefix nor an address"),
    };
    if prefix != prefix.trunc() {
        return Err("has bits set below its length");
    }
    let length_min = match prefix {
        IpNet::V4(_) => V4_LENGTH_MIN,
        IpNet::V6(_) => V6_LENGTH_MIN,
    };
    if prefix.prefix_len() < length_min {
        return Err("is too wide to be one organisation's scanners");
    }
    Ok(prefix)
}

/// `shodan` from `shodan_v4.txt`, `shodan-nt-scanning.json` or `shodan/list.json`.
fn organisation(path: &Path) -> Arc<str> {
    let stem = |path: &Path| {
        path.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let mut name = stem(path).unwrap_or_default();
    if name == "list" {
        name = path.parent().and_then(stem).unwrap_or(name);
    }
    let mut rest = name.as_str();
    for ending in ["_v4", "_v6", "-scanning", "-scanner", "-nt"] {
        rest = rest
            .strip_suffix(ending)
            .filter(|rest| !rest.is_empty())
            .unwrap_or(rest);
    }
    cut(rest).into()
}

/// `shadowserver.org` of `scan-03b.shadowserver.org`; any other comment as it is; else the list's name.
fn domain(comment: &str) -> &str {
    if comment.is_empty() {
        return "maltrail";
    }
    if comment.contains(char::is_whitespace) {
        return cut(comment);
    }
    // Two labels, or three under a country's second level (`example.co.jp`, `example.ac.uk`).
    let dots: Vec<usize> = comment.match_indices('.').map(|(at, _)| at).collect();
    let second_level = match dots.as_slice() {
        [.., before, last] => last - before - 1 <= 3 && comment.len() - last - 1 == 2,
        _ => false,
    };
    let labels = if second_level { 3 } else { 2 };
    let start = dots
        .len()
        .checked_sub(labels)
        .map_or(0, |index| dots[index] + 1);
    cut(&comment[start..])
}

fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}
