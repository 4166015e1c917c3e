//! What a value of a configuration may be, and how it is read.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use toml::de::DeValue;

use crate::alert::Tlp;
use crate::origin::{Country, PartnerId};
use crate::registry::partner::StixMarkings;

/// A type that a configuration's values can have.
pub trait Value: Sized {
    /// What to write, for a fault's text: ``write {EXPECTED}``.
    const EXPECTED: &'static str;

    /// `None` where `value` is not such a value.
    fn read(value: &DeValue<'_>) -> Option<Self>;
}

impl Value for String {
    const EXPECTED: &'static str = "text in quotes";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        value
            .as_str()
            .filter(|text| !text.trim().is_empty())
            .map(str::to_owned)
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path in quotes";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        String::read(value).map(Self::from)
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl Value for u32 {
    const EXPECTED: &'static str = "a whole number from 0 to 4294967295";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        let written = value.as_integer()?;
        Self::from_str_radix(written.as_str(), written.radix()).ok()
    }
}

impl Value for f64 {
    const EXPECTED: &'static str = "a number such as 0.01";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        let whole = value.as_integer().map(|written| written.to_string());
        let written = value.as_float().map(|written| written.to_string());
        written.or(whole)?.parse().ok()
    }
}

impl Value for SocketAddr {
    const EXPECTED: &'static str = "an address and a port such as \"127.0.0.1:4317\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
}

/// A bare address is a prefix of its full length. Host bits stay as written, so that the
/// reader can name them.
impl Value for IpNet {
    const EXPECTED: &'static str = "a prefix such as \"203.0.113.0/24\" or \"2001:db8::/32\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        let text = value.as_str()?;
        text.parse()
            .ok()
            .or_else(|| Some(Self::from(text.parse::<IpAddr>().ok()?)))
    }
}

/// A day (its first millisecond, UTC) or an instant; without an offset it is UTC.
impl Value for Millis {
    const EXPECTED: &'static str =
        "a day such as 2026-01-01 or an instant such as 2026-01-01T09:00:00Z, without quotes";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_datetime()?.to_string().parse().ok()
    }
}

impl Value for PartnerId {
    const EXPECTED: &'static str =
        "an id of lower-case letters, digits and hyphens, at most 64, such as \"th-cert\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        Self::new(value.as_str()?)
    }
}

impl Value for SensorId {
    const EXPECTED: &'static str =
        "an id of lower-case letters, digits and hyphens, at most 64, such as \"jp-1\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        Self::new(value.as_str()?)
    }
}

impl Value for Country {
    const EXPECTED: &'static str = "two letters of ISO 3166-1 such as \"TH\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        Self::new(value.as_str()?)
    }
}

impl Value for StixMarkings {
    const EXPECTED: &'static str = "\"oasis-tlp2\" or \"tlp1\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        match value.as_str()? {
            "oasis-tlp2" => Some(Self::Tlp2),
            "tlp1" => Some(Self::Tlp1),
            _ => None,
        }
    }
}

impl Value for Tlp {
    const EXPECTED: &'static str = "\"CLEAR\", \"GREEN\", \"AMBER\", \"AMBER+STRICT\" or \"RED\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        Some(match value.as_str()? {
            "CLEAR" => Self::Clear,
            "GREEN" => Self::Green,
            "AMBER" => Self::Amber,
            "AMBER+STRICT" => Self::AmberStrict,
            "RED" => Self::Red,
            _ => return None,
        })
    }
}
