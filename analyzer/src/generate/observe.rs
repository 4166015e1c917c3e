//! The windows that sensors would make of packets, for tests of detectors.
//!
//! What a sensor decides from bytes is taken from what the packet was made for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::SensorId;
use noroshi_proto::sample::{TargetBits, TargetSample, sample_max};
use noroshi_proto::time::{Interval, IntervalLength};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::origin::Origin;
use noroshi_store::window::{Sighting, Watch, Window};

use super::packet::{Content, Sent, Tool};
use crate::detectors::distinct::mix;

/// Ports whose requests are amplified, as far as the generator uses them.
const AMPLIFIERS: [u16; 6] = [53, 123, 161, 389, 1900, 11_211];

/// One flow, while its interval lasts.
#[derive(Default)]
struct Counted {
    packets: Vec<Sent>,
    targets: BTreeSet<u32>,
}

/// The windows of these packets, each seen by the sensor whose telescope it hits; packets
/// that hit none are left out. `origin` says where a source is.
pub fn windows(
    sensors: &[(SensorId, Ipv4Net)],
    packets: &[Sent],
    mut origin: impl FnMut(IpAddr) -> Arc<Origin>,
) -> Vec<Window> {
    let mut counted: BTreeMap<Interval, BTreeMap<(FlowTuple, usize), Counted>> = BTreeMap::new();
    for packet in packets {
        let hit = sensors
            .iter()
            .position(|(_, net)| net.contains(&packet.target));
        let Some(watch) = hit else { continue };
        let interval = packet.at.interval(IntervalLength::DEFAULT);
        let tuples = counted.entry(interval).or_default();
        let one = tuples.entry((tuple(packet), watch)).or_default();
        one.packets.push(*packet);
        one.targets.insert(masked(sensors[watch].1, packet));
    }
    let watches: Vec<Watch> = sensors.iter().map(watch).collect();
    let mut result = Vec::with_capacity(counted.len());
    for (interval, flows) in counted {
        let flows = flows.into_iter().map(|((tuple, watch), one)| Sighting {
            watch,
            origin: origin(tuple.source),
            flow: Flow {
                tuple,
                tally: tally(tuple, &one),
            },
            late: false,
        });
        result.push(Window {
            interval,
            length: IntervalLength::DEFAULT,
            watches: watches.clone(),
            flows: flows.collect(),
        });
    }
    result
}

fn watch((sensor, net): &(SensorId, Ipv4Net)) -> Watch {
    Watch {
        sensor: sensor.clone(),
        addresses: 1 << (32 - net.prefix_len()),
        target_bits: bits(*net),
    }
}

fn bits(net: Ipv4Net) -> TargetBits {
    if net.prefix_len() >= 16 {
        TargetBits::Sixteen
    } else {
        TargetBits::ThirtyTwo
    }
}

/// A stand-in for the sensor's keyed mask: a permutation, or a hash.
fn masked(net: Ipv4Net, packet: &Sent) -> u32 {
    let offset = packet.target.to_bits() - net.network().to_bits();
    match bits(net) {
        TargetBits::Sixteen => {
            let mut value = (offset as u16).wrapping_mul(40_503);
            value ^= value >> 7;
            value.wrapping_mul(29_383).into()
        }
        TargetBits::ThirtyTwo => mix(u64::from(offset)) as u32,
    }
}

fn tuple(packet: &Sent) -> FlowTuple {
    let (traffic, transport) = match packet.content {
        Content::Syn { port, .. } => (Traffic::ScanSyn, Transport::Tcp { service_port: port }),
        Content::Reset { port, .. } => (
            Traffic::BackscatterTcp,
            Transport::Tcp { service_port: port },
        ),
        Content::Datagram { port, .. } if AMPLIFIERS.contains(&port) => {
            (Traffic::ScanAmp, Transport::Udp { service_port: port })
        }
        Content::Datagram { port, .. } => (Traffic::ScanUdp, Transport::Udp { service_port: port }),
        Content::Echo => (Traffic::ScanEcho, Transport::Icmp { kind: 8, code: 0 }),
    };
    FlowTuple {
        source: packet.source.into(),
        traffic,
        transport,
    }
}

fn tally(tuple: FlowTuple, counted: &Counted) -> Tally {
    let packets = &counted.packets;
    let first = packets[0];
    let ttl = packets.iter().map(|packet| packet.ttl);
    let mut marks = Marks::default();
    for packet in packets {
        mark(&mut marks, packet);
    }
    Tally {
        packets: packets.len() as u64,
        bytes: packets.len() as u64 * 40,
        first: packets
            .iter()
            .map(|packet| packet.at)
            .min()
            .unwrap_or_default(),
        last: packets
            .iter()
            .map(|packet| packet.at)
            .max()
            .unwrap_or_default(),
        targets: counted.targets.len() as u32,
        sample: TargetSample::new(
            counted.targets.iter().copied().collect(),
            sample_max(tuple.traffic),
        ),
        source_port: match first.content {
            Content::Syn { source_port, .. }
            | Content::Reset { source_port, .. }
            | Content::Datagram { source_port, .. } => source_port,
            Content::Echo => 0,
        },
        ttl_min: ttl.clone().min().unwrap_or(0),
        ttl_max: ttl.max().unwrap_or(0),
        window: 0,
        options: options(&first),
        marks,
    }
}

fn mark(marks: &mut Marks, packet: &Sent) {
    let Content::Syn { tool, .. } = packet.content else {
        return;
    };
    marks.syns += 1;
    match tool {
        Tool::Mirai => marks.mirai += 1,
        Tool::Zmap => marks.zmap += 1,
        Tool::Masscan => marks.masscan += 1,
        Tool::Nmap => marks.nmap += 1,
        Tool::Linux | Tool::Windows => {}
    }
}

fn options(packet: &Sent) -> OptionLayout {
    let Content::Syn { tool, .. } = packet.content else {
        return OptionLayout::Unknown;
    };
    match tool {
        Tool::Linux => OptionLayout::Linux,
        Tool::Windows => OptionLayout::Windows,
        Tool::Nmap => OptionLayout::Mss,
        Tool::Mirai | Tool::Zmap | Tool::Masscan => OptionLayout::None,
    }
}
