//! Where frames come from: capture files, read by our own readers, or an interface.
//!
//! libpcap's offline loop costs several times what decoding does, so files are read here
//! in large blocks and walked in place. Interfaces of Linux are read through our own ring;
//! libpcap serves those of other systems, and those that are no Ethernet.

use std::io;

use crate::packet::Frame;

pub mod buffer;
pub mod file;
pub mod filter;
pub mod interface;
#[cfg(feature = "libpcap")]
pub mod libpcap;
#[cfg(target_os = "linux")]
pub mod packet_socket;
pub mod pcap;
pub mod pcapng;
#[cfg(target_os = "linux")]
pub mod ring;

/// Something that yields frames.
pub trait Capture {
    /// Hands the next frames to `sink`, as many as are at hand, in the order they came.
    ///
    /// # Errors
    /// After an error everything before the defect has been handed over.
    fn read(&mut self, sink: impl FnMut(Frame<'_>)) -> Result<Progress, CaptureError>;
}

/// What one [`Capture::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Frames were handed over and more may follow.
    More,
    /// No frame came for a while; the caller may want to close an interval.
    Idle,
    /// There are no more frames.
    End,
}

/// Why a capture cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file or interface does not open.
    #[error("{name}: {reason}")]
    Open {
        /// The file or interface.
        name: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Reading failed half-way.
    #[error("{name}: at byte {offset}: {source}")]
    Read {
        /// The file.
        name: String,
        /// Bytes read before.
        offset: u64,
        /// What the system says.
        source: io::Error,
    },
    /// The interface went away.
    #[error("{name}: after {frames} frames: {reason}")]
    Lost {
        /// The interface.
        name: String,
        /// Frames captured before.
        frames: u64,
        /// What the system says, and what to do.
        reason: String,
    },
    /// The file contradicts its format. What stands before the offset was handed over.
    #[error("{name}: at byte {offset}: {defect}")]
    Broken {
        /// The file.
        name: String,
        /// Where the header or record begins that is wrong.
        offset: u64,
        /// What is wrong with it.
        defect: String,
    },
}

#[cfg(test)]
mod tests;
