//! Law: any file is read to its end or to an error; frames never hold more than the file, and
//! every one of them is decoded or lost.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use noroshi_sensor::capture::file::CaptureFile;
use noroshi_sensor::capture::{Capture, Progress};
use noroshi_sensor::decode::Decoder;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::telescope::Telescope;

const MAGIC: [[u8; 4]; 4] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x34, 0xcd, 0xb2, 0xa1],
    [0x0a, 0x0d, 0x0d, 0x0a],
];

fuzz_target!(|input: (u8, &[u8])| {
    let (magic, rest) = input;
    let file = [&MAGIC[usize::from(magic) % MAGIC.len()][..], rest].concat();
    let file_bytes = file.len();
    let source = Box::new(Cursor::new(file));
    let Ok(mut capture) = CaptureFile::new("fuzzed".into(), source) else {
        return;
    };
    let everywhere = ["0.0.0.0/0", "::/0"].map(|prefix| prefix.parse().expect("a prefix"));
    let decoder = Decoder::new(Telescope::new(&everywhere), Delivery::Direct);
    let mut frame_bytes = 0;
    loop {
        let read = capture.read(|frame| {
            frame_bytes += frame.bytes.len();
            let _ = decoder.decode(&frame);
        });
        if !matches!(read, Ok(Progress::More)) {
            break;
        }
    }
    assert!(frame_bytes <= file_bytes);
});
