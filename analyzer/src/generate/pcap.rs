//! Capture files: classic pcap, microseconds, raw IP (LINKTYPE_RAW).

use std::io::{self, Write};
use std::net::Ipv4Addr;

use super::packet::{Content, Sent, Tool};

const MAGIC: u32 = 0xa1b2_c3d4;
const LINKTYPE_RAW: u32 = 101;
const SNAPLEN: u32 = 262_144;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const SYN: u8 = 0x02;
const RST_ACK: u8 = 0x14;

/// Writes a capture of these packets, which are in order of time.
///
/// # Errors
/// What writing fails with.
pub fn write<'a>(
    packets: impl IntoIterator<Item = &'a Sent>,
    mut out: impl Write,
) -> io::Result<()> {
    write_header(&mut out)?;
    for packet in packets {
        write_packet(packet, &mut out)?;
    }
    out.flush()
}

/// Writes what a capture begins with.
///
/// # Errors
/// What writing fails with.
pub fn write_header(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&MAGIC.to_le_bytes())?;
    out.write_all(&2u16.to_le_bytes())?;
    out.write_all(&4u16.to_le_bytes())?;
    out.write_all(&[0; 8])?;
    out.write_all(&SNAPLEN.to_le_bytes())?;
    out.write_all(&LINKTYPE_RAW.to_le_bytes())
}

/// Writes one packet with its record header.
///
/// # Errors
/// What writing fails with.
pub fn write_packet(packet: &Sent, out: &mut impl Write) -> io::Result<()> {
    let bytes = datagram(packet);
    let seconds = u32::try_from(packet.at.0 / 1000).unwrap_or(u32::MAX);
    let micros = (packet.at.0 % 1000 * 1000) as u32;
    let length = bytes.len() as u32;
    for word in [seconds, micros, length, length] {
        out.write_all(&word.to_le_bytes())?;
    }
    out.write_all(&bytes)
}

/// The bytes of a packet, from the IP header on.
pub fn datagram(packet: &Sent) -> Vec<u8> {
    let (protocol, id, dont_fragment, payload) = match packet.content {
        Content::Syn {
            tool,
            port,
            source_port,
        } => syn(packet, tool, (source_port, port)),
        Content::Reset { port, source_port } => {
            let sequence = packet.salt;
            let segment = segment((port, source_port), sequence, (RST_ACK, 0), &[]);
            (TCP, 0, true, segment)
        }
        Content::Datagram { port, source_port } => {
            let mut datagram = Vec::with_capacity(16);
            datagram.extend(source_port.to_be_bytes());
            datagram.extend(port.to_be_bytes());
            datagram.extend(16u16.to_be_bytes());
            datagram.extend([0; 10]); // no checksum, eight bytes of nothing
            (UDP, packet.salt as u16, false, datagram)
        }
        Content::Echo => {
            let mut echo = vec![8, 0, 0, 0];
            echo.extend(packet.salt.to_be_bytes());
            let sum = checksum(&echo);
            echo[2..4].copy_from_slice(&sum.to_be_bytes());
            (ICMP, (packet.salt >> 8) as u16, false, echo)
        }
    };
    let mut bytes = ip_header(packet, protocol, (id, dont_fragment), payload.len());
    let mut payload = payload;
    if protocol == TCP {
        seal(&mut payload, packet.source, packet.target);
    }
    bytes.append(&mut payload);
    bytes
}

fn ip_header(
    packet: &Sent,
    protocol: u8,
    (id, dont_fragment): (u16, bool),
    rest: usize,
) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend(((20 + rest) as u16).to_be_bytes());
    header.extend(id.to_be_bytes());
    header.extend(if dont_fragment { [0x40, 0] } else { [0, 0] });
    header.extend([packet.ttl, protocol, 0, 0]);
    header.extend(packet.source.octets());
    header.extend(packet.target.octets());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

/// A SYN as `tool` writes it: protocol, IP id, "don't fragment", segment.
fn syn(packet: &Sent, tool: Tool, ports: (u16, u16)) -> (u8, u16, bool, Vec<u8>) {
    const MSS: [u8; 4] = [2, 4, 5, 0xb4];
    const LINUX: [u8; 20] = [
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7,
    ];
    const WINDOWS: [u8; 12] = [2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2];
    let target = packet.target.to_bits();
    // an id or sequence number of an ordinary stack never bears a tool's mark
    let plain_sequence = if packet.salt == target {
        !packet.salt
    } else {
        packet.salt
    };
    let masscan_id = |sequence: u32| ((target ^ u32::from(ports.1) ^ sequence) & 0xffff) as u16;
    let plain_id = |sequence: u32| {
        let id = (packet.salt >> 7) as u16;
        let marked = id == 54_321 || id == masscan_id(sequence);
        if marked { id ^ 0x00ff } else { id }
    };
    let (sequence, id, dont_fragment, window, options): (u32, u16, bool, u16, &[u8]) = match tool {
        Tool::Linux => (
            plain_sequence,
            plain_id(plain_sequence),
            true,
            64_240,
            &LINUX,
        ),
        Tool::Windows => (
            plain_sequence,
            plain_id(plain_sequence),
            true,
            64_240,
            &WINDOWS,
        ),
        Tool::Mirai => (target, plain_id(target), false, 5_840, &[]),
        Tool::Zmap => (plain_sequence, 54_321, false, 65_535, &[]),
        Tool::Masscan => (
            plain_sequence,
            masscan_id(plain_sequence),
            false,
            1_024,
            &[],
        ),
        Tool::Nmap => (plain_sequence, plain_id(plain_sequence), false, 1_024, &MSS),
    };
    (
        TCP,
        id,
        dont_fragment,
        segment(ports, sequence, (SYN, window), options),
    )
}

fn segment(
    (from, to): (u16, u16),
    sequence: u32,
    (flags, window): (u8, u16),
    options: &[u8],
) -> Vec<u8> {
    let mut segment = Vec::with_capacity(20 + options.len());
    segment.extend(from.to_be_bytes());
    segment.extend(to.to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend([0; 4]);
    segment.extend([((5 + options.len() / 4) << 4) as u8, flags]);
    segment.extend(window.to_be_bytes());
    segment.extend([0; 4]);
    segment.extend(options);
    segment
}

/// Writes the checksum of a TCP segment.
fn seal(segment: &mut [u8], source: Ipv4Addr, target: Ipv4Addr) {
    let mut summed = Vec::with_capacity(12 + segment.len());
    summed.extend(source.octets());
    summed.extend(target.octets());
    summed.extend([0, TCP]);
    summed.extend((segment.len() as u16).to_be_bytes());
    summed.extend(&*segment);
    let sum = checksum(&summed);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| {
        let low = pair.get(1).copied().unwrap_or(0);
        u32::from(u16::from_be_bytes([pair[0], low]))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
