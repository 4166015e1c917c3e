//! The far end of the wire, which sends as fast as it can.

use std::fmt;
use std::io::IoSlice;
use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, sendmmsg};

use super::wire::{self, FAR};

/// What is sent.
#[derive(Clone, Copy)]
pub enum Traffic {
    /// Datagrams of 16 KiB in the smallest fragments that IPv4 allows: as many frames as the kernel
    /// can make, of hardly any flows.
    Fragments,
    /// TCP SYNs, each from an address of its own: as many flows as frames.
    Forged,
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fragments => "fragments, one flow",
            Self::Forged => "forged sources, each packet a flow",
        })
    }
}

/// The far end gets an address, and a way to the telescope.
pub fn address() -> Result<(), String> {
    wire::ip(&["link", "set", FAR, "mtu", "68"])?;
    wire::ip(&["address", "add", "203.0.113.7/32", "dev", FAR])?;
    wire::ip(&["route", "add", "198.18.0.0/20", "dev", FAR])?;
    Ok(())
}

/// Sends for so long; how long it took.
pub fn send(traffic: Traffic, length: Duration) -> Duration {
    let from = Instant::now();
    match traffic {
        Traffic::Fragments => fragments(from, length),
        Traffic::Forged => forged(from, length),
    }
    from.elapsed()
}

/// One call sends a datagram, which the kernel makes some 300 fragments of, each a frame.
fn fragments(from: Instant, length: Duration) {
    let datagram = [0x55; 16 * 1024];
    let socket = UdpSocket::bind("203.0.113.7:0").expect("the far end's address");
    socket
        .connect("198.18.0.1:9")
        .expect("the route leads to the wire");
    while from.elapsed() < length {
        // What the kernel has no room for is not sent, and not counted as arrived.
        let _ = socket.send(&datagram);
    }
}

/// Ethernet, IPv4 and TCP: a SYN to port 23 of 198.18.0.1.
const SYN: &str = "020000000001020000000002 0800 4500002800074000340600000000000 0c6120001\
                   9c4000170000000100000000 5002ffff00000000";

/// One call sends [`CALL`] frames, each from the next source.
fn forged(from: Instant, length: Duration) {
    const CALL: usize = 64;
    let digits: Vec<u8> = SYN.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let frame: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    let mut frames = vec![frame.expect("digits"); CALL];
    let wire = pcap::Capture::from_device(FAR).expect("a name");
    let wire = wire.open().expect("the end of the wire opens");
    let mut source = 0x0b00_0000_u32;
    while from.elapsed() < length {
        for frame in &mut frames {
            source = source.wrapping_add(0x9e37_79b1); // no order that compression sees through
            frame[26..30].copy_from_slice(&source.to_be_bytes());
        }
        let slices: Vec<_> = frames.iter().map(|frame| [IoSlice::new(frame)]).collect();
        let mut headers = MultiHeaders::<()>::preallocate(CALL, None);
        let addresses = [None; CALL];
        let flags = MsgFlags::empty();
        let sent = sendmmsg(
            wire.as_raw_fd(),
            &mut headers,
            &slices,
            addresses,
            [],
            flags,
        );
        match sent {
            // What the wire has no room for is not sent, and not counted as arrived.
            Ok(_) | Err(Errno::ENOBUFS | Errno::EAGAIN) => {}
            Err(error) => panic!("the wire takes nothing: {error}"),
        }
    }
}
