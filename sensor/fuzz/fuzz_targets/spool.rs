//! Law: whatever a spool's files hold, it opens, is read to its end, and takes and gives the next
//! batch; or its disk is to blame.
//!
//! Input: length of the state, 16 bits, little endian; the state; the segment. With an odd last
//! byte of the length's high half the segment's header checksums are made right, so that what a
//! header claims is reached.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use noroshi_proto::id::{Epoch, SensorId};
use noroshi_sensor::spool::{Cursor, Durability, KEEP, Parcel, Settings, Spool};

const NOW: u64 = 1_762_000_000;
const RECORDS_MAX: usize = 10_000;
/// As `sensor/src/spool/record.rs` says: the checksum of a header stands at its end.
const MARK: [u8; 4] = [0xb1, b'n', b'r', 0x0a];
const HEADER_BYTES: usize = 88;

fn vouch_for_headers(segment: &mut [u8]) {
    let mut at = 0;
    while at + HEADER_BYTES <= segment.len() {
        if segment[at..at + 4] == MARK {
            let header = &segment[at..at + HEADER_BYTES - 4];
            let checksum = crc32c::crc32c(header).to_le_bytes();
            segment[at + HEADER_BYTES - 4..at + HEADER_BYTES].copy_from_slice(&checksum);
        }
        at += 1;
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [low, high, rest @ ..] = bytes else {
        return;
    };
    let length = usize::from(u16::from_le_bytes([*low, high & 0x7f]));
    let Some((state, segment)) = rest.split_at_checked(length) else {
        return;
    };
    let mut segment = segment.to_vec();
    if high & 0x80 > 0 {
        vouch_for_headers(&mut segment);
    }
    let directory = tempfile::tempdir_in("/dev/shm").expect("memory takes files");
    let first = directory.path().join(format!("{:016x}-{:016x}.segment", 0, 0));
    fs::write(first, &segment).expect("memory takes files");
    if !state.is_empty() {
        fs::write(directory.path().join("state.json"), state).expect("memory takes files");
    }
    let settings = Settings {
        directory: directory.path().into(),
        sensor: SensorId::new("jp-1").expect("an id"),
        bytes_max: 1 << 20,
        keep: KEEP,
        durability: Durability::ThrowAway,
    };
    let Ok(mut spool) = Spool::open(settings, Epoch(2), NOW) else {
        return; // another sensor's
    };
    let fresh = Parcel {
        epoch: Epoch(2),
        sequence: 0,
        packets: 7,
        bytes: b"fresh".to_vec(),
    };
    spool.push(NOW, |_| vec![fresh.clone()]).expect("memory takes files");
    let mut cursor = Cursor::default();
    let mut last = None;
    for _ in 0..RECORDS_MAX {
        let read = spool.next(&mut cursor, u64::MAX).expect("memory gives files");
        let Some(record) = read else {
            break;
        };
        assert!(last.is_none_or(|last| last < record.position), "never back");
        last = Some(record.position);
        spool.acknowledge(record.position, NOW).expect("memory takes files");
    }
});
