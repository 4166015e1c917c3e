//! Columns into flows.
//!
//! Reads are not checked one by one: past its end a column gives zeros, and a column that was
//! not read exactly to its end makes the batch malformed. The number of flows is known and
//! limited before anything is allocated for them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::batch::Span;
use crate::flow::{Flow, FlowTuple, Marks, Tally};
use crate::limits::{BATCH_FLOWS_MAX, BATCH_SPANS_MAX};
use crate::sample::{SAMPLE_BACKSCATTER_MAX, TargetBits, TargetSample};
use crate::time::{Interval, IntervalLength, Millis};
use crate::traffic::Transport;
use crate::v1;
use crate::wire::bits::BitReader;
use crate::wire::columns::{Flags, NEW_SERVICE, NEW_SHAPE, Oddities, Shape};
use crate::wire::encoder::{expected_sample, gap_shift};
use crate::wire::predict::Predictor;
use crate::wire::{Malformed, within};

/// The spans in `columns` and `bits`. They keep the format, not yet the rules of a batch.
pub(super) fn spans(
    columns: &v1::Spans,
    bits: &[u8],
    interval_length: IntervalLength,
    target_bits: TargetBits,
) -> Result<Vec<Span>, Malformed> {
    within("flows", columns.flags.len(), BATCH_FLOWS_MAX)?;
    let mut decoder = Decoder::new(columns, bits, interval_length, target_bits);
    let mut spans = Vec::new();
    while !decoder.intervals.is_finished() {
        within("intervals", spans.len() + 1, BATCH_SPANS_MAX)?;
        spans.push(decoder.span()?);
    }
    decoder.is_finished()?;
    Ok(spans)
}

struct Decoder<'a> {
    intervals: Column<'a>,
    flags: Column<'a>,
    shapes: Column<'a>,
    services: Column<'a>,
    ttls: Column<'a>,
    packets: Column<'a>,
    repeats: Column<'a>,
    sizes: Column<'a>,
    oddities: Column<'a>,
    sources6: Column<'a>,
    bits: BitReader<'a>,
    predictor: Predictor,
    interval_length: IntervalLength,
    target_range: u64,
    next_interval: u64,
    /// One more than the last IPv4 source of the open interval.
    next_source: u64,
    last_source6: Option<Ipv6Addr>,
}

/// What `oddities` says about one flow; usually nothing.
#[derive(Default)]
struct Odd {
    bytes: u64,
    ttls: u8,
    marks: Option<Marks>,
    sample: Option<u8>,
}

impl<'a> Decoder<'a> {
    fn new(
        columns: &'a v1::Spans,
        bits: &'a [u8],
        interval_length: IntervalLength,
        target_bits: TargetBits,
    ) -> Self {
        Self {
            intervals: Column::new(&columns.intervals),
            flags: Column::new(&columns.flags),
            shapes: Column::new(&columns.shapes),
            services: Column::new(&columns.services),
            ttls: Column::new(&columns.ttls),
            packets: Column::new(&columns.packets),
            repeats: Column::new(&columns.repeats),
            sizes: Column::new(&columns.sizes),
            oddities: Column::new(&columns.oddities),
            sources6: Column::new(&columns.sources6),
            bits: BitReader::new(bits),
            predictor: Predictor::new(),
            interval_length,
            target_range: 1 << target_bits.bits(),
            next_interval: 0,
            next_source: 0,
            last_source6: None,
        }
    }

    fn span(&mut self) -> Result<Span, Malformed> {
        let skip = self.intervals.varint();
        let kind = self.intervals.varint();
        let count = self.next_interval.checked_add(skip);
        let length = u64::from(self.interval_length.seconds());
        let start = count.and_then(|count| count.checked_mul(length));
        let interval = start.map(Interval).ok_or(BEYOND_TIME)?;
        let intervals = if kind & 1 == 0 { kind >> 1 } else { 1 };
        let next = count.and_then(|count| count.checked_add(intervals));
        self.next_interval = next.ok_or(BEYOND_TIME)?;
        if kind & 1 == 0 {
            return Ok(Span::Silent {
                first: interval,
                intervals,
            });
        }
        let flows = self.flows(interval, kind >> 1)?;
        Ok(Span::Active { interval, flows })
    }

    fn flows(&mut self, interval: Interval, flows4: u64) -> Result<Vec<Flow>, Malformed> {
        let flows6 = self.intervals.varint();
        let flows = flows4.saturating_add(flows6);
        if flows > self.flags.remaining() as u64 {
            return Err(Malformed::invalid("intervals", "more flows than flags"));
        }
        let start = interval.start().checked_mul(1000).ok_or(BEYOND_TIME)?;
        (self.next_source, self.last_source6) = (0, None);
        let mut active = Vec::with_capacity(flows as usize);
        for at in 0..flows {
            let flags = self.flags.byte();
            let source = if at < flows4 {
                self.source4(flags)?
            } else {
                self.source6(flags)?
            };
            active.push(self.flow(source, flags, start)?);
        }
        Ok(active)
    }

    fn source4(&mut self, flags: u8) -> Result<IpAddr, Malformed> {
        if flags & Flags::SAME_SOURCE == 0 {
            let gap = self.bits.rice(self.predictor.gap_shift());
            self.predictor.learn_gap(gap);
            self.next_source += u64::from(gap) + 1;
        }
        let source = self.next_source.checked_sub(1);
        let source = source.and_then(|source| u32::try_from(source).ok());
        let source = source.ok_or(Malformed::invalid("source", "no IPv4 address"))?;
        Ok(Ipv4Addr::from(source).into())
    }

    fn source6(&mut self, flags: u8) -> Result<IpAddr, Malformed> {
        if flags & Flags::SAME_SOURCE == 0 {
            let mut octets = [0; 16];
            octets.fill_with(|| self.sources6.byte());
            self.last_source6 = Some(octets.into());
        }
        let source = self.last_source6;
        source
            .map(IpAddr::V6)
            .ok_or(Malformed::invalid("source", "none before the first flow"))
    }

    fn flow(&mut self, source: IpAddr, flags: u8, start: u64) -> Result<Flow, Malformed> {
        let (shape, tuple, mut tally) = self.shape(source, flags)?;
        let is_several = flags & Flags::SEVERAL > 0;
        let length = u64::from(self.interval_length.seconds()) * 1000;
        let first = self.bits.below(length);
        let mut last = first;
        tally.packets = 1;
        if is_several {
            last += self.bits.below(length - first);
            tally.packets = self.packets.varint().saturating_add(2);
        }
        tally.first = Millis(start.checked_add(first).ok_or(BEYOND_TIME)?);
        tally.last = Millis(start.checked_add(last).ok_or(BEYOND_TIME)?);
        let repeats = if flags & Flags::REPEATS > 0 {
            self.repeats.varint()
        } else {
            0
        };
        let targets = tally.packets.checked_sub(repeats);
        tally.targets = targets
            .and_then(|targets| u32::try_from(targets).ok())
            .ok_or(Malformed::invalid("targets", "not between 0 and packets"))?;
        let odd = self.odd(flags)?;
        let even = tally.bytes.checked_mul(tally.packets);
        let bytes = even.and_then(|even| even.checked_add(odd.bytes));
        tally.bytes = bytes.ok_or(Malformed::invalid("bytes", "their sum overflows"))?;
        let ttl_max = tally.ttl_min.checked_add(odd.ttls);
        tally.ttl_max = ttl_max.ok_or(Malformed::invalid("ttl_max", "over 255"))?;
        tally.marks = odd
            .marks
            .unwrap_or_else(|| marks_of(shape.marks(), tally.packets));
        let expected = expected_sample(tally.targets, shape.is_backscatter());
        let kept = odd.sample.map_or(expected, usize::from);
        tally.sample = self.sample(tally.targets, kept)?;
        Ok(Flow { tuple, tally })
    }

    /// Shape, service, and what they let expect. `bytes` of the tally is that of one packet.
    fn shape(&mut self, source: IpAddr, flags: u8) -> Result<(Shape, FlowTuple, Tally), Malformed> {
        let code = self.shapes.byte();
        let shape = match code {
            NEW_SHAPE => {
                let number = self.oddities.varint();
                Shape::from_number(number).ok_or(Malformed::unknown("shape", number))?
            }
            code => {
                let known = self.predictor.known_shape(code);
                known.ok_or(Malformed::unknown("shape", code))?.0
            }
        };
        let tuple = FlowTuple {
            source,
            traffic: shape
                .traffic()
                .ok_or(Malformed::unknown("traffic", shape.number()))?,
            transport: self.transport(shape)?,
        };
        let is_same_source = flags & Flags::SAME_SOURCE > 0;
        let (port, ttl) = (self.predictor.source_port, self.predictor.ttl);
        let (_, memory) = self.predictor.shape(shape);
        if flags & Flags::WINDOW > 0 {
            memory.window = self.bits.plain(16) as u16;
        }
        if flags & Flags::SIZE > 0 {
            memory.mean_bytes = self.sizes.varint();
        }
        if flags & Flags::PORT > 0 {
            memory.source_port = self.bits.plain(16) as u16;
        } else if is_same_source {
            memory.source_port = port;
        }
        let ttl = if is_same_source && flags & Flags::TTL == 0 {
            ttl
        } else {
            self.ttls.byte()
        };
        let tally = Tally {
            packets: 0,
            bytes: memory.mean_bytes,
            first: Millis(0),
            last: Millis(0),
            targets: 0,
            sample: TargetSample::default(),
            source_port: memory.source_port,
            ttl_min: ttl,
            ttl_max: ttl,
            window: memory.window,
            options: shape
                .options()
                .ok_or(Malformed::unknown("options", shape.number()))?,
            marks: Marks::default(),
        };
        (self.predictor.source_port, self.predictor.ttl) = (tally.source_port, ttl);
        Ok((shape, tuple, tally))
    }

    fn transport(&mut self, shape: Shape) -> Result<Transport, Malformed> {
        let case = shape.transport();
        let service = match self.services.byte() {
            NEW_SERVICE => {
                let service = self.bits.plain(16) as u16;
                self.predictor.service(case, service);
                service
            }
            code => self.predictor.known_service(code),
        };
        Transport::from_wire(case, service).ok_or(Malformed::unknown("transport", case))
    }

    fn odd(&mut self, flags: u8) -> Result<Odd, Malformed> {
        let mut odd = Odd::default();
        if flags & Flags::ODD == 0 {
            return Ok(odd);
        }
        let mask = self.oddities.byte();
        if mask & Oddities::UNEVEN > 0 {
            odd.bytes = self.oddities.varint();
        }
        if mask & Oddities::TTLS > 0 {
            odd.ttls = self.oddities.byte();
        }
        if mask & Oddities::MARKS > 0 {
            let mut marks = Marks::default();
            for count in marks.counts_mut() {
                *count = u32::try_from(self.oddities.varint())
                    .map_err(|_| Malformed::invalid("marks", "a count over 32 bits"))?;
            }
            odd.marks = Some(marks);
        }
        if mask & Oddities::SAMPLE > 0 {
            odd.sample = Some(self.oddities.byte());
        }
        Ok(odd)
    }

    fn sample(&mut self, targets: u32, kept: usize) -> Result<TargetSample, Malformed> {
        let mut masked = [0; SAMPLE_BACKSCATTER_MAX];
        let masked = masked
            .get_mut(..kept)
            .ok_or(Malformed::invalid("sample", "longer than any may be"))?;
        let shift = gap_shift(self.target_range.ilog2(), targets);
        let is_complete = kept == targets as usize;
        let mut next = 0;
        for (at, target) in masked.iter_mut().enumerate() {
            let room = self.target_range.saturating_sub(next);
            if room == 0 {
                return Err(Malformed::invalid("sample", "beyond the target bits"));
            }
            let gap = if is_complete && at + 1 == kept {
                self.bits.below(room)
            } else {
                self.bits.rice(shift).into()
            };
            if gap >= room {
                return Err(Malformed::invalid("sample", "beyond the target bits"));
            }
            *target = (next + gap) as u32;
            next += gap + 1;
        }
        TargetSample::from_slice(masked, SAMPLE_BACKSCATTER_MAX)
            .ok_or(Malformed::invalid("sample", "not ascending"))
    }

    /// Every column was read to its end, and none beyond.
    fn is_finished(&self) -> Result<(), Malformed> {
        let columns = [
            (&self.intervals, "intervals"),
            (&self.flags, "flags"),
            (&self.shapes, "shapes"),
            (&self.services, "services"),
            (&self.ttls, "ttls"),
            (&self.packets, "packets"),
            (&self.repeats, "repeats"),
            (&self.sizes, "sizes"),
            (&self.oddities, "oddities"),
            (&self.sources6, "sources6"),
        ];
        for (column, what) in columns {
            if column.at != column.bytes.len() {
                return Err(Malformed::invalid(what, "column too long or too short"));
            }
        }
        if !self.bits.is_finished() {
            return Err(Malformed::invalid("bits", "too long or too short"));
        }
        Ok(())
    }
}

const BEYOND_TIME: Malformed = Malformed::Invalid {
    what: "intervals",
    why: "beyond the end of time",
};

/// The counts of a flow whose packets were all alike.
fn marks_of(whole: u8, packets: u64) -> Marks {
    let packets = u32::try_from(packets).unwrap_or(u32::MAX);
    let mut marks = Marks::default();
    for (bit, count) in marks.counts_mut().into_iter().enumerate() {
        if whole >> bit & 1 > 0 {
            *count = packets;
        }
    }
    marks
}

/// A column, read from its beginning. Beyond its end there are zeros.
struct Column<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Column<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn is_finished(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    #[inline]
    fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    /// Bits beyond the 64th are ignored.
    #[inline]
    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }
}
