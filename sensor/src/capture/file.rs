//! A capture file of either format, or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::buffer::Buffer;
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::{Capture, CaptureError, Progress};
use crate::packet::Frame;

/// The most a capture may claim to have captured of one frame: libpcap's
/// `MAXIMUM_SNAPLEN`.
pub const FRAME_BYTES_MAX: usize = 262_144;

/// A capture file being read.
pub struct CaptureFile {
    name: String,
    buffer: Buffer,
    format: Format,
}

enum Format {
    Pcap(Pcap),
    Pcapng(Box<Pcapng>),
}

/// Why a record cannot be read.
pub(super) enum Fault {
    /// The system says so.
    Io(io::Error),
    /// The record that begins where the buffer stands contradicts the format.
    Defect(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl CaptureFile {
    /// Opens `path` and reads its header; `-` is standard input.
    ///
    /// # Errors
    /// The file cannot be opened, or is no capture file.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        if path.as_os_str() == "-" {
            return Self::new("standard input".into(), Box::new(io::stdin()));
        }
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::new(name, Box::new(file)),
            Err(error) => Err(CaptureError::Open {
                name,
                reason: error.to_string(),
            }),
        }
    }

    /// Reads the header of a capture from `source`; `name` is for messages.
    ///
    /// # Errors
    /// `source` is no capture file.
    pub fn new(name: String, source: Box<dyn Read + Send>) -> Result<Self, CaptureError> {
        let mut buffer = Buffer::new(source);
        match format(&mut buffer) {
            Ok(format) => Ok(Self {
                name,
                buffer,
                format,
            }),
            Err(fault) => Err(fault.at(name, buffer.offset())),
        }
    }

    /// Bytes of the file that were dealt with.
    pub fn bytes_read(&self) -> u64 {
        self.buffer.offset()
    }
}

impl Capture for CaptureFile {
    fn read(&mut self, sink: impl FnMut(Frame<'_>)) -> Result<Progress, CaptureError> {
        let read = match &mut self.format {
            Format::Pcap(pcap) => pcap.read(&mut self.buffer, sink),
            Format::Pcapng(pcapng) => pcapng.read(&mut self.buffer, sink),
        };
        read.map_err(|fault| fault.at(self.name.clone(), self.buffer.offset()))
    }
}

impl Fault {
    fn at(self, name: String, offset: u64) -> CaptureError {
        match self {
            Self::Io(source) => CaptureError::Read {
                name,
                offset,
                source,
            },
            Self::Defect(defect) => CaptureError::Broken {
                name,
                offset,
                defect,
            },
        }
    }
}

fn format(buffer: &mut Buffer) -> Result<Format, Fault> {
    buffer.fill(4)?;
    let Some(&magic) = buffer.unread().first_chunk::<4>() else {
        return Err(Fault::Defect(match buffer.unread().len() {
            0 => "the file is empty: not even a capture header".into(),
            length => format!("the file is too short for a capture header: {length} bytes"),
        }));
    };
    if let Some(packer) = compression(magic) {
        return Err(Fault::Defect(format!(
            "compressed by {packer}: decompress it first"
        )));
    }
    if let Some(pcapng) = Pcapng::recognise(magic) {
        return Ok(Format::Pcapng(Box::new(pcapng)));
    }
    match Pcap::open(magic, buffer)? {
        Some(pcap) => Ok(Format::Pcap(pcap)),
        None => Err(Fault::Defect(format!(
            "neither pcap nor pcapng: the file begins with {:02x}{:02x}{:02x}{:02x}",
            magic[0], magic[1], magic[2], magic[3]
        ))),
    }
}

fn compression(magic: [u8; 4]) -> Option<&'static str> {
    match magic {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [b'B', b'Z', b'h', _] => Some("bzip2"),
        [0xfd, b'7', b'z', b'X'] => Some("xz"),
        [0x28, 0xb5, 0x2f, 0xfd] => Some("zstd"),
        [0x04, 0x22, 0x4d, 0x18] => Some("lz4"),
        _ => None,
    }
}

/// Four bytes of `bytes` at `at` as a number, in the file's byte order.
///
/// # Panics
/// Where `bytes` is shorter.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize, order: ByteOrder) -> u32 {
    let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    match order {
        ByteOrder::Little => u32::from_le_bytes(four),
        ByteOrder::Big => u32::from_be_bytes(four),
    }
}

/// Two bytes of `bytes` at `at` as a number, in the file's byte order.
///
/// # Panics
/// Where `bytes` is shorter.
#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize, order: ByteOrder) -> u16 {
    let two = [bytes[at], bytes[at + 1]];
    match order {
        ByteOrder::Little => u16::from_le_bytes(two),
        ByteOrder::Big => u16::from_be_bytes(two),
    }
}

/// Which end of a number stands first in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The least significant byte.
    Little,
    /// The most significant byte.
    Big,
}
