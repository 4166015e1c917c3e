//! What scanners, bots, victims and misconfigured hosts send.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use noroshi_proto::time::Millis;

use super::packet::{Content, Sent, Tool};
use super::random::Random;

/// When and how much somebody sends.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The first packet.
    pub from: Millis,
    /// From the first packet to the last, in milliseconds.
    pub lasts: u64,
    /// Packets.
    pub packets: u64,
}

impl Span {
    fn at(self, index: u64) -> Millis {
        Millis(self.from.0 + self.lasts * index / self.packets.max(1))
    }
}

/// Hops between any of our actors and any telescope.
pub const HOPS: u8 = 9;

/// A source that asks random addresses of `telescopes` for these ports in turn.
pub fn scanner(
    random: &mut Random,
    span: Span,
    source: Ipv4Addr,
    tool: Tool,
    (telescopes, ports): (&[Ipv4Net], &[u16]),
) -> Vec<Sent> {
    let source_port = random.client_port();
    let content = |port| Content::Syn {
        tool,
        port,
        source_port,
    };
    let mut packets = Vec::new();
    for index in 0..span.packets {
        let port = ports[index as usize % ports.len()];
        packets.push(Sent {
            at: span.at(index),
            source,
            target: anywhere(random, telescopes),
            ttl: tool.initial_ttl() - HOPS,
            content: content(port),
            salt: random.bits() as u32,
        });
    }
    packets
}

/// A source that asks each address of a telescope once for an amplifier.
pub fn amplifier_search(
    random: &mut Random,
    span: Span,
    source: Ipv4Addr,
    (telescope, port): (Ipv4Net, u16),
) -> Vec<Sent> {
    let size = 1u64 << (32 - telescope.prefix_len());
    let source_port = random.client_port();
    let first = telescope.network().to_bits();
    (0..span.packets)
        .map(|index| Sent {
            at: span.at(index),
            source,
            target: Ipv4Addr::from_bits(first + (index * 7 % size) as u32),
            ttl: 64 - HOPS,
            content: Content::Datagram { port, source_port },
            salt: random.bits() as u32,
        })
        .collect()
}

/// Requests to amplifiers in the name of their victim, sent by several machines.
pub fn reflection(
    random: &mut Random,
    span: Span,
    victim: Ipv4Addr,
    (telescope, port): (Ipv4Net, u16),
) -> Vec<Sent> {
    (0..span.packets)
        .map(|index| Sent {
            at: span.at(index),
            source: victim,
            target: random.address(telescope),
            ttl: 236 + random.below(12) as u8,
            content: Content::Datagram {
                port,
                source_port: random.client_port(),
            },
            salt: random.bits() as u32,
        })
        .collect()
}

/// A victim of a flood in the names of random addresses, that answers them.
pub fn victim(
    random: &mut Random,
    span: Span,
    victim: Ipv4Addr,
    (telescopes, port): (&[Ipv4Net], u16),
) -> Vec<Sent> {
    (0..span.packets)
        .map(|index| Sent {
            at: span.at(index),
            source: victim,
            target: anywhere(random, telescopes),
            ttl: 64 - HOPS,
            content: Content::Reset {
                port,
                source_port: random.client_port(),
            },
            salt: random.bits() as u32,
        })
        .collect()
}

/// A host that keeps sending to one address nobody uses: a mistake, not a scan.
pub fn misdirected(
    random: &mut Random,
    span: Span,
    source: Ipv4Addr,
    (target, port): (Ipv4Addr, u16),
) -> Vec<Sent> {
    (0..span.packets)
        .map(|index| Sent {
            at: span.at(index),
            source,
            target,
            ttl: 64 - HOPS,
            content: Content::Datagram {
                port,
                source_port: random.client_port(),
            },
            salt: random.bits() as u32,
        })
        .collect()
}

/// Any address of any of these prefixes, each prefix as likely as the others.
pub fn anywhere(random: &mut Random, telescopes: &[Ipv4Net]) -> Ipv4Addr {
    let telescope = telescopes[random.below(telescopes.len() as u64) as usize];
    random.address(telescope)
}
