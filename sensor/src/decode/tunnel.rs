//! How the telescope's packets reach the sensor, and what is taken off them on arrival.
//!
//! Exactly one encapsulation is removed, and only the configured one: what an attacker wraps
//! himself stays a packet of its own.

use std::net::{Ipv4Addr, Ipv6Addr};

use clap::ValueEnum;
use noroshi_proto::loss::Loss;
use serde::Deserialize;

use super::datagram::{Address, Datagram, Network, Place, Version};
use super::link;

/// How the telescope's packets reach the sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Routed or mirrored, as they are.
    #[default]
    Direct,
    /// In GRE (RFC 2784): IP, Ethernet (also NVGRE), PPP, or ERSPAN type I, II or III.
    Gre,
    /// In IP, either version in either.
    Ipip,
    /// In VXLAN (RFC 7348), UDP port 4789.
    Vxlan,
    /// In Geneve (RFC 8926), UDP port 6081.
    Geneve,
}

/// What is within `outer`; `outer` itself where it is not encapsulated as expected.
pub(super) fn inner(delivery: Delivery, outer: Network<'_>) -> Result<Network<'_>, Loss> {
    match outer.version {
        Version::V4 => within(delivery, outer, &Ipv4Addr::datagram(outer.bytes)?),
        Version::V6 => within(delivery, outer, &Ipv6Addr::datagram(outer.bytes)?),
    }
}

fn within<'a, A: Address>(
    delivery: Delivery,
    outer: Network<'a>,
    datagram: &Datagram<'a, A>,
) -> Result<Network<'a>, Loss> {
    const IPV4: u8 = 4;
    const UDP: u8 = 17;
    const IPV6: u8 = 41;
    const GRE: u8 = 47;
    if datagram.place == Place::Later {
        return Ok(outer);
    }
    let payload = datagram.payload;
    match (delivery, datagram.protocol) {
        (Delivery::Gre, GRE) => gre(payload),
        (Delivery::Ipip, IPV4) => Ok(Network::v4(payload)),
        (Delivery::Ipip, IPV6) => Ok(Network::v6(payload)),
        (Delivery::Vxlan, UDP) => vxlan(payload).unwrap_or(Ok(outer)),
        (Delivery::Geneve, UDP) => geneve(payload).unwrap_or(Ok(outer)),
        _ => Ok(outer),
    }
}

fn gre(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    const CHECKSUM: u8 = 0x80;
    const ROUTING: u8 = 0x40;
    const KEY: u8 = 0x20;
    const SEQUENCE: u8 = 0x10;
    const ACKNOWLEDGED: u8 = 0x80;
    let (header, rest) = bytes.split_first_chunk::<4>().ok_or(Loss::Truncated)?;
    let (flags, version) = (header[0], header[1] & 0x07);
    let protocol = u16::from_be_bytes([header[2], header[3]]);
    if flags & ROUTING != 0 || version > 1 {
        return Err(Loss::BadHeader); // source routes (RFC 1701) were never used
    }
    let mut fields = (flags & (CHECKSUM | KEY | SEQUENCE)).count_ones() as usize;
    if version == 1 && header[1] & ACKNOWLEDGED != 0 {
        fields += 1; // PPTP (RFC 2637)
    }
    let payload = rest.get(fields * 4..).ok_or(Loss::Truncated)?;
    match protocol {
        0x0800 => Ok(Network::v4(payload)),
        0x86dd => Ok(Network::v6(payload)),
        0x6558 => link::ethernet(payload),
        0x880b => link::ppp(payload),
        // ERSPAN I has no header of its own and no GRE sequence number; II has 8 bytes.
        0x88be if flags & SEQUENCE == 0 => link::ethernet(payload),
        0x88be => link::ethernet(payload.get(8..).ok_or(Loss::Truncated)?),
        0x22eb => erspan3(payload),
        _ => Err(Loss::NotIp),
    }
}

/// ERSPAN III: 12 bytes, and 8 more where the last bit says so.
fn erspan3(bytes: &[u8]) -> Result<Network<'_>, Loss> {
    let (header, rest) = bytes.split_first_chunk::<12>().ok_or(Loss::Truncated)?;
    let has_more = header[11] & 1 == 1;
    let frame = if has_more {
        rest.get(8..).ok_or(Loss::Truncated)?
    } else {
        rest
    };
    // Five bits of the header say whether the payload is Ethernet or IP.
    match header[10] >> 2 & 0x1f {
        2 => Network::by_version(frame),
        _ => link::ethernet(frame),
    }
}

fn vxlan(bytes: &[u8]) -> Option<Result<Network<'_>, Loss>> {
    const PORT: [u8; 2] = 4789_u16.to_be_bytes();
    const UDP_AND_VXLAN_BYTES: usize = 16;
    (bytes.get(2..4)? == PORT)
        .then(|| link::ethernet(bytes.get(UDP_AND_VXLAN_BYTES..).ok_or(Loss::Truncated)?))
}

fn geneve(bytes: &[u8]) -> Option<Result<Network<'_>, Loss>> {
    const PORT: [u8; 2] = 6081_u16.to_be_bytes();
    (bytes.get(2..4)? == PORT).then(|| {
        let (header, rest) = bytes[4..]
            .split_first_chunk::<12>()
            .ok_or(Loss::Truncated)?;
        let options_bytes = usize::from(header[4] & 0x3f) * 4;
        let payload = rest.get(options_bytes..).ok_or(Loss::Truncated)?;
        match u16::from_be_bytes([header[6], header[7]]) {
            0x0800 => Ok(Network::v4(payload)),
            0x86dd => Ok(Network::v6(payload)),
            0x6558 => link::ethernet(payload),
            _ => Err(Loss::NotIp),
        }
    })
}
