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

use noroshi_proto::flow::{FlowTuple, OptionLayout};
use noroshi_proto::loss::Loss;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Traffic, Transport};

use self::datagram::{Datagram, Place};
use self::tunnel::Delivery;
use crate::packet::{Frame, MarkBits, Packet};
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
        let outer = Datagram::read(link::network(frame.link, frame.bytes)?)?;
        let datagram = match self.delivery {
            Delivery::Direct => outer,
            tunnelled => match tunnel::inner(tunnelled, &outer)? {
                Some(network) => Datagram::read(network)?,
                None => outer,
            },
        };
        if !self.telescope.contains(datagram.target) {
            return Err(Loss::OutsideTelescope);
        }
        let meaning = Meaning::of(&datagram)?;
        Ok(Packet {
            seen_at: frame.seen_at,
            tuple: meaning.tuple,
            target: datagram.target,
            bytes: datagram.bytes,
            source_port: meaning.source_port,
            window: meaning.window,
            ttl: datagram.ttl,
            options: meaning.options,
            marks: meaning.marks,
        })
    }
}

/// What the transport header says: the part of a packet that is not IP's.
struct Meaning {
    tuple: FlowTuple,
    source_port: u16,
    window: u16,
    options: OptionLayout,
    marks: MarkBits,
}

impl Meaning {
    #[inline]
    fn of(datagram: &Datagram<'_>) -> Result<Self, Loss> {
        const ICMP: u8 = 1;
        const TCP: u8 = 6;
        const UDP: u8 = 17;
        const ICMP6: u8 = 58;
        if datagram.place == Place::Later {
            return Ok(Self::without_ports(datagram, Traffic::Fragment));
        }
        match datagram.protocol {
            TCP => tcp::read(datagram),
            UDP => udp::read(datagram),
            ICMP if datagram.ipv4.is_some() => icmp::read(datagram),
            ICMP6 if datagram.ipv4.is_none() => icmp::read6(datagram),
            _ => Ok(Self::without_ports(datagram, Traffic::OtherProtocol)),
        }
    }

    fn without_ports(datagram: &Datagram<'_>, traffic: Traffic) -> Self {
        let protocol = datagram.protocol;
        let transport = Transport::Other { protocol };
        Self::new(FlowTuple {
            source: datagram.source,
            traffic,
            transport,
        })
    }

    /// Nothing but the tuple.
    #[inline]
    fn new(tuple: FlowTuple) -> Self {
        Self {
            tuple,
            source_port: 0,
            window: 0,
            options: OptionLayout::Unknown,
            marks: MarkBits::default(),
        }
    }
}

#[cfg(test)]
mod tests;
