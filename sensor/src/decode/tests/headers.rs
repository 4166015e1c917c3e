//! Link layers, IP and what it carries.

use noroshi_proto::flow::OptionLayout;

use self::Version::{V4, V6};
use super::frames::*;
use super::*;

/// What stands before which IP. Of Ethernet the two addresses are left out.
const LINK_HEADERS: [(&str, u32, &[u8], Version); 30] = [
    ("Ethernet", 1, &[0x08, 0x00], V4),
    ("Ethernet, IPv6", 1, &[0x86, 0xdd], V6),
    ("VLAN", 1, &[0x81, 0, 0, 5, 0x08, 0x00], V4),
    (
        "old QinQ",
        1,
        &[0x91, 0, 0, 5, 0x81, 0, 0, 6, 0x08, 0x00],
        V4,
    ),
    (
        "QinQ",
        1,
        &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd],
        V6,
    ),
    ("VN-Tag", 1, &[0x89, 0x26, 0, 0, 0, 0, 0x08, 0x00], V4),
    ("SNAP", 1, &[0, 60, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], V4),
    ("MPLS", 1, &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64], V4),
    ("MPLS, IPv6", 1, &[0x88, 0x48, 0, 2, 1, 64], V6),
    ("PPPoE", 1, &[0x88, 0x64, 0x11, 0, 0, 1, 0, 99, 0, 0x21], V4),
    (
        "compressed",
        1,
        &[0x88, 0x64, 0x11, 0, 0, 1, 0, 99, 0x57],
        V6,
    ),
    ("raw", 101, &[], V4),
    ("raw, IPv6", 101, &[], V6),
    ("raw of Linux", 12, &[], V4),
    ("raw of OpenBSD", 14, &[], V6),
    ("IPv4", 228, &[], V4),
    ("IPv6", 229, &[], V6),
    (
        "SLL",
        113,
        &[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0],
        V4,
    ),
    (
        "SLL2",
        276,
        &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0],
        V4,
    ),
    ("null", 0, &[2, 0, 0, 0], V4),
    ("null, big-endian", 0, &[0, 0, 0, 30], V6),
    ("loop", 108, &[0, 0, 0, 24], V6),
    ("PPP", 9, &[0xff, 0x03, 0, 0x21], V4),
    ("PPP, MPLS", 9, &[0x02, 0x81, 0, 2, 1, 64], V4),
    ("PPP in HDLC", 50, &[0xff, 0x03, 0, 0x57], V6),
    ("Cisco HDLC in PPP", 50, &[0x0f, 0, 0x08, 0x00], V4),
    ("Cisco HDLC", 104, &[0x0f, 0, 0x86, 0xdd], V6),
    ("PPPoE session", 51, &[0x11, 0, 0, 1, 0, 99, 0, 0x21], V4),
    (
        "NFLOG",
        239,
        &[2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 33, 0, 9, 0],
        V4,
    ),
    ("NFLOG, big-endian", 239, &[2, 0, 0, 0, 0, 33, 0, 9], V4),
];

fn framed(link: u32, header: &[u8]) -> Vec<u8> {
    let addresses = if link == ETHERNET { 12 } else { 0 };
    [&vec![2; addresses], header].concat()
}

#[test]
fn ip_is_found_in_every_link_layer() {
    let datagram = udp(40_000, 53, b"?");
    for (name, link, header, version) in LINK_HEADERS {
        let (ip, source) = match version {
            V4 => (ipv4(17, SOURCE, TARGET, &datagram), "203.0.113.7"),
            V6 => (ipv6(17, &datagram), "2001:db8::7"),
        };
        let packet = decode(link, &[framed(link, header), ip].concat());
        let packet = packet.unwrap_or_else(|loss| panic!("{name}: {loss:?}"));
        assert_eq!(service(&packet), "udp/53", "{name}");
        assert_eq!(packet.tuple.source, address(source), "{name}");
    }
}

/// Frames without IP. Of Ethernet the two addresses are left out.
const LOST: [(&str, u32, &[u8], Loss); 13] = [
    ("half an Ethernet header", 1, &[8], Loss::Truncated),
    ("ARP", 1, &[0x08, 0x06, 0, 1, 8, 0, 6, 4], Loss::NotIp),
    (
        "spanning tree",
        1,
        &[0, 38, 0x42, 0x42, 3, 0, 0],
        Loss::NotIp,
    ),
    (
        "PPPoE discovery",
        1,
        &[0x88, 0x63, 0x11, 9, 0, 0, 0, 0],
        Loss::NotIp,
    ),
    ("half a tag", 1, &[0x81, 0, 0, 1, 8], Loss::Truncated),
    (
        "endless labels",
        1,
        &[0x88, 0x47, 0, 0, 0, 0, 0, 0, 0, 0],
        Loss::Truncated,
    ),
    (
        "a pseudo-wire",
        1,
        &[0x88, 0x47, 0, 0, 1, 0, 0, 0, 0, 0],
        Loss::NotIp,
    ),
    ("radio", 127, &[0x45; 20], Loss::UnknownLinkType),
    ("version 5", 101, &[0x55; 40], Loss::NotIp),
    ("IPv6 called IPv4", 228, &[0x60; 40], Loss::BadHeader),
    ("IPv4 called IPv6", 229, &[0x45; 40], Loss::BadHeader),
    ("half an IPv4 header", 228, &[0x45; 19], Loss::Truncated),
    ("half an IPv6 header", 229, &[0x60; 39], Loss::Truncated),
];

#[test]
fn what_is_no_ip_is_lost_with_its_reason() {
    for (name, link, header, loss) in LOST {
        assert_eq!(decode(link, &framed(link, header)), Err(loss), "{name}");
    }
    assert_eq!(decode(ETHERNET, &[]), Err(Loss::Truncated));
}

#[test]
fn tags_and_labels_are_counted() {
    let tags = [0, 1, 0x81, 0].repeat(9);
    assert_eq!(
        decode(ETHERNET, &ethernet(0x8100, &tags)),
        Err(Loss::TooDeep)
    );
    assert_eq!(
        decode(ETHERNET, &ethernet(0x8847, &[0; 64])),
        Err(Loss::TooDeep)
    );
}

#[test]
fn a_syn_tells_all_there_is() {
    let packet = decode(RAW, &syn()).unwrap();
    assert_eq!(packet.tuple.traffic, Traffic::ScanSyn);
    assert_eq!(packet.tuple.transport, Transport::Tcp { service_port: 443 });
    assert_eq!(packet.target, address("198.18.0.1"));
    assert_eq!(
        (packet.source_port, packet.window, packet.ttl),
        (40_000, 0xfaf0, 52)
    );
    assert_eq!((packet.bytes, packet.options), (60, OptionLayout::Linux));
    assert_eq!(packet.marks, MarkBits(MarkBits::SYN));
}

#[test]
fn an_answer_is_keyed_by_the_port_that_answers() {
    for flags in [0x12, 0x14, 0x04] {
        let answer = decode(RAW, &ipv4(6, SOURCE, TARGET, &tcp(1234, flags, &[]))).unwrap();
        assert_eq!(answer.tuple.traffic, Traffic::BackscatterTcp);
        assert_eq!(
            (service(&answer), answer.source_port),
            ("tcp/40000".into(), 1234)
        );
        assert_eq!((answer.options, answer.marks.0), (OptionLayout::Unknown, 0));
    }
    let reflected = decode(RAW, &ipv4(17, SOURCE, TARGET, &udp(123, 4321, b"x"))).unwrap();
    assert_eq!(reflected.tuple.traffic, Traffic::BackscatterUdp);
    assert_eq!(
        (service(&reflected), reflected.source_port),
        ("udp/123".into(), 4321)
    );
}

#[test]
fn padding_and_later_options_do_not_confuse() {
    let mut padded = ethernet(0x0800, &ipv4(6, SOURCE, TARGET, &tcp(23, 0x02, &[])));
    padded.extend([2, 4, 5, 0xb4, 0, 0]);
    assert_eq!(
        decode(ETHERNET, &padded).unwrap().options,
        OptionLayout::None
    );
    let mut with_options = ipv4(
        6,
        SOURCE,
        TARGET,
        &[&[1; 8][..], &tcp(23, 0x02, &[])].concat(),
    );
    with_options[0] = 0x47;
    let packet = decode(RAW, &with_options).unwrap();
    assert_eq!((service(&packet), packet.bytes), ("tcp/23".into(), 48));
}

#[test]
fn segmentation_offload_leaves_the_length_to_the_capture() {
    let mut offloaded = syn();
    offloaded[2..4].fill(0);
    assert_eq!(decode(RAW, &offloaded).unwrap().bytes, 60);
}

#[test]
fn headers_that_contradict_themselves_are_bad() {
    let edit = |at: usize, byte: u8| {
        let mut bytes = syn();
        bytes[at] = byte;
        decode(RAW, &bytes)
    };
    assert_eq!(edit(0, 0x44), Err(Loss::BadHeader), "IP header of 16 bytes");
    assert_eq!(edit(3, 19), Err(Loss::BadHeader), "datagram of 19 bytes");
    assert_eq!(edit(3, 33), Err(Loss::BadHeader), "no room for TCP");
    assert_eq!(
        edit(32, 0x40),
        Err(Loss::BadHeader),
        "TCP header of 16 bytes"
    );
    assert_eq!(
        edit(32, 0xf0),
        Err(Loss::BadHeader),
        "TCP header longer than the datagram"
    );
    let mut short = ipv4(17, SOURCE, TARGET, &udp(1, 2, b""));
    short[25] = 7;
    assert_eq!(decode(RAW, &short), Err(Loss::BadHeader), "UDP length 7");
    assert_eq!(
        decode(RAW, &ipv4(17, SOURCE, TARGET, &[0; 7])),
        Err(Loss::BadHeader)
    );
    assert_eq!(
        decode(RAW, &ipv4(1, SOURCE, TARGET, &[8, 0, 0, 0])),
        Err(Loss::BadHeader)
    );
}

#[test]
fn a_short_capture_still_counts() {
    let bytes = syn();
    assert_eq!(decode(RAW, &bytes[..35]), Err(Loss::Truncated));
    let ports = decode(RAW, &bytes[..36]).unwrap();
    assert_eq!(
        (service(&ports), ports.options),
        ("tcp/443".into(), OptionLayout::Unknown)
    );
    assert_eq!(ports.marks.0, MarkBits::SYN);
    let datagram = ipv4(17, SOURCE, TARGET, &udp(40_000, 53, b"long query"));
    assert_eq!(service(&decode(RAW, &datagram[..24]).unwrap()), "udp/53");
    assert_eq!(decode(RAW, &datagram[..23]), Err(Loss::Truncated));
}

#[test]
fn later_fragments_have_no_ports() {
    let mut first = ipv4(17, SOURCE, TARGET, &udp(40_000, 53, b"half a query"));
    first[6] = 0x20; // more fragments
    assert_eq!(service(&decode(RAW, &first).unwrap()), "udp/53");
    first[7] = 1; // eight bytes later
    let later = decode(RAW, &first).unwrap();
    assert_eq!(later.tuple.traffic, Traffic::Fragment);
    assert_eq!(later.tuple.transport, Transport::Other { protocol: 17 });
    let fragment = |offset: u8| [vec![17, 0, 0, offset, 0, 0, 0, 9], udp(9, 53, b"x")].concat();
    assert_eq!(
        service(&decode(RAW, &ipv6(44, &fragment(1))).unwrap()),
        "udp/53"
    );
    let later = decode(RAW, &ipv6(44, &fragment(8))).unwrap();
    assert_eq!(
        (later.tuple.traffic, service(&later)),
        (Traffic::Fragment, "ip/17".into())
    );
}

#[test]
fn extension_headers_are_stepped_over_within_reason() {
    let header = |next: u8| vec![next, 0, 1, 4, 0, 0, 0, 0];
    let long = [vec![6, 1], vec![0; 14]].concat();
    let authentication = [vec![6, 4], vec![0; 22]].concat();
    let chains = [
        (0, [header(6)].concat()),
        (60, long),
        (51, authentication),
        (
            0,
            [
                header(43),
                header(60),
                header(44),
                vec![6, 0, 0, 0, 0, 0, 0, 1],
            ]
            .concat(),
        ),
    ];
    for (next, chain) in chains {
        let packet = decode(RAW, &ipv6(next, &[chain, tcp(23, 0x02, &[])].concat())).unwrap();
        assert_eq!(
            (service(&packet), packet.ttl),
            ("tcp/23".into(), 60),
            "{next}"
        );
    }
    assert_eq!(
        decode(RAW, &ipv6(60, &header(60).repeat(9))),
        Err(Loss::TooDeep)
    );
    assert_eq!(
        decode(RAW, &ipv6(0, &[6, 9, 0, 0, 0, 0, 0, 0])),
        Err(Loss::BadHeader)
    );
    assert_eq!(service(&decode(RAW, &ipv6(59, &[])).unwrap()), "ip/59");
    assert_eq!(service(&decode(RAW, &ipv6(50, &[0; 16])).unwrap()), "ip/50");
}

#[test]
fn what_is_of_the_other_family_is_another_protocol() {
    let echo = [128, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        service(&decode(RAW, &ipv4(58, SOURCE, TARGET, &echo)).unwrap()),
        "ip/58"
    );
    assert_eq!(service(&decode(RAW, &ipv6(1, &echo)).unwrap()), "ip/1");
    let six = decode(RAW, &ipv6(58, &echo)).unwrap();
    assert_eq!(
        (service(&six), six.tuple.traffic),
        ("icmp6/128".into(), Traffic::ScanEcho)
    );
}

#[test]
fn the_victim_of_an_icmp_error_is_whom_the_quote_was_sent_to() {
    let victim = [192, 0, 2, 80];
    for (kind, code) in [(3, 1), (3, 3), (4, 0), (5, 1), (11, 0), (12, 0)] {
        let quoted = ipv4(6, TARGET, victim, &tcp(80, 0x02, &[]));
        let error = ipv4(1, SOURCE, TARGET, &icmp_error(kind, code, &quoted[..28]));
        let packet = decode(RAW, &error).unwrap();
        assert_eq!(
            packet.tuple.traffic,
            Traffic::BackscatterIcmpError,
            "{kind}"
        );
        assert_eq!(packet.tuple.source, address("192.0.2.80"));
        assert_eq!(
            (service(&packet), packet.source_port),
            ("tcp/80".into(), 40_000)
        );
        assert_eq!((packet.marks.0, packet.target), (0, address("198.18.0.1")));
    }
    let quoted = ipv6(17, &udp(9, 5353, b"x"));
    let error = decode(RAW, &ipv6(58, &icmp_error(1, 4, &quoted))).unwrap();
    assert_eq!(error.tuple.source, address("2001:db8:d::1"));
    assert_eq!((service(&error), error.source_port), ("udp/5353".into(), 9));
    assert_eq!(
        error.marks.0,
        MarkBits::MISMATCHED,
        "the quote was not sent by the target"
    );
}

#[test]
fn quotes_tell_no_more_than_they_hold() {
    let victim = [192, 0, 2, 80];
    let quote =
        |datagram: &[u8]| decode(RAW, &ipv4(1, SOURCE, TARGET, &icmp_error(3, 1, datagram)));
    let tcp_quote = ipv4(6, TARGET, victim, &tcp(80, 0x02, &[]));
    assert_eq!(
        service(&quote(&tcp_quote[..23]).unwrap()),
        "ip/6",
        "no ports"
    );
    assert_eq!(quote(&tcp_quote[..19]), Err(Loss::NoQuotedHeader));
    assert_eq!(quote(&[]), Err(Loss::NoQuotedHeader));
    let mut fragment = tcp_quote.clone();
    fragment[7] = 4;
    assert_eq!(
        service(&quote(&fragment).unwrap()),
        "ip/6",
        "a later fragment"
    );
    let echo = ipv4(1, TARGET, victim, &[8, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(service(&quote(&echo).unwrap()), "icmp/8");
    let forged = ipv4(6, [10, 0, 0, 1], victim, &tcp(80, 0x02, &[]));
    assert_eq!(quote(&forged).unwrap().marks.0, MarkBits::MISMATCHED);
}

#[test]
fn only_the_telescope_is_kept() {
    let telescope = Telescope::new(&["198.18.0.0/20".parse().unwrap()]);
    let decoder = Decoder::new(telescope, Delivery::Direct);
    let told = |bytes: &[u8], seen_at: Millis| {
        decoder.decode(&Frame {
            seen_at,
            link: LinkType(RAW),
            bytes,
            wire_bytes: 0,
        })
    };
    assert!(told(&syn(), Millis(0)).is_ok());
    let outside = ipv4(6, SOURCE, [198, 18, 16, 0], &[]);
    assert_eq!(
        told(&outside, Millis(0)),
        Err(Loss::OutsideTelescope),
        "before TCP is looked at"
    );
    assert_eq!(told(&ipv6(59, &[]), Millis(0)), Err(Loss::OutsideTelescope));
    assert!(told(&syn(), TIME_MAX).is_ok());
    assert_eq!(told(&syn(), Millis(TIME_MAX.0 + 1)), Err(Loss::BadTime));
    assert_eq!(told(&syn(), Frame::NO_TIME), Err(Loss::BadTime));
}
