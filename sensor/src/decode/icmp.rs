//! ICMP and ICMPv6. An error is sent by some router; the victim of what caused it stands
//! only in the datagram that it quotes.

use noroshi_proto::flow::FlowTuple;
use noroshi_proto::loss::Loss;
use noroshi_proto::traffic::{Traffic, Transport};

use super::Meaning;
use super::datagram::{Datagram, Network, Place};
use crate::classify;
use crate::fingerprint;
use crate::packet::MarkBits;

/// Type, code, checksum and four bytes by type.
const HEADER_BYTES: usize = 8;
const NEEDED_BYTES: usize = 2;

pub(super) fn read(datagram: &Datagram<'_>) -> Result<Meaning, Loss> {
    let (kind, code) = type_and_code(datagram)?;
    match classify::icmp(kind) {
        Traffic::BackscatterIcmpError => error(datagram, Network::V4),
        traffic => Ok(message(datagram, traffic, Transport::Icmp { kind, code })),
    }
}

pub(super) fn read6(datagram: &Datagram<'_>) -> Result<Meaning, Loss> {
    let (kind, code) = type_and_code(datagram)?;
    match classify::icmp6(kind) {
        Traffic::BackscatterIcmpError => error(datagram, Network::V6),
        traffic => Ok(message(datagram, traffic, Transport::Icmp6 { kind, code })),
    }
}

fn type_and_code(datagram: &Datagram<'_>) -> Result<(u8, u8), Loss> {
    if datagram.payload_bytes < HEADER_BYTES {
        return Err(Loss::BadHeader);
    }
    let bytes = datagram.payload(NEEDED_BYTES)?;
    Ok((bytes[0], bytes[1]))
}

fn message(datagram: &Datagram<'_>, traffic: Traffic, transport: Transport) -> Meaning {
    Meaning {
        marks: fingerprint::of_other(traffic, datagram.ipv4.as_ref()),
        ..Meaning::new(FlowTuple {
            source: datagram.source,
            traffic,
            transport,
        })
    }
}

/// An error is about the datagram it quotes: whom that was sent to is the victim.
fn error<'a>(
    datagram: &Datagram<'a>,
    network: fn(&'a [u8]) -> Network<'a>,
) -> Result<Meaning, Loss> {
    let quote = datagram.payload.get(HEADER_BYTES..).unwrap_or_default();
    let quoted = Datagram::read(network(quote)).map_err(|_| Loss::NoQuotedHeader)?;
    let (transport, source_port) = quoted_transport(&quoted);
    let is_ours = quoted.source == datagram.target;
    let traffic = Traffic::BackscatterIcmpError;
    Ok(Meaning {
        source_port,
        marks: MarkBits(if is_ours { 0 } else { MarkBits::MISMATCHED }),
        ..Meaning::new(FlowTuple {
            source: quoted.target,
            traffic,
            transport,
        })
    })
}

/// What was asked of the victim, and from which port. Without ports in the quote only the
/// protocol is known.
fn quoted_transport(quoted: &Datagram<'_>) -> (Transport, u16) {
    let protocol = quoted.protocol;
    let unknown = (Transport::Other { protocol }, 0);
    let start = quoted.payload.get(..4);
    let (Place::First, Some(&[a, b, c, d])) = (quoted.place, start) else {
        return unknown;
    };
    let source_port = u16::from_be_bytes([a, b]);
    let service_port = u16::from_be_bytes([c, d]);
    match (protocol, quoted.ipv4.is_some()) {
        (6, _) => (Transport::Tcp { service_port }, source_port),
        (17, _) => (Transport::Udp { service_port }, source_port),
        (1, true) => (Transport::Icmp { kind: a, code: b }, 0),
        (58, false) => (Transport::Icmp6 { kind: a, code: b }, 0),
        _ => unknown,
    }
}
