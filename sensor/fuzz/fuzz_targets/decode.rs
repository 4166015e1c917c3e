//! Law: whatever a frame holds and however the telescope is delivered, decoding answers, and
//! only with packets of the telescope.
#![no_main]

use libfuzzer_sys::fuzz_target;
use noroshi_proto::time::Millis;
use noroshi_sensor::decode::Decoder;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::packet::{Frame, LinkType};
use noroshi_sensor::telescope::Telescope;

const LINKS: [u32; 16] = [1, 101, 12, 14, 228, 229, 113, 276, 0, 108, 9, 50, 51, 104, 239, 147];
const DELIVERIES: [Delivery; 5] = [
    Delivery::Direct,
    Delivery::Gre,
    Delivery::Ipip,
    Delivery::Vxlan,
    Delivery::Geneve,
];

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (link, delivery, bytes) = input;
    let prefixes = ["0.0.0.0/1", "2000::/3"].map(|prefix| prefix.parse().expect("a prefix"));
    let telescope = Telescope::new(&prefixes);
    let delivery = DELIVERIES[usize::from(delivery) % DELIVERIES.len()];
    let decoder = Decoder::new(telescope.clone(), delivery);
    let frame = Frame {
        seen_at: Millis(0),
        link: LinkType(LINKS[usize::from(link) % LINKS.len()]),
        bytes,
        wire_bytes: bytes.len() as u32,
    };
    if let Ok(packet) = decoder.decode(&frame) {
        assert!(telescope.contains(packet.target));
    }
});
