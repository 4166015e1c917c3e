//! Raw rows, parsed as they come back.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use clickhouse::Row;
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::sample::{TargetSample, sample_max};
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Traffic, Transport};
use serde::Deserialize;

use crate::ledger::{millis, sensor};
use crate::origin::{Country, Origin, PartnerId};
use crate::store::StoreError;

/// A row of `flow_tuples`, as far as windows need it.
#[derive(Row, Deserialize)]
pub(super) struct RawRow<'a> {
    pub(super) interval: u32,
    pub(super) sensor: &'a str,
    pub(super) epoch: u64,
    pub(super) sequence: u64,
    source: Ipv6Addr,
    traffic: i8,
    transport: i8,
    detail: u16,
    packets: u64,
    bytes: u64,
    first: i64,
    lasted_ms: u64,
    targets: u32,
    sample: Vec<u32>,
    source_port: u16,
    ttl_min: u8,
    ttl_spread: u8,
    window: u16,
    options: i8,
    syns: u32,
    mirai: u32,
    zmap: u32,
    zmap_modern: u32,
    masscan: u32,
    nmap: u32,
    irregular: u32,
    mismatched: u32,
    country: &'a str,
    asn: u32,
    partner: &'a str,
    scanner: &'a str,
    bogon: &'a str,
}

impl RawRow<'_> {
    /// Which batch it came with; `known` spares a copy of the sensor's name.
    pub(super) fn batch(&self, known: Option<&SensorId>) -> Result<BatchId, StoreError> {
        let sensor = match known {
            Some(known) => known.clone(),
            None => sensor(self.sensor)?,
        };
        Ok(BatchId {
            sensor,
            epoch: Epoch(self.epoch),
            sequence: self.sequence,
        })
    }

    pub(super) fn flow(&self) -> Result<Flow, StoreError> {
        let traffic = Traffic::from_wire(self.traffic.unsigned_abs())
            .ok_or_else(|| self.spoiled("traffic class", self.traffic))?;
        let transport = Transport::from_wire(self.transport.unsigned_abs(), self.detail)
            .ok_or_else(|| self.spoiled("transport", self.transport))?;
        let options = OptionLayout::from_wire(self.options.unsigned_abs())
            .ok_or_else(|| self.spoiled("option layout", self.options))?;
        let sample = TargetSample::from_ascending(self.sample.clone(), sample_max(traffic))
            .ok_or_else(|| StoreError::Spoiled(format!("a sample of {}", self.sensor)))?;
        let first = millis(self.first);
        Ok(Flow {
            tuple: FlowTuple {
                source: address(self.source),
                traffic,
                transport,
            },
            tally: Tally {
                packets: self.packets,
                bytes: self.bytes,
                first,
                last: Millis(first.0.saturating_add(self.lasted_ms)),
                targets: self.targets,
                sample,
                source_port: self.source_port,
                ttl_min: self.ttl_min,
                ttl_max: self.ttl_min.saturating_add(self.ttl_spread),
                window: self.window,
                options,
                marks: self.marks(),
            },
        })
    }

    fn marks(&self) -> Marks {
        Marks {
            syns: self.syns,
            mirai: self.mirai,
            zmap: self.zmap,
            zmap_modern: self.zmap_modern,
            masscan: self.masscan,
            nmap: self.nmap,
            irregular: self.irregular,
            mismatched: self.mismatched,
        }
    }

    fn spoiled(&self, what: &str, number: i8) -> StoreError {
        StoreError::Spoiled(format!("{what} {number} in a row of {}", self.sensor))
    }
}

/// IPv4 comes as `::ffff:a.b.c.d`.
fn address(source: Ipv6Addr) -> IpAddr {
    source
        .to_ipv4_mapped()
        .map_or(IpAddr::V6(source), IpAddr::V4)
}

/// The different origins of a range, each made once.
#[derive(Default)]
pub(super) struct Origins {
    words: HashMap<String, u32>,
    known: HashMap<[u32; 5], Arc<Origin>>,
}

impl Origins {
    pub(super) fn of(&mut self, row: &RawRow<'_>) -> Result<Arc<Origin>, StoreError> {
        let key = [
            self.word(row.country),
            row.asn,
            self.word(row.partner),
            self.word(row.scanner),
            self.word(row.bogon),
        ];
        if let Some(origin) = self.known.get(&key) {
            return Ok(Arc::clone(origin));
        }
        let origin = Arc::new(Origin {
            country: Country::new(row.country),
            asn: row.asn,
            partner: PartnerId::new(row.partner),
            scanner: (!row.scanner.is_empty()).then(|| row.scanner.into()),
            bogon: bogon(row.bogon)?,
        });
        self.known.insert(key, Arc::clone(&origin));
        Ok(origin)
    }

    fn word(&mut self, word: &str) -> u32 {
        if let Some(place) = self.words.get(word) {
            return *place;
        }
        let place = self.words.len() as u32;
        self.words.insert(word.to_owned(), place);
        place
    }
}

/// Labels of bogons that were ever read; there are some dozens.
static BOGONS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
/// More than there are reasons; a store that names more was written by something else.
const BOGONS_MAX: usize = 256;

/// The label as every origin bears it, for as long as the process lives.
fn bogon(label: &str) -> Result<Option<&'static str>, StoreError> {
    if label.is_empty() {
        return Ok(None);
    }
    let mut bogons = BOGONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = bogons.iter().find(|known| **known == label) {
        return Ok(Some(known));
    }
    if bogons.len() == BOGONS_MAX {
        return Err(StoreError::Spoiled(format!("bogon {label:?}")));
    }
    let label: &'static str = Box::leak(label.to_owned().into_boxed_str());
    bogons.push(label);
    Ok(Some(label))
}
