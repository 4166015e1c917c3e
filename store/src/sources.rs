//! Single sources, what each did, and the rows beneath: read only after a purpose was written down.
//!
//! Whoever asks decides what of it may be shown; here the limits stand, and no target is read.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use clickhouse::Row;
use ipnet::IpNet;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Service;
use serde::Deserialize;

use crate::cases::{Case, told};
use crate::ledger::millis;
use crate::question::{Question, sql};
use crate::rollups::numbers;
use crate::store::{Store, StoreError};

/// Seconds that raw rows are searched through at most: what a partition holds.
pub const SEARCH_SECONDS_MAX: u64 = 86_400;
/// Flow tuples that are searched through at most, the newest of a time: what two cores read within a second.
pub const SEARCH_ROWS_MAX: u64 = 10_000_000;
/// Rows of others that are read beside those of one sensor's batch: a granule of 8,192 at each end.
const BESIDE_ROWS: u64 = 16_384;
/// Parts of a search: sensors, AS numbers or networks.
pub const PARTS_MAX: u32 = 100;
/// Single sources of a search.
pub const SOURCES_MAX: u32 = 200;
/// Sums of sources that are withheld.
pub const WITHHELD_MAX: u32 = 200;
/// Rows on one page.
pub const ROWS_PAGE: u32 = 100;
/// Rows that are taken away at once.
pub const ROWS_MAX: u32 = 10_000;
/// Days, origins and cases of one source.
pub const OF_SOURCE_MAX: u32 = 100;

/// What to search raw rows for; empty words take everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Seconds since 1970, at most [`SEARCH_SECONDS_MAX`] of them.
    pub range: Range<u64>,
    /// A service.
    pub service: Option<Service>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// A sensor's id.
    pub sensor: String,
    /// An AS number; 0 is what no AS is known of.
    pub asn: Option<u32>,
    /// A network that sources lie in.
    pub network: Option<IpNet>,
}

/// By what to tell parts of a search apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Sensors that saw it.
    Sensor,
    /// AS numbers it came from.
    Asn,
    /// Networks it came from: /24, of IPv6 /48.
    Network,
    /// Services it asked for.
    Service,
    /// Countries it came from; empty where unknown.
    Country,
}

/// A part of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which.
    pub of: String,
    /// Distinct sources.
    pub sources: u64,
    /// Packets.
    pub packets: u64,
    /// Packets of the whole search.
    pub together: u64,
}

/// A single source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its address.
    pub address: IpAddr,
    /// Its country; empty where unknown.
    pub country: String,
    /// Its AS number; 0 where unknown.
    pub asn: u32,
    /// Whose it was when its packets were kept; empty where nobody's.
    pub partner: String,
    /// Packets.
    pub packets: u64,
    /// Sensors that saw it.
    pub sensors: u64,
    /// The first five services by name.
    pub services: String,
    /// First packet.
    pub first: Millis,
    /// Last packet.
    pub last: Millis,
}

/// Sources of a partner, as a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Whose.
    pub partner: String,
    /// Their AS number; 0 where unknown.
    pub asn: u32,
    /// How many.
    pub sources: u64,
    /// Their packets.
    pub packets: u64,
}

/// A day on which a source was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDay {
    /// Days since 1970.
    pub day: u64,
    /// Packets.
    pub packets: u64,
    /// Hours in which there were any.
    pub hours: u64,
}

/// What was known of a source at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whose it was; empty where nobody's.
    pub partner: String,
    /// Its AS number; 0 where unknown.
    pub asn: u32,
    /// Its country; empty where unknown.
    pub country: String,
}

/// One row of raw flow tuples, without what would tell of a target.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct FlowRow {
    /// First second of the interval.
    pub interval: u64,
    /// Who saw it.
    pub sensor: String,
    /// The traffic class.
    pub class: String,
    /// Such as `tcp/23`.
    pub service: String,
    /// Packets.
    pub packets: u64,
    /// Bytes, headers and all.
    pub bytes: u64,
    /// First packet, milliseconds since 1970.
    pub first: i64,
    /// From the first to the last packet, in milliseconds.
    pub lasted: u64,
    /// How many targets; which, nobody knows.
    pub targets: u32,
    /// 0 where there were several, or none.
    pub source_port: u16,
    /// Lowest time to live.
    pub ttl_min: u8,
    /// Highest.
    pub ttl_max: u16,
    /// TCP window of the first packet.
    pub window: u16,
    /// Layout of TCP options.
    pub options: String,
    /// Programs that were recognised.
    pub marks: String,
}

/// Which rows of one source; empty words take all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsWanted {
    /// The source.
    pub source: IpAddr,
    /// Seconds since 1970.
    pub range: Range<u64>,
    /// A service.
    pub service: Option<Service>,
    /// A sensor's id.
    pub sensor: String,
}

impl Apart {
    fn name(self) -> &'static str {
        match self {
            Self::Sensor => "sensor",
            Self::Asn => "asn",
            Self::Network => "network",
            Self::Service => "service",
            Self::Country => "country",
        }
    }
}

impl Store {
    /// The end of `range` in which there are at most [`SEARCH_ROWS_MAX`] flow tuples to read, or its last minute: of one
    /// sensor where it is named, else (empty) of all.
    ///
    /// # Errors
    /// When the store does not answer, here as everywhere below.
    pub async fn within_reach(
        &self,
        range: Range<u64>,
        sensor: &str,
    ) -> Result<Range<u64>, StoreError> {
        let before = self
            .ask(sql!("search_reach"))
            .param("start", range.start)
            .param("end", range.end)
            .param("rows_max", SEARCH_ROWS_MAX)
            .param("sensor", sensor)
            .param("beside", BESIDE_ROWS)
            .fetch_one::<u64>()
            .await?;
        let latest = range.end.saturating_sub(60).max(range.start);
        Ok(before.clamp(range.start, latest)..range.end)
    }

    /// Parts of a search, at most [`PARTS_MAX`], those with most sources first.
    pub async fn search_parts(&self, search: &Search, by: Apart) -> Result<Vec<Share>, StoreError> {
        let query = self.ask(sql!("search_parts"));
        let rows = asked(query, search)
            .param("by", by.name())
            .param("limit", PARTS_MAX)
            .fetch_all::<(String, u64, u64, u64)>()
            .await?;
        let share = |(of, sources, packets, together): (String, u64, u64, u64)| Share {
            of: match by {
                Apart::Network => network(&of).unwrap_or(of),
                Apart::Sensor | Apart::Asn | Apart::Service | Apart::Country => of,
            },
            sources,
            packets,
            together,
        };
        Ok(rows.into_iter().map(share).collect())
    }

    /// Single sources of a search that were nobody's, or `partner`'s, when they were kept; at most
    /// [`SOURCES_MAX`], those with most packets first.
    pub async fn search_sources(
        &self,
        search: &Search,
        partner: &str,
    ) -> Result<Vec<Source>, StoreError> {
        let query = self.ask(sql!("search_sources"));
        let rows = asked(query, search)
            .param("partner", partner)
            .param("limit", SOURCES_MAX)
            .fetch_all::<SourceRow>()
            .await?;
        Ok(rows.into_iter().filter_map(source).collect())
    }

    /// Sums of partners' sources in a search, but for those of `partner`; at most
    /// [`WITHHELD_MAX`].
    pub async fn search_withheld(
        &self,
        search: &Search,
        partner: &str,
    ) -> Result<Vec<Withheld>, StoreError> {
        let query = self.ask(sql!("search_withheld"));
        let rows = asked(query, search)
            .param("partner", partner)
            .param("limit", WITHHELD_MAX)
            .fetch_all::<(String, u32, u64, u64)>()
            .await?;
        let withheld = |(partner, asn, sources, packets)| Withheld {
            partner,
            asn,
            sources,
            packets,
        };
        Ok(rows.into_iter().map(withheld).collect())
    }

    /// Days on which packets that bear `source` were seen, the newest first, by the sums of hours
    /// that have closed.
    pub async fn source_days(&self, source: IpAddr) -> Result<Vec<SourceDay>, StoreError> {
        let rows = self
            .ask(sql!("source_days"))
            .param("source", source.to_string())
            .param("limit", OF_SOURCE_MAX)
            .fetch_all::<(u64, u64, u64)>()
            .await?;
        let day = |(day, packets, hours)| SourceDay {
            day,
            packets,
            hours,
        };
        Ok(rows.into_iter().map(day).collect())
    }

    /// What was known of `source` when its packets of `range` were kept, and in any hour there are
    /// sums of.
    pub async fn source_origins(
        &self,
        source: IpAddr,
        range: &Range<u64>,
    ) -> Result<Vec<Known>, StoreError> {
        let rows = self
            .ask(sql!("source_origins"))
            .param("start", range.start)
            .param("end", range.end)
            .param("source", source.to_string())
            .param("limit", OF_SOURCE_MAX)
            .fetch_all::<(String, u32, String)>()
            .await?;
        let known = |(partner, asn, country)| Known {
            partner,
            asn,
            country,
        };
        Ok(rows.into_iter().map(known).collect())
    }

    /// Rows of one source, the newest first: at most `limit` after the first `offset`.
    pub async fn source_rows(
        &self,
        wanted: &RowsWanted,
        limit: u32,
        offset: u64,
    ) -> Result<Vec<FlowRow>, StoreError> {
        let (transport, port) = numbers(wanted.service);
        let rows = self
            .ask(sql!("source_rows"))
            .param("start", wanted.range.start)
            .param("end", wanted.range.end)
            .param("source", wanted.source.to_string())
            .param("transport", transport)
            .param("port", port)
            .param("sensor", wanted.sensor.as_str())
            .param("limit", limit.min(ROWS_MAX))
            .param("offset", offset);
        rows.fetch_all::<FlowRow>().await
    }

    /// Cases about one address, what opened last first; at most [`OF_SOURCE_MAX`].
    pub async fn cases_about(&self, source: IpAddr) -> Result<Vec<Case>, StoreError> {
        let rows = self
            .ask(sql!("cases_of_subject"))
            .param("subject", source.to_string())
            .param("limit", OF_SOURCE_MAX)
            .fetch_all::<(u64, u8, String)>()
            .await?;
        rows.into_iter().map(told).collect()
    }
}

fn asked(query: Question, search: &Search) -> Question {
    let (lowest, highest) = match search.network {
        Some(IpNet::V4(net)) => (
            net.network().to_ipv6_mapped(),
            net.broadcast().to_ipv6_mapped(),
        ),
        Some(IpNet::V6(net)) => (net.network(), net.broadcast()),
        None => (Ipv6Addr::UNSPECIFIED, Ipv6Addr::from_bits(u128::MAX)),
    };
    let (transport, port) = numbers(search.service);
    query
        .param("start", search.range.start)
        .param("end", search.range.end)
        .param("transport", transport)
        .param("port", port)
        .param("country", search.country.as_str())
        .param("sensor", search.sensor.as_str())
        .param("any_asn", u8::from(search.asn.is_none()))
        .param("asn", search.asn.unwrap_or(0))
        .param("any_source", u8::from(search.network.is_none()))
        .param("lowest", lowest.to_string())
        .param("highest", highest.to_string())
}

/// Address, country, AS number, owner, packets, sensors, services, first and last packet.
type SourceRow = (String, String, u32, String, u64, u64, String, i64, i64);

fn source(row: SourceRow) -> Option<Source> {
    let (address, country, asn, partner, packets, sensors, services, first, last) = row;
    Some(Source {
        address: address.parse::<IpAddr>().ok()?.to_canonical(),
        country,
        asn,
        partner,
        packets,
        sensors,
        services,
        first: millis(first),
        last: millis(last),
    })
}

/// The /24, or the /48, that begins at this address.
fn network(first: &str) -> Option<String> {
    let first = first.parse::<IpAddr>().ok()?.to_canonical();
    let length = if first.is_ipv4() { 24 } else { 48 };
    Some(IpNet::new(first, length).ok()?.to_string())
}
