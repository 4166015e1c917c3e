//! Numbers packed to the bit, least significant bit first.
//!
//! Three codes, each within a few hundredths of a bit of what its numbers can cost:
//! - *plain*: a fixed number of bits;
//! - *below* `n`: any number below `n` alike (truncated binary, "phase-in");
//! - *Rice*: small numbers likelier (Rice 1971: unary quotient, plain remainder), with an
//!   escape, so that no number costs more than [`ESCAPE`] bits above plain.

/// A quotient this large is not written in unary: so many ones, then the number itself.
const ESCAPE: u32 = 16;

/// Numbers of at most 48 bits together, to be written in one go: cheaper than one by one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Few {
    bits: u64,
    count: u32,
}

impl Few {
    /// The lowest `count` bits of `value`, which has no others.
    #[inline]
    pub(super) fn plain(self, value: u64, count: u32) -> Self {
        Self {
            bits: self.bits | value << self.count,
            count: self.count + count,
        }
    }

    /// A number below `end`, which is at least 1 and at most 2^32.
    #[inline]
    pub(super) fn below(self, value: u64, end: u64) -> Self {
        debug_assert!(value < end);
        let bits = end.ilog2();
        let short = (2u64 << bits) - end;
        let long = value + short;
        if value < short {
            self.plain(value, bits)
        } else {
            self.plain((long >> 1) | (long & 1) << bits, bits + 1)
        }
    }
}

/// Writes bits.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Whole bytes written; `bytes` is longer, so that eight can be stored at once.
    at: usize,
    pending: u64,
    pending_bits: u32,
}

impl BitWriter {
    /// The lowest `count` (at most 48) bits of `value`, which has no others.
    #[inline]
    pub(super) fn plain(&mut self, value: u64, count: u32) {
        debug_assert!(count <= 48 && value >> count == 0);
        self.pending |= value << self.pending_bits;
        self.pending_bits += count;
        let end = self.at + 8;
        if end > self.bytes.len() {
            self.grow();
        }
        self.bytes[self.at..end].copy_from_slice(&self.pending.to_le_bytes());
        let whole = self.pending_bits / 8;
        self.at += whole as usize;
        self.pending >>= whole * 8;
        self.pending_bits %= 8;
    }

    /// A number below `end`, which is at least 1 and at most 2^32.
    #[inline]
    pub(super) fn below(&mut self, value: u64, end: u64) {
        self.few(Few::default().below(value, end));
    }

    /// Several numbers at once.
    #[inline]
    pub(super) fn few(&mut self, few: Few) {
        self.plain(few.bits, few.count);
    }

    /// A number of at most 32 bits, which cost least near `1 << shift`.
    #[inline]
    pub(super) fn rice(&mut self, value: u32, shift: u32) {
        let quotient = value >> shift;
        if quotient < ESCAPE {
            let unary = (1u64 << quotient) - 1;
            let rest = u64::from(value) & ((1 << shift) - 1);
            self.plain(unary | rest << (quotient + 1), quotient + 1 + shift);
        } else {
            self.plain(
                ((1 << ESCAPE) - 1) | (u64::from(value) << ESCAPE),
                ESCAPE + 32,
            );
        }
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.at + 1
    }

    /// Everything written, the last byte filled up with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes
            .truncate(self.at + usize::from(self.pending_bits > 0));
        self.bytes
    }

    #[cold]
    fn grow(&mut self) {
        self.bytes.resize((self.at * 2).max(4096), 0);
    }
}

/// Reads what [`BitWriter`] wrote. Beyond the end there are zeros; [`BitReader::is_finished`]
/// tells, so no single read can fail.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` (at most 48) bits.
    #[inline]
    pub(super) fn plain(&mut self, count: u32) -> u64 {
        let value = self.peek() & ((1 << count) - 1);
        self.at += count as usize;
        value
    }

    /// A number below `end`, which is at least 1 and at most 2^32.
    #[inline]
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let bits = end.ilog2();
        let short = (2u64 << bits) - end;
        let ahead = self.peek();
        let value = ahead & ((1 << bits) - 1);
        if value < short {
            self.at += bits as usize;
            value
        } else {
            self.at += bits as usize + 1;
            (value << 1 | (ahead >> bits) & 1) - short
        }
    }

    /// A number of at most 32 bits.
    #[inline]
    pub(super) fn rice(&mut self, shift: u32) -> u32 {
        let quotient = self.peek().trailing_ones().min(ESCAPE);
        if quotient == ESCAPE {
            self.at += ESCAPE as usize;
            return self.plain(32) as u32;
        }
        self.at += quotient as usize + 1;
        let rest = self.plain(shift) as u32;
        // a damaged stream may hold a quotient that does not fit: any number will do
        quotient.wrapping_shl(shift) | rest
    }

    /// Whether everything was read, and nothing beyond.
    pub(super) fn is_finished(&self) -> bool {
        self.at.div_ceil(8) == self.bytes.len()
    }

    /// At least 57 bits, from the one to be read next.
    #[inline]
    fn peek(&self) -> u64 {
        let start = self.at / 8;
        let word = match self.bytes.get(start..start + 8) {
            Some(eight) => u64::from_le_bytes(eight.try_into().expect("eight bytes")),
            None => self.peek_near_end(start),
        };
        word >> (self.at % 8)
    }

    #[cold]
    fn peek_near_end(&self, start: usize) -> u64 {
        let mut eight = [0; 8];
        let rest = self.bytes.get(start..).unwrap_or_default();
        eight[..rest.len().min(8)].copy_from_slice(&rest[..rest.len().min(8)]);
        u64::from_le_bytes(eight)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Code {
        Plain(u64, u32),
        Below(u64, u64),
        Rice(u32, u32),
    }

    fn codes() -> impl Strategy<Value = Vec<Code>> {
        let plain = (any::<u64>(), 0..=48u32)
            .prop_map(|(value, count)| Code::Plain(value & ((1 << count) - 1), count));
        let below = (any::<u64>(), 1..=1u64 << 32).prop_map(|(v, end)| Code::Below(v % end, end));
        let rice = (any::<u32>(), 0..32u32, 0..31u32)
            .prop_map(|(value, less, shift)| Code::Rice(value >> less, shift));
        proptest::collection::vec(prop_oneof![plain, below, rice], 0..200)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(codes in codes()) {
            let mut writer = BitWriter::default();
            for code in &codes {
                match *code {
                    Code::Plain(value, count) => writer.plain(value, count),
                    Code::Below(value, end) => writer.below(value, end),
                    Code::Rice(value, shift) => writer.rice(value, shift),
                }
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            for code in codes {
                match code {
                    Code::Plain(value, count) => prop_assert_eq!(reader.plain(count), value),
                    Code::Below(value, end) => prop_assert_eq!(reader.below(end), value),
                    Code::Rice(value, shift) => prop_assert_eq!(reader.rice(shift), value),
                }
            }
            prop_assert!(reader.is_finished());
        }
    }

    #[test]
    fn beyond_the_end_there_are_zeros() {
        let mut reader = BitReader::new(&[0xff]);
        assert_eq!(reader.plain(48), 0xff);
        assert_eq!(reader.plain(48), 0);
        assert!(!reader.is_finished());
    }

    #[test]
    fn numbers_below_a_power_of_two_cost_its_bits() {
        let mut writer = BitWriter::default();
        writer.below(65_535, 65_536);
        writer.below(0, 1);
        assert_eq!(writer.finish(), [0xff, 0xff]);
    }
}
