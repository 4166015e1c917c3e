//! What shows the light, and what does not.

use noroshi_proto::flow::{FlowTuple, OptionLayout};
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Transport;

use super::*;
use crate::packet::MarkBits;

fn segment(source_port: u16, target: &str, traffic: Traffic, bytes: u32) -> Packet {
    Packet {
        seen_at: Millis(0),
        tuple: FlowTuple {
            source: "203.0.113.7".parse().unwrap(),
            traffic,
            transport: Transport::Tcp { service_port: 443 },
        },
        target: target.parse().unwrap(),
        bytes,
        source_port,
        window: 500,
        ttl: 52,
        options: OptionLayout::None,
        marks: MarkBits::default(),
    }
}

fn judged(packets: &[Packet]) -> Vec<Light> {
    let mut darkness = Darkness::new(Vec::new());
    packets
        .iter()
        .map(|packet| darkness.judge(packet))
        .collect()
}

/// The inbound half of two requests on one connection, as a client sends it.
fn conversation(target: &str) -> Vec<Packet> {
    use Traffic::{ScanSyn, TcpAck, TcpOther};
    let sent = [
        (ScanSyn, 60),
        (TcpAck, 52),
        (TcpOther, 569),
        (TcpAck, 52),
        (TcpAck, 52),
        (TcpOther, 132),
        (TcpOther, 480),
        (TcpAck, 52),
        (TcpAck, 52),
        (TcpOther, 52),
    ];
    sent.map(|(traffic, bytes)| segment(40_000, target, traffic, bytes))
        .to_vec()
}

#[test]
fn a_conversation_lights_what_is_around_it() {
    let mut darkness = Darkness::new(Vec::new());
    let judged: Vec<Light> = conversation("198.18.3.17")
        .iter()
        .map(|packet| darkness.judge(packet))
        .collect();
    let lit: IpNet = "198.18.3.16/28".parse().unwrap();
    assert_eq!(judged[..8], [Light::Dark; 8]);
    assert_eq!(judged[8..], [Light::Dawn(lit), Light::Lit]);
    let scan = |target| segment(50_000, target, Traffic::ScanSyn, 40);
    assert_eq!(darkness.judge(&scan("198.18.3.31")), Light::Lit);
    assert_eq!(darkness.judge(&scan("198.18.3.32")), Light::Dark);
    assert_eq!(darkness.lit(), [lit]);
}

#[test]
fn what_was_lit_stays_lit() {
    let lit = vec!["2001:db8:d::/64".parse().unwrap()];
    let mut darkness = Darkness::new(lit);
    let scan = |target| segment(50_000, target, Traffic::ScanSyn, 60);
    assert_eq!(darkness.judge(&scan("2001:db8:d::9")), Light::Lit);
    assert_eq!(darkness.judge(&scan("2001:db8:d:1::9")), Light::Dark);
}

#[test]
fn floods_sweeps_and_persistence_stay_dark() {
    let ack = |port, length| segment(port, "198.18.3.17", Traffic::TcpAck, length);
    let flood: Vec<Packet> = (0..10_000).map(|_| ack(40_000, 40)).collect();
    let sweep: Vec<Packet> = (0..10_000).map(|n| ack(n, 40 + u32::from(n % 9))).collect();
    let probes: Vec<Packet> = (0..1_000).map(|n| ack(7, 40 + n % 2)).collect();
    let asking = segment(40_000, "198.18.3.17", Traffic::ScanSyn, 60);
    let asking = vec![asking; 1_000];
    let echo = segment(80, "198.18.3.17", Traffic::BackscatterTcp, 44);
    let echoes = vec![echo; 1_000];
    for packets in [flood, sweep, probes, asking, echoes] {
        assert!(judged(&packets).iter().all(|light| *light == Light::Dark));
    }
}

/// Many talk to many at once: each is followed as far as there is room.
#[test]
fn room_is_fixed() {
    let mut darkness = Darkness::new(Vec::new());
    for port in 0..u16::MAX {
        darkness.judge(&segment(port, "198.18.3.17", Traffic::TcpAck, 52));
    }
    assert_eq!(darkness.conversations.len(), CONVERSATIONS);
}
