//! Frames as captured, and what they said once decoded.

use std::net::IpAddr;

use noroshi_proto::flow::{FlowTuple, OptionLayout};
use noroshi_proto::time::Millis;

/// Bytes as captured, and when.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it was captured; [`Frame::NO_TIME`] where the capture does not say.
    pub seen_at: Millis,
    /// What the first byte belongs to.
    pub link: LinkType,
    /// As much as was captured.
    pub bytes: &'a [u8],
    /// How long it was on the wire, in bytes.
    pub wire_bytes: u32,
}

impl Frame<'_> {
    /// The time of a frame whose capture names none, or one before 1970.
    pub const NO_TIME: Millis = Millis(u64::MAX);
}

/// A link type by its number in the registry of tcpdump.org (LINKTYPE_*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

/// What one frame said, classified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it was captured.
    pub seen_at: Millis,
    /// Source, traffic class, transport and service. Of an ICMP error the source is the
    /// quoted victim.
    pub tuple: FlowTuple,
    /// Which telescope address it came to.
    pub target: IpAddr,
    /// Bytes of IP, headers included, as the header declares them.
    pub bytes: u32,
    /// The other port: source port of a scan, target port of backscatter; 0 without ports.
    pub source_port: u16,
    /// TCP window, 0 for others.
    pub window: u16,
    /// Time-to-live or hop limit.
    pub ttl: u8,
    /// Option layout of a SYN.
    pub options: OptionLayout,
    /// Which fingerprints matched.
    pub marks: MarkBits,
}

/// Which fingerprints one packet matched: bit `n` stands for the n-th of
/// [`Marks::counts`](noroshi_proto::flow::Marks::counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarkBits(pub u8);

impl MarkBits {
    /// TCP SYN.
    pub const SYN: u8 = 1;
    /// Mirai.
    pub const MIRAI: u8 = 1 << 1;
    /// ZMap before 4.1.0; on scans of every transport, so it is measured against packets.
    pub const ZMAP: u8 = 1 << 2;
    /// ZMap from 4.1.1.
    pub const ZMAP_MODERN: u8 = 1 << 3;
    /// masscan.
    pub const MASSCAN: u8 = 1 << 4;
    /// nmap -sS.
    pub const NMAP: u8 = 1 << 5;
    /// Stateless sender.
    pub const IRREGULAR: u8 = 1 << 6;
    /// ICMP error whose quoted source is not its target.
    pub const MISMATCHED: u8 = 1 << 7;
}
