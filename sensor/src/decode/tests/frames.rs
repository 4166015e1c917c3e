//! Frames to decode, byte by byte.

pub(super) const ETHERNET: u32 = 1;
pub(super) const RAW: u32 = 101;

/// An Ethernet frame with these tags before the type, carrying an ICMP echo request.
pub(crate) fn echo_request(target: [u8; 4], tags: &[u8]) -> Vec<u8> {
    let icmp = [8, 0, 0, 0, 0, 0, 0, 0];
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend_from_slice(tags);
    frame.extend([0x08, 0x00]);
    frame.extend(ipv4(1, [203, 0, 113, 7], target, &icmp));
    frame
}

/// An Ethernet header of this type before `rest`.
pub(super) fn ethernet(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(rest);
    frame
}

pub(super) const SOURCE: [u8; 4] = [203, 0, 113, 7];
pub(super) const TARGET: [u8; 4] = [198, 18, 0, 1];

/// IPv4 without options, DF set, TTL 52.
pub(super) fn ipv4(protocol: u8, source: [u8; 4], target: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len() as u16).to_be_bytes();
    let mut bytes = vec![
        0x45, 0, total[0], total[1], 0, 7, 0x40, 0, 52, protocol, 0, 0,
    ];
    bytes.extend(source);
    bytes.extend(target);
    bytes.extend(payload);
    bytes
}

/// IPv6 from 2001:db8::7 to 2001:db8:d::1, hop limit 60.
pub(super) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    let mut bytes = vec![0x60, 0, 0, 0, length[0], length[1], next, 60];
    bytes.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    bytes.extend([
        0x20, 0x01, 0x0d, 0xb8, 0, 0x0d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]);
    bytes.extend(payload);
    bytes
}

/// From port 40000.
pub(super) fn tcp(target_port: u16, flags: u8, options: &[u8]) -> Vec<u8> {
    let port = target_port.to_be_bytes();
    let words = (5 + options.len() / 4) as u8;
    let mut bytes = vec![0x9c, 0x40, port[0], port[1], 1, 2, 3, 4, 0, 0, 0, 0];
    bytes.extend([words << 4, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    bytes.extend(options);
    bytes
}

pub(super) fn udp(source_port: u16, target_port: u16, payload: &[u8]) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let mut bytes = Vec::new();
    for number in [source_port, target_port, length, 0] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(payload);
    bytes
}

/// An ICMP error that quotes `datagram`.
pub(super) fn icmp_error(kind: u8, code: u8, datagram: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, code, 0, 0, 0, 0, 0, 0];
    bytes.extend(datagram);
    bytes
}

pub(super) const LINUX_OPTIONS: [u8; 20] = [
    2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7,
];

pub(super) fn syn() -> Vec<u8> {
    ipv4(6, SOURCE, TARGET, &tcp(443, 0x02, &LINUX_OPTIONS))
}

/// Good frames of every kind, with their link types.
pub(super) fn all() -> Vec<(u32, Vec<u8>)> {
    let quoted = ipv4(6, TARGET, [192, 0, 2, 80], &tcp(80, 0x02, &[]));
    let quoted6 = ipv6(17, &udp(9, 5353, b"x"));
    let request = udp(40_000, 53, b"query");
    vec![
        (ETHERNET, ethernet(0x0800, &syn())),
        (
            ETHERNET,
            ethernet(0x0800, &ipv4(17, SOURCE, TARGET, &request)),
        ),
        (
            ETHERNET,
            ethernet(0x0800, &ipv4(1, SOURCE, TARGET, &icmp_error(3, 1, &quoted))),
        ),
        (
            ETHERNET,
            ethernet(0x0800, &ipv4(47, SOURCE, TARGET, &[0, 0, 8, 0, 0x45])),
        ),
        (ETHERNET, ethernet(0x86dd, &ipv6(6, &tcp(22, 0x12, &[])))),
        (
            ETHERNET,
            ethernet(0x86dd, &ipv6(58, &icmp_error(1, 4, &quoted6))),
        ),
        (
            ETHERNET,
            echo_request(TARGET, &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2]),
        ),
        (
            RAW,
            ipv6(
                0,
                &[vec![6, 0, 1, 4, 0, 0, 0, 0], tcp(23, 0x02, &[])].concat(),
            ),
        ),
        (
            RAW,
            ipv6(44, &[vec![17, 0, 0, 1, 0, 0, 0, 9], request].concat()),
        ),
    ]
}
