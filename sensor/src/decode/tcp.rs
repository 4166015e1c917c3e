//! TCP: ports, flags, and what its SYNs look like.

use noroshi_proto::flow::{FlowTuple, OptionLayout};
use noroshi_proto::loss::Loss;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Traffic, Transport};

use super::datagram::{Address, Datagram};
use crate::classify;
use crate::fingerprint::{self, Syn};
use crate::packet::{MarkBits, Packet};

const HEADER_BYTES_MIN: usize = 20;
/// Ports, numbers, flags and window: everything needed that stands in every header.
const NEEDED_BYTES: usize = 16;

#[inline(always)]
pub(super) fn read<A: Address>(
    seen_at: Millis,
    datagram: &Datagram<'_, A>,
) -> Result<Packet, Loss> {
    let header: &[u8; NEEDED_BYTES] = datagram
        .payload(NEEDED_BYTES)?
        .first_chunk()
        .ok_or(Loss::Truncated)?;
    let header_bytes = usize::from(header[12] >> 4) * 4;
    if header_bytes < HEADER_BYTES_MIN || header_bytes > datagram.payload_bytes {
        return Err(Loss::BadHeader);
    }
    let source_port = u16::from_be_bytes([header[0], header[1]]);
    let target_port = u16::from_be_bytes([header[2], header[3]]);
    let window = u16::from_be_bytes([header[14], header[15]]);
    let traffic = classify::tcp(header[13]);
    let (service_port, other_port) = match traffic {
        Traffic::BackscatterTcp => (source_port, target_port),
        _ => (target_port, source_port),
    };
    let (options, marks) = match traffic {
        Traffic::ScanSyn => {
            let options = option_layout(datagram.payload, header_bytes);
            let sequence = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
            let syn = Syn {
                sequence,
                target_port,
                window,
                ttl: datagram.ttl,
                options,
            };
            (options, fingerprint::of_syn(&syn, datagram.ipv4.as_ref()))
        }
        _ => (OptionLayout::Unknown, other_marks(datagram, traffic)),
    };
    // Written whole and in place: copying parts of it costs as much as decoding.
    Ok(Packet {
        seen_at,
        tuple: FlowTuple {
            source: datagram.source.into(),
            traffic,
            transport: Transport::Tcp { service_port },
        },
        target: datagram.target.into(),
        bytes: datagram.bytes,
        source_port: other_port,
        window,
        ttl: datagram.ttl,
        options,
        marks,
    })
}

#[inline]
fn other_marks<A: Address>(datagram: &Datagram<'_, A>, traffic: Traffic) -> MarkBits {
    fingerprint::of_other(traffic, datagram.ipv4.as_ref())
}

/// [`OptionLayout::Unknown`] where not all options were captured.
#[inline(always)]
fn option_layout(segment: &[u8], header_bytes: usize) -> OptionLayout {
    match segment.get(HEADER_BYTES_MIN..header_bytes) {
        Some(options) => fingerprint::option_layout(options),
        None => OptionLayout::Unknown,
    }
}
