//! Batches as rows of `flow_tuples`.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use noroshi_proto::batch::Span;
use noroshi_proto::flow::Flow;
use noroshi_proto::time::Interval;

use super::Admitted;
use crate::block::{Block, Dictionary};
use crate::origin::Origin;

/// Rows laid out at a time: what the second-level cache holds.
const CHUNK_ROWS: usize = 1_024;

/// One interval of one batch.
struct Stretch<'a> {
    admitted: &'a Admitted,
    interval: Interval,
    flows: &'a [Flow],
    origins: &'a [Arc<Origin>],
    /// The batch's first interval with flows.
    opens: bool,
}

/// One row, and the places of its words.
struct FlowRow<'a> {
    admitted: &'a Admitted,
    interval: Interval,
    flow: &'a Flow,
    origin: &'a Origin,
    head: bool,
    words: Words,
}

#[derive(Clone, Copy, Default)]
struct Words {
    sensor: u32,
    country: u32,
    partner: u32,
    scanner: u32,
    bogon: u32,
}

type Put = fn(&FlowRow<'_>, &mut Vec<u8>);

/// The columns of fixed width: name, type as sent, value.
const COLUMNS: [(&str, &str, Put); 30] = [
    ("interval", "DateTime('UTC')", |row, out| {
        put(out, (row.interval.start() as u32).to_le_bytes())
    }),
    ("interval_seconds", "UInt8", |row, out| {
        put(out, [row.admitted.batch.interval_length.seconds()])
    }),
    ("epoch", "UInt64", |row, out| {
        put(out, row.admitted.batch.id.epoch.0.to_le_bytes())
    }),
    ("sequence", "UInt64", |row, out| {
        put(out, row.admitted.batch.id.sequence.to_le_bytes())
    }),
    ("head", "UInt8", |row, out| put(out, [row.head.into()])),
    ("source", "IPv6", |row, out| {
        put(out, ipv6(row.flow.tuple.source).octets())
    }),
    ("traffic", "Int8", |row, out| {
        put(out, [row.flow.tuple.traffic as u8])
    }),
    ("transport", "Int8", |row, out| {
        put(out, [row.flow.tuple.transport.to_wire().0])
    }),
    ("detail", "UInt16", |row, out| {
        put(out, row.flow.tuple.transport.to_wire().1.to_le_bytes())
    }),
    ("packets", "UInt64", |row, out| {
        put(out, row.flow.tally.packets.to_le_bytes())
    }),
    ("bytes", "UInt64", |row, out| {
        put(out, row.flow.tally.bytes.to_le_bytes())
    }),
    ("first", "DateTime64(3, 'UTC')", |row, out| {
        put(out, row.flow.tally.first.0.to_le_bytes())
    }),
    ("lasted_ms", "UInt64", |row, out| {
        put(
            out,
            row.flow
                .tally
                .last
                .0
                .saturating_sub(row.flow.tally.first.0)
                .to_le_bytes(),
        );
    }),
    ("targets", "UInt32", |row, out| {
        put(out, row.flow.tally.targets.to_le_bytes())
    }),
    ("source_port", "UInt16", |row, out| {
        put(out, row.flow.tally.source_port.to_le_bytes())
    }),
    ("ttl_min", "UInt8", |row, out| {
        put(out, [row.flow.tally.ttl_min])
    }),
    ("ttl_spread", "UInt8", |row, out| {
        put(
            out,
            [row.flow
                .tally
                .ttl_max
                .saturating_sub(row.flow.tally.ttl_min)],
        );
    }),
    ("window", "UInt16", |row, out| {
        put(out, row.flow.tally.window.to_le_bytes())
    }),
    ("options", "Int8", |row, out| {
        put(out, [row.flow.tally.options as u8])
    }),
    ("syns", "UInt32", |row, out| {
        put(out, row.flow.tally.marks.syns.to_le_bytes())
    }),
    ("mirai", "UInt32", |row, out| {
        put(out, row.flow.tally.marks.mirai.to_le_bytes())
    }),
    ("zmap", "UInt32", |row, out| {
        put(out, row.flow.tally.marks.zmap.to_le_bytes())
    }),
    ("zmap_modern", "UInt32", |row, out| {
        put(out, row.flow.tally.marks.zmap_modern.to_le_bytes())
    }),
    ("masscan", "UInt32", |row, out| {
        put(out, row.flow.tally.marks.masscan.to_le_bytes())
    }),
    ("nmap", "UInt32", |row, out| {
        put(out, row.flow.tally.marks.nmap.to_le_bytes())
    }),
    ("irregular", "UInt32", |row, out| {
        put(out, row.flow.tally.marks.irregular.to_le_bytes())
    }),
    ("mismatched", "UInt32", |row, out| {
        put(out, row.flow.tally.marks.mismatched.to_le_bytes())
    }),
    ("asn", "UInt32", |row, out| {
        put(out, row.origin.asn.to_le_bytes())
    }),
    ("target_bits", "UInt8", |row, out| {
        put(out, [row.admitted.batch.target_bits.bits() as u8]);
    }),
    ("telescope_addresses", "UInt64", |row, out| {
        put(out, row.admitted.batch.telescope_addresses.to_le_bytes());
    }),
];

/// The columns of words: name, place.
const WORDS: [(&str, Put); 5] = [
    ("sensor", |row, out| {
        put(out, row.words.sensor.to_le_bytes())
    }),
    ("country", |row, out| {
        put(out, row.words.country.to_le_bytes())
    }),
    ("partner", |row, out| {
        put(out, row.words.partner.to_le_bytes())
    }),
    ("scanner", |row, out| {
        put(out, row.words.scanner.to_le_bytes())
    }),
    ("bogon", |row, out| put(out, row.words.bogon.to_le_bytes())),
];

fn put<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) {
    out.extend_from_slice(&bytes);
}

/// Every flow of these batches as one block, in the order of the table.
pub(super) fn block(batches: &[Arc<Admitted>]) -> [Vec<u8>; 2] {
    let mut stretches: Vec<Stretch<'_>> =
        batches.iter().flat_map(|batch| stretches(batch)).collect();
    stretches.sort_by_key(|stretch| (stretch.interval, &stretch.admitted.batch.id));
    let mut layout = Layout::new(stretches.iter().map(|stretch| stretch.flows.len()).sum());
    for stretch in &stretches {
        layout.add(stretch);
    }
    layout.finish()
}

/// The intervals of a batch that have flows, with the flows' origins.
fn stretches(admitted: &Admitted) -> Vec<Stretch<'_>> {
    let mut origins = admitted.origins.as_slice();
    let mut found: Vec<Stretch<'_>> = Vec::new();
    for span in &admitted.batch.spans {
        let Span::Active { interval, flows } = span else {
            continue;
        };
        let (mine, rest) = origins.split_at(flows.len());
        origins = rest;
        found.push(Stretch {
            admitted,
            interval: *interval,
            flows,
            origins: mine,
            opens: found.is_empty(),
        });
    }
    found
}

/// Columns that grow.
struct Layout {
    rows: usize,
    fixed: Vec<Vec<u8>>,
    places: Vec<Vec<u8>>,
    dictionary: Dictionary,
    /// Where each sample ends among all masked targets, and those.
    ends: Vec<u8>,
    targets: Vec<u8>,
}

impl Layout {
    fn new(rows: usize) -> Self {
        Self {
            rows,
            fixed: vec![Vec::new(); COLUMNS.len()],
            places: vec![Vec::with_capacity(rows * 4); WORDS.len()],
            dictionary: Dictionary::new(),
            ends: Vec::with_capacity(rows * 8),
            targets: Vec::with_capacity(rows * 8),
        }
    }

    fn add(&mut self, stretch: &Stretch<'_>) {
        let mut words = Words {
            sensor: self
                .dictionary
                .place(stretch.admitted.batch.id.sensor.as_str()),
            ..Words::default()
        };
        let mut chunk: Vec<FlowRow<'_>> = Vec::with_capacity(CHUNK_ROWS);
        let mut known: Option<&Arc<Origin>> = None;
        for (number, (flow, origin)) in stretch.flows.iter().zip(stretch.origins).enumerate() {
            // Rows are sorted by source, so the same origin comes many times in a row.
            if !known.is_some_and(|known| Arc::ptr_eq(known, origin)) {
                known = Some(origin);
                words.look_up(origin, &mut self.dictionary);
            }
            chunk.push(FlowRow {
                admitted: stretch.admitted,
                interval: stretch.interval,
                flow,
                origin,
                head: stretch.opens && number == 0,
                words,
            });
            if chunk.len() == CHUNK_ROWS {
                self.put(&chunk);
                chunk.clear();
            }
        }
        self.put(&chunk);
    }

    fn put(&mut self, chunk: &[FlowRow<'_>]) {
        for ((_, _, put), out) in COLUMNS.iter().zip(&mut self.fixed) {
            chunk.iter().for_each(|row| put(row, out));
        }
        for ((_, put), out) in WORDS.iter().zip(&mut self.places) {
            chunk.iter().for_each(|row| put(row, out));
        }
        for row in chunk {
            for target in row.flow.tally.sample.as_slice() {
                put(&mut self.targets, target.to_le_bytes());
            }
            put(
                &mut self.ends,
                (self.targets.len() as u64 / 4).to_le_bytes(),
            );
        }
    }

    fn finish(self) -> [Vec<u8>; 2] {
        let mut block = Block::new(self.rows);
        for ((name, kind, _), values) in COLUMNS.iter().zip(&self.fixed) {
            // A fingerprint that nobody bears: zero is what the engine puts where nothing comes.
            if values.iter().any(|byte| *byte != 0) {
                block.column(name, kind, values);
            }
        }
        for ((name, _), places) in WORDS.iter().zip(&self.places) {
            block.dictionary(name, &self.dictionary, places);
        }
        block.arrays("sample", "Array(UInt32)", &self.ends, &self.targets);
        block.finish()
    }
}

impl Words {
    fn look_up(&mut self, origin: &Origin, dictionary: &mut Dictionary) {
        self.country = dictionary.place(origin.country.as_ref().map_or("", |c| c.as_str()));
        self.partner = dictionary.place(origin.partner.as_ref().map_or("", |p| p.as_str()));
        self.scanner = dictionary.place(origin.scanner.as_deref().unwrap_or(""));
        self.bogon = dictionary.place(origin.bogon.unwrap_or(""));
    }
}

/// IPv4 as `::ffff:a.b.c.d`, as the engine has it.
fn ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}
