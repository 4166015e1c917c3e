//! ICMP and ICMPv6. An error is sent by some router; the victim of what caused it stands
//! only in the datagram that it quotes.

use noroshi_proto::flow::FlowTuple;
use noroshi_proto::loss::Loss;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Traffic, Transport};

use super::datagram::{Address, Datagram, Place};
use super::{TCP, UDP};
use crate::fingerprint;
use crate::packet::{MarkBits, Packet};

/// Type, code, checksum and four bytes by type.
const HEADER_BYTES: usize = 8;
const NEEDED_BYTES: usize = 2;

pub(super) fn read<A: Address>(
    seen_at: Millis,
    datagram: &Datagram<'_, A>,
) -> Result<Packet, Loss> {
    if datagram.payload_bytes < HEADER_BYTES {
        return Err(Loss::BadHeader);
    }
    let bytes = datagram.payload(NEEDED_BYTES)?;
    let (kind, code) = (bytes[0], bytes[1]);
    let traffic = A::icmp_class(kind);
    if traffic == Traffic::BackscatterIcmpError {
        return error(seen_at, datagram);
    }
    let transport = A::icmp_transport(kind, code);
    let source = datagram.source.into();
    Ok(Packet {
        marks: fingerprint::of_other(traffic, datagram.ipv4.as_ref()),
        ..datagram.packet(
            seen_at,
            FlowTuple {
                source,
                traffic,
                transport,
            },
        )
    })
}

/// An error is about the datagram it quotes: whom that was sent to is the victim.
fn error<A: Address>(seen_at: Millis, datagram: &Datagram<'_, A>) -> Result<Packet, Loss> {
    let quote = datagram.payload.get(HEADER_BYTES..).unwrap_or_default();
    let quoted = A::datagram(quote).map_err(|_| Loss::NoQuotedHeader)?;
    let (transport, source_port) = quoted_transport(&quoted);
    let traffic = Traffic::BackscatterIcmpError;
    let source = quoted.target.into();
    let is_ours = quoted.source == datagram.target;
    Ok(Packet {
        source_port,
        marks: MarkBits(if is_ours { 0 } else { MarkBits::MISMATCHED }),
        ..datagram.packet(
            seen_at,
            FlowTuple {
                source,
                traffic,
                transport,
            },
        )
    })
}

/// What was asked of the victim, and from which port. Without ports in the quote only the
/// protocol is known.
fn quoted_transport<A: Address>(quoted: &Datagram<'_, A>) -> (Transport, u16) {
    let protocol = quoted.protocol;
    let unknown = (Transport::Other { protocol }, 0);
    let start = quoted.payload.get(..4);
    let (Place::First, Some(&[a, b, c, d])) = (quoted.place, start) else {
        return unknown;
    };
    let source_port = u16::from_be_bytes([a, b]);
    let service_port = u16::from_be_bytes([c, d]);
    match protocol {
        TCP => (Transport::Tcp { service_port }, source_port),
        UDP => (Transport::Udp { service_port }, source_port),
        icmp if icmp == A::ICMP => (A::icmp_transport(a, b), 0),
        _ => unknown,
    }
}
