//! Sizes as people write them: `16 MiB`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// So many MiB.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    pub(super) fn at_least(self, least: Self) -> Result<Self, String> {
        if self < least {
            return Err(format!("is {self}, less than {least}: write at least that"));
        }
        Ok(self)
    }

    pub(super) fn at_most(self, most: Self) -> Result<Self, String> {
        if self > most {
            return Err(format!("is {self}, more than {most}: write at most that"));
        }
        Ok(self)
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, bytes) = UNITS
            .into_iter()
            .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)))?;
        number
            .trim_end()
            .parse::<u64>()
            .ok()?
            .checked_mul(bytes)
            .map(Self)
    }
}

/// In the largest unit that leaves no rest.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, bytes): &(&str, u64)| self.0.is_multiple_of(*bytes) && self.0 > 0;
        let (unit, bytes) = UNITS.into_iter().find(whole).unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / bytes)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = ByteSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size with its unit, such as \"16 MiB\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
        ByteSize::parse(text).ok_or_else(|| {
            E::custom(format!(
                "`{text}` is no size: write one with its unit, such as \"16 MiB\""
            ))
        })
    }
}
