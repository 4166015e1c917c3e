//! What the centre knows about a source: country, AS, partner, known scanner, bogon.
//!
//! | module       | holds                                                        |
//! |--------------|--------------------------------------------------------------|
//! | [`geo`]      | country and AS number by address, from `.mmdb` files         |
//! | [`scanners`] | published scanners by address, from list files               |
//! | [`bogon`]    | addresses that cannot be real sources, and why               |
//! | [`reload`]   | the tables in use, replaced while batches pass               |
//!
//! [`enrich`] is pure: it reads [`Tables`] and nothing else. Operator files are parsed
//! completely when they are loaded, so no lookup can fail afterwards.

pub mod bogon;
pub mod geo;
pub mod reload;
pub mod scanners;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::time::{Interval, Millis};
use noroshi_store::origin::{Country, Origin};
use noroshi_store::registry::Registry;
use noroshi_store::registry::attribution::{Reason, Whereabouts};

use geo::{AddressMap, GeoError};
use scanners::{ListError, ListPaths, ListReport, ScannerLists};

/// The operator's files, none of them needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// A country database.
    pub country: Option<PathBuf>,
    /// An AS database.
    pub asn: Option<PathBuf>,
    /// Lists of published scanners.
    pub lists: ListPaths,
}

/// Everything a source is looked up in.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    registry: Arc<Registry>,
    country: Arc<AddressMap<Country>>,
    asn: Arc<AddressMap<u32>>,
    scanners: Arc<ScannerLists>,
    bogons: Arc<bogon::Bogons>,
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A geo database.
    #[error(transparent)]
    Geo(#[from] GeoError),
    /// A scanner list.
    #[error(transparent)]
    List(#[from] ListError),
}

impl Tables {
    /// Knows what the registry knows, and bogons.
    pub fn of_registry(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            ..Self::default()
        }
    }

    /// Reads every file; hands back what was left out of the lists.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn load(
        sources: &Sources,
        registry: Arc<Registry>,
    ) -> Result<(Self, Vec<ListReport>), SourceError> {
        let mut tables = Self::of_registry(registry);
        if let Some(path) = &sources.country {
            tables.country = Arc::new(geo::countries(path)?);
        }
        if let Some(path) = &sources.asn {
            tables.asn = Arc::new(geo::as_numbers(path)?);
        }
        let (scanners, reports) = ScannerLists::load(&sources.lists)?;
        tables.scanners = Arc::new(scanners);
        Ok((tables, reports))
    }

    /// What is known of one source at `at`.
    pub fn origin(&self, source: IpAddr, at: Millis) -> Origin {
        let country = self.country.get(source);
        let asn = self.asn.get(source).unwrap_or(0);
        let owner = self.registry.owner(
            Whereabouts {
                source,
                asn,
                country,
            },
            at,
        );
        let registered = owner.as_ref().and_then(|owner| match owner.by {
            Reason::Prefix(_) => Some(owner.partner.country),
            Reason::Asn(_) | Reason::Country(_) => None,
        });
        let bogon = self
            .bogons
            .label(source)
            .filter(|_| !self.registry.holds(source));
        Origin {
            country: country.or(registered),
            asn,
            partner: owner.map(|owner| owner.partner.id.clone()),
            scanner: self.scanners.organisation(source).cloned(),
            bogon,
        }
    }
}

/// What is known of the source of each flow, in the order of [`Batch::flows`].
///
/// Each source is looked up once, as of the batch's first interval.
pub fn enrich(batch: &Batch, tables: &Tables) -> Vec<Arc<Origin>> {
    let at = Millis(
        batch
            .spans
            .first()
            .map_or(0, |span| first_interval(span).start() * 1000),
    );
    let mut known: HashMap<IpAddr, Arc<Origin>> = HashMap::new();
    let mut origins: Vec<Arc<Origin>> = Vec::new();
    let mut last = None;
    for (_, flow) in batch.flows() {
        let source = flow.tuple.source;
        let origin = match (last, origins.last()) {
            (Some(before), Some(origin)) if before == source => Arc::clone(origin),
            _ => match known.entry(source) {
                Entry::Occupied(entry) => Arc::clone(entry.get()),
                Entry::Vacant(entry) => {
                    Arc::clone(entry.insert(Arc::new(tables.origin(source, at))))
                }
            },
        };
        last = Some(source);
        origins.push(origin);
    }
    origins
}

fn first_interval(span: &Span) -> Interval {
    match span {
        Span::Silent { first, .. } => *first,
        Span::Active { interval, .. } => *interval,
    }
}

#[cfg(test)]
mod mmdb;
#[cfg(test)]
mod tests;
