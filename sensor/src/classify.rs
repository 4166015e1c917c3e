//! What a packet means to a telescope, told from its transport header alone.
//!
//! The classes follow Corsaro's RSDoS and flow-tuple plug-ins and Merit's darknet events:
//! requests are scans, answers are backscatter of packets forged with our addresses.

use noroshi_proto::traffic::Traffic;

/// FIN, SYN, RST, PSH, ACK and URG. ECE, CWR and NS tell nothing about the sender's intent.
const FLAGS_MASK: u8 = 0x3f;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;
const URG: u8 = 0x20;

/// The class of a TCP segment with these flags (the header's byte 13).
#[inline]
pub fn tcp(flags: u8) -> Traffic {
    TCP[usize::from(flags & FLAGS_MASK)]
}

const TCP: [Traffic; 64] = {
    let mut classes = [Traffic::TcpOther; 64];
    let mut flags = 0;
    while flags < 64 {
        classes[flags as usize] = tcp_class(flags);
        flags += 1;
    }
    classes
};

const fn tcp_class(flags: u8) -> Traffic {
    const SYN_ACK: u8 = SYN | ACK;
    const XMAS: u8 = FIN | PSH | URG;
    const SYN_FIN: u8 = SYN | FIN;
    match flags {
        flags if flags & RST != 0 => Traffic::BackscatterTcp,
        SYN_ACK => Traffic::BackscatterTcp,
        SYN => Traffic::ScanSyn,
        ACK => Traffic::TcpAck,
        0 | FIN | XMAS | SYN_FIN => Traffic::ScanStealth,
        _ => Traffic::TcpOther,
    }
}

/// The class of a UDP datagram.
///
/// A request to an amplifier is a request whatever port it comes from, so the target port
/// decides first: 53 → 53, 123 → 123 and 5060 → 5060 are what old resolvers, `ntpd` and SIP
/// scanners send, and reflected answers do not go to such ports unless somebody wants them to
/// look like requests. A reflected answer comes from an amplifier's port to a port of 1024 or
/// more, where clients are; below it stand other services, and the packet asks for those.
#[inline]
pub fn udp(source_port: u16, target_port: u16) -> Traffic {
    if is_amplifier(target_port) {
        return Traffic::ScanAmp;
    }
    if target_port >= 1024 && is_amplifier(source_port) {
        return Traffic::BackscatterUdp;
    }
    Traffic::ScanUdp
}

/// UDP ports of services that answer with more than they were asked: US-CERT TA14-017A, and
/// services that reflected attacks since.
const AMPLIFIERS: [u16; 38] = [
    7, 17, 19, 53, 69, 111, 123, 137, 161, 177, 389, 427, 500, 520, 1194, 1434, 1900, 3283, 3478,
    3702, 5060, 5093, 5351, 5353, 5683, 6881, 10001, 11211, 17185, 20800, 26000, 27015, 27960,
    30718, 32414, 33848, 37810, 47808,
];

/// One bit per port: 8 KiB that stay in the cache.
static IS_AMPLIFIER: [u64; 1024] = {
    let mut bits = [0; 1024];
    let mut index = 0;
    while index < AMPLIFIERS.len() {
        let port = AMPLIFIERS[index] as usize;
        bits[port / 64] |= 1 << (port % 64);
        index += 1;
    }
    bits
};

/// Whether a service on this UDP port is known to amplify.
#[inline]
pub fn is_amplifier(port: u16) -> bool {
    IS_AMPLIFIER[usize::from(port / 64)] >> (port % 64) & 1 == 1
}

/// The class of an ICMP message of this type.
///
/// Types that are neither answers nor errors ask for something or announce something nobody
/// asked for, so they are scans: time-stamp, information and mask requests (13, 15, 17),
/// router discovery (9, 10), extended echo requests (42), and whatever is unassigned.
pub fn icmp(kind: u8) -> Traffic {
    match kind {
        8 => Traffic::ScanEcho,
        3 | 4 | 5 | 11 | 12 => Traffic::BackscatterIcmpError,
        0 | 14 | 16 | 18 | 43 => Traffic::BackscatterIcmp,
        _ => Traffic::ScanIcmp,
    }
}

/// The class of an ICMPv6 message of this type.
///
/// Neighbour and router discovery (133–137), multicast listeners (130–132, 143) and the rest
/// are scans for the same reason as in [`icmp`]; they reach a telescope's addresses only when
/// somebody sends them there on purpose.
pub fn icmp6(kind: u8) -> Traffic {
    match kind {
        128 => Traffic::ScanEcho,
        1..=4 => Traffic::BackscatterIcmpError,
        129 | 140 | 161 => Traffic::BackscatterIcmp,
        _ => Traffic::ScanIcmp,
    }
}

#[cfg(test)]
mod tests;
