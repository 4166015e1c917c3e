//! What lies below IP: from the first byte of a frame to the first byte of IP.
//!
//! Link types are the numbers of tcpdump.org's registry.

use noroshi_proto::loss::Loss;

use super::datagram::Network;
use crate::packet::{Frame, LinkType};

const ETHERNET: LinkType = LinkType(1);

/// Tags and labels in a row that are read: more than any network stacks.
const TAGS_MAX: usize = 8;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;
const QINQ_OLD: u16 = 0x9100;
const VNTAG: u16 = 0x8926;
const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
/// Below this an Ethernet type is a length (IEEE 802.3).
const ETHERTYPE_MIN: u16 = 0x0600;

/// Finds IP in a frame of this link type.
pub(super) fn network(link: LinkType, bytes: &[u8]) -> Result<Network<'_>, Loss> {
    match link.0 {
        1 => ethernet(bytes),
        // RAW, and as which numbers systems knew it before it had one.
        101 | 12 | 14 => Network::by_version(bytes),
        228 => Ok(Network::v4(bytes)),
        229 => Ok(Network::v6(bytes)),
        113 => by_ethertype(bytes, 14, 16),
        276 => by_ethertype(bytes, 0, 20),
        0 | 108 => null(bytes),
        9 => ppp(bytes),
        50 => ppp_or_hdlc(bytes),
        51 => pppoe(bytes),
        104 => by_ethertype(bytes, 2, 4), // Cisco HDLC
        239 => nflog(bytes),
        _ => Err(Loss::UnknownLinkType),
    }
}

pub(super) fn ethernet(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    by_ethertype(bytes, 12, 14)
}

/// What follows the header of a plain Ethernet frame that carries IPv4.
#[inline(always)]
pub(super) fn plain_ipv4<'a>(frame: &Frame<'a>) -> Option<&'a [u8]> {
    let (header, rest) = frame.bytes.split_first_chunk::<14>()?;
    (frame.link == ETHERNET && header[12..] == [0x08, 0x00]).then_some(rest)
}

/// The Ethernet type stands at `at`; what it names begins at `start`.
fn by_ethertype(bytes: &[u8], at: usize, start: usize) -> Result<Network<'_>, Loss> {
    let mut ethertype = u16_at(bytes, at)?;
    let mut rest = bytes.get(start..).ok_or(Loss::Truncated)?;
    for _ in 0..TAGS_MAX {
        // A tag's own type follows it: VLAN tags have 2 bytes, VN-Tags 4.
        let tag_bytes = match ethertype {
            VLAN | QINQ | QINQ_OLD => 2,
            VNTAG => 4,
            _ => return untagged(ethertype, rest),
        };
        ethertype = u16_at(rest, tag_bytes)?;
        rest = &rest[tag_bytes + 2..];
    }
    Err(Loss::TooDeep)
}

fn untagged(ethertype: u16, rest: &[u8]) -> Result<Network<'_>, Loss> {
    match ethertype {
        IPV4 => Ok(Network::v4(rest)),
        IPV6 => Ok(Network::v6(rest)),
        MPLS | MPLS_MULTICAST => mpls(rest),
        PPPOE_SESSION => pppoe(rest),
        ..ETHERTYPE_MIN => snap(rest),
        _ => Err(Loss::NotIp),
    }
}

/// An 802.3 frame carries IP behind an LLC and SNAP header (RFC 1042).
fn snap(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    match bytes {
        [0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00, rest @ ..] => Ok(Network::v4(rest)),
        [0xaa, 0xaa, 0x03, 0, 0, 0, 0x86, 0xdd, rest @ ..] => Ok(Network::v6(rest)),
        _ => Err(Loss::NotIp),
    }
}

/// Labels do not say what they carry; the version does.
fn mpls(mut bytes: &[u8]) -> Result<Network<'_>, Loss> {
    for _ in 0..TAGS_MAX {
        let (label, rest) = bytes.split_first_chunk::<4>().ok_or(Loss::Truncated)?;
        if label[2] & 1 == 1 {
            return Network::by_version(rest);
        }
        bytes = rest;
    }
    Err(Loss::TooDeep)
}

fn pppoe(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    let (header, rest) = bytes.split_first_chunk::<6>().ok_or(Loss::Truncated)?;
    // Version 1, type 1, code 0: session data (RFC 2516).
    match header {
        [0x11, 0x00, ..] => ppp(rest),
        _ => Err(Loss::NotIp),
    }
}

/// PPP (RFC 1661), with or without its address and control bytes.
pub(super) fn ppp(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    match bytes {
        [0xff, 0x03, rest @ ..] => ppp_protocol(rest),
        rest => ppp_protocol(rest),
    }
}

/// The protocol field may be compressed to one byte.
fn ppp_protocol(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    match bytes {
        [0x00, 0x21, rest @ ..] | [0x21, rest @ ..] => Ok(Network::v4(rest)),
        [0x00, 0x57, rest @ ..] | [0x57, rest @ ..] => Ok(Network::v6(rest)),
        [0x02, 0x81, rest @ ..] => mpls(rest),
        [] | [_] => Err(Loss::Truncated),
        _ => Err(Loss::NotIp),
    }
}

/// PPP in HDLC-like framing, or Cisco HDLC, by the address byte.
fn ppp_or_hdlc(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    match bytes {
        [0x0f | 0x8f, ..] => by_ethertype(bytes, 2, 4),
        _ => ppp(bytes),
    }
}

/// BSD loopback: the address family, in the byte order of the machine that captured.
fn null(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    let (family, rest) = bytes.split_first_chunk::<4>().ok_or(Loss::Truncated)?;
    let little = u32::from_le_bytes(*family);
    let family = if little > 0xffff {
        little.swap_bytes()
    } else {
        little
    };
    match family {
        2 => Ok(Network::v4(rest)),
        // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Ok(Network::v6(rest)),
        _ => Err(Loss::NotIp),
    }
}

/// Linux NFLOG: attributes, one of which is the packet.
fn nflog(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    const PAYLOAD: u16 = 9;
    const ATTRIBUTES_MAX: usize = 64;
    let (header, mut rest) = bytes.split_first_chunk::<4>().ok_or(Loss::Truncated)?;
    for _ in 0..ATTRIBUTES_MAX {
        let (attribute, after) = rest.split_first_chunk::<4>().ok_or(Loss::Truncated)?;
        let mut length = u16::from_le_bytes([attribute[0], attribute[1]]);
        let mut kind = u16::from_le_bytes([attribute[2], attribute[3]]);
        // Kinds are small, so a large one was written by a big-endian machine.
        if kind & 0x7fff > 0xff {
            (length, kind) = (length.swap_bytes(), kind.swap_bytes());
        }
        let value_bytes = usize::from(length).checked_sub(4).ok_or(Loss::BadHeader)?;
        if kind & 0x7fff == PAYLOAD {
            let payload = &after[..value_bytes.min(after.len())];
            return match header[0] {
                2 => Ok(Network::v4(payload)),
                10 => Ok(Network::v6(payload)),
                _ => Err(Loss::NotIp),
            };
        }
        rest = after
            .get(value_bytes.next_multiple_of(4)..)
            .ok_or(Loss::Truncated)?;
    }
    Err(Loss::BadHeader)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Loss> {
    match bytes.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Loss::Truncated),
    }
}
