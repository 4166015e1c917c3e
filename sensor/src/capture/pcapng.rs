//! pcapng files (draft-ietf-opsawg-pcapng): several sections and interfaces, each with
//! its own byte order, link type and clock.
//!
//! Read are section headers, interface descriptions, enhanced, simple and obsolete
//! packets; other blocks are stepped over, whatever their length.

use self::interface::Interface;
use super::Progress;
use super::buffer::{BUFFER_BYTES, Buffer};
use super::file::{ByteOrder, FRAME_BYTES_MAX, Fault, u16_at, u32_at};
use crate::packet::Frame;

mod interface;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type, length and, at the end, the length again.
const BLOCK_BYTES_MIN: usize = 12;
/// Type, length, byte-order magic, version, section length, length again.
const SECTION_BYTES_MIN: usize = 28;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Interfaces one section may describe, so that a hostile file cannot fill the memory.
const INTERFACES_MAX: usize = 65_536;

/// A pcapng file being read.
pub struct Pcapng {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// Bytes of a block that is stepped over and was not read whole.
    skip: u64,
}

/// A block's type and its length with header and trailer.
struct BlockHeader {
    kind: u32,
    length: usize,
}

impl Pcapng {
    /// `None` where `magic` is not that of a section header.
    pub(super) fn recognise(magic: [u8; 4]) -> Option<Self> {
        (u32::from_be_bytes(magic) == SECTION_HEADER).then(|| Self {
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            skip: 0,
        })
    }

    /// Hands over every whole packet in the buffer, then reads on.
    pub(super) fn read(
        &mut self,
        buffer: &mut Buffer,
        mut sink: impl FnMut(Frame<'_>),
    ) -> Result<Progress, Fault> {
        self.step_over(buffer);
        let mut walked = 0;
        let result = self.walk(buffer.unread(), &mut walked, &mut sink);
        buffer.consume(walked);
        result.map_err(Fault::Defect)?;
        if buffer.refill()? > 0 {
            return Ok(Progress::More);
        }
        match (buffer.unread().len(), self.skip) {
            (0, 0) => Ok(Progress::End),
            (0, missing) => Err(Fault::Defect(format!(
                "the file ends {missing} bytes before its last block does"
            ))),
            (length, _) => Err(Fault::Defect(format!(
                "the file ends within a block, after {length} bytes"
            ))),
        }
    }

    fn step_over(&mut self, buffer: &mut Buffer) {
        let there = (buffer.unread().len() as u64).min(self.skip);
        buffer.consume(there as usize);
        self.skip -= there;
    }

    /// Walks whole blocks; `walked` is right after an error, too.
    fn walk(
        &mut self,
        bytes: &[u8],
        walked: &mut usize,
        sink: &mut impl FnMut(Frame<'_>),
    ) -> Result<(), String> {
        loop {
            let rest = &bytes[*walked..];
            let Some(header) = self.block_header(rest)? else {
                return Ok(());
            };
            let known = matches!(
                header.kind,
                SECTION_HEADER | INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET
            );
            if !known {
                let there = header.length.min(rest.len());
                *walked += there;
                self.skip = (header.length - there) as u64;
                continue;
            }
            if header.length > BUFFER_BYTES {
                return Err(format!(
                    "a block claims {} bytes, more than {BUFFER_BYTES}",
                    header.length
                ));
            }
            let Some(block) = rest.get(..header.length) else {
                return Ok(());
            };
            self.block(header.kind, block, sink)?;
            *walked += header.length;
        }
    }

    /// `None` until the header was read whole.
    fn block_header(&mut self, bytes: &[u8]) -> Result<Option<BlockHeader>, String> {
        if bytes.len() < BLOCK_BYTES_MIN {
            return Ok(None);
        }
        let is_section = u32_at(bytes, 0, ByteOrder::Big) == SECTION_HEADER;
        if is_section {
            self.order = byte_order(bytes)?;
        }
        let kind = u32_at(bytes, 0, self.order);
        let length = u32_at(bytes, 4, self.order) as usize;
        let least = if is_section {
            SECTION_BYTES_MIN
        } else {
            BLOCK_BYTES_MIN
        };
        if length < least {
            return Err(format!("a block claims {length} bytes, fewer than {least}"));
        }
        if !length.is_multiple_of(4) {
            return Err(format!("a block claims {length} bytes, no multiple of 4"));
        }
        Ok(Some(BlockHeader { kind, length }))
    }

    fn block(
        &mut self,
        kind: u32,
        block: &[u8],
        sink: &mut impl FnMut(Frame<'_>),
    ) -> Result<(), String> {
        let trailer = u32_at(block, block.len() - 4, self.order) as usize;
        if trailer != block.len() {
            return Err(format!(
                "a block of {} bytes ends with length {trailer}",
                block.len()
            ));
        }
        let body = &block[8..block.len() - 4];
        match kind {
            SECTION_HEADER => self.begin_section(body),
            INTERFACE => self.add_interface(body),
            ENHANCED_PACKET => self.enhanced_packet(body, sink),
            SIMPLE_PACKET => self.simple_packet(body, sink),
            _ => self.obsolete_packet(body, sink),
        }
    }

    fn begin_section(&mut self, body: &[u8]) -> Result<(), String> {
        let (major, minor) = (u16_at(body, 4, self.order), u16_at(body, 6, self.order));
        // 1.2 was written by mistake and means 1.0, says the draft.
        if major != 1 || !matches!(minor, 0 | 2) {
            return Err(format!("pcapng version {major}.{minor}: only 1.0 is read"));
        }
        self.interfaces.clear();
        Ok(())
    }

    fn add_interface(&mut self, body: &[u8]) -> Result<(), String> {
        if self.interfaces.len() == INTERFACES_MAX {
            return Err(format!(
                "more than {INTERFACES_MAX} interfaces in one section"
            ));
        }
        self.interfaces.push(Interface::read(body, self.order)?);
        Ok(())
    }

    #[inline]
    fn enhanced_packet(&self, body: &[u8], sink: &mut impl FnMut(Frame<'_>)) -> Result<(), String> {
        let Some((header, data)) = body.split_at_checked(20) else {
            return Err(format!(
                "an enhanced packet of {} bytes, fewer than 20",
                body.len()
            ));
        };
        let interface = self.interface(u32_at(header, 0, self.order))?;
        sink(Frame {
            seen_at: interface.time(self.ticks(header)),
            link: interface.link,
            bytes: captured(data, u32_at(header, 12, self.order))?,
            wire_bytes: u32_at(header, 16, self.order),
        });
        Ok(())
    }

    fn obsolete_packet(&self, body: &[u8], sink: &mut impl FnMut(Frame<'_>)) -> Result<(), String> {
        let Some((header, data)) = body.split_at_checked(20) else {
            return Err(format!(
                "an obsolete packet of {} bytes, fewer than 20",
                body.len()
            ));
        };
        let interface = self.interface(u16_at(header, 0, self.order).into())?;
        sink(Frame {
            seen_at: interface.time(self.ticks(header)),
            link: interface.link,
            bytes: captured(data, u32_at(header, 12, self.order))?,
            wire_bytes: u32_at(header, 16, self.order),
        });
        Ok(())
    }

    /// Such a packet has no time of its own.
    fn simple_packet(&self, body: &[u8], sink: &mut impl FnMut(Frame<'_>)) -> Result<(), String> {
        let Some((header, data)) = body.split_at_checked(4) else {
            return Err("a simple packet without a length".into());
        };
        let interface = self.interface(0)?;
        let wire_bytes = u32_at(header, 0, self.order);
        sink(Frame {
            seen_at: Frame::NO_TIME,
            link: interface.link,
            bytes: captured(data, wire_bytes.min(interface.snaplen))?,
            wire_bytes,
        });
        Ok(())
    }

    fn interface(&self, index: u32) -> Result<&Interface, String> {
        self.interfaces.get(index as usize).ok_or_else(|| {
            let described = self.interfaces.len();
            format!("a packet of interface {index}, but {described} are described")
        })
    }

    fn ticks(&self, header: &[u8]) -> u64 {
        let (high, low) = (u32_at(header, 4, self.order), u32_at(header, 8, self.order));
        u64::from(high) << 32 | u64::from(low)
    }
}

fn byte_order(section: &[u8]) -> Result<ByteOrder, String> {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        if u32_at(section, 8, order) == BYTE_ORDER_MAGIC {
            return Ok(order);
        }
    }
    Err("a section header without the byte-order magic 1a2b3c4d".into())
}

fn captured(data: &[u8], length: u32) -> Result<&[u8], String> {
    let length = length as usize;
    if length > FRAME_BYTES_MAX {
        return Err(format!(
            "a packet claims {length} captured bytes, more than {FRAME_BYTES_MAX}"
        ));
    }
    data.get(..length).ok_or_else(|| {
        format!(
            "a packet claims {length} captured bytes, its block has {}",
            data.len()
        )
    })
}
