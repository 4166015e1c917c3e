//! Batches as rows of `batch_ledger`.

use std::sync::Arc;

use noroshi_proto::batch::{Batch, Span};

use super::Admitted;
use crate::block::{Block, Dictionary};

type Put = fn(&Admitted, &mut Vec<u8>);

/// The columns of fixed width: name, type as sent, value.
const COLUMNS: [(&str, &str, Put); 13] = [
    ("epoch", "UInt64", |row, out| put(out, row.batch.id.epoch.0)),
    ("sequence", "UInt64", |row, out| {
        put(out, row.batch.id.sequence)
    }),
    ("checksum", "UInt64", |row, out| put(out, row.checksum)),
    ("interval_seconds", "UInt8", |row, out| {
        out.push(row.batch.interval_length.seconds())
    }),
    ("first", "DateTime('UTC')", |row, out| {
        put_time(out, bounds(&row.batch).0)
    }),
    ("last_end", "DateTime('UTC')", |row, out| {
        put_time(out, bounds(&row.batch).1)
    }),
    ("complete_through", "DateTime('UTC')", |row, out| {
        put_time(out, row.batch.complete_through)
    }),
    ("telescope_addresses", "UInt64", |row, out| {
        put(out, row.batch.telescope_addresses)
    }),
    ("target_bits", "UInt8", |row, out| {
        out.push(row.batch.target_bits.bits() as u8)
    }),
    ("flows", "UInt64", |row, out| {
        put(out, row.origins.len() as u64)
    }),
    ("packets", "UInt64", |row, out| {
        put(out, row.batch.packets())
    }),
    ("epoch_frames", "UInt64", |row, out| {
        put(out, row.batch.counters.frames)
    }),
    ("epoch_packets", "UInt64", |row, out| {
        put(out, row.batch.counters.packets)
    }),
];

fn put(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_time(out: &mut Vec<u8>, second: u64) {
    // `storable` looked: it fits.
    out.extend_from_slice(&(second as u32).to_le_bytes());
}

/// The ledger's rows of these batches.
pub(super) fn block(batches: &[Arc<Admitted>]) -> [Vec<u8>; 2] {
    let mut block = Block::new(batches.len());
    for (name, kind, put) in COLUMNS {
        let mut values = Vec::with_capacity(batches.len() * 8);
        batches.iter().for_each(|row| put(row, &mut values));
        block.column(name, kind, &values);
    }
    let mut sensors = Dictionary::new();
    let mut places = Vec::with_capacity(batches.len() * 4);
    for row in batches {
        places.extend_from_slice(&sensors.place(row.batch.id.sensor.as_str()).to_le_bytes());
    }
    block.dictionary("sensor", &sensors, &places);
    spans(&mut block, batches);
    losses(&mut block, batches);
    block.finish()
}

fn spans(block: &mut Block, batches: &[Arc<Admitted>]) {
    let (mut ends, mut first, mut end) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 0u64;
    for row in batches {
        for (from, to) in watched(&row.batch) {
            count += 1;
            put_time(&mut first, from);
            put_time(&mut end, to);
        }
        put(&mut ends, count);
    }
    block.arrays("span_first", "Array(DateTime('UTC'))", &ends, &first);
    block.arrays("span_end", "Array(DateTime('UTC'))", &ends, &end);
}

fn losses(block: &mut Block, batches: &[Arc<Admitted>]) {
    let (mut ends, mut names, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 0u64;
    for row in batches {
        for (loss, lost) in row.batch.counters.losses.iter() {
            count += 1;
            names.push(loss.name().len() as u8); // names are short: one byte of varuint
            names.extend_from_slice(loss.name().as_bytes());
            put(&mut counts, lost);
        }
        put(&mut ends, count);
    }
    names.extend_from_slice(&counts);
    block.arrays("epoch_losses", "Map(String, UInt64)", &ends, &names);
}

/// First second and end of everything watched; a batch that watched nothing stands at its
/// `complete_through`.
fn bounds(batch: &Batch) -> (u64, u64) {
    let spans = watched(batch);
    match (spans.first(), spans.last()) {
        (Some((first, _)), Some((_, end))) => (*first, *end),
        _ => (batch.complete_through, batch.complete_through),
    }
}

/// The stretches of time watched, as first second and end, joined where they touch.
pub(super) fn watched(batch: &Batch) -> Vec<(u64, u64)> {
    let length = u64::from(batch.interval_length.seconds());
    let mut stretches: Vec<(u64, u64)> = Vec::new();
    for span in &batch.spans {
        let (first, end) = match span {
            Span::Silent { first, intervals } => {
                (first.start(), first.start() + intervals * length)
            }
            Span::Active { interval, .. } => (interval.start(), interval.start() + length),
        };
        match stretches.last_mut() {
            Some((_, last)) if *last == first => *last = end,
            _ => stretches.push((first, end)),
        }
    }
    stretches
}
