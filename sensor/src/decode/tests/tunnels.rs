//! What is taken off a telescope's packets, and what is not.

use super::frames::*;
use super::*;

const ROUTER: [u8; 4] = [192, 0, 2, 1];
const SENSOR: [u8; 4] = [192, 0, 2, 2];

fn wrapped(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4(protocol, ROUTER, SENSOR, payload)
}

#[test]
fn each_kind_of_gre_is_taken_off() {
    let (v4, inner) = (syn(), ethernet(0x0800, &syn()));
    let v6 = ipv6(6, &tcp(443, 0x02, &[]));
    let cases: [(&str, &[u8], usize, &[u8]); 8] = [
        ("GRE", &[0, 0, 8, 0], 0, &v4),
        ("IPv6", &[0, 0, 0x86, 0xdd], 0, &v6),
        ("PPP", &[0, 0, 0x88, 0x0b, 0, 0x21], 0, &v4),
        ("checksum, key and sequence", &[0xb0, 0, 8, 0], 12, &v4),
        ("NVGRE", &[0x20, 0, 0x65, 0x58], 4, &inner),
        ("ERSPAN I", &[0, 0, 0x88, 0xbe], 0, &inner),
        ("ERSPAN II", &[0x10, 0, 0x88, 0xbe], 12, &inner),
        ("ERSPAN III", &[0x10, 0, 0x22, 0xeb], 16, &inner),
    ];
    for (name, header, zeros, rest) in cases {
        let payload = [header, &vec![0; zeros], rest].concat();
        check(name, Delivery::Gre, &wrapped(47, &payload));
    }
}

#[test]
fn ip_vxlan_and_geneve_are_taken_off() {
    let (v4, inner) = (syn(), ethernet(0x0800, &syn()));
    let v6 = ipv6(6, &tcp(443, 0x02, &[]));
    check("IP in IP", Delivery::Ipip, &wrapped(4, &v4));
    check("6in4", Delivery::Ipip, &wrapped(41, &v6));
    check("4in6", Delivery::Ipip, &ipv6(4, &v4));
    check("6in6", Delivery::Ipip, &ipv6(41, &v6));
    let vxlan = [&[8, 0, 0, 0, 0, 0, 5, 0][..], &inner].concat();
    check(
        "VXLAN",
        Delivery::Vxlan,
        &wrapped(17, &udp(9999, 4789, &vxlan)),
    );
    let geneve = [&[1, 0, 0x65, 0x58, 0, 0, 5, 0, 9, 9, 9, 9][..], &inner].concat();
    check(
        "Geneve",
        Delivery::Geneve,
        &wrapped(17, &udp(9999, 6081, &geneve)),
    );
    let bare = [&[0, 0, 0x08, 0x00, 0, 0, 5, 0][..], &v4].concat();
    check(
        "Geneve, IP",
        Delivery::Geneve,
        &wrapped(17, &udp(9999, 6081, &bare)),
    );
}

/// Within is a SYN to port 443, and nobody sees it unasked.
fn check(name: &str, delivery: Delivery, bytes: &[u8]) {
    let packet = decode_by(delivery, RAW, bytes);
    let packet = packet.unwrap_or_else(|loss| panic!("{name}: {loss:?}"));
    assert_eq!(service(&packet), "tcp/443", "{name}");
    let direct = decode(RAW, bytes).expect("the wrapping is IP");
    assert_ne!(service(&direct), "tcp/443", "{name}");
}

#[test]
fn what_arrives_unwrapped_is_taken_as_it_is() {
    for delivery in DELIVERIES {
        assert_eq!(
            service(&decode_by(delivery, RAW, &syn()).unwrap()),
            "tcp/443"
        );
    }
}

#[test]
fn what_an_attacker_wraps_stays_wrapped() {
    let attack = ipv4(47, SOURCE, TARGET, &[&[0, 0, 8, 0][..], &syn()].concat());
    let delivered = wrapped(47, &[&[0, 0, 8, 0][..], &attack].concat());
    let packet = decode_by(Delivery::Gre, RAW, &delivered).unwrap();
    assert_eq!(
        (service(&packet), packet.target),
        ("ip/47".into(), address("198.18.0.1"))
    );
}

#[test]
fn broken_wrappings_are_losses() {
    let cases: [(&[u8], Loss); 5] = [
        (&[0, 0, 8], Loss::Truncated),
        (&[0x40, 0, 8, 0], Loss::BadHeader),
        (&[0, 2, 8, 0], Loss::BadHeader),
        (&[0x80, 0, 8, 0, 1], Loss::Truncated),
        (&[0, 0, 0, 0], Loss::NotIp),
    ];
    for (bytes, loss) in cases {
        assert_eq!(
            decode_by(Delivery::Gre, RAW, &wrapped(47, bytes)),
            Err(loss),
            "{bytes:02x?}"
        );
    }
}
