//! Law: any columns, in an envelope that is in order, are a batch or an error; a batch that is
//! accepted survives the wire.
//!
//! Input: one byte, odd for 32-bit targets; length of the columns, 16 bits, little endian; the
//! columns; the bits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use noroshi_proto::batch::Batch;
use noroshi_proto::v1;
use noroshi_proto::wire::batch::seal;

fuzz_target!(|bytes: &[u8]| {
    let [wide, low, high, rest @ ..] = bytes else {
        return;
    };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    let Some((columns, bits)) = rest.split_at_checked(length) else {
        return;
    };
    let mut wire = v1::Batch {
        sensor: "fuzz".to_owned(),
        interval_seconds: 10,
        target_bits: if wide & 1 > 0 { 32 } else { 16 },
        counters: Some(v1::Counters::default()),
        spans: zstd::bulk::compress(columns, 1).expect("zstd takes any bytes"),
        spans_bytes: columns.len() as u32,
        bits: bits.to_vec(),
        ..v1::Batch::default()
    };
    seal(&mut wire);
    let Ok(batch) = Batch::try_from(&wire) else {
        return;
    };
    let again = v1::Batch::try_from(&batch).expect("what is accepted can be sent");
    assert_eq!(Batch::try_from(&again).as_ref(), Ok(&batch));
});
