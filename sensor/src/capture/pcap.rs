//! pcap files (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds, and
//! the variant with longer record headers that a patched libpcap of old wrote.

use noroshi_proto::time::Millis;

use super::Progress;
use super::buffer::Buffer;
use super::file::{ByteOrder, FRAME_BYTES_MAX, Fault, u16_at, u32_at};
use crate::packet::{Frame, LinkType};

const FILE_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;
/// With the interface index, protocol and packet type of Alexey Kuznetsov's patch.
const MODIFIED_RECORD_HEADER_BYTES: usize = 24;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

/// A pcap file whose header was read.
pub struct Pcap {
    order: ByteOrder,
    link: LinkType,
    record_header_bytes: usize,
    fractions_per_milli: u32,
}

impl Pcap {
    /// `None` where `magic` is not a pcap file's.
    pub(super) fn open(magic: [u8; 4], buffer: &mut Buffer) -> Result<Option<Self>, Fault> {
        let Some((order, magic)) = recognise(magic) else {
            return Ok(None);
        };
        if !buffer.fill(FILE_HEADER_BYTES)? {
            let length = buffer.unread().len();
            return Err(Fault::Defect(format!(
                "the file is too short for a pcap header: {length} of {FILE_HEADER_BYTES} bytes"
            )));
        }
        let header = buffer.unread();
        let version = (u16_at(header, 4, order), u16_at(header, 6, order));
        if !matches!(version, (2, 3 | 4)) {
            let (major, minor) = version;
            return Err(Fault::Defect(format!(
                "pcap version {major}.{minor}: only 2.4 is read"
            )));
        }
        // The upper bits tell the length of the frame check sequence.
        let link = LinkType(u32_at(header, 20, order) & 0x03ff_ffff);
        buffer.consume(FILE_HEADER_BYTES);
        Ok(Some(Self {
            order,
            link,
            record_header_bytes: match magic {
                MODIFIED => MODIFIED_RECORD_HEADER_BYTES,
                _ => RECORD_HEADER_BYTES,
            },
            fractions_per_milli: if magic == NANOSECONDS {
                1_000_000
            } else {
                1_000
            },
        }))
    }

    /// Hands over every whole record in the buffer, then reads on.
    pub(super) fn read(
        &self,
        buffer: &mut Buffer,
        sink: impl FnMut(Frame<'_>),
    ) -> Result<Progress, Fault> {
        let (walked, defect) = self.walk(buffer.unread(), sink);
        buffer.consume(walked);
        if let Some(defect) = defect {
            return Err(Fault::Defect(defect));
        }
        if buffer.refill()? > 0 {
            return Ok(Progress::More);
        }
        match buffer.unread().len() {
            0 => Ok(Progress::End),
            length => Err(Fault::Defect(self.cut(buffer.unread(), length))),
        }
    }

    /// How many bytes were walked, and what is wrong with the record after them.
    fn walk(&self, bytes: &[u8], mut sink: impl FnMut(Frame<'_>)) -> (usize, Option<String>) {
        let mut rest = bytes;
        while let Some((header, after)) = rest.split_at_checked(self.record_header_bytes) {
            let captured = u32_at(header, 8, self.order) as usize;
            if captured > FRAME_BYTES_MAX {
                let defect = format!(
                    "a record claims {captured} captured bytes, more than {FRAME_BYTES_MAX}"
                );
                return (bytes.len() - rest.len(), Some(defect));
            }
            let Some((frame, after)) = after.split_at_checked(captured) else {
                break;
            };
            let seconds = u64::from(u32_at(header, 0, self.order));
            let fraction = u32_at(header, 4, self.order);
            sink(Frame {
                seen_at: Millis(seconds * 1000 + u64::from(self.millis(fraction))),
                link: self.link,
                bytes: frame,
                wire_bytes: u32_at(header, 12, self.order),
            });
            rest = after;
        }
        (bytes.len() - rest.len(), None)
    }

    #[inline]
    fn millis(&self, fraction: u32) -> u32 {
        // Two divisions by constants are cheaper than one by a variable.
        match self.fractions_per_milli {
            1_000 => fraction / 1_000,
            _ => fraction / 1_000_000,
        }
    }

    fn cut(&self, record: &[u8], length: usize) -> String {
        if length < self.record_header_bytes {
            return format!(
                "the file ends within a record header: {length} of {} bytes",
                self.record_header_bytes
            );
        }
        let captured = u32_at(record, 8, self.order);
        let there = length - self.record_header_bytes;
        format!("the file ends within a record: {there} of {captured} captured bytes")
    }
}

fn recognise(magic: [u8; 4]) -> Option<(ByteOrder, u32)> {
    let known = |number| matches!(number, MICROSECONDS | NANOSECONDS | MODIFIED);
    let (little, big) = (u32::from_le_bytes(magic), u32::from_be_bytes(magic));
    if known(little) {
        return Some((ByteOrder::Little, little));
    }
    known(big).then_some((ByteOrder::Big, big))
}
