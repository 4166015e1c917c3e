//! Flows into columns.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr};

use prost::Message;

use crate::limits::{BATCH_BYTES_MAX, BATCH_FLOWS_MAX, BATCH_SPANS_MAX};
use crate::sample::{SAMPLE_BACKSCATTER_MAX, SAMPLE_MAX, TargetBits};
use crate::time::{Interval, IntervalLength};
use crate::v1;
use crate::wire::batch::{self, Header};
use crate::wire::bits::{BitWriter, Few};
use crate::wire::columns::{Flags, NEW_SERVICE, NEW_SHAPE, Oddities, Row};
use crate::wire::predict::Predictor;

/// Level 1 is twice as fast as 3, which saves 2 % on these columns.
const ZSTD_LEVEL: i32 = 1;
/// A column of so many bytes repays a block of its own.
const BLOCK_BYTES_MIN: usize = 4 * 1024;
/// A batch is full when its random bits take so many bytes. (Flows with full samples take
/// 300 each, ordinary ones 10.)
const BITS_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Bytes one flow may take in all columns: four codes, an IPv6 source, varints and oddities.
const COLUMN_BYTES_MAX: usize = 4 + 16 + 3 * 10 + 56;
/// Bytes one span may take: three varints.
const SPAN_BYTES_MAX: usize = 3 * 10;

const _: () = assert!(
    BATCH_FLOWS_MAX * COLUMN_BYTES_MAX + BATCH_SPANS_MAX * SPAN_BYTES_MAX + BITS_BYTES_MAX
        < BATCH_BYTES_MAX - 64 * 1024
);

/// Writes intervals and their flows, in order, without making a [`Flow`](crate::flow::Flow)
/// of any.
///
/// What it is given must keep the rules of a [`Batch`](crate::batch::Batch); the receiver
/// checks.
#[derive(Debug)]
pub struct Encoder {
    columns: v1::Spans,
    bits: BitWriter,
    predictor: Predictor,
    interval_length: IntervalLength,
    target_bits: u32,
    /// The interval after the last span, as a count since 1970.
    next_interval: u64,
    spans: usize,
    /// Flows of the open interval, and those of them from IPv6 sources.
    flows_open: usize,
    flows_open6: usize,
    /// One more than the last source of the open interval.
    next_source: u64,
    last_source6: Option<Ipv6Addr>,
}

impl Encoder {
    /// Of a batch without spans.
    pub fn new(interval_length: IntervalLength, target_bits: TargetBits) -> Self {
        Self {
            columns: v1::Spans::default(),
            bits: BitWriter::default(),
            predictor: Predictor::new(),
            interval_length,
            target_bits: target_bits.bits(),
            next_interval: 0,
            spans: 0,
            flows_open: 0,
            flows_open6: 0,
            next_source: 0,
            last_source6: None,
        }
    }

    /// Flows so far.
    pub fn flows(&self) -> usize {
        self.columns.flags.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.spans == 0
    }

    /// Whether another flow might break a limit.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.flows() >= BATCH_FLOWS_MAX || self.bits.len() >= BITS_BYTES_MAX
    }

    /// Whether there is room for an active interval after a silent span.
    pub fn has_room_for_spans(&self) -> bool {
        self.spans + 2 <= BATCH_SPANS_MAX
    }

    /// `intervals` in which nothing arrived; at least 1, none of them written before.
    pub fn silent(&mut self, first: Interval, intervals: u64) {
        self.skip_to(first);
        varint(&mut self.columns.intervals, intervals << 1);
        self.next_interval += intervals;
    }

    /// Opens an interval, later than all before; its flows follow, ascending, then
    /// [`Encoder::close`].
    pub fn open(&mut self, interval: Interval) {
        self.skip_to(interval);
        self.next_interval += 1;
        (self.flows_open, self.flows_open6) = (0, 0);
        (self.next_source, self.last_source6) = (0, None);
    }

    /// Closes the open interval, which has at least one flow.
    pub fn close(&mut self) {
        let flows4 = self.flows_open - self.flows_open6;
        varint(&mut self.columns.intervals, (flows4 as u64) << 1 | 1);
        varint(&mut self.columns.intervals, self.flows_open6 as u64);
    }

    /// A flow of the open interval, above all before it.
    #[inline]
    pub fn flow(&mut self, source: IpAddr, row: &Row<'_>) {
        let same_source = match source {
            IpAddr::V4(address) => self.source(address.into()),
            IpAddr::V6(address) => self.source6(address),
        };
        self.flows_open += 1;
        self.row(same_source, row);
    }

    /// Packs everything, with its header.
    pub fn finish(self, header: &Header) -> v1::Batch {
        let mut batch = v1::Batch {
            spans_bytes: self.columns.encoded_len() as u32,
            spans: compress(&self.columns)
                .expect("writing to memory does not fail, and the size is what was promised"),
            bits: self.bits.finish(),
            ..header.into()
        };
        batch::seal(&mut batch);
        batch
    }

    fn skip_to(&mut self, interval: Interval) {
        let count = interval.start() / u64::from(self.interval_length.seconds());
        varint(&mut self.columns.intervals, count - self.next_interval);
        self.next_interval = count;
        self.spans += 1;
    }

    #[inline]
    fn source(&mut self, address: u32) -> u8 {
        let next = u64::from(address) + 1;
        if next == self.next_source {
            return Flags::SAME_SOURCE;
        }
        let gap = (u64::from(address) - self.next_source) as u32;
        self.bits.rice(gap, self.predictor.gap_shift());
        self.predictor.learn_gap(gap);
        self.next_source = next;
        0
    }

    #[cold]
    fn source6(&mut self, address: Ipv6Addr) -> u8 {
        self.flows_open6 += 1;
        if self.last_source6 == Some(address) {
            return Flags::SAME_SOURCE;
        }
        self.last_source6 = Some(address);
        self.columns.sources6.extend_from_slice(&address.octets());
        0
    }

    /// Everything but the source.
    fn row(&mut self, same_source: u8, row: &Row<'_>) {
        let mut flags = same_source;
        flags |= self.expected(row, same_source > 0);
        let odd = row.oddities();
        if odd > 0 {
            flags |= Flags::ODD;
            self.oddities(row, odd);
        }
        if row.packets == 1 && row.targets == 1 && odd == 0 {
            self.single(row);
        } else {
            flags |= self.counts(row);
            self.sample(row);
        }
        self.columns.flags.push(flags);
    }

    /// Shape, service, and what they let expect: window, size, source port, time-to-live.
    #[inline]
    fn expected(&mut self, row: &Row<'_>, is_same_source: bool) -> u8 {
        let mut flags = 0;
        let mut literals = Few::default();
        let service = self.predictor.service(row.shape.transport(), row.service);
        self.columns.services.push(service);
        if service == NEW_SERVICE {
            literals = literals.plain(row.service.into(), 16);
        }
        let (port, ttl) = (self.predictor.source_port, self.predictor.ttl);
        let (code, memory) = self.predictor.shape(row.shape);
        self.columns.shapes.push(code);
        if code == NEW_SHAPE {
            varint(&mut self.columns.oddities, row.shape.number().into());
        }
        if memory.window != row.window {
            flags |= Flags::WINDOW;
            literals = literals.plain(row.window.into(), 16);
            memory.window = row.window;
        }
        if !row.has_mean(memory.mean_bytes) {
            flags |= Flags::SIZE;
            memory.mean_bytes = row.mean_bytes();
            varint(&mut self.columns.sizes, memory.mean_bytes);
        }
        let expected_port = if is_same_source {
            port
        } else {
            memory.source_port
        };
        if expected_port != row.source_port {
            flags |= Flags::PORT;
            literals = literals.plain(row.source_port.into(), 16);
        }
        memory.source_port = row.source_port;
        if !is_same_source {
            self.columns.ttls.push(row.ttl_min);
        } else if ttl != row.ttl_min {
            flags |= Flags::TTL;
            self.columns.ttls.push(row.ttl_min);
        }
        (self.predictor.source_port, self.predictor.ttl) = (row.source_port, row.ttl_min);
        self.bits.few(literals);
        flags
    }

    /// When one packet came, and to which target.
    #[inline]
    fn single(&mut self, row: &Row<'_>) {
        let first = Few::default().below(row.first.into(), self.millis());
        self.bits
            .few(first.plain(row.sample[0].into(), self.target_bits));
    }

    /// When packets came, and how many.
    #[inline]
    fn counts(&mut self, row: &Row<'_>) -> u8 {
        let mut flags = 0;
        let first = u64::from(row.first);
        let mut times = Few::default().below(first, self.millis());
        if row.packets > 1 {
            flags |= Flags::SEVERAL;
            times = times.below(u64::from(row.last) - first, self.millis() - first);
            varint(&mut self.columns.packets, row.packets - 2);
        }
        self.bits.few(times);
        let repeats = row.packets - u64::from(row.targets);
        if repeats > 0 {
            flags |= Flags::REPEATS;
            varint(&mut self.columns.repeats, repeats);
        }
        flags
    }

    #[cold]
    fn oddities(&mut self, row: &Row<'_>, odd: u8) {
        let column = &mut self.columns.oddities;
        column.push(odd);
        if odd & Oddities::UNEVEN > 0 {
            varint(column, row.bytes - row.mean_bytes() * row.packets);
        }
        if odd & Oddities::TTLS > 0 {
            column.push(row.ttl_max - row.ttl_min);
        }
        if let Some(marks) = row.marks {
            for count in marks.counts() {
                varint(column, count.into());
            }
        }
        if odd & Oddities::SAMPLE > 0 {
            column.push(row.sample.len() as u8);
        }
    }

    #[inline]
    fn sample(&mut self, row: &Row<'_>) {
        let shift = gap_shift(self.target_bits, row.targets);
        let is_complete = row.sample.len() == row.targets as usize;
        let mut next = 0;
        for (at, masked) in row.sample.iter().enumerate() {
            let gap = u64::from(*masked) - next;
            if is_complete && at + 1 == row.sample.len() {
                self.bits.below(gap, (1 << self.target_bits) - next);
            } else {
                self.bits.rice(gap as u32, shift);
            }
            next = u64::from(*masked) + 1;
        }
    }

    /// Length of an interval.
    #[inline]
    fn millis(&self) -> u64 {
        u64::from(self.interval_length.seconds()) * 1000
    }
}

/// One zstd frame of the encoded message. Columns differ in what they hold, so each that is
/// long enough begins a block, and so a code, of its own: that saves a seventh.
fn compress(columns: &v1::Spans) -> io::Result<Vec<u8>> {
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    zstd.set_pledged_src_size(Some(columns.encoded_len() as u64))?;
    let columns = [
        (1, &columns.intervals),
        (2, &columns.flags),
        (3, &columns.shapes),
        (4, &columns.services),
        (5, &columns.ttls),
        (6, &columns.packets),
        (7, &columns.repeats),
        (8, &columns.sizes),
        (9, &columns.oddities),
        (10, &columns.sources6),
    ];
    let mut field = Vec::new();
    for (tag, column) in columns {
        if column.is_empty() {
            continue;
        }
        field.clear();
        prost::encoding::bytes::encode(tag, column, &mut field);
        zstd.write_all(&field)?;
        if column.len() >= BLOCK_BYTES_MIN {
            zstd.flush()?;
        }
    }
    zstd.finish()
}

impl Row<'_> {
    /// Whether the mean size is `mean`; divides only if it must.
    #[inline]
    fn has_mean(&self, mean: u64) -> bool {
        mean.checked_mul(self.packets) == Some(self.bytes) || mean == self.mean_bytes()
    }

    #[inline]
    fn mean_bytes(&self) -> u64 {
        if self.packets == 1 {
            return self.bytes;
        }
        self.bytes / self.packets
    }

    #[inline]
    fn oddities(&self) -> u8 {
        let mut odd = 0;
        if self.packets > 1 && self.mean_bytes() * self.packets != self.bytes {
            odd |= Oddities::UNEVEN;
        }
        if self.ttl_min != self.ttl_max {
            odd |= Oddities::TTLS;
        }
        if self.marks.is_some() {
            odd |= Oddities::MARKS;
        }
        if self.sample.len() != expected_sample(self.targets, self.shape.is_backscatter()) {
            odd |= Oddities::SAMPLE;
        }
        odd
    }
}

/// How long a sample of so many targets is, unless it says otherwise.
#[inline]
pub(super) fn expected_sample(targets: u32, is_backscatter: bool) -> usize {
    let most = if is_backscatter {
        SAMPLE_BACKSCATTER_MAX
    } else {
        SAMPLE_MAX
    };
    most.min(targets as usize)
}

/// The Rice shift for gaps between so many targets: rounded down, the binary logarithm of
/// how far apart they would stand if evenly.
#[inline]
pub(super) fn gap_shift(target_bits: u32, targets: u32) -> u32 {
    target_bits.saturating_sub(u32::BITS - targets.leading_zeros())
}

/// Seven bits a byte, lowest first, as in protocol buffers.
#[inline]
fn varint(column: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        column.push(value as u8 | 0x80);
        value >>= 7;
    }
    column.push(value as u8);
}
