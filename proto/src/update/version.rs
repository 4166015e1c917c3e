//! Versions of the sensor's program: three numbers, of which the first that differs decides.

use std::fmt;
use std::str::FromStr;

/// `major.minor.patch`, without anything before or behind: versions in the field only ever grow,
/// and what is between two of them would have to be ordered by everybody alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Grows when something old does not work any more.
    pub major: u32,
    /// Grows with what is new.
    pub minor: u32,
    /// Grows with what is mended.
    pub patch: u32,
}

/// These words are no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is three numbers, as in 0.2.0")]
pub struct NoVersion;

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let mut numbers = text.split('.').map(number);
        let (Some(major), Some(minor), Some(patch), None) = (
            numbers.next(),
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ) else {
            return Err(NoVersion);
        };
        Ok(Self {
            major: major?,
            minor: minor?,
            patch: patch?,
        })
    }
}

/// Digits alone, without a needless nought: every version has one text.
fn number(text: &str) -> Result<u32, NoVersion> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    if !digits || text.len() > 1 && text.starts_with('0') {
        return Err(NoVersion);
    }
    text.parse().map_err(|_| NoVersion)
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let ordered = ["0.1.0", "0.2.0", "0.10.0", "1.0.0", "1.0.4294967295"];
        let read = ordered.map(|text| text.parse::<Version>().unwrap());
        assert!(read.is_sorted());
        assert_eq!(read.map(|version| version.to_string()), ordered);
    }

    #[test]
    fn whatever_else_is_no_version() {
        for wrong in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.",
            "01.2.3",
            "1.2.3-rc1",
            "+1.2.3",
            "1. 2.3",
            "v1.2.3",
            "1.2.4294967296",
            "../1.2.3",
        ] {
            assert_eq!(wrong.parse::<Version>(), Err(NoVersion), "{wrong}");
        }
    }
}
