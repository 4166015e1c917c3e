//! What is taken off a telescope's packets, and what is not.

use super::frames::*;
use super::*;

const ROUTER: [u8; 4] = [192, 0, 2, 1];
const SENSOR: [u8; 4] = [192, 0, 2, 2];

fn wrapped(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4(protocol, ROUTER, SENSOR, payload)
}

#[test]
fn each_delivery_takes_off_its_own_wrapping() {
    let v4 = syn();
    let v6 = ipv6(6, &tcp(443, 0x02, &[]));
    let inner = ethernet(0x0800, &v4);
    let gre = |header: &[u8], rest: &[u8]| wrapped(47, &[header, rest].concat());
    let vxlan = |rest: &[u8]| [&[8, 0, 0, 0, 0, 0, 5, 0][..], rest].concat();
    let geneve = |header: &[u8], rest: &[u8]| [header, rest].concat();
    let cases = [
        ("GRE", Delivery::Gre, gre(&[0, 0, 8, 0], &v4)),
        ("GRE, IPv6", Delivery::Gre, gre(&[0, 0, 0x86, 0xdd], &v6)),
        (
            "GRE with everything",
            Delivery::Gre,
            gre(&[&[0xb0, 0, 8, 0][..], &[0; 12]].concat(), &v4),
        ),
        (
            "NVGRE",
            Delivery::Gre,
            gre(&[0x20, 0, 0x65, 0x58, 0, 0, 5, 0], &inner),
        ),
        ("ERSPAN I", Delivery::Gre, gre(&[0, 0, 0x88, 0xbe], &inner)),
        (
            "ERSPAN II",
            Delivery::Gre,
            gre(&[&[0x10, 0, 0x88, 0xbe][..], &[0; 12]].concat(), &inner),
        ),
        (
            "ERSPAN III",
            Delivery::Gre,
            gre(&[&[0x10, 0, 0x22, 0xeb][..], &[0; 16]].concat(), &inner),
        ),
        ("IP in IP", Delivery::Ipip, wrapped(4, &v4)),
        ("6in4", Delivery::Ipip, wrapped(41, &v6)),
        ("4in6", Delivery::Ipip, ipv6(4, &v4)),
        ("6in6", Delivery::Ipip, ipv6(41, &v6)),
        (
            "VXLAN",
            Delivery::Vxlan,
            wrapped(17, &udp(9999, 4789, &vxlan(&inner))),
        ),
        (
            "Geneve",
            Delivery::Geneve,
            wrapped(
                17,
                &udp(
                    9999,
                    6081,
                    &geneve(&[1, 0, 0x65, 0x58, 0, 0, 5, 0, 9, 9, 9, 9], &inner),
                ),
            ),
        ),
    ];
    for (name, delivery, bytes) in cases {
        let packet = decode_by(delivery, RAW, &bytes);
        let packet = packet.unwrap_or_else(|loss| panic!("{name}: {loss:?}"));
        assert_eq!(service(&packet), "tcp/443", "{name}");
        let direct = decode(RAW, &bytes).unwrap();
        assert_ne!(
            service(&direct),
            "tcp/443",
            "{name}: nothing is unwrapped unasked"
        );
    }
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
