//! A bounded stretch of a file that slides forward.

use std::io::{self, Read};

/// Bytes held at most: twice the largest record, so that one always fits whole with room
/// to read on.
pub const BUFFER_BYTES: usize = 512 * 1024;

/// Bytes asked for in one call of read(2): few calls, and they stay in the L2 cache until
/// they are decoded, beside what is made of them.
const READ_BYTES: usize = 128 * 1024;

/// The bytes read from a source and not yet consumed.
pub struct Buffer {
    source: Box<dyn Read + Send>,
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    offset: u64,
}

impl Buffer {
    /// Nothing is read yet.
    pub fn new(source: Box<dyn Read + Send>) -> Self {
        let bytes = vec![0; BUFFER_BYTES].into_boxed_slice();
        Self {
            source,
            bytes,
            start: 0,
            end: 0,
            offset: 0,
        }
    }

    /// What was read and not consumed.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Where [`Buffer::unread`] begins in the source.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Steps over the first `length` bytes, at most those that are unread.
    pub fn consume(&mut self, length: usize) {
        let length = length.min(self.end - self.start);
        self.start += length;
        self.offset += length as u64;
    }

    /// Reads on; 0 at the end of the source, or when the buffer is full of unread bytes.
    pub fn refill(&mut self) -> io::Result<usize> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let room = self.bytes.len() - self.end;
        let free = &mut self.bytes[self.end..][..room.min(READ_BYTES)];
        loop {
            match self.source.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    let read = read?;
                    self.end += read;
                    return Ok(read);
                }
            }
        }
    }

    /// Reads on until `length` bytes are unread; false when the source ends before.
    pub fn fill(&mut self, length: usize) -> io::Result<bool> {
        while self.end - self.start < length {
            if self.refill()? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
