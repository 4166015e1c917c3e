//! Frames from an interface of Linux, through a ring that the kernel fills. Nothing is ever
//! sent, and nothing that this machine sends is read.
//!
//! # Promises
//! - What the filter lets through is handed over or counted as a loss, each frame once.
//! - Memory is the ring's, rounded down to whole blocks, and nothing that grows.
//! - An interface that goes down is waited for; one that is gone ends the capture.
//!
//! # Format
//! ```text
//! ring:   block*                       written and handed over in turn
//! block:  how many frames, where the first begins | frame*
//! frame:  where the next begins, time, lengths, tag | bytes
//! ```
//! The kernel takes the outer VLAN tag off a frame and keeps it in the header: the frame is
//! handed over without, its length on the wire with it.

use std::fs;
use std::io;
use std::mem::offset_of;
use std::num::NonZero;
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, poll};
use noroshi_proto::loss::{Loss, Losses};
use noroshi_proto::time::Millis;

use super::filter::{self, FILTERED_PREFIXES_MAX, Instruction};
use super::interface::{BLOCK_TIMEOUT, PATIENCE};
use super::packet_socket::{self, Layout, PacketSocket, Statistics};
use super::{Capture, CaptureError, Progress};
use crate::config::{self, KernelFilter};
use crate::decode::tunnel::Delivery;
use crate::packet::{Frame, LinkType};
use crate::telescope::Telescope;

/// Bytes of one block: a multiple of every page size, and some 1,500 small frames, so that
/// handing it over costs nothing beside them.
const BLOCK_BYTES: usize = 256 * 1024;
/// Blocks, whatever the ring's size: one is read while others fill. On a slow wire each is
/// handed over after [`BLOCK_TIMEOUT`], hardly filled, so a reader may stall for that times
/// the blocks: 6.4 s with 16 MiB, 0.4 s with 1 MiB. What comes later is lost, and counted.
const BLOCKS_MIN: usize = 4;
/// Room in a block for its own header and that of its only frame.
const HEADERS_BYTES: usize = 4_096;
/// `ARPHRD_ETHER` and `ARPHRD_LOOPBACK` of linux/if_arp.h: what frames begin with Ethernet's
/// header.
const ETHERNET_KINDS: [u16; 2] = [libc::ARPHRD_ETHER, libc::ARPHRD_LOOPBACK];
const ETHERNET: LinkType = LinkType(1);
/// Bytes of a VLAN tag.
const TAG_BYTES: u32 = 4;

/// An interface that is captured from.
pub struct Ring {
    name: String,
    socket: PacketSocket,
    state: State,
    frames: u64,
    /// What the interface itself had dropped when it was asked last.
    missed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Down,
}

impl Ring {
    /// Begins to capture.
    ///
    /// # Errors
    /// There is no such interface, it is no Ethernet, or it may not be captured from.
    pub fn open(
        settings: &config::Capture,
        telescope: &Telescope,
        delivery: Delivery,
    ) -> Result<Self, CaptureError> {
        let name = settings.interface.as_str();
        let refused = |reason: String| CaptureError::Open {
            name: name.to_owned(),
            reason,
        };
        let cannot = |error: io::Error| refused(cannot(&error));
        let index = packet_socket::index_of(name).map_err(cannot)?;
        let layout = layout(settings);
        let program = program(settings, telescope, delivery);
        let socket = PacketSocket::open(layout, &program).map_err(cannot)?;
        socket.bind(index).map_err(cannot)?;
        let kind = socket.address().map_err(cannot)?.sll_hatype;
        if !ETHERNET_KINDS.contains(&kind) {
            return Err(refused(format!(
                "its frames are no Ethernet (ARPHRD {kind}): write capture.method = \"pcap\""
            )));
        }
        let mut ring = Self {
            name: name.to_owned(),
            socket,
            state: State::Up,
            frames: 0,
            missed: 0,
        };
        ring.missed = ring.missed_now();
        ring.look_after()?;
        Ok(ring)
    }

    /// From now on the kernel passes what is addressed to `telescope` and arrives by `delivery`, as far
    /// as `settings` say that it filters. Nothing is missed meanwhile.
    ///
    /// # Errors
    /// The kernel does not take the filter; the one before stays.
    pub fn pass(
        &self,
        settings: &config::Capture,
        telescope: &Telescope,
        delivery: Delivery,
    ) -> Result<(), CaptureError> {
        let passed = self.socket.pass(&program(settings, telescope, delivery));
        passed.map_err(|error| CaptureError::Open {
            name: self.name.clone(),
            reason: cannot(&error),
        })
    }

    /// What was lost before it reached us since this was asked last.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn losses(&mut self) -> Result<Losses, CaptureError> {
        let Statistics {
            dropped, freezes, ..
        } = self.statistics()?;
        if freezes > 0 {
            let interface = &self.name;
            tracing::warn!(%interface, dropped, freezes, "the capture's ring was full");
        }
        let missed = self.missed_now();
        let mut losses = Losses::default();
        losses.add(Loss::KernelDropped, dropped.into());
        // Less than before where another driver took over.
        let more = missed.checked_sub(self.missed).unwrap_or(missed);
        losses.add(Loss::InterfaceDropped, more);
        self.missed = missed;
        Ok(losses)
    }

    fn statistics(&self) -> Result<Statistics, CaptureError> {
        self.socket
            .statistics()
            .map_err(|error| self.failed(&error))
    }

    /// Frames that the interface had no room for, all counted since it is there.
    fn missed_now(&self) -> u64 {
        ["rx_missed_errors", "rx_fifo_errors"]
            .into_iter()
            .filter_map(|counter| {
                let path = format!("/sys/class/net/{}/statistics/{counter}", self.name);
                fs::read_to_string(path).ok()?.trim().parse::<u64>().ok()
            })
            .sum()
    }

    /// Waits for a block.
    fn wait(&mut self) -> Result<Progress, CaptureError> {
        let mut descriptors = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        let millis = PATIENCE.as_millis() as u16;
        // An interrupted or failed wait counts as silence.
        let ready = poll(&mut descriptors, millis).unwrap_or(0);
        let happened = descriptors[0].revents().unwrap_or(PollFlags::empty());
        if ready > 0 && happened == PollFlags::POLLIN {
            return Ok(Progress::More);
        }
        self.look_after()?;
        Ok(Progress::Idle)
    }

    /// Notices when the interface goes down, comes up, or is gone.
    fn look_after(&mut self) -> Result<(), CaptureError> {
        let interface = &self.name;
        match self.socket.check() {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {
                tracing::warn!(
                    %interface,
                    "the interface is down: nothing is captured until it is up again"
                );
                self.state = State::Down;
            }
            Err(error) => return Err(self.failed(&error)),
        }
        let address = self.socket.address().map_err(|error| self.failed(&error))?;
        if address.sll_ifindex < 0 {
            return Err(self.lost("the interface is gone: bring it back and start the sensor"));
        }
        if self.state == State::Down && self.socket.is_up(interface).unwrap_or(false) {
            tracing::warn!(%interface, "the interface is up again");
            self.state = State::Up;
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> CaptureError {
        self.lost(&error.to_string())
    }

    fn lost(&self, reason: &str) -> CaptureError {
        CaptureError::Lost {
            name: self.name.clone(),
            frames: self.frames,
            reason: reason.to_owned(),
        }
    }
}

impl Capture for Ring {
    fn read(&mut self, mut sink: impl FnMut(Frame<'_>)) -> Result<Progress, CaptureError> {
        let frames = &mut self.frames;
        let walked = self.socket.block(|block| {
            walk(block, |frame| {
                *frames += 1;
                sink(frame);
            })
        });
        match walked {
            Some(Some(())) => Ok(Progress::More),
            Some(None) => Err(self.lost("the kernel's ring contradicts itself")),
            None => self.wait(),
        }
    }
}

/// Hands over every frame of a block; `None` where it contradicts itself.
fn walk(block: &[u8], mut sink: impl FnMut(Frame<'_>)) -> Option<()> {
    const HEADER: usize = offset_of!(libc::tpacket_block_desc, hdr);
    const FRAMES: usize = HEADER + offset_of!(libc::tpacket_hdr_v1, num_pkts);
    const FIRST: usize = HEADER + offset_of!(libc::tpacket_hdr_v1, offset_to_first_pkt);
    let mut rest = block.get(u32_at(block, FIRST)? as usize..)?;
    let mut left = u32_at(block, FRAMES)?;
    while left > 0 {
        sink(frame(rest)?);
        left -= 1;
        if left > 0 {
            let next = u32_at(rest, offset_of!(libc::tpacket3_hdr, tp_next_offset))?;
            let next = NonZero::new(next as usize)?; // or it would never end
            rest = rest.get(next.get()..)?;
        }
    }
    Some(())
}

/// The frame whose header `bytes` begin with.
fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let seconds = u32_at(bytes, offset_of!(libc::tpacket3_hdr, tp_sec))?;
    let nanos = u32_at(bytes, offset_of!(libc::tpacket3_hdr, tp_nsec))?;
    let captured = u32_at(bytes, offset_of!(libc::tpacket3_hdr, tp_snaplen))? as usize;
    let on_wire = u32_at(bytes, offset_of!(libc::tpacket3_hdr, tp_len))?;
    let status = u32_at(bytes, offset_of!(libc::tpacket3_hdr, tp_status))?;
    let at = offset_of!(libc::tpacket3_hdr, tp_mac);
    let start = usize::from(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
    let is_tagged = status & libc::TP_STATUS_VLAN_VALID != 0;
    Some(Frame {
        seen_at: Millis(u64::from(seconds) * 1_000 + u64::from(nanos / 1_000_000)),
        link: ETHERNET,
        bytes: bytes.get(start..)?.get(..captured)?,
        wire_bytes: on_wire.saturating_add(if is_tagged { TAG_BYTES } else { 0 }),
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn layout(settings: &config::Capture) -> Layout {
    let ring = usize::try_from(settings.ring.bytes()).unwrap_or(usize::MAX);
    Layout {
        block_bytes: BLOCK_BYTES,
        blocks: (ring / BLOCK_BYTES).max(BLOCKS_MIN),
        timeout_millis: BLOCK_TIMEOUT.as_millis() as u32,
    }
}

/// What the kernel lets through, and how much of each frame.
fn program(
    settings: &config::Capture,
    telescope: &Telescope,
    delivery: Delivery,
) -> Vec<Instruction> {
    let snaplen = settings.snaplen.min((BLOCK_BYTES - HEADERS_BYTES) as u32);
    if settings.kernel_filter == KernelFilter::Off || delivery != Delivery::Direct {
        return filter::everything(snaplen);
    }
    filter::of_telescope(telescope, snaplen).unwrap_or_else(|| {
        tracing::warn!(
            "the telescope has more than {FILTERED_PREFIXES_MAX} prefixes: the sensor filters, \
             not the kernel"
        );
        filter::everything(snaplen)
    })
}

/// Why capture does not begin, and what to do.
fn cannot(error: &io::Error) -> String {
    let remedy = match error.raw_os_error() {
        Some(libc::ENODEV) => "`ip link` lists interfaces",
        Some(libc::EPERM | libc::EACCES) => "capturing needs CAP_NET_RAW",
        Some(libc::ENOMEM) => {
            "capture.ring takes that much of the kernel's memory, and the filter of many prefixes \
             more than net.core.optmem_max may allow"
        }
        Some(libc::ENOPROTOOPT | libc::EINVAL) => {
            "the ring needs Linux 4.20: write capture.method = \"pcap\""
        }
        _ => "capture.method = \"pcap\" takes another way",
    };
    format!("{error}: {remedy}")
}

#[cfg(test)]
mod tests;
