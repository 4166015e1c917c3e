//! Law: any bytes are a batch or an error; a batch that is accepted survives the wire.
#![no_main]

use libfuzzer_sys::fuzz_target;
use noroshi_proto::batch::Batch;
use noroshi_proto::v1;
use prost::Message;

fuzz_target!(|bytes: &[u8]| {
    let Ok(wire) = v1::Batch::decode(bytes) else {
        return;
    };
    let Ok(batch) = Batch::try_from(&wire) else {
        return;
    };
    let again = v1::Batch::try_from(&batch).expect("what is accepted can be sent");
    assert_eq!(Batch::try_from(&again).as_ref(), Ok(&batch));
});
