use noroshi_proto::traffic::Traffic::{self, *};

use super::*;

#[test]
fn every_combination_of_flags_has_its_class() {
    for flags in 0..=u8::MAX {
        let told = flags & FLAGS_MASK;
        let expected = match told {
            _ if told & RST != 0 => BackscatterTcp,
            0x12 => BackscatterTcp,
            0x02 => ScanSyn,
            0x10 => TcpAck,
            0x00 | 0x01 | 0x29 | 0x03 => ScanStealth,
            _ => TcpOther,
        };
        assert_eq!(tcp(flags), expected, "{flags:#04x}");
    }
}

#[test]
fn congestion_flags_do_not_hide_a_scan() {
    assert_eq!(tcp(0xc2), ScanSyn);
    assert_eq!(tcp(0x52), BackscatterTcp);
}

#[test]
fn a_request_to_an_amplifier_is_one_from_any_port() {
    let cases: [(u16, u16, Traffic); 11] = [
        (40_000, 53, ScanAmp),
        (53, 53, ScanAmp),
        (123, 123, ScanAmp),
        (5060, 5060, ScanAmp),
        (123, 5353, ScanAmp),
        (53, 40_000, BackscatterUdp),
        (11_211, 1024, BackscatterUdp),
        (53, 1023, ScanUdp),
        (53, 22, ScanUdp),
        (40_000, 40_001, ScanUdp),
        (40_000, 0, ScanUdp),
    ];
    for (source, target, class) in cases {
        assert_eq!(udp(source, target), class, "{source} to {target}");
    }
}

#[test]
fn the_amplifier_table_is_the_list() {
    let listed: Vec<u16> = (0..=u16::MAX).filter(|port| is_amplifier(*port)).collect();
    assert_eq!(listed, AMPLIFIERS);
}

#[test]
fn icmp_is_asked_answered_or_an_error() {
    for kind in 0..=u8::MAX {
        let expected = match kind {
            8 => ScanEcho,
            0 | 14 | 16 | 18 | 43 => BackscatterIcmp,
            3 | 4 | 5 | 11 | 12 => BackscatterIcmpError,
            _ => ScanIcmp,
        };
        assert_eq!(icmp(kind), expected, "{kind}");
    }
    let six = [128, 129, 1, 2, 3, 4, 140, 161, 135, 133, 143, 160, 0].map(icmp6);
    let errors = [BackscatterIcmpError; 4];
    assert_eq!(six[..2], [ScanEcho, BackscatterIcmp]);
    assert_eq!(six[2..6], errors);
    assert_eq!(six[6..8], [BackscatterIcmp; 2]);
    assert_eq!(six[8..], [ScanIcmp; 5]);
}
