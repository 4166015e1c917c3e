//! pcapng files, good and broken.

use super::*;

fn block(order: ByteOrder, kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let length = u32_bytes(order, (12 + body.len() + padding) as u32);
    let mut bytes = u32_bytes(order, kind).to_vec();
    bytes.extend(length);
    bytes.extend(body);
    bytes.extend(vec![0; padding]);
    bytes.extend(length);
    bytes
}

fn section(order: ByteOrder) -> Vec<u8> {
    let mut body = u32_bytes(order, 0x1a2b_3c4d).to_vec();
    body.extend(u16_bytes(order, 1));
    body.extend(u16_bytes(order, 0));
    body.extend([0xff; 8]);
    block(order, 0x0a0d_0d0a, &body)
}

fn interface(order: ByteOrder, link: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
    let mut body = u16_bytes(order, link).to_vec();
    body.extend([0, 0]);
    body.extend(u32_bytes(order, snaplen));
    body.extend(options);
    block(order, 1, &body)
}

fn enhanced(order: ByteOrder, interface: u32, ticks: u64, frame: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let length = frame.len() as u32;
    for number in [
        interface,
        (ticks >> 32) as u32,
        ticks as u32,
        length,
        length + 1,
    ] {
        body.extend(u32_bytes(order, number));
    }
    body.extend(frame);
    block(order, 6, &body)
}

/// A good file with this many frames, and blocks between them that are stepped over.
pub(super) fn file(order: ByteOrder, frames: usize) -> Vec<u8> {
    let mut bytes = [section(order), interface(order, 1, 0, &[])].concat();
    for index in 0..frames {
        bytes.extend(enhanced(
            order,
            0,
            index as u64 * 1_000,
            &vec![index as u8; index % 60],
        ));
        bytes.extend(block(order, 5, &vec![7; index * 31]));
    }
    bytes
}

#[test]
fn sections_and_interfaces_each_have_their_own_clock() {
    let (little, big) = (ByteOrder::Little, ByteOrder::Big);
    let nanoseconds = [9, 0, 1, 0, 9, 0, 0, 0];
    let binary = [0, 9, 0, 1, 0x8a, 0, 0, 0]; // 1/1024 s, big-endian
    let later = [14, 0, 8, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let earlier = [&[14, 0, 8, 0][..], &(-100_i64).to_le_bytes(), &[0; 4]].concat();
    let bytes = [
        section(little),
        interface(little, 1, 0, &[]),
        interface(little, 101, 0, &nanoseconds),
        interface(little, 113, 0, &later),
        interface(little, 276, 0, &earlier),
        enhanced(little, 0, 5_000_999, b"one"),
        enhanced(little, 1, 5_000_999_999, b"two"),
        enhanced(little, 2, 1_000, b"three"),
        enhanced(little, 3, 1_000, b"four"),
        section(big),
        interface(big, 228, 0, &binary),
        enhanced(big, 0, 1_536, b"five"),
    ];
    let (frames, error) = read_bytes(bytes.concat());
    assert_eq!(error, None);
    let told: Vec<_> = frames
        .iter()
        .map(|frame| (frame.link, frame.millis))
        .collect();
    let before_1970 = u64::MAX;
    assert_eq!(
        told,
        [
            (1, 5_000),
            (101, 5_000),
            (113, 100_001),
            (276, before_1970),
            (228, 1_500)
        ]
    );
    assert_eq!(
        (&frames[2].bytes[..], frames[2].wire_bytes),
        (&b"three"[..], 6)
    );
}

#[test]
fn simple_and_obsolete_packets_are_read() {
    let order = ByteOrder::Big;
    let simple = [&u32_bytes(order, 9)[..], b"123456\0\0"].concat();
    let mut obsolete = vec![0, 0, 0, 7]; // interface 0, 7 drops
    for number in [0, 2_000_000, 3, 60] {
        obsolete.extend(u32_bytes(order, number));
    }
    obsolete.extend(b"abc");
    let bytes = [
        section(order),
        interface(order, 1, 6, &[]),
        block(order, 3, &simple),
        block(order, 2, &obsolete),
    ];
    let (frames, error) = read_bytes(bytes.concat());
    assert_eq!(error, None);
    assert_eq!(
        (&frames[0].bytes[..], frames[0].wire_bytes),
        (&b"123456"[..], 9),
        "snap length"
    );
    assert_eq!(Millis(frames[0].millis), Frame::NO_TIME);
    assert_eq!(
        (frames[1].millis, &frames[1].bytes[..]),
        (2_000, &b"abc"[..])
    );
}

#[test]
fn blocks_nobody_needs_may_be_of_any_length() {
    let order = ByteOrder::Little;
    let huge = block(order, 0x8000_0001, &vec![1; 3 << 20]);
    let mut bytes = [section(order), interface(order, 1, 0, &[]), huge].concat();
    bytes.extend(enhanced(order, 0, 0, b"after"));
    let (frames, error) = read_bytes(bytes.clone());
    assert_eq!((frames.len(), error), (1, None));
    let cut = bytes[..1 << 20].to_vec();
    let missing = (3 << 20) + 12 + 28 + 20 - (1 << 20);
    let defect = format!("the file ends {missing} bytes before its last block does");
    assert_eq!(
        read_bytes(cut).1,
        Some(format!("a.pcap: at byte {}: {defect}", 1 << 20))
    );
}

/// `after` follows a good file; what is handed over and where it ends is the same for all.
fn check_defect(after: &[u8], defect: &str) {
    let good = file(ByteOrder::Little, 3);
    let end = good.len();
    let (frames, error) = read_bytes([&good, after].concat());
    assert_eq!(frames.len(), 3, "{defect}");
    assert_eq!(error, Some(format!("a.pcap: at byte {end}: {defect}")));
}

#[test]
fn broken_blocks_are_named_with_their_place() {
    let order = ByteOrder::Little;
    let claims = |kind: u32, length: u32| {
        [
            &u32_bytes(order, kind)[..],
            &u32_bytes(order, length),
            &[0; 64],
        ]
        .concat()
    };
    check_defect(&claims(6, 8), "a block claims 8 bytes, fewer than 12");
    check_defect(&claims(5, 13), "a block claims 13 bytes, no multiple of 4");
    check_defect(
        &claims(6, 1 << 30),
        "a block claims 1073741824 bytes, more than 524288",
    );
    let mut trailer = enhanced(order, 0, 0, b"frame");
    trailer[36] = 41;
    check_defect(&trailer, "a block of 40 bytes ends with length 41");
    let cut = &enhanced(order, 0, 0, b"x")[..20];
    check_defect(cut, "the file ends within a block, after 20 bytes");
    let mut unmagical = section(order);
    unmagical[8] = 0;
    check_defect(
        &unmagical,
        "a section header without the byte-order magic 1a2b3c4d",
    );
    let mut newer = section(order);
    newer[12] = 2;
    check_defect(&newer, "pcapng version 2.0: only 1.0 is read");
}

#[test]
fn broken_packets_and_interfaces_are_named_with_their_place() {
    let order = ByteOrder::Little;
    let unknown = enhanced(order, 1, 0, b"");
    check_defect(&unknown, "a packet of interface 1, but 1 are described");
    let mut beyond = enhanced(order, 0, 0, b"frame");
    beyond[20] = 9;
    check_defect(&beyond, "a packet claims 9 captured bytes, its block has 8");
    let short = [0; 16];
    check_defect(
        &block(order, 6, &short),
        "an enhanced packet of 16 bytes, fewer than 20",
    );
    check_defect(
        &block(order, 2, &short),
        "an obsolete packet of 16 bytes, fewer than 20",
    );
    check_defect(&block(order, 3, &[]), "a simple packet without a length");
    check_defect(
        &block(order, 1, &[0; 4]),
        "an interface description without a link type",
    );
    let resolution = interface(order, 1, 0, &[9, 0, 2, 0, 6, 6, 0, 0]);
    check_defect(&resolution, "interface option 9 has 2 bytes");
    let name = interface(order, 1, 0, &[2, 0, 99, 0]);
    check_defect(&name, "interface option 2 is longer than its block");
}

#[test]
fn the_number_of_interfaces_is_bounded() {
    let order = ByteOrder::Little;
    let mut bytes = section(order);
    for _ in 0..=65_536 {
        bytes.extend(interface(order, 1, 0, &[]));
    }
    let error = read_bytes(bytes).1.expect("too many");
    assert!(
        error.ends_with("more than 65536 interfaces in one section"),
        "{error}"
    );
}
