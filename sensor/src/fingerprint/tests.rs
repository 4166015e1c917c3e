use noroshi_proto::flow::OptionLayout::{self, *};

use super::*;

/// A SYN of an ordinary Linux host to 198.18.0.1.
const ORDINARY: Syn = Syn {
    sequence: 0x1234_5678,
    target_port: 443,
    window: 64_240,
    ttl: 52,
    options: Linux,
};
const ORDINARY_IP: Ipv4Facts = Ipv4Facts {
    id: 7,
    dont_fragment: true,
    target: 0xc612_0001,
};

fn marks(syn: Syn, ip: Ipv4Facts) -> u8 {
    of_syn(&syn, Some(&ip)).0 & !MarkBits::SYN
}

#[test]
fn an_ordinary_syn_matches_nothing() {
    assert_eq!(
        of_syn(&ORDINARY, Some(&ORDINARY_IP)),
        MarkBits(MarkBits::SYN)
    );
    assert_eq!(of_syn(&ORDINARY, Option::None), MarkBits(MarkBits::SYN));
}

#[test]
fn each_tool_matches_its_rule_and_no_other() {
    let mirai = Syn {
        sequence: ORDINARY_IP.target,
        ..ORDINARY
    };
    assert_eq!(marks(mirai, ORDINARY_IP), MarkBits::MIRAI);

    let zmap = Ipv4Facts {
        id: 54_321,
        ..ORDINARY_IP
    };
    assert_eq!(marks(ORDINARY, zmap), MarkBits::ZMAP);

    let relation = (ORDINARY_IP.target ^ 443 ^ ORDINARY.sequence) as u16;
    let masscan = Ipv4Facts {
        id: relation,
        ..ORDINARY_IP
    };
    assert_eq!(marks(ORDINARY, masscan), MarkBits::MASSCAN);

    let modern = Syn {
        options: Windows,
        window: 65_535,
        ..ORDINARY
    };
    let fragmentable = Ipv4Facts {
        dont_fragment: false,
        ..ORDINARY_IP
    };
    assert_eq!(marks(modern, fragmentable), MarkBits::ZMAP_MODERN);
    assert_eq!(marks(modern, ORDINARY_IP), 0, "real Windows sets DF");
    assert_eq!(
        marks(Syn { ttl: 116, ..modern }, fragmentable),
        0,
        "and begins with 128"
    );
}

#[test]
fn senders_that_are_alike_are_told_apart() {
    let relation = (ORDINARY_IP.target ^ 443 ^ ORDINARY.sequence) as u16;
    let masscan = Ipv4Facts {
        id: relation,
        ..ORDINARY_IP
    };
    let nmap = Syn {
        options: Mss,
        window: 1_024,
        ..ORDINARY
    };
    assert_eq!(marks(nmap, ORDINARY_IP), MarkBits::NMAP);
    assert_eq!(
        marks(nmap, masscan),
        MarkBits::MASSCAN,
        "masscan sends 1024 and MSS, too"
    );

    let stateless = MarkBits::IRREGULAR;
    assert_eq!(
        marks(
            Syn {
                options: OptionLayout::None,
                ..ORDINARY
            },
            ORDINARY_IP
        ),
        stateless
    );
    assert_eq!(
        marks(
            Syn {
                ttl: 201,
                ..ORDINARY
            },
            ORDINARY_IP
        ),
        stateless
    );
    assert_eq!(
        marks(
            Syn {
                ttl: 200,
                ..ORDINARY
            },
            ORDINARY_IP
        ),
        0
    );
}

#[test]
fn zmap_is_told_by_its_ip_id_on_scans_of_any_transport() {
    let zmap = Ipv4Facts {
        id: 54_321,
        ..ORDINARY_IP
    };
    assert_eq!(of_other(Traffic::ScanUdp, Some(&zmap)).0, MarkBits::ZMAP);
    assert_eq!(of_other(Traffic::ScanEcho, Some(&zmap)).0, MarkBits::ZMAP);
    assert_eq!(of_other(Traffic::BackscatterTcp, Some(&zmap)).0, 0);
    assert_eq!(of_other(Traffic::ScanUdp, Some(&ORDINARY_IP)).0, 0);
    assert_eq!(of_other(Traffic::ScanUdp, Option::None).0, 0);
}

#[test]
fn option_layouts_are_told_by_their_order() {
    const MSS: &[u8] = &[2, 4, 5, 0xb4];
    const SACK: &[u8] = &[4, 2];
    const SCALE: &[u8] = &[3, 3, 7];
    const TIME: &[u8] = &[8, 10, 1, 2, 3, 4, 0, 0, 0, 0];
    const NOP: &[u8] = &[1];
    const END: &[u8] = &[0];
    let cases: [(&[&[u8]], OptionLayout); 14] = [
        (&[], OptionLayout::None),
        (&[NOP, NOP, END, END], OptionLayout::None),
        (&[MSS], Mss),
        (&[MSS, NOP, NOP, NOP, END], Mss),
        (&[MSS, SACK, TIME, NOP, SCALE], Linux),
        (&[MSS, NOP, SCALE, NOP, NOP, SACK], Windows),
        (&[MSS, NOP, SCALE, NOP, NOP, TIME, SACK, END, END], Bsd),
        (&[MSS, NOP, SCALE, TIME, SACK], Bsd),
        (&[MSS, NOP, SCALE, SACK, TIME], Bsd),
        (&[MSS, SACK, NOP, NOP], Other),
        (&[TIME, NOP, NOP], Other),
        (&[&[2, 40, 5, 0xb4]], Malformed),
        (&[&[3, 1, 0, 0]], Malformed),
        (&[NOP, NOP, NOP, &[8]], Malformed),
    ];
    for (options, layout) in cases {
        let bytes = options.concat();
        assert_eq!(option_layout(&bytes), layout, "{bytes:02x?}");
    }
}
