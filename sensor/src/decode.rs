//! Reads a captured frame as far as a telescope needs, and says what it was.
//!
//! ```text
//! link ─► IP datagram ─► (tunnel, if the telescope arrives through one ─► IP datagram)
//!      ─► is its target watched? ─► TCP, UDP, ICMP, or neither ─► packet
//! ```
//!
//! # Promises
//! - Every frame becomes a packet or a [`Loss`]; no bytes make it panic.
//! - What is not there is not guessed: a header that was not captured far enough is
//!   [`Loss::Truncated`], one that contradicts itself [`Loss::BadHeader`].
//! - A frame cut off by the capture's snap length still counts if the headers needed are in
//!   it; what else they would have told stays unknown.

use std::net::{Ipv4Addr, Ipv6Addr};

use noroshi_proto::flow::FlowTuple;
use noroshi_proto::loss::Loss;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Traffic, Transport};

use self::datagram::{Address, Datagram, Place, Version};
use self::tunnel::Delivery;
use crate::packet::{Frame, Packet};
use crate::telescope::Telescope;

mod datagram;
mod icmp;
mod link;
mod tcp;
pub mod tunnel;
mod udp;

/// The end of the year 9999.
const TIME_MAX: Millis = Millis(253_402_300_799_999);

/// Turns frames into packets addressed to one telescope.
#[derive(Clone, Debug)]
pub struct Decoder {
    telescope: Telescope,
    delivery: Delivery,
}

impl Decoder {
    /// Keeps what is addressed to `telescope` and arrives by `delivery`.
    pub fn new(telescope: Telescope, delivery: Delivery) -> Self {
        Self {
            telescope,
            delivery,
        }
    }

    /// What `frame` says.
    ///
    /// # Errors
    /// Why it is no packet of the telescope.
    #[inline]
    pub fn decode(&self, frame: &Frame<'_>) -> Result<Packet, Loss> {
        if frame.seen_at > TIME_MAX {
            return Err(Loss::BadTime);
        }
        match link::plain_ipv4(frame) {
            Some(bytes) if self.delivery == Delivery::Direct => {
                self.packet(frame.seen_at, &Ipv4Addr::datagram(bytes)?)
            }
            _ => self.decode_wrapped(frame),
        }
    }

    /// Any frame; apart, so that the way of nearly all of them stays short.
    #[inline(never)]
    fn decode_wrapped(&self, frame: &Frame<'_>) -> Result<Packet, Loss> {
        let outer = link::network(frame.link, frame.bytes)?;
        let network = match self.delivery {
            Delivery::Direct => outer,
            tunnelled => tunnel::inner(tunnelled, outer)?,
        };
        match network.version {
            Version::V4 => self.packet(frame.seen_at, &Ipv4Addr::datagram(network.bytes)?),
            Version::V6 => self.packet(frame.seen_at, &Ipv6Addr::datagram(network.bytes)?),
        }
    }

    #[inline(always)]
    fn packet<A: Address>(
        &self,
        seen_at: Millis,
        datagram: &Datagram<'_, A>,
    ) -> Result<Packet, Loss> {
        if !self.telescope.contains(datagram.target.into()) {
            return Err(Loss::OutsideTelescope);
        }
        match (datagram.place, datagram.protocol) {
            (Place::Later, _) => Ok(without_ports(seen_at, datagram, Traffic::Fragment)),
            (_, TCP) => tcp::read(seen_at, datagram),
            (_, UDP) => udp::read(seen_at, datagram),
            (_, protocol) if protocol == A::ICMP => icmp::read(seen_at, datagram),
            _ => Ok(without_ports(seen_at, datagram, Traffic::OtherProtocol)),
        }
    }
}

const TCP: u8 = 6;
const UDP: u8 = 17;

fn without_ports<A: Address>(
    seen_at: Millis,
    datagram: &Datagram<'_, A>,
    traffic: Traffic,
) -> Packet {
    let transport = Transport::Other {
        protocol: datagram.protocol,
    };
    let source = datagram.source.into();
    datagram.packet(
        seen_at,
        FlowTuple {
            source,
            traffic,
            transport,
        },
    )
}

#[cfg(test)]
pub(crate) mod tests;
