//! Link layers, IP and what it carries.

use noroshi_proto::flow::OptionLayout;

use super::frames::*;
use super::*;

#[test]
fn ip_is_found_in_every_link_layer() {
    let v4 = ipv4(17, SOURCE, TARGET, &udp(40_000, 53, b"?"));
    let v6 = ipv6(17, &udp(40_000, 53, b"?"));
    let with = |header: &[u8], rest: &[u8]| [header, rest].concat();
    let vlan = |inner: &[u8], rest: &[u8]| ethernet(0x8100, &with(inner, rest));
    let mpls = |rest: &[u8]| with(&[0, 1, 0, 64, 0, 2, 1, 64], rest);
    let length = (v4.len() as u16 + 4).to_le_bytes();
    let big = (v4.len() as u16 + 4).to_be_bytes();
    let cases: Vec<(&str, u32, Vec<u8>)> = vec![
        ("Ethernet", 1, ethernet(0x0800, &v4)),
        ("Ethernet, IPv6", 1, ethernet(0x86dd, &v6)),
        ("VLAN", 1, vlan(&[0, 5, 0x08, 0x00], &v4)),
        (
            "old QinQ",
            1,
            ethernet(0x9100, &with(&[0, 5, 0x81, 0, 0, 6, 0x08, 0x00], &v4)),
        ),
        (
            "QinQ",
            1,
            ethernet(0x88a8, &with(&[0, 5, 0x81, 0, 0, 6, 0x86, 0xdd], &v6)),
        ),
        (
            "VN-Tag",
            1,
            ethernet(0x8926, &with(&[0, 0, 0, 0, 0x08, 0x00], &v4)),
        ),
        (
            "SNAP",
            1,
            ethernet(60, &with(&[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], &v4)),
        ),
        ("MPLS", 1, ethernet(0x8847, &mpls(&v4))),
        ("MPLS, IPv6", 1, ethernet(0x8848, &mpls(&v6))),
        (
            "PPPoE",
            1,
            ethernet(0x8864, &with(&[0x11, 0, 0, 1, 0, 99, 0, 0x21], &v4)),
        ),
        (
            "PPPoE, compressed",
            1,
            ethernet(0x8864, &with(&[0x11, 0, 0, 1, 0, 99, 0x57], &v6)),
        ),
        ("raw", 101, v4.clone()),
        ("raw, IPv6", 101, v6.clone()),
        ("raw of Linux", 12, v4.clone()),
        ("raw of OpenBSD", 14, v6.clone()),
        ("IPv4", 228, v4.clone()),
        ("IPv6", 229, v6.clone()),
        (
            "SLL",
            113,
            with(&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x08, 0x00], &v4),
        ),
        (
            "SLL2",
            276,
            with(
                &[
                    0x86, 0xdd, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0,
                ],
                &v6,
            ),
        ),
        ("null", 0, with(&[2, 0, 0, 0], &v4)),
        ("null of a big-endian machine", 0, with(&[0, 0, 0, 30], &v6)),
        ("loop", 108, with(&[0, 0, 0, 24], &v6)),
        ("PPP", 9, with(&[0xff, 0x03, 0, 0x21], &v4)),
        ("PPP, MPLS", 9, with(&[0x02, 0x81], &mpls(&v4))),
        ("PPP in HDLC", 50, with(&[0xff, 0x03, 0, 0x57], &v6)),
        ("Cisco HDLC in PPP", 50, with(&[0x0f, 0, 0x08, 0x00], &v4)),
        ("Cisco HDLC", 104, with(&[0x0f, 0, 0x86, 0xdd], &v6)),
        (
            "PPPoE session",
            51,
            with(&[0x11, 0, 0, 1, 0, 99, 0, 0x21], &v4),
        ),
        (
            "NFLOG",
            239,
            with(
                &[
                    2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, length[0], length[1], 9, 0,
                ],
                &v4,
            ),
        ),
        (
            "NFLOG of a big-endian machine",
            239,
            with(&[2, 0, 0, 0, big[0], big[1], 0, 9], &v4),
        ),
    ];
    for (name, link, bytes) in cases {
        let packet = decode(link, &bytes).unwrap_or_else(|loss| panic!("{name}: {loss:?}"));
        assert_eq!(service(&packet), "udp/53", "{name}");
        let expected = if packet.target.is_ipv4() {
            "203.0.113.7"
        } else {
            "2001:db8::7"
        };
        assert_eq!(packet.tuple.source, address(expected), "{name}");
    }
}

#[test]
fn what_is_no_ip_is_lost_with_its_reason() {
    let v4 = syn();
    let tags: Vec<u8> = [0, 1, 0x81, 0].repeat(9);
    let cases: Vec<(&str, u32, Vec<u8>, Loss)> = vec![
        ("nothing", 1, vec![], Loss::Truncated),
        ("half an Ethernet header", 1, vec![0; 13], Loss::Truncated),
        ("ARP", 1, ethernet(0x0806, &[0; 28]), Loss::NotIp),
        (
            "spanning tree",
            1,
            ethernet(38, &[0x42, 0x42, 3, 0, 0]),
            Loss::NotIp,
        ),
        (
            "PPPoE discovery",
            1,
            ethernet(0x8863, &[0x11, 9, 0, 0, 0, 0]),
            Loss::NotIp,
        ),
        ("too many tags", 1, ethernet(0x8100, &tags), Loss::TooDeep),
        (
            "half a tag",
            1,
            ethernet(0x8100, &[0, 1, 8]),
            Loss::Truncated,
        ),
        (
            "endless labels",
            1,
            ethernet(0x8847, &[0; 64]),
            Loss::TooDeep,
        ),
        (
            "a pseudo-wire",
            1,
            ethernet(0x8847, &[0, 0, 1, 0, 0, 0, 0, 0]),
            Loss::NotIp,
        ),
        ("radio", 127, v4.clone(), Loss::UnknownLinkType),
        ("version 5", 101, vec![0x55; 40], Loss::NotIp),
        (
            "IPv6 called IPv4",
            1,
            ethernet(0x0800, &ipv6(59, &[])),
            Loss::BadHeader,
        ),
        (
            "IPv4 called IPv6",
            1,
            ethernet(0x86dd, &[&v4[..], &v4].concat()),
            Loss::BadHeader,
        ),
        (
            "half an IPv4 header",
            228,
            v4[..19].to_vec(),
            Loss::Truncated,
        ),
        (
            "half an IPv6 header",
            229,
            ipv6(59, &[])[..39].to_vec(),
            Loss::Truncated,
        ),
    ];
    for (name, link, bytes, loss) in cases {
        assert_eq!(decode(link, &bytes), Err(loss), "{name}");
    }
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
