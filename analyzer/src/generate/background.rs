//! What always arrives: few sources send most of it (Zipf), each in its own manner.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use noroshi_proto::time::Millis;

use super::actors::HOPS;
use super::packet::{Content, Sent, Tool};
use super::random::Random;

/// Services that background radiation asks for, with their weights in per cent; the rest
/// goes to any TCP port.
const SERVICES: [(Kind, u16, u64); 12] = [
    (Kind::Tcp, 23, 12),
    (Kind::Tcp, 445, 8),
    (Kind::Tcp, 22, 8),
    (Kind::Tcp, 80, 6),
    (Kind::Tcp, 443, 6),
    (Kind::Tcp, 3389, 5),
    (Kind::Tcp, 8080, 5),
    (Kind::Tcp, 6379, 3),
    (Kind::Udp, 5061, 4),
    (Kind::Udp, 53413, 3),
    (Kind::Echo, 0, 5),
    (Kind::Tcp, 1433, 5),
];

#[derive(Clone, Copy, Debug)]
enum Kind {
    Tcp,
    Udp,
    Echo,
}

/// Sources of one origin.
#[derive(Clone, Copy, Debug)]
pub struct Population {
    /// Where they are.
    pub prefix: Ipv4Net,
    /// How many of them there are.
    pub sources: usize,
}

/// Background radiation.
#[derive(Clone, Debug)]
pub struct Background {
    /// The telescope it arrives at.
    pub telescope: Ipv4Net,
    /// Packets per second and address (0.02 to 0.09 in the field).
    pub rate: f64,
    /// Who sends it.
    pub populations: Vec<Population>,
    /// How unevenly they send: the exponent of Zipf's law.
    pub zipf: f64,
}

/// A source of background radiation.
#[derive(Clone, Copy, Debug)]
struct Habit {
    source: Ipv4Addr,
    ttl: u8,
    tool: Tool,
    source_port: u16,
    kind: Kind,
    port: u16,
}

impl Background {
    /// Everything from `from` until `until`, in order of time.
    pub fn packets(&self, seed: u64, from: Millis, until: Millis) -> Vec<Sent> {
        let mut random = Random::new(seed);
        let habits = self.habits(&mut random);
        if habits.is_empty() {
            return Vec::new();
        }
        let shares = shares(habits.len(), self.zipf);
        let addresses = (1u64 << (32 - self.telescope.prefix_len())) as f64;
        let per_second = addresses * self.rate;
        let mut packets = Vec::new();
        let mut at = from.0 as f64;
        loop {
            at += random.pause(per_second);
            if at >= until.0 as f64 {
                return packets;
            }
            let drawn = random.unit();
            let index = shares.partition_point(|share| *share <= drawn);
            let habit = habits[index.min(habits.len() - 1)];
            packets.push(Sent {
                at: Millis(at as u64),
                source: habit.source,
                target: random.address(self.telescope),
                ttl: habit.ttl,
                content: habit.content(),
                salt: random.bits() as u32,
            });
        }
    }

    fn habits(&self, random: &mut Random) -> Vec<Habit> {
        let mut habits = Vec::new();
        for population in &self.populations {
            for _ in 0..population.sources {
                habits.push(Habit::draw(random, population.prefix));
            }
        }
        // who sends most has nothing to do with where it is
        for index in (1..habits.len()).rev() {
            habits.swap(index, random.below(index as u64 + 1) as usize);
        }
        habits
    }
}

impl Habit {
    fn draw(random: &mut Random, prefix: Ipv4Net) -> Self {
        let tool = match random.below(10) {
            0..=4 => Tool::Linux,
            5 => Tool::Windows,
            6 | 7 => Tool::Zmap,
            8 => Tool::Masscan,
            _ => Tool::Nmap,
        };
        let mut drawn = random.below(100);
        let any = (Kind::Tcp, 1 + random.below(65_535) as u16);
        let mut asked = any;
        for (kind, port, weight) in SERVICES {
            if drawn < weight {
                asked = (kind, port);
                break;
            }
            drawn -= weight;
        }
        Self {
            source: random.address(prefix),
            ttl: tool.initial_ttl() - HOPS - random.below(8) as u8,
            tool,
            source_port: random.client_port(),
            kind: asked.0,
            port: asked.1,
        }
    }

    fn content(self) -> Content {
        let (port, source_port) = (self.port, self.source_port);
        match self.kind {
            Kind::Tcp => Content::Syn {
                tool: self.tool,
                port,
                source_port,
            },
            Kind::Udp => Content::Datagram { port, source_port },
            Kind::Echo => Content::Echo,
        }
    }
}

/// The share of all packets that the first so many sources send, ascending to 1.
fn shares(sources: usize, zipf: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let mut shares: Vec<f64> = (1..=sources)
        .map(|rank| {
            sum += (rank as f64).powf(-zipf);
            sum
        })
        .collect();
    for share in &mut shares {
        *share /= sum;
    }
    shares
}
