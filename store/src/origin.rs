//! What the centre adds to a source: where it is and whose it is.

use std::fmt;
use std::sync::Arc;

use noroshi_proto::id::is_id;

/// The name of a partner as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartnerId(Arc<str>);

impl PartnerId {
    /// `None` where the name has other characters or another length than an id may have.
    pub fn new(name: &str) -> Option<Self> {
        is_id(name).then(|| Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PartnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for PartnerId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A country by its two letters of ISO 3166-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// `None` unless `code` is two ASCII letters; lower case is raised.
    pub fn new(code: &str) -> Option<Self> {
        match code.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What is known of a source when its flow is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Country by the geo database or the registry; `None` where neither knows.
    pub country: Option<Country>,
    /// Origin AS number; 0 where unknown.
    pub asn: u32,
    /// Whose source it is, by the registry (for rollups; alerts decide again, with consent).
    pub partner: Option<PartnerId>,
    /// The organisation whose published scanner list names it.
    pub scanner: Option<Arc<str>>,
    /// Why it cannot be a real source ("private", "multicast", …): labelled, never dropped.
    pub bogon: Option<&'static str>,
}
