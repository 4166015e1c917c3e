//! IPv4 and IPv6: who sends what to whom.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use noroshi_proto::flow::{FlowTuple, OptionLayout};
use noroshi_proto::loss::Loss;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Traffic, Transport};

use crate::classify;
use crate::fingerprint::Ipv4Facts;
use crate::packet::{MarkBits, Packet};

/// Bytes that begin with an IP header, by what the layer below calls them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network<'a> {
    pub version: Version,
    pub bytes: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

impl<'a> Network<'a> {
    #[inline]
    pub fn v4(bytes: &'a [u8]) -> Self {
        Self {
            version: Version::V4,
            bytes,
        }
    }

    #[inline]
    pub fn v6(bytes: &'a [u8]) -> Self {
        Self {
            version: Version::V6,
            bytes,
        }
    }

    /// Where nothing below says which IP it is, its first four bits do.
    pub fn by_version(bytes: &'a [u8]) -> Result<Self, Loss> {
        match bytes.first() {
            None => Err(Loss::Truncated),
            Some(byte) if byte >> 4 == 4 => Ok(Self::v4(bytes)),
            Some(byte) if byte >> 4 == 6 => Ok(Self::v6(bytes)),
            Some(_) => Err(Loss::NotIp),
        }
    }
}

/// One of the two kinds of IP, by its addresses.
///
/// Decoding is compiled once for each, so that for IPv4, which is nearly everything, no
/// address is moved about as one of two.
pub(super) trait Address: Copy + Eq + Into<IpAddr> {
    /// The protocol number of its ICMP.
    const ICMP: u8;

    /// Reads the header, and IPv6's extension headers.
    fn datagram(bytes: &[u8]) -> Result<Datagram<'_, Self>, Loss>;

    /// The class of its ICMP messages of this type.
    fn icmp_class(kind: u8) -> Traffic;

    /// Its ICMP as a transport.
    fn icmp_transport(kind: u8, code: u8) -> Transport;
}

impl Address for Ipv4Addr {
    const ICMP: u8 = 1;

    #[inline(always)]
    fn datagram(bytes: &[u8]) -> Result<Datagram<'_, Self>, Loss> {
        read_v4(bytes)
    }

    fn icmp_class(kind: u8) -> Traffic {
        classify::icmp(kind)
    }

    fn icmp_transport(kind: u8, code: u8) -> Transport {
        Transport::Icmp { kind, code }
    }
}

impl Address for Ipv6Addr {
    const ICMP: u8 = 58;

    fn datagram(bytes: &[u8]) -> Result<Datagram<'_, Self>, Loss> {
        read_v6(bytes)
    }

    fn icmp_class(kind: u8) -> Traffic {
        classify::icmp6(kind)
    }

    fn icmp_transport(kind: u8, code: u8) -> Transport {
        Transport::Icmp6 { kind, code }
    }
}

/// An IP datagram, or the fragment of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a, A> {
    pub source: A,
    pub target: A,
    pub protocol: u8,
    pub ttl: u8,
    pub place: Place,
    /// `None` for IPv6.
    pub ipv4: Option<Ipv4Facts>,
    /// Bytes of the datagram or fragment, headers included, as declared.
    pub bytes: u32,
    /// What follows the IP headers, as far as it was captured; no link-layer padding.
    pub payload: &'a [u8],
    /// How long the payload is, captured or not.
    pub payload_bytes: usize,
}

/// Which part of a datagram was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// All of it, or the first fragment: the transport header is here.
    First,
    /// A later fragment.
    Later,
}

impl<'a, A: Address> Datagram<'a, A> {
    /// At least `needed` bytes of the payload.
    ///
    /// Where they are missing, the header's own length says whose fault it is.
    #[inline(always)]
    pub fn payload(&self, needed: usize) -> Result<&'a [u8], Loss> {
        if self.payload.len() >= needed {
            return Ok(self.payload);
        }
        Err(if self.payload_bytes < needed {
            Loss::BadHeader
        } else {
            Loss::Truncated
        })
    }

    /// The packet this is, apart from what only some transports tell.
    pub fn packet(&self, seen_at: Millis, tuple: FlowTuple) -> Packet {
        Packet {
            seen_at,
            tuple,
            target: self.target.into(),
            bytes: self.bytes,
            source_port: 0,
            window: 0,
            ttl: self.ttl,
            options: OptionLayout::Unknown,
            marks: MarkBits::default(),
        }
    }
}

#[inline(always)]
fn read_v4(bytes: &[u8]) -> Result<Datagram<'_, Ipv4Addr>, Loss> {
    const HEADER_BYTES_MIN: usize = 20;
    const DONT_FRAGMENT: u16 = 0x4000;
    const OFFSET_MASK: u16 = 0x1fff;
    let header: &[u8; HEADER_BYTES_MIN] = bytes.first_chunk().ok_or(Loss::Truncated)?;
    let header_bytes = usize::from(header[0] & 0x0f) * 4;
    if header[0] >> 4 != 4 || header_bytes < HEADER_BYTES_MIN {
        return Err(Loss::BadHeader);
    }
    let total = match u16::from_be_bytes([header[2], header[3]]) {
        // Segmentation offload leaves it to the interface to fill in the length.
        0 => bytes.len(),
        total => usize::from(total),
    };
    if total < header_bytes {
        return Err(Loss::BadHeader);
    }
    let payload = bytes
        .get(header_bytes..total.min(bytes.len()))
        .ok_or(Loss::Truncated)?;
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    let source = u32::from_be_bytes([header[12], header[13], header[14], header[15]]);
    let target = u32::from_be_bytes([header[16], header[17], header[18], header[19]]);
    Ok(Datagram {
        source: Ipv4Addr::from(source),
        target: Ipv4Addr::from(target),
        protocol: header[9],
        ttl: header[8],
        place: if fragment & OFFSET_MASK == 0 {
            Place::First
        } else {
            Place::Later
        },
        ipv4: Some(Ipv4Facts {
            id: u16::from_be_bytes([header[4], header[5]]),
            dont_fragment: fragment & DONT_FRAGMENT != 0,
            target,
        }),
        bytes: total as u32,
        payload,
        payload_bytes: total - header_bytes,
    })
}

fn read_v6(bytes: &[u8]) -> Result<Datagram<'_, Ipv6Addr>, Loss> {
    const HEADER_BYTES: usize = 40;
    let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(Loss::Truncated)?;
    if header[0] >> 4 != 6 {
        return Err(Loss::BadHeader);
    }
    let captured = &bytes[HEADER_BYTES..];
    let declared = match u16::from_be_bytes([header[4], header[5]]) {
        // A jumbogram (RFC 2675) has its length in an option that nothing here needs.
        0 if header[6] == HOP_BY_HOP => captured.len(),
        length => usize::from(length),
    };
    let after = Extensions {
        next: header[6],
        place: Place::First,
        captured: &captured[..declared.min(captured.len())],
        declared,
    }
    .skip()?;
    let [source, target] = [address_v6(&header[8..24]), address_v6(&header[24..40])];
    Ok(Datagram {
        source,
        target,
        protocol: after.next,
        ttl: header[7],
        place: after.place,
        ipv4: None,
        bytes: (HEADER_BYTES + declared) as u32,
        payload: after.captured,
        payload_bytes: after.declared,
    })
}

fn address_v6(bytes: &[u8]) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.copy_from_slice(bytes);
    Ipv6Addr::from(octets)
}

/// Extension headers in a row that are read; stacks send at most five.
const EXTENSIONS_MAX: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;

/// What follows an IPv6 header.
struct Extensions<'a> {
    /// The protocol of what comes next.
    next: u8,
    place: Place,
    captured: &'a [u8],
    declared: usize,
}

impl Extensions<'_> {
    /// Steps over every extension header (RFC 8200 and RFC 4302).
    fn skip(mut self) -> Result<Self, Loss> {
        for _ in 0..EXTENSIONS_MAX {
            let units = match self.next {
                HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => |length: u8| usize::from(length) + 1,
                // Its length is counted in 4 bytes, less two.
                AUTHENTICATION => |length: u8| (usize::from(length) + 2).div_ceil(2),
                FRAGMENT => |_| 1,
                _ => return Ok(self),
            };
            if self.place == Place::Later {
                return Ok(self);
            }
            let bytes = match self.captured.get(..2) {
                Some(start) => units(start[1]) * 8,
                None => return Err(self.missing(2)),
            };
            let Some((header, rest)) = self.captured.split_at_checked(bytes) else {
                return Err(self.missing(bytes));
            };
            let is_later = self.next == FRAGMENT && (header[2] != 0 || header[3] & 0xf8 != 0);
            self = Self {
                next: header[0],
                place: if is_later { Place::Later } else { self.place },
                captured: rest,
                declared: self.declared - bytes,
            };
        }
        Err(Loss::TooDeep)
    }

    fn missing(&self, needed: usize) -> Loss {
        if self.declared < needed {
            Loss::BadHeader
        } else {
            Loss::Truncated
        }
    }
}
