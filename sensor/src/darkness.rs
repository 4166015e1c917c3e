//! Whether watched space is still dark.
//!
//! When somebody puts a part of a telescope into use, what arrives there are people's
//! communications, and must not be recorded. Answers are not seen, but a conversation shows in
//! one direction too: whoever has a TCP connection acknowledges, and sends pieces of different
//! lengths, again and again from one port to one port. Nobody answers in dark space, so nobody
//! gets that far there.
//!
//! # Promises
//! - Space that is lit stays lit until an operator says otherwise.
//! - Room is fixed: [`CONVERSATIONS`] at a time, a newer one displacing an older.
//! - What is not TCP shows nothing: an answer that is missing is asked for again and again there.

pub mod kept;

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use noroshi_proto::traffic::Traffic;

use crate::packet::Packet;

/// Conversations that are followed: 160 KiB.
pub const CONVERSATIONS: usize = 4_096;
/// Segments with an acknowledgement, after which a conversation is one: a handshake, a request
/// and what follows a small answer.
const SEGMENTS_MIN: u8 = 8;
/// Different lengths among them: acknowledgements alone, and at least two pieces of data. A
/// flood of acknowledgements, or a tool that probes with them, has one length or two.
const LENGTHS_MIN: usize = 3;
/// Lengths of prefixes that are lit at once: what one host may be given, and what one is.
const LIT_V4: u8 = 28;
const LIT_V6: u8 = 64;

/// What is known of the light.
#[derive(Debug)]
pub struct Darkness {
    lit: Vec<IpNet>,
    conversations: Vec<Conversation>,
    hasher: FixedState,
}

/// One port of a source and one of a target, as far as they said something.
#[derive(Clone, Copy, Debug, Default)]
struct Conversation {
    /// Of both ends; 0: nobody.
    key: u64,
    segments: u8,
    lengths: [u32; LENGTHS_MIN],
}

/// What a packet means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// It came to where nobody is.
    Dark,
    /// It came to space that is in use.
    Lit,
    /// It shows that this space is in use now; until now it was thought dark.
    Dawn(IpNet),
}

impl Darkness {
    /// With what is known to be lit.
    pub fn new(lit: Vec<IpNet>) -> Self {
        Self {
            lit,
            conversations: vec![Conversation::default(); CONVERSATIONS],
            hasher: FixedState::default(),
        }
    }

    /// What is lit.
    pub fn lit(&self) -> &[IpNet] {
        &self.lit
    }

    /// What a packet means.
    #[inline]
    pub fn judge(&mut self, packet: &Packet) -> Light {
        let traffic = packet.tuple.traffic;
        let answers = matches!(traffic, Traffic::TcpAck | Traffic::TcpOther);
        if self.lit.is_empty() && !answers {
            return Light::Dark;
        }
        self.look_closely(packet, answers)
    }

    #[cold]
    fn look_closely(&mut self, packet: &Packet, answers: bool) -> Light {
        if self.lit.iter().any(|lit| lit.contains(&packet.target)) {
            return Light::Lit;
        }
        if !answers || !self.is_conversation(packet) {
            return Light::Dark;
        }
        let lit = around(packet.target);
        self.lit.push(lit);
        Light::Dawn(lit)
    }

    fn is_conversation(&mut self, packet: &Packet) -> bool {
        let ends = (
            packet.tuple.source,
            packet.source_port,
            packet.target,
            packet.tuple.transport,
        );
        let key = self.hasher.hash_one(ends) | 1;
        let one = &mut self.conversations[(key >> 32) as usize % CONVERSATIONS];
        if one.key != key {
            *one = Conversation {
                key,
                ..Conversation::default()
            };
        }
        one.segments = one.segments.saturating_add(1);
        let known = one
            .lengths
            .iter()
            .position(|length| *length == packet.bytes);
        let free = one.lengths.iter().position(|length| *length == 0);
        if let (None, Some(free)) = (known, free) {
            one.lengths[free] = packet.bytes;
        }
        one.segments >= SEGMENTS_MIN && !one.lengths.contains(&0)
    }
}

/// What is lit with an address.
fn around(target: IpAddr) -> IpNet {
    match target {
        IpAddr::V4(target) => {
            let net = Ipv4Net::new_assert(target, LIT_V4);
            IpNet::V4(net.trunc())
        }
        IpAddr::V6(target) => {
            let net = Ipv6Net::new_assert(target, LIT_V6);
            IpNet::V6(net.trunc())
        }
    }
}

#[cfg(test)]
mod tests;
