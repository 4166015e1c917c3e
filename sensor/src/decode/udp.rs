//! UDP: ports, and whether they ask or answer.

use noroshi_proto::flow::FlowTuple;
use noroshi_proto::loss::Loss;
use noroshi_proto::traffic::{Traffic, Transport};

use super::Meaning;
use super::datagram::Datagram;
use crate::classify;
use crate::fingerprint;

const HEADER_BYTES: usize = 8;
const PORT_BYTES: usize = 4;

#[inline]
pub(super) fn read(datagram: &Datagram<'_>) -> Result<Meaning, Loss> {
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
    let transport = Transport::Udp { service_port };
    Ok(Meaning {
        source_port: other_port,
        marks: fingerprint::of_other(traffic, datagram.ipv4.as_ref()),
        ..Meaning::new(FlowTuple {
            source: datagram.source,
            traffic,
            transport,
        })
    })
}

/// A length shorter than the header that holds it; 0 means a jumbogram's in IPv6 (RFC 2675).
fn is_impossible(length: u16, datagram: &Datagram<'_>) -> bool {
    usize::from(length) < HEADER_BYTES && (length != 0 || datagram.ipv4.is_some())
}
