//! UDP: ports, and whether they ask or answer.

use noroshi_proto::flow::{FlowTuple, OptionLayout};
use noroshi_proto::loss::Loss;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Traffic, Transport};

use super::datagram::{Address, Datagram};
use crate::classify;
use crate::fingerprint;
use crate::packet::Packet;

const HEADER_BYTES: usize = 8;
const PORT_BYTES: usize = 4;

#[inline(always)]
pub(super) fn read<A: Address>(
    seen_at: Millis,
    datagram: &Datagram<'_, A>,
) -> Result<Packet, Loss> {
    if datagram.payload_bytes < HEADER_BYTES {
        return Err(Loss::BadHeader);
    }
    let ports: &[u8; PORT_BYTES] = datagram
        .payload(PORT_BYTES)?
        .first_chunk()
        .ok_or(Loss::Truncated)?;
    if let Some([high, low]) = datagram.payload.get(4..6)
        && is_impossible(u16::from_be_bytes([*high, *low]), datagram)
    {
        return Err(Loss::BadHeader);
    }
    let source_port = u16::from_be_bytes([ports[0], ports[1]]);
    let target_port = u16::from_be_bytes([ports[2], ports[3]]);
    let traffic = classify::udp(source_port, target_port);
    let (service_port, other_port) = match traffic {
        Traffic::BackscatterUdp => (source_port, target_port),
        _ => (target_port, source_port),
    };
    Ok(Packet {
        seen_at,
        tuple: FlowTuple {
            source: datagram.source.into(),
            traffic,
            transport: Transport::Udp { service_port },
        },
        target: datagram.target.into(),
        bytes: datagram.bytes,
        source_port: other_port,
        window: 0,
        ttl: datagram.ttl,
        options: OptionLayout::Unknown,
        marks: fingerprint::of_other(traffic, datagram.ipv4.as_ref()),
    })
}

/// A length shorter than the header that holds it; 0 means a jumbogram's in IPv6 (RFC 2675).
fn is_impossible<A: Address>(length: u16, datagram: &Datagram<'_, A>) -> bool {
    usize::from(length) < HEADER_BYTES && (length != 0 || datagram.ipv4.is_some())
}
