//! The packets of a window, for capture files.
//!
//! What a window does not say is drawn: the targets, within the sensor's telescope, and the
//! time between a flow's first and last packet.

use std::net::{IpAddr, Ipv4Addr};

use noroshi_proto::flow::{Flow, OptionLayout};
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Transport;
use noroshi_store::window::Window;

use super::{Place, region};
use crate::generate::packet::{Content, Sent, Tool};
use crate::generate::random::Random;

/// The packets that reach one sensor in this window, in order of time. The packets of
/// classes that the writer of captures does not know are left out.
pub fn packets(window: &Window, sensors: &[Place], sensor: usize, seed: u64) -> Vec<Sent> {
    let Some(place) = sensors.get(sensor) else {
        return Vec::new();
    };
    let mut random = Random::new(seed ^ window.interval.0 ^ (sensor as u64) << 48);
    let first = region::telescope(sensors, sensor).network().to_bits();
    let mut packets = Vec::new();
    for sighting in &window.flows {
        if window.watches[sighting.watch].sensor != place.sensor {
            continue;
        }
        let flow = &sighting.flow;
        let IpAddr::V4(source) = flow.tuple.source else {
            continue;
        };
        for index in 0..flow.tally.packets {
            let offset = random.below(place.addresses.into()) as u32;
            packets.push(Sent {
                at: moment(flow, index),
                source,
                target: Ipv4Addr::from_bits(first + offset),
                ttl: flow.tally.ttl_min,
                content: content(flow),
                salt: random.bits() as u32,
            });
        }
    }
    packets.sort_unstable();
    packets
}

fn moment(flow: &Flow, index: u64) -> Millis {
    let tally = &flow.tally;
    let lasts = tally.last.0 - tally.first.0;
    Millis(tally.first.0 + lasts * index / (tally.packets - 1).max(1))
}

fn content(flow: &Flow) -> Content {
    let source_port = flow.tally.source_port;
    match flow.tuple.transport {
        Transport::Tcp { service_port } if flow.tuple.traffic.is_backscatter() => Content::Reset {
            port: service_port,
            source_port,
        },
        Transport::Tcp { service_port } => Content::Syn {
            tool: tool(flow),
            port: service_port,
            source_port,
        },
        Transport::Udp { service_port } => Content::Datagram {
            port: service_port,
            source_port,
        },
        _ => Content::Echo,
    }
}

fn tool(flow: &Flow) -> Tool {
    let marks = &flow.tally.marks;
    match flow.tally.options {
        OptionLayout::Windows => Tool::Windows,
        _ if marks.mirai > 0 => Tool::Mirai,
        _ if marks.zmap > 0 => Tool::Zmap,
        _ if marks.masscan > 0 => Tool::Masscan,
        _ if marks.nmap > 0 => Tool::Nmap,
        _ => Tool::Linux,
    }
}
