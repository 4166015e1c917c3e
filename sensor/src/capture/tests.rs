use std::io::{self, Read};

use noroshi_proto::time::Millis;
use proptest::collection::vec;
use proptest::prelude::*;

use super::file::{ByteOrder, CaptureFile};
use super::*;

mod pcap;
mod pcapng;

/// A frame with its own copy of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    millis: u64,
    link: u32,
    bytes: Vec<u8>,
    wire_bytes: u32,
}

/// Everything a capture holds, and how it ended.
fn read(source: impl Read + Send + 'static) -> (Vec<Kept>, Option<String>) {
    let mut frames = Vec::new();
    let mut capture = match CaptureFile::new("a.pcap".into(), Box::new(source)) {
        Ok(capture) => capture,
        Err(error) => return (frames, Some(error.to_string())),
    };
    loop {
        let progress = capture.read(|frame| {
            frames.push(Kept {
                millis: frame.seen_at.0,
                link: frame.link.0,
                bytes: frame.bytes.to_vec(),
                wire_bytes: frame.wire_bytes,
            });
        });
        match progress {
            Ok(Progress::End) => return (frames, None),
            Ok(_) => {}
            Err(error) => return (frames, Some(error.to_string())),
        }
    }
}

fn read_bytes(bytes: Vec<u8>) -> (Vec<Kept>, Option<String>) {
    read(io::Cursor::new(bytes))
}

/// Hands out a few bytes at a time, as a pipe may.
struct Trickle(io::Cursor<Vec<u8>>, usize);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.1);
        self.0.read(&mut buffer[..length])
    }
}

fn u32_bytes(order: ByteOrder, number: u32) -> [u8; 4] {
    match order {
        ByteOrder::Little => number.to_le_bytes(),
        ByteOrder::Big => number.to_be_bytes(),
    }
}

fn u16_bytes(order: ByteOrder, number: u16) -> [u8; 2] {
    match order {
        ByteOrder::Little => number.to_le_bytes(),
        ByteOrder::Big => number.to_be_bytes(),
    }
}

#[test]
fn what_is_no_capture_says_so() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "the file is empty: not even a capture header"),
        (
            b"abc",
            "the file is too short for a capture header: 3 bytes",
        ),
        (
            b"\x1f\x8b\x08\x00",
            "compressed by gzip: decompress it first",
        ),
        (
            b"\x28\xb5\x2f\xfd\x00",
            "compressed by zstd: decompress it first",
        ),
        (b"BZh9", "compressed by bzip2: decompress it first"),
        (b"\xfd7zXZ\x00", "compressed by xz: decompress it first"),
        (
            b"\x04\x22\x4d\x18",
            "compressed by lz4: decompress it first",
        ),
        (
            b"#!/bin/sh",
            "neither pcap nor pcapng: the file begins with 23212f62",
        ),
    ];
    for (bytes, defect) in cases {
        let (frames, error) = read_bytes(bytes.to_vec());
        assert_eq!(frames, []);
        assert_eq!(error, Some(format!("a.pcap: at byte 0: {defect}")));
    }
    let missing = CaptureFile::open("/nowhere/a.pcap".as_ref()).err().unwrap();
    assert!(
        missing
            .to_string()
            .starts_with("/nowhere/a.pcap: No such file"),
        "{missing}"
    );
}

proptest! {
    /// Any bytes are read to an end or to an error, and nothing is kept that is not there.
    #[test]
    fn reading_never_panics(
        magic in prop::sample::select(vec![
            [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d], [0x34, 0xcd, 0xb2, 0xa1],
            [0x0a, 0x0d, 0x0d, 0x0a],
        ]),
        rest in vec(prop_oneof![Just(0_u8), Just(4), any::<u8>()], 0..600),
    ) {
        let mut bytes = magic.to_vec();
        bytes.extend(rest);
        let length = bytes.len();
        let (frames, _) = read_bytes(bytes);
        prop_assert!(frames.iter().map(|frame| frame.bytes.len()).sum::<usize>() <= length);
    }

    /// However the bytes arrive, the frames are the same.
    #[test]
    fn trickling_changes_nothing(pieces in 1..50_usize, frames in 1..20_usize) {
        let bytes = pcap::file(ByteOrder::Little, frames);
        let whole = read_bytes(bytes.clone());
        prop_assert_eq!(read(Trickle(io::Cursor::new(bytes), pieces)), whole);
        let bytes = pcapng::file(ByteOrder::Big, frames);
        let whole = read_bytes(bytes.clone());
        prop_assert_eq!(&whole.1, &None);
        prop_assert_eq!(read(Trickle(io::Cursor::new(bytes), pieces)), whole);
    }
}
