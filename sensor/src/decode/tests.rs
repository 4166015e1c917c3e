use std::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::packet::{LinkType, MarkBits};

mod frames;
mod headers;
mod tunnels;

#[cfg(feature = "libpcap")]
pub(crate) use self::frames::echo_request;
use self::frames::{ETHERNET, RAW};

const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

fn decoder(delivery: Delivery) -> Decoder {
    let prefixes = EVERYWHERE.map(|prefix| prefix.parse().unwrap());
    Decoder::new(Telescope::new(&prefixes), delivery)
}

fn decode(link: u32, bytes: &[u8]) -> Result<Packet, Loss> {
    decode_by(Delivery::Direct, link, bytes)
}

fn decode_by(delivery: Delivery, link: u32, bytes: &[u8]) -> Result<Packet, Loss> {
    let wire_bytes = bytes.len() as u32;
    let frame = Frame {
        seen_at: Millis(1),
        link: LinkType(link),
        bytes,
        wire_bytes,
    };
    decoder(delivery).decode(&frame)
}

fn service(packet: &Packet) -> String {
    packet.tuple.transport.service().to_string()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const DELIVERIES: [Delivery; 5] = [
    Delivery::Direct,
    Delivery::Gre,
    Delivery::Ipip,
    Delivery::Vxlan,
    Delivery::Geneve,
];

const LINKS: [u32; 16] = [
    ETHERNET, RAW, 12, 14, 228, 229, 113, 276, 0, 108, 9, 50, 51, 104, 239, 147,
];

proptest! {
    /// Whatever arrives, decoding answers.
    #[test]
    fn decode_never_panics(
        bytes in vec(any::<u8>(), 0..400),
        link in prop::sample::select(LINKS.to_vec()),
        delivery in prop::sample::select(DELIVERIES.to_vec()),
    ) {
        let _ = decode_by(delivery, link, &bytes);
    }

    /// Damage in a good frame gets deeper than random bytes do.
    #[test]
    fn decode_never_panics_on_damaged_frames(
        frame in prop::sample::select(frames::all()),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        length in any::<prop::sample::Index>(),
        delivery in prop::sample::select(DELIVERIES.to_vec()),
    ) {
        let (link, mut bytes) = frame;
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let length = length.index(bytes.len() + 1);
        let _ = decode_by(delivery, link, &bytes[..length]);
    }

    /// A frame cut short says the same or nothing: never something else.
    #[test]
    fn a_cut_frame_is_the_same_packet_or_a_loss(
        frame in prop::sample::select(frames::all()),
        length in any::<prop::sample::Index>(),
    ) {
        let (link, bytes) = frame;
        let whole = decode(link, &bytes).expect("the samples are packets");
        let cut = &bytes[..length.index(bytes.len())];
        match decode(link, cut) {
            Ok(packet) => {
                prop_assert_eq!(packet.target, whole.target);
                prop_assert_eq!(packet.tuple.source, whole.tuple.source);
                prop_assert_eq!(packet.tuple.traffic, whole.tuple.traffic);
                prop_assert_eq!(packet.bytes, whole.bytes);
                let unknown = matches!(packet.tuple.transport, Transport::Other { .. });
                prop_assert!(unknown || packet.tuple.transport == whole.tuple.transport);
            }
            Err(reason) => {
                prop_assert!(matches!(reason, Loss::Truncated | Loss::NoQuotedHeader));
            }
        }
    }
}
