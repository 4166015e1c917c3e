//! One batch in a segment file: a header that can be trusted by itself, then the batch.
//!
//! ```text
//! record:  mark u32 | length u32 | position u64 | epoch u64 | sequence u64
//!          | packets_before u64 | packets u64 | losses included: 4 u64
//!          | crc32c of the batch u32 | crc32c of the header u32 | encoded v1::Batch
//! ```
//! Little endian. The mark lets a reader find the next record behind a damaged one.

use std::io;

use noroshi_proto::id::Epoch;
use noroshi_proto::limits::BATCH_BYTES_MAX;

use super::account::{COUNT_MAX, Entry, Totals};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 88;
/// The first bytes of every record.
pub const MARK: [u8; 4] = [0xb1, b'n', b'r', 0x0a];

/// What stands before a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the batch.
    pub length: u32,
    /// How many batches were pushed before it, ever.
    pub position: u64,
    /// In which run of the sensor it was made.
    pub epoch: Epoch,
    /// Its number in that run.
    pub sequence: u64,
    /// Packets of all batches pushed before it, ever: what a damaged stretch held is the
    /// difference between its neighbours.
    pub packets_before: u64,
    /// Its own packets.
    pub packets: u64,
    /// The spool's losses that its counters include.
    pub totals: Totals,
    /// CRC-32C of the batch.
    pub checksum: u32,
}

impl Header {
    /// Bytes of the whole record.
    pub fn record_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.length)
    }

    /// Packets pushed up to and including this batch.
    pub fn packets_through(&self) -> u64 {
        self.packets_before.saturating_add(self.packets)
    }

    /// What accounts need of it.
    pub fn entry(&self) -> Entry {
        Entry {
            epoch: self.epoch.0,
            sequence: self.sequence,
            position: self.position,
            packets: self.packets,
            totals: self.totals,
        }
    }

    /// Appends the record to `into`.
    pub fn write(&self, batch: &[u8], into: &mut Vec<u8>) {
        let start = into.len();
        into.extend_from_slice(&MARK);
        into.extend_from_slice(&self.length.to_le_bytes());
        let numbers = [
            self.position,
            self.epoch.0,
            self.sequence,
            self.packets_before,
            self.packets,
        ];
        for number in numbers.into_iter().chain(self.totals.numbers()) {
            into.extend_from_slice(&number.to_le_bytes());
        }
        into.extend_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32c::crc32c(&into[start..]);
        into.extend_from_slice(&checksum.to_le_bytes());
        into.extend_from_slice(batch);
    }

    /// `None` where the bytes are no intact header.
    pub fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let checksum = u32_at(bytes, HEADER_BYTES - 4);
        if bytes[..4] != MARK || crc32c::crc32c(&bytes[..HEADER_BYTES - 4]) != checksum {
            return None;
        }
        let header = Self {
            length: u32_at(bytes, 4),
            position: u64_at(bytes, 8),
            epoch: Epoch(u64_at(bytes, 16)),
            sequence: u64_at(bytes, 24),
            packets_before: u64_at(bytes, 32),
            packets: u64_at(bytes, 40),
            totals: Totals::from_numbers(std::array::from_fn(|at| u64_at(bytes, 48 + 8 * at))),
            checksum: u32_at(bytes, HEADER_BYTES - 8),
        };
        let sound = header.length as usize <= BATCH_BYTES_MAX
            && header.packets_before <= COUNT_MAX
            && header.entry().is_sound();
        sound.then_some(header)
    }

    /// Whether `batch` is what was written.
    pub fn vouches_for(&self, batch: &[u8]) -> bool {
        crc32c::crc32c(batch) == self.checksum
    }
}

fn u32_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

/// Something that is read at offsets: a file, or bytes in a test.
pub trait ReadAt {
    /// Fills `buffer` from `offset`, or fails with `UnexpectedEof`.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Bytes there are.
    fn length(&self) -> io::Result<u64>;
}

impl ReadAt for std::fs::File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// An intact header at or behind `offset`, with where it stands; `None` when there is none
/// before the end. Damaged bytes are stepped over.
pub fn next_header(file: &impl ReadAt, offset: u64) -> io::Result<Option<(u64, Header)>> {
    let end = file.length()?;
    if let Some(header) = header_at(file, offset, end)? {
        return Ok(Some((offset, header)));
    }
    let mut from = offset.saturating_add(1);
    while let Some(candidate) = find_mark(file, from, end)? {
        if let Some(header) = header_at(file, candidate, end)? {
            return Ok(Some((candidate, header)));
        }
        from = candidate + 1;
    }
    Ok(None)
}

/// The batch behind the header at `offset`; `None` where it is damaged.
pub fn read_batch(file: &impl ReadAt, offset: u64, header: &Header) -> io::Result<Option<Vec<u8>>> {
    let mut batch = vec![0; header.length as usize];
    match file.read_exact_at(&mut batch, offset + HEADER_BYTES as u64) {
        Ok(()) => Ok(header.vouches_for(&batch).then_some(batch)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn header_at(file: &impl ReadAt, offset: u64, end: u64) -> io::Result<Option<Header>> {
    if offset.saturating_add(HEADER_BYTES as u64) > end {
        return Ok(None);
    }
    let mut bytes = [0; HEADER_BYTES];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(Header::read(&bytes))
}

fn find_mark(file: &impl ReadAt, from: u64, end: u64) -> io::Result<Option<u64>> {
    const CHUNK: u64 = 64 * 1024;
    let mut chunk = Vec::new();
    let mut at = from;
    while at.saturating_add(MARK.len() as u64) <= end {
        chunk.resize(CHUNK.min(end - at) as usize, 0);
        file.read_exact_at(&mut chunk, at)?;
        if let Some(found) = chunk.windows(MARK.len()).position(|window| window == MARK) {
            return Ok(Some(at + found as u64));
        }
        at += (chunk.len() - MARK.len() + 1) as u64; // a mark may straddle two chunks
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checksum is no proof against a disk that gives back what another program wrote.
    #[test]
    fn what_no_sensor_counts_is_no_record() {
        let header = |count| Header {
            length: 0,
            position: 1,
            epoch: Epoch(u64::MAX),
            sequence: 1,
            packets_before: 1,
            packets: 1,
            totals: Totals::from_numbers([0, 0, 0, count]),
            checksum: crc32c::crc32c(b""),
        };
        let read = |header: Header| {
            let mut bytes = Vec::new();
            header.write(b"", &mut bytes);
            Header::read(&bytes.try_into().unwrap())
        };
        let largest = header(COUNT_MAX);
        assert_eq!(read(largest), Some(largest));
        assert_eq!(read(header(COUNT_MAX + 1)), None);
    }
}
