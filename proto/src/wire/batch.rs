//! A batch: its header, its limits, its checksum, and the rules its flows keep.

use prost::Message;

use crate::batch::{Batch, Span};
use crate::flow::{Flow, Tally};
use crate::id::{BatchId, Epoch};
use crate::limits::{BATCH_BYTES_MAX, BATCH_FLOWS_MAX, BATCH_SPANS_MAX, SPANS_BYTES_MAX};
use crate::loss::{Counters, Loss, Losses};
use crate::sample::{TargetBits, sample_max};
use crate::time::{Interval, IntervalLength, Millis};
use crate::v1;
use crate::wire::columns::Row;
use crate::wire::encoder::Encoder;
use crate::wire::hello::{interval_length, sensor};
use crate::wire::{Malformed, checksum, decoder, within};

/// Everything about a batch but its flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its one name.
    pub id: BatchId,
    /// How long each interval lasted.
    pub interval_length: IntervalLength,
    /// Every interval that ended at or before this second (since 1970) is complete.
    pub complete_through: u64,
    /// Monitored dark IPv4 addresses.
    pub telescope_addresses: u64,
    /// How targets were masked.
    pub target_bits: TargetBits,
    /// Totals of the epoch, this batch included.
    pub counters: Counters,
}

/// A wire batch without flows and without a checksum.
impl From<&Header> for v1::Batch {
    fn from(header: &Header) -> Self {
        Self {
            sensor: header.id.sensor.to_string(),
            epoch: header.id.epoch.0,
            sequence: header.id.sequence,
            interval_seconds: header.interval_length.seconds().into(),
            complete_through: header.complete_through,
            telescope_addresses: header.telescope_addresses,
            target_bits: header.target_bits.bits(),
            counters: Some((&header.counters).into()),
            ..Self::default()
        }
    }
}

/// Reads the header alone; flows and checksum are not looked at.
impl TryFrom<&v1::Batch> for Header {
    type Error = Malformed;

    fn try_from(wire: &v1::Batch) -> Result<Self, Malformed> {
        let counters = wire.counters.as_ref();
        Ok(Self {
            id: BatchId {
                sensor: sensor(&wire.sensor)?,
                epoch: Epoch(wire.epoch),
                sequence: wire.sequence,
            },
            interval_length: interval_length(wire.interval_seconds)?,
            complete_through: wire.complete_through,
            telescope_addresses: wire.telescope_addresses,
            target_bits: TargetBits::from_wire(wire.target_bits)
                .ok_or(Malformed::unknown("target_bits", wire.target_bits))?,
            counters: counters
                .ok_or(Malformed::invalid("counters", "missing"))?
                .try_into()?,
        })
    }
}

impl From<&Counters> for v1::Counters {
    fn from(counters: &Counters) -> Self {
        let losses = counters.losses.iter().map(|(loss, count)| v1::LossCount {
            reason: loss as u32,
            count,
        });
        Self {
            frames: counters.frames,
            packets: counters.packets,
            losses: losses.collect(),
        }
    }
}

/// Counters add up: `frames == packets + losses.total()`.
impl TryFrom<&v1::Counters> for Counters {
    type Error = Malformed;

    fn try_from(wire: &v1::Counters) -> Result<Self, Malformed> {
        within("losses", wire.losses.len(), Loss::ALL.len())?;
        let mut losses = Losses::default();
        let mut sum = Some(0u64);
        for v1::LossCount { reason, count } in &wire.losses {
            let loss = Loss::from_wire(*reason).ok_or(Malformed::unknown("loss", *reason))?;
            sum = sum.and_then(|sum| sum.checked_add(*count));
            if sum.is_none() || *count == 0 || losses.of(loss) > 0 {
                return Err(Malformed::invalid(
                    "losses",
                    "zero, twice, or beyond 64 bits",
                ));
            }
            losses.add(loss, *count);
        }
        if wire.packets.checked_add(losses.total()) != Some(wire.frames) {
            let why = "frames are not packets and losses together";
            return Err(Malformed::invalid("counters", why));
        }
        Ok(Self {
            frames: wire.frames,
            packets: wire.packets,
            losses,
        })
    }
}

/// Encodes a batch.
///
/// # Errors
/// When it breaks a rule or a limit, which the receiver would not forgive either.
impl TryFrom<&Batch> for v1::Batch {
    type Error = Malformed;

    fn try_from(batch: &Batch) -> Result<Self, Malformed> {
        check(batch)?;
        let mut encoder = Encoder::new(batch.interval_length, batch.target_bits);
        for span in &batch.spans {
            match span {
                Span::Silent { first, intervals } => encoder.silent(*first, *intervals),
                Span::Active { interval, flows } => {
                    encoder.open(*interval);
                    for flow in flows {
                        encoder.flow(flow.tuple.source, &Row::of(flow, *interval));
                    }
                    encoder.close();
                }
            }
        }
        let wire = encoder.finish(&Header {
            id: batch.id.clone(),
            interval_length: batch.interval_length,
            complete_through: batch.complete_through,
            telescope_addresses: batch.telescope_addresses,
            target_bits: batch.target_bits,
            counters: batch.counters,
        });
        within_limits(&wire)?;
        Ok(wire)
    }
}

/// Decodes a batch, and checks everything: limits, checksum, format, rules.
impl TryFrom<&v1::Batch> for Batch {
    type Error = Malformed;

    fn try_from(wire: &v1::Batch) -> Result<Self, Malformed> {
        verify(wire)?;
        let header = Header::try_from(wire)?;
        let columns = columns(wire)?;
        let (length, bits) = (header.interval_length, header.target_bits);
        let batch = Self {
            id: header.id,
            interval_length: header.interval_length,
            spans: decoder::spans(&columns, &wire.bits, length, bits)?,
            complete_through: header.complete_through,
            telescope_addresses: header.telescope_addresses,
            target_bits: header.target_bits,
            counters: header.counters,
        };
        check(&batch)?;
        Ok(batch)
    }
}

/// Adds `more` to what a finished batch reports, and seals it again.
///
/// # Errors
/// When its counters are malformed.
pub fn report_also(wire: &mut v1::Batch, more: &Counters) -> Result<(), Malformed> {
    let counters = wire.counters.as_ref();
    let counters = counters.ok_or(Malformed::invalid("counters", "missing"))?;
    let mut counters = Counters::try_from(counters)?;
    counters.frames += more.frames;
    counters.packets += more.packets;
    for (reason, count) in more.losses.iter() {
        counters.losses.add(reason, count);
    }
    wire.counters = Some((&counters).into());
    seal(wire);
    Ok(())
}

/// Gives a batch the checksum of what it holds.
pub fn seal(wire: &mut v1::Batch) {
    wire.checksum = checksum::of(wire);
}

/// How many flows a batch has, without decoding them.
///
/// # Errors
/// When its columns do not unpack.
pub fn count_flows(wire: &v1::Batch) -> Result<usize, Malformed> {
    within_limits(wire)?;
    Ok(columns(wire)?.flags.len()) // one byte per flow
}

/// Whether limits and checksum hold, without a look at the flows.
pub fn verify(wire: &v1::Batch) -> Result<(), Malformed> {
    within_limits(wire)?;
    let computed = checksum::of(wire);
    if computed != wire.checksum {
        return Err(Malformed::Checksum {
            stated: wire.checksum,
            computed,
        });
    }
    Ok(())
}

fn within_limits(wire: &v1::Batch) -> Result<(), Malformed> {
    within("batch", wire.encoded_len(), BATCH_BYTES_MAX)?;
    within("spans_bytes", wire.spans_bytes as usize, SPANS_BYTES_MAX)?;
    Ok(())
}

fn columns(wire: &v1::Batch) -> Result<v1::Spans, Malformed> {
    let size = wire.spans_bytes as usize;
    let columns = zstd::bulk::decompress(&wire.spans, size)
        .map_err(|_| Malformed::invalid("spans", "not zstd, or longer than spans_bytes"))?;
    if columns.len() != size {
        return Err(Malformed::invalid("spans", "shorter than spans_bytes"));
    }
    v1::Spans::decode(columns.as_slice())
        .map_err(|_| Malformed::invalid("spans", "not a message of columns"))
}

/// The rules every batch keeps, on both sides.
fn check(batch: &Batch) -> Result<(), Malformed> {
    within("spans", batch.spans.len(), BATCH_SPANS_MAX)?;
    Counters::try_from(&v1::Counters::from(&batch.counters))?;
    let mut rules = Rules {
        batch,
        free_from: 0,
        day: None,
        flows: 0,
        packets: 0,
        bytes: 0,
    };
    batch.spans.iter().try_for_each(|span| rules.span(span))
}

struct Rules<'a> {
    batch: &'a Batch,
    /// The second after the last span.
    free_from: u64,
    /// Of the active intervals.
    day: Option<u64>,
    flows: usize,
    packets: u64,
    bytes: u64,
}

impl Rules<'_> {
    fn span(&mut self, span: &Span) -> Result<(), Malformed> {
        let (first, intervals) = match span {
            Span::Silent { first, intervals } => (*first, *intervals),
            Span::Active { interval, .. } => (*interval, 1),
        };
        let length = u64::from(self.batch.interval_length.seconds());
        if first.start() % length != 0 {
            return Err(Malformed::invalid("intervals", "not aligned"));
        }
        if first.start() < self.free_from {
            return Err(Malformed::invalid("intervals", "not ascending"));
        }
        if intervals == 0 {
            return Err(Malformed::invalid("intervals", "a span of none"));
        }
        // milliseconds must fit as well
        self.free_from = intervals
            .checked_mul(length)
            .and_then(|seconds| seconds.checked_add(first.start()))
            .filter(|end| *end <= u64::MAX / 1000)
            .ok_or(Malformed::invalid("intervals", "beyond the end of time"))?;
        match span {
            Span::Silent { .. } => Ok(()),
            Span::Active { interval, flows } => self.active(*interval, flows),
        }
    }

    fn active(&mut self, interval: Interval, flows: &[Flow]) -> Result<(), Malformed> {
        if *self.day.get_or_insert(interval.day()) != interval.day() {
            return Err(Malformed::invalid("intervals", "active on several days"));
        }
        if flows.is_empty() {
            return Err(Malformed::invalid("flows", "none in an active interval"));
        }
        self.flows += flows.len();
        within("flows", self.flows, BATCH_FLOWS_MAX)?;
        if !flows.is_sorted_by(|one, next| one.tuple < next.tuple) {
            return Err(Malformed::invalid("flows", "not ascending, or one twice"));
        }
        for flow in flows {
            self.flow(interval, flow)?;
        }
        Ok(())
    }

    fn flow(&mut self, interval: Interval, flow: &Flow) -> Result<(), Malformed> {
        let tally = &flow.tally;
        if tally.packets == 0 {
            return Err(Malformed::invalid("packets", "none in a flow"));
        }
        let start = interval.start() * 1000;
        let end = interval.end(self.batch.interval_length) * 1000;
        if tally.first < Millis(start) || tally.last < tally.first || tally.last >= Millis(end) {
            return Err(Malformed::invalid("first, last", "outside the interval"));
        }
        if tally.packets == 1 && tally.last != tally.first {
            return Err(Malformed::invalid("first, last", "differ in one packet"));
        }
        if tally.ttl_min > tally.ttl_max {
            return Err(Malformed::invalid("ttl_min, ttl_max", "not ascending"));
        }
        self.sample(flow)?;
        check_marks(tally)?;
        let packets = self.packets.checked_add(tally.packets);
        self.packets = packets.ok_or(Malformed::invalid("packets", "their sum overflows"))?;
        let bytes = self.bytes.checked_add(tally.bytes);
        self.bytes = bytes.ok_or(Malformed::invalid("bytes", "their sum overflows"))?;
        Ok(())
    }

    fn sample(&self, flow: &Flow) -> Result<(), Malformed> {
        let tally = &flow.tally;
        let sample = tally.sample.as_slice();
        if sample.len() > sample_max(flow.tuple.traffic) {
            return Err(Malformed::invalid("sample", "longer than its class allows"));
        }
        if sample.len() > tally.targets as usize || u64::from(tally.targets) > tally.packets {
            let why = "not between the sample's length and packets";
            return Err(Malformed::invalid("targets", why));
        }
        let range = 1u64 << self.batch.target_bits.bits();
        if sample.last().is_some_and(|last| u64::from(*last) >= range) {
            return Err(Malformed::invalid("sample", "beyond the target bits"));
        }
        Ok(())
    }
}

fn check_marks(tally: &Tally) -> Result<(), Malformed> {
    let counts = tally.marks.counts();
    if counts
        .into_iter()
        .any(|count| u64::from(count) > tally.packets)
    {
        return Err(Malformed::invalid("marks", "more than packets"));
    }
    Ok(())
}
