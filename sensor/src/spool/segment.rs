//! One file of the spool, and the walk through its records.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::account::COUNT_MAX;
use super::record::{self, Header};

/// A segment file; its name is its first position and the packets before it.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Where it is.
    pub path: PathBuf,
    /// Where its first record stands.
    pub start: Place,
    /// Where the record after its last one would stand.
    pub end: Place,
    /// How large it is.
    pub bytes: u64,
    /// When it was begun, seconds since 1970.
    pub created: u64,
}

/// A point in the sequence of all batches ever pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Batches before it.
    pub position: u64,
    /// Packets of these.
    pub packets: u64,
}

impl Segment {
    /// The file in `directory` for a segment that begins at `start`.
    pub fn path(directory: &Path, start: Place) -> PathBuf {
        directory.join(format!(
            "{:016x}-{:016x}.segment",
            start.position, start.packets
        ))
    }

    /// What a file name says; `None` for other files.
    pub fn start_of(path: &Path) -> Option<Place> {
        let name = path.file_name()?.to_str()?.strip_suffix(".segment")?;
        let (position, packets) = name.split_once('-')?;
        let place = Place {
            position: u64::from_str_radix(position, 16).ok()?,
            packets: u64::from_str_radix(packets, 16).ok()?,
        };
        (place.position <= COUNT_MAX && place.packets <= COUNT_MAX).then_some(place)
    }

    /// The positions in it.
    pub fn positions(&self) -> Range<u64> {
        self.start.position..self.end.position
    }

    /// A walk from its first record on.
    pub fn walk(&self) -> io::Result<Walk> {
        Ok(Walk {
            file: File::open(&self.path)?,
            offset: 0,
            at: self.start,
        })
    }
}

/// Goes through the records of one segment, one at a time.
#[derive(Debug)]
pub struct Walk {
    file: File,
    offset: u64,
    at: Place,
}

/// What comes next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// An intact header, and where it stands in the file.
    Record(u64, Header),
    /// Records that cannot be read, and the packets they held.
    Gap(Range<u64>, u64),
}

impl Walk {
    /// Where the walk is: the next step begins here.
    pub fn at(&self) -> Place {
        self.at
    }

    /// Bytes of the file that were walked.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next step before `end`; `None` behind the last.
    pub fn step(&mut self, end: Place) -> io::Result<Option<Step>> {
        while self.at.position < end.position {
            let Some((offset, header)) = record::next_header(&self.file, self.offset)? else {
                return Ok(self.gap(end));
            };
            if !(self.at.position..end.position).contains(&header.position) {
                self.offset = offset + header.record_bytes(); // left over from before a repair
                continue;
            }
            self.offset = offset;
            if header.position > self.at.position {
                let packets = header.packets_before;
                return Ok(self.gap(Place {
                    position: header.position,
                    packets,
                }));
            }
            self.offset = offset + header.record_bytes();
            self.at = Place {
                position: header.position + 1,
                packets: header.packets_through(),
            };
            return Ok(Some(Step::Record(offset, header)));
        }
        Ok(None)
    }

    /// The batch of a record that [`Walk::step`] gave; `None` where it is damaged.
    pub fn batch(&self, offset: u64, header: &Header) -> io::Result<Option<Vec<u8>>> {
        record::read_batch(&self.file, offset, header)
    }

    fn gap(&mut self, end: Place) -> Option<Step> {
        let from = std::mem::replace(&mut self.at, end);
        let packets = end.packets.saturating_sub(from.packets);
        Some(Step::Gap(from.position..end.position, packets))
    }
}
