//! ClickHouse's compressed frames, as a client sends them with `decompress=1`.
//!
//! ```text
//! frame:  checksum u128 | method u8 | compressed length u32 | length u32 | data
//! ```
//! All little-endian. The checksum is CityHash128 1.0.2 of everything behind it, its halves
//! swapped; the compressed length counts the nine bytes from `method` on. Methods: 0x82 is an
//! LZ4 block, 0x02 plain bytes
//! (<https://clickhouse.com/docs/native-protocol/basics#compression>).

use crate::engine::statement::Failure;

const CHECKSUM_BYTES: usize = 16;
const HEADER_BYTES: usize = 9;
const LZ4: u8 = 0x82;
const PLAIN: u8 = 0x02;

/// Decompressed bytes of one frame; the server's own limit is 1 GiB.
const FRAME_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The frames of a whole body.
pub(in crate::engine) struct Frames<'body> {
    rest: &'body [u8],
}

/// One frame whose checksum and lengths are right.
struct Frame<'body> {
    method: u8,
    data: &'body [u8],
    length: usize,
}

impl<'body> Frames<'body> {
    pub(in crate::engine) fn new(body: &'body [u8]) -> Self {
        Self { rest: body }
    }

    /// Checks every frame without decompressing.
    pub(in crate::engine) fn verify(mut self) -> Result<(), Failure> {
        while self.next_frame()?.is_some() {}
        Ok(())
    }

    /// Decompresses the next frame into `rows`, in place of what was there. `false` at the end.
    pub(in crate::engine) fn next_into(&mut self, rows: &mut Vec<u8>) -> Result<bool, Failure> {
        let Some(frame) = self.next_frame()? else {
            return Ok(false);
        };
        rows.clear();
        if frame.method == PLAIN {
            rows.extend_from_slice(frame.data);
            return Ok(true);
        }
        rows.resize(frame.length, 0);
        match lz4_flex::block::decompress_into(frame.data, rows) {
            Ok(length) if length == frame.length => Ok(true),
            Ok(_) => Err(broken("a frame is shorter than it says")),
            Err(_) => Err(broken("a frame is not LZ4")),
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame<'body>>, Failure> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some((checksum, behind)) = self.rest.split_first_chunk::<CHECKSUM_BYTES>() else {
            return Err(broken("the body ends inside a checksum"));
        };
        let Some((header, _)) = behind.split_first_chunk::<HEADER_BYTES>() else {
            return Err(broken("the body ends inside a header"));
        };
        let [method, a, b, c, d, e, f, g, h] = *header;
        let compressed = u32::from_le_bytes([a, b, c, d]) as usize; // u32 fits usize here
        let length = u32::from_le_bytes([e, f, g, h]) as usize;
        if method != LZ4 && method != PLAIN {
            return Err(broken("a frame is neither LZ4 nor plain"));
        }
        if length > FRAME_BYTES_MAX {
            return Err(broken("a frame is longer than 128 MiB"));
        }
        if compressed < HEADER_BYTES || compressed > behind.len() {
            return Err(broken("a frame is longer than the body"));
        }
        let (checked, rest) = behind.split_at(compressed);
        if cityhash_rs::cityhash_102_128(checked).rotate_right(64) != u128::from_le_bytes(*checksum)
        {
            return Err(broken("a frame's checksum is wrong"));
        }
        self.rest = rest;
        Ok(Some(Frame {
            method,
            data: &checked[HEADER_BYTES..],
            length,
        }))
    }
}

fn broken(what: &str) -> Failure {
    Failure::new(format!(
        "Code: 271. DB::Exception: Cannot decompress: {what}. (CANNOT_DECOMPRESS)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(method: u8, data: &[u8], length: usize) -> Vec<u8> {
        let mut checked = vec![method];
        checked.extend_from_slice(&((data.len() + HEADER_BYTES) as u32).to_le_bytes());
        checked.extend_from_slice(&(length as u32).to_le_bytes());
        checked.extend_from_slice(data);
        let checksum = cityhash_rs::cityhash_102_128(&checked).rotate_right(64);
        [checksum.to_le_bytes().as_slice(), &checked].concat()
    }

    fn lz4(bytes: &[u8]) -> Vec<u8> {
        frame(LZ4, &lz4_flex::block::compress(bytes), bytes.len())
    }

    fn all(body: &[u8]) -> Result<Vec<u8>, Failure> {
        let (mut frames, mut rows, mut out) = (Frames::new(body), Vec::new(), Vec::new());
        while frames.next_into(&mut rows)? {
            out.extend_from_slice(&rows);
        }
        Ok(out)
    }

    #[test]
    fn frames_follow_each_other() {
        let body = [lz4(b"one"), frame(PLAIN, b", ", 2), lz4(&[b'x'; 100_000])].concat();
        let out = all(&body).unwrap();
        assert!(out.starts_with(b"one, xx"));
        assert_eq!(out.len(), 100_005);
    }

    #[test]
    fn a_body_cut_anywhere_is_refused() {
        let body = [lz4(b"one"), lz4(b"two")].concat();
        let boundary = lz4(b"one").len();
        for cut in (1..body.len()).filter(|cut| *cut != boundary) {
            assert!(Frames::new(&body[..cut]).verify().is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_bit_turned_anywhere_is_refused() {
        let body = lz4(b"some rows, some rows, some rows");
        for at in 0..body.len() {
            let mut spoiled = body.clone();
            spoiled[at] ^= 1;
            assert!(all(&spoiled).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_frame_that_lies_about_its_length_is_refused() {
        let data = lz4_flex::block::compress(b"abc");
        assert!(all(&frame(LZ4, &data, 4)).is_err());
        assert!(all(&frame(LZ4, &data, 2)).is_err());
        assert!(all(&frame(LZ4, &data, u32::MAX as usize)).is_err());
    }

    proptest! {
        /// Whatever arrives, the answer is bytes or a refusal.
        #[test]
        fn decompressing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&bytes);
            let _ = all(&frame(LZ4, &bytes, bytes.len() * 2));
        }
    }
}
