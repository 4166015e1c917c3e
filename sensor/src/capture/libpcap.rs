//! Frames from an interface, through libpcap: on every system and kind of interface that it
//! knows. Nothing is ever sent.
//!
//! A capture call with a time-out does not return while an interface is silent (the kernel
//! hands over a ring block only once something is in it), and the last interval would never
//! end. So the descriptor is polled, and the capture never blocks. Immediate mode, which
//! would also help, costs ten times as much per packet.

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, poll};
use noroshi_proto::loss::{Loss, Losses};
use noroshi_proto::time::Millis;
use pcap::{Active, Linktype};

use super::interface::{BLOCK_TIMEOUT, PATIENCE};
use super::{Capture, CaptureError, Progress};
use crate::config::{self, KernelFilter};
use crate::decode::tunnel::Delivery;
use crate::packet::{Frame, LinkType};
use crate::telescope::Telescope;

/// Frames handed over in one call, so that the caller can look at the clock.
const FRAMES_MAX: usize = 4_096;
/// Prefixes a kernel filter names; longer programs are refused by kernels.
const FILTERED_PREFIXES_MAX: usize = 128;

/// An interface that is captured from.
pub struct Libpcap {
    name: String,
    capture: pcap::Capture<Active>,
    link: LinkType,
    frames: u64,
    /// What the kernel had counted when it was asked last.
    counted: Counted,
}

/// Frames lost before they reached us, as the kernel counts them: 32 bits that wrap.
#[derive(Clone, Copy, Default)]
struct Counted {
    kernel: u32,
    interface: u32,
}

impl Libpcap {
    /// Begins to capture.
    ///
    /// # Errors
    /// There is no such interface, or it may not be captured from.
    pub fn open(
        settings: &config::Capture,
        telescope: &Telescope,
        delivery: Delivery,
    ) -> Result<Self, CaptureError> {
        let refused = |error: pcap::Error| CaptureError::Open {
            name: settings.interface.clone(),
            reason: format!("{error}: `ip link` lists interfaces; capturing needs CAP_NET_RAW"),
        };
        let ring = i32::try_from(settings.ring.bytes()).unwrap_or(i32::MAX);
        let snaplen = i32::try_from(settings.snaplen).unwrap_or(i32::MAX);
        let mut capture = pcap::Capture::from_device(settings.interface.as_str())
            .map_err(refused)?
            .promisc(true)
            .snaplen(snaplen)
            .buffer_size(ring)
            .timeout(BLOCK_TIMEOUT.as_millis() as i32)
            .open()
            .and_then(pcap::Capture::setnonblock)
            .map_err(refused)?;
        let link = capture.get_datalink();
        if settings.kernel_filter == KernelFilter::On && delivery == Delivery::Direct {
            capture
                .filter(&filter(telescope, link), true)
                .map_err(refused)?;
        }
        Ok(Self {
            name: settings.interface.clone(),
            capture,
            link: LinkType(link.0.unsigned_abs()),
            frames: 0,
            counted: Counted::default(),
        })
    }

    /// What was lost before it reached us since this was asked last.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn losses(&mut self) -> Result<Losses, CaptureError> {
        let stats = self.capture.stats().map_err(|error| self.failed(&error))?;
        let now = Counted {
            kernel: stats.dropped,
            interface: stats.if_dropped,
        };
        let mut losses = Losses::default();
        let kernel = now.kernel.wrapping_sub(self.counted.kernel);
        let interface = now.interface.wrapping_sub(self.counted.interface);
        losses.add(Loss::KernelDropped, kernel.into());
        losses.add(Loss::InterfaceDropped, interface.into());
        self.counted = now;
        Ok(losses)
    }

    /// Waits for a frame. An interrupted or failed wait counts as silence: the next read tells
    /// what is wrong.
    fn wait(&self) -> Progress {
        let mut descriptors = [PollFd::new(self.capture.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, PATIENCE.as_millis() as u16) {
            Ok(1..) => Progress::More,
            _ => Progress::Idle,
        }
    }

    fn failed(&self, error: &pcap::Error) -> CaptureError {
        CaptureError::Lost {
            name: self.name.clone(),
            frames: self.frames,
            reason: error.to_string(),
        }
    }
}

impl Capture for Libpcap {
    fn read(&mut self, mut sink: impl FnMut(Frame<'_>)) -> Result<Progress, CaptureError> {
        for handed_over in 0..FRAMES_MAX {
            let packet = match self.capture.next_packet() {
                Ok(packet) => packet,
                Err(pcap::Error::TimeoutExpired) if handed_over > 0 => break,
                Err(pcap::Error::TimeoutExpired) => {
                    return Ok(self.wait());
                }
                Err(error) => return Err(self.failed(&error)),
            };
            self.frames += 1;
            sink(Frame {
                seen_at: millis(packet.header.ts.tv_sec, packet.header.ts.tv_usec),
                link: self.link,
                bytes: packet.data,
                wire_bytes: packet.header.len,
            });
        }
        Ok(Progress::More)
    }
}

fn millis(seconds: i64, microseconds: i64) -> Millis {
    match (u64::try_from(seconds), u64::try_from(microseconds)) {
        (Ok(seconds), Ok(micros)) => Millis(seconds.saturating_mul(1_000) + micros / 1_000),
        _ => Frame::NO_TIME,
    }
}

/// What the kernel lets through: everything to the telescope, and, because a filter does not
/// look behind tags and labels, everything that has them. Decoding judges it again.
fn filter(telescope: &Telescope, link: Linktype) -> String {
    const TAGGED: [&str; 7] = [
        "0x8100", "0x88a8", "0x9100", "0x8926", "0x8847", "0x8848", "0x8864",
    ];
    let prefixes = telescope.prefixes();
    if prefixes.len() > FILTERED_PREFIXES_MAX {
        return String::new();
    }
    let mut terms: Vec<String> = prefixes
        .iter()
        .map(|prefix| format!("dst net {prefix}"))
        .collect();
    if matches!(link.0, 1 | 113 | 276) {
        terms.extend(TAGGED.iter().map(|kind| format!("ether proto {kind}")));
    }
    terms.join(" or ")
}

#[cfg(test)]
mod tests;
