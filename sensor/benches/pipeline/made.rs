//! A capture of the shape a telescope sees, the same every time: a /16 at 20,000 packets per
//! second, sources by Zipf's law, mostly SYNs to few services, some repeated within seconds.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const PACKETS_PER_SECOND: f64 = 20_000.0;
const SOURCES: u64 = 300_000;
/// One packet in so many repeats an earlier one.
const REPEATED_IN: u64 = 6;
/// It is one of so many before it: five seconds.
const RECENT: usize = 100_000;
const TELESCOPE: u32 = 0x2c01_0000; // 44.1.0.0/16
const START: f64 = 1_750_000_000.0;
const TCP_PORTS: [u16; 12] = [
    23, 22, 80, 443, 445, 3389, 8080, 2323, 5555, 1433, 6379, 5900,
];
const UDP_PORTS: [u16; 6] = [5060, 53, 123, 1900, 161, 389];

const OPTIONS: [&[u8]; 4] = [
    &[],
    &[2, 4, 5, 0xb4],
    &[2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2],
    &[
        2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7,
    ],
];

/// Writes a capture of so many packets into `directory`.
pub fn capture(directory: &Path, packets: usize) -> io::Result<PathBuf> {
    let path = directory.join("made.pcap");
    let mut file = BufWriter::new(File::create(&path)?);
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 1] {
        file.write_all(&word.to_le_bytes())?;
    }
    let mut random = Random(42);
    let mut sent: Vec<Vec<u8>> = Vec::new();
    let mut clock = START;
    for number in 0..packets {
        clock -= (1.0 - random.fraction()).ln() / PACKETS_PER_SECOND;
        let repeats = sent.len() == RECENT && random.below(REPEATED_IN) == 0;
        let frame = if repeats {
            sent[random.below(RECENT as u64) as usize].clone()
        } else {
            frame(&mut random)
        };
        let micros = (clock * 1e6) as u64;
        let length = frame.len() as u32;
        for word in [
            (micros / 1_000_000) as u32,
            (micros % 1_000_000) as u32,
            length,
            length,
        ] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(&frame)?;
        if sent.len() < RECENT {
            sent.push(frame);
        } else {
            sent[number % RECENT] = frame;
        }
    }
    file.flush()?;
    Ok(path)
}

/// One Ethernet frame from a source that always behaves alike.
fn frame(random: &mut Random) -> Vec<u8> {
    // Zipf with exponent 1: the logarithm of the rank is uniform
    let rank = (SOURCES as f64).powf(random.fraction()) as u64;
    let habit = mix(rank);
    let source = 0x0100_0000 + (habit as u32) % 0xdd00_0000;
    let target = TELESCOPE | random.below(1 << 16) as u32;
    let (protocol, segment) = match mix(habit) % 100 {
        0..=81 => (6, syn(random, habit, target)),
        82..=89 => (17, datagram(random, habit)),
        90..=92 => (1, [&[8, 0, 0, 0, 0, 0, 0, 0][..], &[0; 32]].concat()),
        _ => (6, reply(random, habit)),
    };
    let ttl = [64, 128, 255][habit as usize % 3] - 5 - (habit >> 20) as u8 % 25;
    let id = match (habit >> 32) % 100 {
        25..=32 => 54_321,
        _ => random.below(1 << 16) as u16,
    };
    ethernet(&ipv4(
        protocol,
        [source, target],
        [ttl.into(), id],
        &segment,
    ))
}

fn syn(random: &mut Random, habit: u64, target: u32) -> Vec<u8> {
    let tool = (habit >> 32) % 100;
    let (sequence, window, options) = match tool {
        0..=24 => (target, random.below(1 << 16) as u16, 0), // Mirai
        25..=32 => (random.below(1 << 32) as u32, 65_535, 0), // ZMap
        33..=39 => (random.below(1 << 32) as u32, 1024, 0),
        40..=74 => (random.below(1 << 32) as u32, 64_240, 2),
        75..=91 => (random.below(1 << 32) as u32, 64_240, 3),
        _ => (random.below(1 << 32) as u32, 1024, 1),
    };
    let services = mix(habit + random.below(1 + (habit >> 40) % 8));
    let port = match services % 5 {
        0 => (services >> 20) as u16,
        _ => TCP_PORTS[(services >> 40) as usize % TCP_PORTS.len()],
    };
    let source_port = 1024 + random.below(64_511) as u16;
    tcp(
        [source_port, port, window],
        sequence,
        0x02,
        OPTIONS[options],
    )
}

fn reply(random: &mut Random, habit: u64) -> Vec<u8> {
    let port = [80, 443, (habit >> 40) as u16][(habit >> 36) as usize % 3];
    let flags = [0x14, 0x12, 0x04][(habit >> 52) as usize % 3];
    let ports = [port, random.below(1 << 16) as u16, 0x1600];
    tcp(ports, random.below(1 << 32) as u32, flags, &[])
}

fn tcp(ports_and_window: [u16; 3], sequence: u32, flags: u8, options: &[u8]) -> Vec<u8> {
    let [source, target, window] = ports_and_window.map(u16::to_be_bytes);
    let offset = ((20 + options.len() as u8) / 4) << 4;
    let mut segment = [source, target].concat();
    segment.extend(sequence.to_be_bytes());
    segment.extend([0, 0, 0, 0, offset, flags]);
    segment.extend(window);
    segment.extend([0; 4]);
    segment.extend(options);
    segment
}

fn datagram(random: &mut Random, habit: u64) -> Vec<u8> {
    let port = UDP_PORTS[(mix(habit + random.below(2)) % UDP_PORTS.len() as u64) as usize];
    let payload = 8 + random.below(60) as u16;
    let ports = [1024 + random.below(64_511) as u16, port, 8 + payload, 0];
    let mut datagram: Vec<u8> = ports.iter().flat_map(|field| field.to_be_bytes()).collect();
    datagram.resize(8 + usize::from(payload), 0);
    datagram
}

fn ipv4(protocol: u8, ends: [u32; 2], ttl_and_id: [u16; 2], segment: &[u8]) -> Vec<u8> {
    let [ttl, id] = ttl_and_id;
    let mut packet = vec![0x45, 0];
    packet.extend((20 + segment.len() as u16).to_be_bytes());
    packet.extend(id.to_be_bytes());
    packet.extend([0x40, 0, ttl as u8, protocol, 0, 0]);
    packet.extend(ends[0].to_be_bytes());
    packet.extend(ends[1].to_be_bytes());
    packet.extend(segment);
    packet
}

fn ethernet(packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend(packet);
    frame.resize(frame.len().max(60), 0);
    frame
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
