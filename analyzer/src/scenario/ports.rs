//! Which services background radiation asks for.
//!
//! A few services get most, no three of them more than a fifth, and nearly every port gets
//! something (19,677 ports in a day at a telescope of 256 addresses).

use noroshi_proto::traffic::{Traffic, Transport};

use super::draw::Choice;
use crate::generate::random::Random;

/// TCP ports with the sources, of a thousand, that ask for them.
const TCP: [(u16, u16); 63] = [
    (445, 83),
    (5555, 72),
    (23, 60),
    (22, 60),
    (80, 46),
    (443, 40),
    (3389, 40),
    (8080, 36),
    (1433, 26),
    (2323, 20),
    (81, 18),
    (3306, 16),
    (8443, 14),
    (25, 14),
    (21, 14),
    (6379, 13),
    (5900, 12),
    (8081, 12),
    (8088, 9),
    (8888, 9),
    (110, 8),
    (8000, 8),
    (7547, 8),
    (139, 8),
    (5060, 7),
    (37215, 6),
    (52869, 6),
    (9200, 6),
    (2222, 6),
    (88, 5),
    (8291, 5),
    (27017, 5),
    (9000, 4),
    (5432, 4),
    (1723, 4),
    (111, 4),
    (135, 4),
    (143, 4),
    (995, 3),
    (993, 3),
    (587, 3),
    (465, 3),
    (53, 3),
    (8181, 2),
    (49152, 2),
    (82, 2),
    (83, 2),
    (84, 2),
    (85, 2),
    (8001, 2),
    (2375, 2),
    (4899, 2),
    (5431, 1),
    (9090, 2),
    (10000, 2),
    (1080, 2),
    (3128, 2),
    (8545, 2),
    (5984, 1),
    (11211, 1),
    (444, 1),
    (2004, 1),
    (9100, 1),
];
/// UDP ports likewise.
const UDP: [(u16, u16); 6] = [
    (5061, 12),
    (53413, 10),
    (5353, 8),
    (1900, 10),
    (123, 8),
    (53, 8),
];
/// Sources, of a thousand, that send ICMP echo requests.
const ECHO: u16 = 30;
/// Ports that are amplified: requests to them are a class of their own.
const AMPLIFIERS: [u16; 4] = [53, 123, 1900, 5353];
/// How fast the tail falls, by rank: with this exponent a day of 3.5 million packets meets
/// about 20,000 ports.
const TAIL: f64 = 1.5;

/// What one packet asks for, in 23 bits: class, transport, port; in the order of flow tuples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asked(pub u32);

impl Asked {
    /// A request for a TCP port.
    pub fn tcp(port: u16) -> Self {
        Self::of(Traffic::ScanSyn, Transport::Tcp { service_port: port })
    }

    /// A datagram to a UDP port.
    pub fn udp(port: u16) -> Self {
        let class = if AMPLIFIERS.contains(&port) {
            Traffic::ScanAmp
        } else {
            Traffic::ScanUdp
        };
        Self::of(class, Transport::Udp { service_port: port })
    }

    /// An echo request.
    pub fn echo() -> Self {
        Self::of(Traffic::ScanEcho, Transport::Icmp { kind: 8, code: 0 })
    }

    /// An answer from a TCP port to a packet in our name.
    pub fn answer(port: u16) -> Self {
        Self::of(
            Traffic::BackscatterTcp,
            Transport::Tcp { service_port: port },
        )
    }

    fn of(traffic: Traffic, transport: Transport) -> Self {
        let (case, detail) = transport.to_wire();
        Self((traffic as u32) << 19 | u32::from(case) << 16 | u32::from(detail))
    }

    /// Class and transport.
    pub fn parts(self) -> (Traffic, Transport) {
        let traffic = Traffic::from_wire((self.0 >> 19) as u8);
        let transport = Transport::from_wire((self.0 >> 16) as u8 & 7, self.0 as u16);
        // it was made of both
        (
            traffic.unwrap_or(Traffic::ScanSyn),
            transport.unwrap_or(Transport::Other { protocol: 0 }),
        )
    }
}

/// What sources and packets of the background ask for.
#[derive(Clone, Debug)]
pub struct Demand {
    services: Vec<Asked>,
    habit: Choice,
    tail: Choice,
}

impl Demand {
    /// As measured.
    pub fn new() -> Self {
        let mut services: Vec<Asked> = Vec::new();
        let mut weights: Vec<f64> = Vec::new();
        for (port, weight) in TCP {
            services.push(Asked::tcp(port));
            weights.push(weight.into());
        }
        for (port, weight) in UDP {
            services.push(Asked::udp(port));
            weights.push(weight.into());
        }
        services.push(Asked::echo());
        weights.push(ECHO.into());
        let known: f64 = weights.iter().sum();
        weights.push((1_000.0 - known).max(20.0)); // any port
        let ranks: Vec<f64> = (1..=65_535)
            .map(|rank| f64::from(rank).powf(-TAIL))
            .collect();
        Self {
            services,
            habit: Choice::new(&weights),
            tail: Choice::new(&ranks),
        }
    }

    /// What one source keeps asking for.
    pub fn habit(&self, random: &mut Random) -> Asked {
        let index = self.habit.draw(random);
        match self.services.get(index) {
            Some(asked) => *asked,
            None => Asked::tcp(1 + random.below(65_535) as u16),
        }
    }

    /// What one packet of a scanner of all ports asks for.
    pub fn any(&self, random: &mut Random) -> Asked {
        let rank = self.tail.draw(random);
        match TCP.get(rank) {
            Some((port, _)) => Asked::tcp(*port),
            // a permutation of all ports, so that rank says nothing about the number
            None => Asked::tcp((rank as u16).wrapping_mul(40_503)),
        }
    }
}

impl Default for Demand {
    fn default() -> Self {
        Self::new()
    }
}
