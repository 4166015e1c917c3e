//! One packet, as small as it gets without losing anything that is counted.

use std::net::IpAddr;

use noroshi_proto::flow::OptionLayout;
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_proto::wire::columns::Shape;

use crate::mask::Mask;
use crate::packet::Packet;

/// A packet in three words, laid out so that sorting by the first groups flows in the order
/// of their tuples, and the smallest second word is the flow's first packet.
///
/// ```text
/// key    source 32 | traffic 4 | transport 3 | service 16 | 0 9      (source 0 if IPv6)
/// first  millisecond 16 | source port 16 | window 16 | options 3 | bytes, high 13
/// rest   target 32 | bytes, low 16 | time-to-live 8 | fingerprints 8
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    pub(super) key: u64,
    pub(super) first: u64,
    pub(super) rest: u64,
}

/// Packets of IP are shorter (RFC 2675 jumbograms may be longer; nobody routes those).
const BYTES_MAX: u32 = (1 << 29) - 1;

/// The target of an IPv4 packet as a number. (Its target is IPv4 as well; were it not, the
/// packet would still be counted.)
pub(super) fn target_v4(target: IpAddr) -> u32 {
    match target {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => u128::from(address) as u32,
    }
}

impl Record {
    /// `offset`: milliseconds into the interval, below 60,000.
    #[inline]
    pub(super) fn new(packet: &Packet, target: u32, offset: u64) -> Self {
        let (transport, service) = Transport::to_wire(packet.tuple.transport);
        let bytes = u64::from(packet.bytes.min(BYTES_MAX));
        Self {
            key: (packet.tuple.traffic as u64) << 28
                | u64::from(transport) << 25
                | u64::from(service) << 9,
            first: offset << 48
                | u64::from(packet.source_port) << 32
                | u64::from(packet.window) << 16
                | (packet.options as u64) << 13
                | bytes >> 16,
            rest: u64::from(target) << 32
                | (bytes & 0xffff) << 16
                | u64::from(packet.ttl) << 8
                | u64::from(packet.marks.0),
        }
    }

    #[inline]
    pub(super) fn with_source(self, address: u32) -> Self {
        Self {
            key: self.key | u64::from(address) << 32,
            ..self
        }
    }

    /// With the target masked, which was not.
    #[inline]
    pub(super) fn masked(self, mask: &Mask) -> Self {
        let masked = mask.mask_v4(self.target().into());
        let rest = self.rest & u64::from(u32::MAX);
        Self {
            rest: u64::from(masked) << 32 | rest,
            ..self
        }
    }

    /// IPv4 only.
    #[inline]
    pub(super) fn source(self) -> u32 {
        (self.key >> 32) as u32
    }

    #[inline]
    pub(super) fn bytes(self) -> u64 {
        (self.first & 0x1fff) << 16 | (self.rest >> 16) & 0xffff
    }

    #[inline]
    pub(super) fn target(self) -> u32 {
        (self.rest >> 32) as u32
    }

    #[inline]
    pub(super) fn ttl(self) -> u8 {
        (self.rest >> 8) as u8
    }

    #[inline]
    pub(super) fn marks(self) -> u8 {
        self.rest as u8
    }

    /// Milliseconds into the interval.
    #[inline]
    pub(super) fn offset(self) -> u32 {
        (self.first >> 48) as u32
    }

    #[inline]
    pub(super) fn source_port(self) -> u16 {
        (self.first >> 32) as u16
    }

    #[inline]
    pub(super) fn window(self) -> u16 {
        (self.first >> 16) as u16
    }

    #[inline]
    pub(super) fn service(self) -> u16 {
        (self.key >> 9) as u16
    }

    /// Whether every reply of this class counts towards a larger sample.
    #[inline]
    pub(super) fn is_backscatter(self) -> bool {
        Traffic::from_wire(self.traffic()).is_some_and(Traffic::is_backscatter)
    }

    /// The shape of a flow whose packets all match `marks`, and whose first packet this is.
    #[inline]
    pub(super) fn shape(self, marks: u8) -> Shape {
        let options = OptionLayout::ALL[(self.first >> 13) as usize & 7];
        Shape::new(self.traffic(), (self.key >> 25) as u8, options, marks)
    }

    #[inline]
    fn traffic(self) -> u8 {
        (self.key >> 28) as u8 & 15
    }
}
