use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A block as the kernel writes it: its headers, then frames 128 bytes apart.
fn block(frames: &[(&[u8], u32)]) -> Vec<u8> {
    const HEADER: usize = offset_of!(libc::tpacket_block_desc, hdr);
    const FIRST: usize = 48;
    const APART: usize = 128;
    const MAC: usize = 82;
    let mut block = vec![0; FIRST + frames.len() * APART];
    let mut put = |at: usize, value: u32| {
        block[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    };
    put(
        HEADER + offset_of!(libc::tpacket_hdr_v1, num_pkts),
        frames.len() as u32,
    );
    put(
        HEADER + offset_of!(libc::tpacket_hdr_v1, offset_to_first_pkt),
        FIRST as u32,
    );
    for (index, (bytes, status)) in frames.iter().enumerate() {
        let at = FIRST + index * APART;
        let length = bytes.len() as u32;
        let mut put = |field: usize, value: &[u8]| {
            block[at + field..at + field + value.len()].copy_from_slice(value);
        };
        let next = if index + 1 < frames.len() { APART } else { 0 };
        put(
            offset_of!(libc::tpacket3_hdr, tp_next_offset),
            &(next as u32).to_ne_bytes(),
        );
        put(offset_of!(libc::tpacket3_hdr, tp_sec), &7_u32.to_ne_bytes());
        put(
            offset_of!(libc::tpacket3_hdr, tp_nsec),
            &12_999_999_u32.to_ne_bytes(),
        );
        put(
            offset_of!(libc::tpacket3_hdr, tp_snaplen),
            &length.to_ne_bytes(),
        );
        put(
            offset_of!(libc::tpacket3_hdr, tp_len),
            &(length + 100).to_ne_bytes(),
        );
        put(
            offset_of!(libc::tpacket3_hdr, tp_status),
            &status.to_ne_bytes(),
        );
        put(
            offset_of!(libc::tpacket3_hdr, tp_mac),
            &(MAC as u16).to_ne_bytes(),
        );
        put(MAC, bytes);
    }
    block
}

#[test]
fn a_block_is_its_frames_with_their_time_and_length() {
    let mut seen = Vec::new();
    let tagged = libc::TP_STATUS_USER | libc::TP_STATUS_VLAN_VALID;
    let block = block(&[(b"first", libc::TP_STATUS_USER), (b"second", tagged)]);
    let walked = walk(&block, |frame| {
        seen.push((frame.seen_at, frame.bytes.to_vec(), frame.wire_bytes));
    });
    assert_eq!(walked, Some(()));
    assert_eq!(
        seen,
        [
            (Millis(7_012), b"first".to_vec(), 105),
            (Millis(7_012), b"second".to_vec(), 110)
        ]
    );
}

#[test]
fn a_block_that_contradicts_itself_is_noticed() {
    let whole = block(&[(b"first", 1), (b"second", 1)]);
    assert_eq!(walk(&whole[..140], |_| {}), None, "the second is missing");
    assert_eq!(walk(&[], |_| {}), None);
}

proptest! {
    /// Whatever stands there, walking answers, and ends.
    #[test]
    fn a_damaged_block_is_walked_within_its_bounds(
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        length in any::<prop::sample::Index>(),
    ) {
        let mut block = block(&[(b"first", 1), (b"second", 1), (b"third", 1)]);
        for (at, byte) in damage {
            let at = at.index(block.len());
            block[at] = byte;
        }
        let length = length.index(block.len() + 1);
        let mut frames = 0;
        let _ = walk(&block[..length], |_| frames += 1);
        prop_assert!(frames <= length);
    }
}

#[test]
fn memory_is_what_the_operator_allows() {
    let of = |ring| {
        layout(&config::Capture {
            interface: "eth1".into(),
            method: config::Method::Ring,
            ring,
            snaplen: 256,
            kernel_filter: KernelFilter::On,
        })
    };
    let mebibytes = crate::config::size::ByteSize::mebibytes;
    for allowed in [1, 16, 1_024] {
        let layout = of(mebibytes(allowed));
        assert_eq!(
            (layout.block_bytes * layout.blocks) as u64,
            allowed * 1024 * 1024
        );
    }
}
