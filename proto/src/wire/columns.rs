//! How the flows of a batch travel: columns rather than rows, and only what could not have
//! been predicted.
//!
//! # Why
//! A telescope's flows have one or two packets each, so a record of fixed fields would be
//! many times larger than the packets deserve. Sorted by source, most of what a flow says is
//! what the flow before it said (same source) or what flows of its shape say (the same tool
//! or stack). What remains is either *skewed* (ports, classes, times-to-live), which zstd
//! shrinks when each kind stands in its own column of bytes, or *random by nature* (masked
//! targets, times, ephemeral ports, gaps between sources), which nothing shrinks: those are
//! packed to the bit in `Batch.bits` and never shown to the compressor.
//!
//! # Format
//! `Batch.spans` is one zstd frame of the message `Spans`, whose fields are columns:
//! ```text
//! intervals   per span: skip, in intervals from the end of the span before (the first: from
//!             1970), as a varint; then `n << 1` for n silent intervals, or
//!             `n << 1 | 1` for an active one with n IPv4 flows, and its IPv6 flows
//! flags       per flow: which predictions failed, see [`Flags`]
//! shapes      per flow: index into the shapes seen so far; 255: a new one, in `oddities`
//! services    per flow: slot of the service cache; 0: not there, in `bits`
//! ttls        lowest time-to-live, where it is not that of the source's flow before
//! packets     packets - 2, where several
//! repeats     packets - targets, where they differ
//! sizes       mean bytes per packet (rounded down), where it is not the shape's last
//! oddities    new shapes; then, where flagged, a mask of [`Oddities`] and what it names
//! sources6    16 bytes per new IPv6 source
//! ```
//! `Batch.bits` holds, per flow and in this order (codes: see `bits.rs`):
//! ```text
//! source      unless it is the last flow's: gap to it (the first: to 0), Rice, IPv4 only
//! service     16 bits, where the cache had none
//! window      16 bits, where it is not the shape's last
//! port        16 bits, where it is neither that of the source's flow before nor the shape's
//! first       milliseconds into the interval, below its length
//! last        milliseconds after `first`, below what remains, where several packets
//! sample      gaps between masked targets, Rice by their expected mean; the last one of a
//!             complete sample below what remains
//! ```
//! Both sides keep the same memory of shapes, services and gaps (`predict.rs`); it begins
//! empty with every batch, so each can be read alone. Readers refuse bytes left over.

use crate::flow::{Flow, Marks, OptionLayout};
use crate::time::Interval;
use crate::traffic::{Traffic, Transport};

/// What a flow's byte in the column `flags` means.
pub(super) struct Flags;

impl Flags {
    /// The source is that of the flow before.
    pub(super) const SAME_SOURCE: u8 = 1;
    /// More than one packet.
    pub(super) const SEVERAL: u8 = 1 << 1;
    /// The window is not the shape's last.
    pub(super) const WINDOW: u8 = 1 << 2;
    /// The mean size is not the shape's last.
    pub(super) const SIZE: u8 = 1 << 3;
    /// The source port is not the expected one.
    pub(super) const PORT: u8 = 1 << 4;
    /// The time-to-live is not that of the source's flow before.
    pub(super) const TTL: u8 = 1 << 5;
    /// Fewer targets than packets.
    pub(super) const REPEATS: u8 = 1 << 6;
    /// Something stands in `oddities`.
    pub(super) const ODD: u8 = 1 << 7;
}

/// What a flow's mask in the column `oddities` means.
pub(super) struct Oddities;

impl Oddities {
    /// `bytes` is not a multiple of `packets`: the remainder follows.
    pub(super) const UNEVEN: u8 = 1;
    /// Times-to-live differ: highest - lowest follows.
    pub(super) const TTLS: u8 = 1 << 1;
    /// Some fingerprint matched some packets: its eight counts follow.
    pub(super) const MARKS: u8 = 1 << 2;
    /// The sample is shorter than it could be: its length follows.
    pub(super) const SAMPLE: u8 = 1 << 3;
}

/// Code of a shape not seen before; also how many can be remembered.
pub(super) const NEW_SHAPE: u8 = 255;
/// Code of a service that is not in the cache.
pub(super) const NEW_SERVICE: u8 = 0;

/// Traffic class, transport, option layout, and which fingerprints every packet matched:
/// what a tool or stack always does alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape(u32);

impl Shape {
    /// Of one flow. `transport` is the case of [`Transport::to_wire`]; `marks` has the n-th
    /// bit set where the n-th of [`Marks::counts`] equals `packets`.
    #[inline]
    pub fn new(traffic: u8, transport: u8, options: OptionLayout, marks: u8) -> Self {
        let class = u32::from(traffic & 15) << 3 | u32::from(transport & 7);
        Self(class << 11 | u32::from(options as u8) << 8 | u32::from(marks))
    }

    pub(super) fn from_number(number: u64) -> Option<Self> {
        (number >> 18 == 0).then_some(Self(number as u32))
    }

    pub(super) fn number(self) -> u32 {
        self.0
    }

    pub(super) fn traffic(self) -> Option<Traffic> {
        Traffic::from_wire((self.0 >> 14) as u8)
    }

    pub(super) fn transport(self) -> u8 {
        (self.0 >> 11) as u8 & 7
    }

    pub(super) fn options(self) -> Option<OptionLayout> {
        OptionLayout::from_wire((self.0 >> 8) as u8 & 7)
    }

    pub(super) fn marks(self) -> u8 {
        self.0 as u8
    }

    pub(super) fn is_backscatter(self) -> bool {
        self.traffic().is_some_and(Traffic::is_backscatter)
    }
}

/// One flow as the columns take it, but for its source: nothing here was allocated for it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Class, transport, options and fingerprints.
    pub shape: Shape,
    /// Port, ICMP type and code, or protocol: the detail of [`Transport::to_wire`].
    pub service: u16,
    /// At least 1.
    pub packets: u64,
    /// Of IP.
    pub bytes: u64,
    /// Milliseconds into the interval.
    pub first: u32,
    /// Milliseconds into the interval, not below `first`.
    pub last: u32,
    /// Distinct targets, from the sample's length to `packets`.
    pub targets: u32,
    /// Masked targets, ascending.
    pub sample: &'a [u32],
    /// Of the first packet.
    pub source_port: u16,
    /// Lowest.
    pub ttl_min: u8,
    /// Highest.
    pub ttl_max: u8,
    /// Of the first packet.
    pub window: u16,
    /// The counts, where one of them is neither 0 nor `packets`.
    pub marks: Option<&'a Marks>,
}

impl<'a> Row<'a> {
    /// A flow that keeps the rules of a batch, in the interval it was counted in.
    pub fn of(flow: &'a Flow, interval: Interval) -> Self {
        let tally = &flow.tally;
        let (transport, service): (u8, u16) = Transport::to_wire(flow.tuple.transport);
        let (marks, is_partial) = whole_marks(tally.packets, &tally.marks);
        let start = interval.start() * 1000;
        Self {
            shape: Shape::new(flow.tuple.traffic as u8, transport, tally.options, marks),
            service,
            packets: tally.packets,
            bytes: tally.bytes,
            first: (tally.first.0 - start) as u32,
            last: (tally.last.0 - start) as u32,
            targets: tally.targets,
            sample: tally.sample.as_slice(),
            source_port: tally.source_port,
            ttl_min: tally.ttl_min,
            ttl_max: tally.ttl_max,
            window: tally.window,
            marks: is_partial.then_some(&tally.marks),
        }
    }
}

/// Which counts equal `packets`, and whether any other is not 0.
fn whole_marks(packets: u64, marks: &Marks) -> (u8, bool) {
    let mut whole = 0;
    let mut is_partial = false;
    for (bit, count) in marks.counts().into_iter().enumerate() {
        if u64::from(count) == packets {
            whole |= 1 << bit;
        } else {
            is_partial |= count > 0;
        }
    }
    (whole, is_partial)
}
