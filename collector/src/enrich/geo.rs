//! Country and AS number by address, from the operator's `.mmdb` files.
//!
//! A database is read completely when it is loaded: its search tree is walked, every
//! record decoded once, and what matters kept as sorted ranges. So a broken file is
//! found before it is used, no lookup can fail, and neighbours with one value cost one
//! range. Databases come from outside: the walk is bounded by the size of the tree.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use noroshi_store::origin::Country;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// Largest database file, in bytes.
pub const GEO_BYTES_MAX: u64 = 1 << 30;

/// Networks that a tree may hold per node: two children each, and the whole of IPv4 up to
/// four times, at the places where databases repeat it (`::`, `::ffff:0:0`, `2001::`, `2002::`).
const NETWORKS_PER_NODE_MAX: usize = 8;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// It cannot be read.
    #[error("{}: cannot be read ({error}): check the path and its rights", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is larger than [`GEO_BYTES_MAX`].
    #[error("{}: larger than {GEO_BYTES_MAX} bytes: is it the right file?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not a whole MaxMind database.
    #[error("{}: broken or no MaxMind database ({error}): fetch it again", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: MaxMindDbError,
    },
    /// Its search tree leads round and round.
    #[error("{}: broken: its search tree has a cycle: fetch it again", path.display())]
    Cyclic {
        /// The file.
        path: PathBuf,
    },
    /// It says nothing of what it is asked for.
    #[error("{}: a database of type `{found}` without {wanted}: name another file", path.display())]
    Unsuitable {
        /// The file.
        path: PathBuf,
        /// What its author calls it.
        found: String,
        /// The fields looked for.
        wanted: &'static str,
    },
}

/// Both layouts: `country.iso_code`, and `country_code` at the top.
#[derive(Deserialize)]
struct CountryRecord {
    country: Option<CountryField>,
    country_code: Option<String>,
}

/// `country` is a map in one layout and may be anything in others.
#[derive(Deserialize)]
#[serde(untagged)]
enum CountryField {
    Map { iso_code: Option<String> },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct AsnRecord {
    autonomous_system_number: Option<u32>,
}

/// Reads a country database.
///
/// # Errors
/// The file cannot be used, and why.
pub fn countries(path: &Path) -> Result<AddressMap<Country>, GeoError> {
    load(path, "`country.iso_code` or `country_code`", country)
}

fn country(record: CountryRecord) -> Option<Country> {
    let nested = match record.country {
        Some(CountryField::Map { iso_code }) => iso_code,
        Some(CountryField::Other(_)) | None => None,
    };
    let code = nested.or(record.country_code)?;
    Country::new(&code).filter(|_| code != "ZZ") // how some databases write "unknown"
}

/// Reads an AS database.
///
/// # Errors
/// The file cannot be used, and why.
pub fn as_numbers(path: &Path) -> Result<AddressMap<u32>, GeoError> {
    load(path, "`autonomous_system_number`", |record: AsnRecord| {
        record.autonomous_system_number.filter(|asn| *asn != 0)
    })
}

fn load<R: DeserializeOwned, T: Copy + Eq>(
    path: &Path,
    wanted: &'static str,
    meaning: impl Fn(R) -> Option<T>,
) -> Result<AddressMap<T>, GeoError> {
    let reader = open(path)?;
    let map = walk(&reader, path, meaning)?;
    if map.is_empty() {
        let found = reader.metadata().database_type.clone();
        return Err(GeoError::Unsuitable {
            path: path.into(),
            found,
            wanted,
        });
    }
    Ok(map)
}

fn open(path: &Path) -> Result<Reader<Vec<u8>>, GeoError> {
    let unreadable = |error| GeoError::Unreadable {
        path: path.into(),
        error,
    };
    if std::fs::metadata(path).map_err(unreadable)?.len() > GEO_BYTES_MAX {
        return Err(GeoError::TooLarge { path: path.into() });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    Reader::from_source(bytes).map_err(|error| GeoError::Broken {
        path: path.into(),
        error,
    })
}

/// Visits every network in ascending order; each record is decoded once.
fn walk<R: DeserializeOwned, T: Copy + Eq>(
    reader: &Reader<Vec<u8>>,
    path: &Path,
    meaning: impl Fn(R) -> Option<T>,
) -> Result<AddressMap<T>, GeoError> {
    let broken = |error| GeoError::Broken {
        path: path.into(),
        error,
    };
    // Also what is empty or repeated, so that every step of a hostile tree is counted.
    let everything = WithinOptions::default()
        .include_aliased_networks()
        .include_networks_without_data();
    let nodes = usize::try_from(reader.metadata().node_count).unwrap_or(usize::MAX);
    let networks_max = nodes
        .saturating_add(128)
        .saturating_mul(NETWORKS_PER_NODE_MAX);
    let mut decoded: HashMap<usize, Option<T>> = HashMap::new();
    let mut map = AddressMap::default();
    for (count, network) in reader.networks(everything).map_err(broken)?.enumerate() {
        if count >= networks_max {
            return Err(GeoError::Cyclic { path: path.into() });
        }
        let network = network.map_err(broken)?;
        let Some(offset) = network.offset() else {
            continue;
        };
        let value = match decoded.get(&offset) {
            Some(value) => *value,
            None => {
                let value = network.decode().map_err(broken)?.and_then(&meaning);
                *decoded.entry(offset).or_insert(value)
            }
        };
        let place = network.network().map_err(broken)?;
        if let Some(value) = value {
            map.push(place.ip(), place.prefix(), value);
        }
    }
    map.finish();
    Ok(map)
}

/// Values by address: disjoint ranges of both families, ascending.
#[derive(Clone, Debug)]
pub struct AddressMap<T> {
    v4: Ranges<u32, T>,
    /// Of each /16, how many IPv4 ranges begin before it; and at last, how many there are.
    /// Without it the binary search over a real database misses the cache ten times.
    v4_before: Box<[u32]>,
    v6: Ranges<u128, T>,
}

/// Each range lasts until the next one begins.
#[derive(Clone, Debug)]
struct Ranges<A, T> {
    firsts: Vec<A>,
    values: Vec<Option<T>>,
}

impl<T> Default for AddressMap<T> {
    fn default() -> Self {
        let (v4, v6) = (Ranges::default(), Ranges::default());
        Self {
            v4,
            v4_before: Box::default(),
            v6,
        }
    }
}

impl<A, T> Default for Ranges<A, T> {
    fn default() -> Self {
        Self {
            firsts: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T: Copy + Eq> AddressMap<T> {
    /// The value at `address`.
    pub fn get(&self, address: IpAddr) -> Option<T> {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let bits = u32::from(v4);
                let net = usize::try_from(bits >> 16).ok()?;
                let from = usize::try_from(*self.v4_before.get(net)?).ok()?;
                let to = usize::try_from(*self.v4_before.get(net + 1)?).ok()?;
                self.v4.get(bits, from..to)
            }
            IpAddr::V6(v6) => self.v6.get(v6.into(), 0..self.v6.firsts.len()),
        }
    }

    /// Whether no address has a value.
    pub fn is_empty(&self) -> bool {
        self.v4.firsts.is_empty() && self.v6.firsts.is_empty()
    }

    /// Ranges it holds.
    pub fn len(&self) -> usize {
        self.v4.firsts.len() + self.v6.firsts.len()
    }

    /// Makes lookups possible, once every network is in.
    fn finish(&mut self) {
        let firsts = &self.v4.firsts;
        let before = |net: u32| firsts.partition_point(|first| *first < net << 16);
        let count = |ranges: usize| u32::try_from(ranges).unwrap_or(u32::MAX);
        let nets = (0..=u32::from(u16::MAX)).map(|net| count(before(net)));
        self.v4_before = nets.chain([count(firsts.len())]).collect();
    }

    /// Adds a network after all those of its family that it holds.
    fn push(&mut self, network: IpAddr, length: u8, value: T) {
        match network {
            IpAddr::V4(v4) => {
                let first = u32::from(v4);
                let rest = u32::MAX.checked_shr(length.into()).unwrap_or(0);
                self.v4.push(first, (first | rest).checked_add(1), value);
            }
            IpAddr::V6(v6) => {
                let first = u128::from(v6);
                let rest = u128::MAX.checked_shr(length.into()).unwrap_or(0);
                self.v6.push(first, (first | rest).checked_add(1), value);
            }
        }
    }
}

impl<A: Ord + Copy, T: Copy + Eq> Ranges<A, T> {
    fn push(&mut self, first: A, after: Option<A>, value: T) {
        self.begin(first, Some(value));
        if let Some(after) = after {
            self.begin(after, None);
        }
    }

    fn begin(&mut self, first: A, value: Option<T>) {
        if self.firsts.last() == Some(&first) {
            self.firsts.pop();
            self.values.pop();
        }
        if self.values.last().copied().flatten() == value {
            return; // the range before goes on, or nothing begins where nothing was
        }
        self.firsts.push(first);
        self.values.push(value);
    }

    /// The value at `address`; `within` are the ranges that may begin last at or before it.
    fn get(&self, address: A, within: Range<usize>) -> Option<T> {
        let start = within.start;
        let begun = self
            .firsts
            .get(within)?
            .partition_point(|first| *first <= address);
        (start + begun)
            .checked_sub(1)
            .and_then(|index| self.values[index])
    }
}

#[cfg(test)]
mod tests;
