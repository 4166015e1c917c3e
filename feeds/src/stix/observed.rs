//! Addresses and traffic: what an alert saw, as observables.

use std::collections::BTreeMap;
use std::net::IpAddr;

use noroshi_store::alert::{Alert, Kind, Subject};
use serde_json::{Value, json};

use super::id;
use super::object::{Body, Head, Object, Second, Traffic};

/// What an alert saw: the address it names after its network, the traffic, further addresses.
///
/// Empty where it names no address.
pub fn observables(alert: &Alert, markings: &[String]) -> Vec<Object> {
    let (text, asn) = match &alert.subject {
        Subject::Source { source, asn } => (source.to_string(), *asn),
        Subject::Victim { victim, asn } => (victim.clone(), *asn),
        _ => (String::new(), None),
    };
    let system = asn.map(|number| autonomous_system(number, markings));
    let mut seen = Vec::new();
    if let Some((address, family)) = address(&text, system.as_ref(), markings) {
        let traffic = traffic(alert, &address.id, family, markings);
        seen.extend(system);
        seen.push(address);
        seen.extend(traffic);
    }
    let listed = alert.evidence.hosts.iter().chain(&alert.evidence.victims);
    let further = listed.filter_map(|one| address(&one.to_string(), None, markings));
    seen.extend(further.map(|(address, _)| address));
    seen
}

/// An address or prefix, and its family's name.
fn address(
    text: &str,
    system: Option<&Object>,
    markings: &[String],
) -> Option<(Object, &'static str)> {
    let first = text.split_once('/').map_or(text, |(first, _)| first);
    let (kind, family) = match first.parse().ok()? {
        IpAddr::V4(_) => ("ipv4-addr", "ipv4"),
        IpAddr::V6(_) => ("ipv6-addr", "ipv6"),
    };
    let id = id::of_observable(kind, &BTreeMap::from([("value", json!(text))]));
    let body = Body::Address {
        value: text.to_owned(),
        belongs_to_refs: system.map(|system| system.id.clone()).into_iter().collect(),
    };
    Some((Object::new(kind, id, head(markings), body), family))
}

fn autonomous_system(number: u32, markings: &[String]) -> Object {
    let kind = "autonomous-system";
    let id = id::of_observable(kind, &BTreeMap::from([("number", json!(number))]));
    Object::new(kind, id, head(markings), Body::AutonomousSystem { number })
}

fn head(markings: &[String]) -> Head {
    Head {
        object_marking_refs: markings.to_vec(),
        ..Head::default()
    }
}

/// One flow per service. Packets and the peer's port are known of all services together, so they
/// are said only where there is one.
fn traffic(alert: &Alert, address: &str, family: &'static str, markings: &[String]) -> Vec<Object> {
    if alert.kind == Kind::SpoofSuspect {
        return Vec::new(); // none of it is the address's
    }
    let services = &alert.evidence.services;
    let alone = services.len() <= 1;
    let mut flows: Vec<Traffic> = Vec::new();
    for service in services {
        let Some((protocol, port)) = protocol(service) else {
            continue;
        };
        let flow = Traffic {
            start: Some(Second::of(alert.first_seen)),
            end: Some(Second::after(alert.last_seen)),
            protocols: std::iter::once(family).chain(protocol).collect(),
            ..direction(alert, address, port, alone)
        };
        if !flows.contains(&flow) {
            flows.push(flow);
        }
    }
    let object = |flow| {
        let id = id::of_observable("network-traffic", &identifying(&flow));
        let body = Body::Traffic(Box::new(flow));
        Object::new("network-traffic", id, head(markings), body)
    };
    flows.into_iter().map(object).collect()
}

/// Who sent and who got, as far as it may be said: never a telescope's address.
///
/// Of a victim the flood itself is told, not its echo that was seen: the packets that came back
/// from it are those from destination to source.
fn direction(alert: &Alert, address: &str, port: Option<u16>, alone: bool) -> Traffic {
    let evidence = &alert.evidence;
    let packets = Some(evidence.packets).filter(|_| alone);
    let peer = evidence.source_port.filter(|_| alone && port.is_some());
    let address = Some(address.to_owned());
    match alert.kind {
        Kind::DdosVictim => Traffic {
            dst_ref: address,
            dst_port: port,
            dst_packets: packets,
            ..Traffic::default()
        },
        // what amplifiers send to the address in whose name they were asked
        Kind::ReflectionVictim => Traffic {
            dst_ref: address,
            src_port: port,
            dst_port: peer,
            ..Traffic::default()
        },
        Kind::OpenReflector => Traffic {
            src_ref: address,
            src_port: port,
            src_packets: packets,
            ..Traffic::default()
        },
        _ => Traffic {
            src_ref: address,
            src_port: peer,
            dst_port: port,
            src_packets: packets,
            ..Traffic::default()
        },
    }
}

/// `tcp/23` as a protocol's name and a port; neither for other protocols of IP.
fn protocol(service: &str) -> Option<(Option<&'static str>, Option<u16>)> {
    let (name, number) = service.split_once('/')?;
    let number = number.parse().ok()?;
    Some(match name {
        "tcp" => (Some("tcp"), Some(number)),
        "udp" => (Some("udp"), Some(number)),
        "icmp" => (Some("icmp"), None),
        "icmp6" => (Some("ipv6-icmp"), None),
        _ => (None, None),
    })
}

/// What identifies a flow (STIX 2.1 §6.12).
fn identifying(flow: &Traffic) -> BTreeMap<&'static str, Value> {
    let mut identifying = BTreeMap::from([("protocols", json!(flow.protocols))]);
    let mut put = |name, value: Option<Value>| {
        if let Some(value) = value {
            identifying.insert(name, value);
        }
    };
    put("start", flow.start.map(|at| json!(at)));
    put("end", flow.end.map(|at| json!(at)));
    put("src_ref", flow.src_ref.as_ref().map(|id| json!(id)));
    put("dst_ref", flow.dst_ref.as_ref().map(|id| json!(id)));
    put("src_port", flow.src_port.map(|port| json!(port)));
    put("dst_port", flow.dst_port.map(|port| json!(port)));
    identifying
}
