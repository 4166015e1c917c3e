//! What a batch's checksum covers: everything but itself.
//!
//! ```text
//! CRC-32C (Castagnoli, RFC 3720 §12.1) over, integers little endian and 64 bits wide:
//! length of sensor | sensor | epoch | sequence | interval_seconds | complete_through
//! telescope_addresses | target_bits | frames | packets
//! (reason | count) of each loss, in order | spans_bytes
//! length of spans | spans | length of bits | bits
//! ```

use crate::v1;

/// The checksum a batch should carry.
pub(super) fn of(batch: &v1::Batch) -> u32 {
    let mut sum = Sum(0);
    sum.bytes(batch.sensor.as_bytes());
    sum.number(batch.epoch);
    sum.number(batch.sequence);
    sum.number(batch.interval_seconds.into());
    sum.number(batch.complete_through);
    sum.number(batch.telescope_addresses);
    sum.number(batch.target_bits.into());
    if let Some(counters) = &batch.counters {
        sum.number(counters.frames);
        sum.number(counters.packets);
        for loss in &counters.losses {
            sum.number(loss.reason.into());
            sum.number(loss.count);
        }
    }
    sum.number(batch.spans_bytes.into());
    sum.bytes(&batch.spans);
    sum.bytes(&batch.bits);
    sum.0
}

struct Sum(u32);

impl Sum {
    fn number(&mut self, number: u64) {
        self.0 = crc32c::crc32c_append(self.0, &number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0 = crc32c::crc32c_append(self.0, bytes);
    }
}
