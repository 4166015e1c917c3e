//! pcap files, good and broken.

use super::*;

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

fn header(order: ByteOrder, magic: u32, link: u32) -> Vec<u8> {
    let mut bytes = u32_bytes(order, magic).to_vec();
    bytes.extend(u16_bytes(order, 2));
    bytes.extend(u16_bytes(order, 4));
    for number in [0, 0, 65_535, link] {
        bytes.extend(u32_bytes(order, number));
    }
    bytes
}

fn record(order: ByteOrder, time: (u32, u32), wire_bytes: u32, frame: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [time.0, time.1, frame.len() as u32, wire_bytes] {
        bytes.extend(u32_bytes(order, number));
    }
    bytes.extend(frame);
    bytes
}

/// A good file with this many frames.
pub(super) fn file(order: ByteOrder, frames: usize) -> Vec<u8> {
    let mut bytes = header(order, MICRO, 1);
    for index in 0..frames {
        let frame = vec![index as u8; index * 7 % 60];
        bytes.extend(record(order, (index as u32, 999_999), 60, &frame));
    }
    bytes
}

#[test]
fn both_byte_orders_and_clocks_are_read() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for (magic, fraction) in [(MICRO, 123_456), (NANO, 123_456_789)] {
            let mut bytes = header(order, magic, 0xf000_0071); // frame check sequence bits
            bytes.extend(record(order, (1_793_600_000, fraction), 1500, b"frame"));
            let (frames, error) = read_bytes(bytes);
            let expected = Kept {
                millis: 1_793_600_000_123,
                link: 113,
                bytes: b"frame".to_vec(),
                wire_bytes: 1500,
            };
            assert_eq!(
                (frames, error),
                (vec![expected], None),
                "{order:?} {magic:x}"
            );
        }
    }
}

#[test]
fn longer_record_headers_are_stepped_over() {
    let mut bytes = header(ByteOrder::Little, MODIFIED, 1);
    bytes.extend(record(ByteOrder::Little, (1, 2_000), 4, b""));
    let at = bytes.len() - 8;
    bytes[at..at + 4].copy_from_slice(&4_u32.to_le_bytes()); // captured
    bytes.extend([9; 8]);
    bytes.extend(b"data");
    let (frames, error) = read_bytes(bytes);
    assert_eq!(error, None);
    assert_eq!(
        (frames[0].millis, &frames[0].bytes[..]),
        (1_002, &b"data"[..])
    );
}

#[test]
fn the_last_second_of_32_bits_is_read() {
    let mut bytes = header(ByteOrder::Little, MICRO, 1);
    bytes.extend(record(ByteOrder::Little, (u32::MAX, u32::MAX), 0, b""));
    let (frames, _) = read_bytes(bytes);
    assert_eq!(frames[0].millis, 4_294_967_295_000 + 4_294_967);
}

#[test]
fn frames_before_a_defect_are_handed_over_and_its_place_is_named() {
    let good = file(ByteOrder::Little, 3);
    let end = good.len();
    let mut huge = good.clone();
    huge.extend(record(ByteOrder::Little, (3, 0), 0, b""));
    huge[end + 8..end + 12].copy_from_slice(&262_145_u32.to_le_bytes());
    let cases = [
        (
            huge,
            "a record claims 262145 captured bytes, more than 262144",
        ),
        (
            [&good[..], &[1; 15]].concat(),
            "the file ends within a record header: 15 of 16 bytes",
        ),
        (
            [
                &good[..],
                &record(ByteOrder::Little, (3, 0), 9, b"123456789")[..24],
            ]
            .concat(),
            "the file ends within a record: 8 of 9 captured bytes",
        ),
    ];
    for (bytes, defect) in cases {
        let (frames, error) = read_bytes(bytes);
        assert_eq!(frames.len(), 3, "{defect}");
        assert_eq!(error, Some(format!("a.pcap: at byte {end}: {defect}")));
    }
}

#[test]
fn a_header_that_is_wrong_is_named() {
    let mut old = header(ByteOrder::Big, MICRO, 1);
    old[5] = 1;
    assert_eq!(
        read_bytes(old).1.as_deref(),
        Some("a.pcap: at byte 0: pcap version 1.4: only 2.4 is read")
    );
    let cut = header(ByteOrder::Big, MICRO, 1)[..23].to_vec();
    assert_eq!(
        read_bytes(cut).1.as_deref(),
        Some("a.pcap: at byte 0: the file is too short for a pcap header: 23 of 24 bytes")
    );
}

#[test]
fn frames_larger_than_a_block_are_read_whole() {
    let mut bytes = header(ByteOrder::Little, MICRO, 1);
    let sizes = [262_144, 0, 262_144, 262_143, 1, 262_144, 65_535];
    for (index, size) in sizes.into_iter().enumerate() {
        let frame = vec![index as u8; size];
        bytes.extend(record(
            ByteOrder::Little,
            (index as u32, 0),
            size as u32,
            &frame,
        ));
    }
    let (frames, error) = read_bytes(bytes);
    assert_eq!(error, None);
    assert_eq!(
        frames
            .iter()
            .map(|frame| frame.bytes.len())
            .collect::<Vec<_>>(),
        sizes
    );
    for (index, frame) in frames.iter().enumerate() {
        assert!(frame.bytes.iter().all(|byte| *byte == index as u8));
    }
}
