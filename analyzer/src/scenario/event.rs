//! One source's packets of one window, and the flows of them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::sample::{TargetSample, sample_max};
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Traffic;
use noroshi_store::origin::Origin;
use noroshi_store::window::Sighting;

use super::ports::Asked;
use crate::detectors::distinct::mix;
use crate::generate::actors::HOPS;
use crate::generate::packet::Tool;
use crate::generate::random::Random;

/// Masked targets have 16 bits: no sensor of a scenario watches more than 65,536 addresses.
const MASKED: u64 = 1 << 16;
/// Packets whose targets are drawn one by one.
const FEW: usize = 5;

/// Packets of one source for one service at one sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Source, service and sensor, in the order of sightings.
    key: u64,
    packets: u32,
    tool: Tool,
}

/// A sensor, as far as its flows need it.
#[derive(Clone, Copy, Debug)]
pub struct Eye {
    /// Its place among the watches of the window; `None` while it sees nothing.
    pub watch: Option<usize>,
    /// Addresses it watches.
    pub addresses: u32,
}

impl Event {
    /// So many packets of `source`.
    pub fn new(source: u32, asked: Asked, sensor: usize, (packets, tool): (u32, Tool)) -> Self {
        Self {
            key: u64::from(source) << 32 | u64::from(asked.0) << 8 | sensor as u64 & 0xff,
            packets,
            tool,
        }
    }

    /// Who sent them.
    pub fn source(&self) -> u32 {
        (self.key >> 32) as u32
    }

    /// Counts its packets twice, if it is of this sensor.
    pub fn double(&mut self, sensor: usize) {
        if self.sensor() == sensor {
            self.packets *= 2;
        }
    }

    fn sensor(&self) -> usize {
        self.key as usize & 0xff
    }

    fn asked(&self) -> Asked {
        Asked((self.key >> 8) as u32 & 0x7f_ffff)
    }
}

/// The flows of these events, ascending; what a blind sensor would have seen is left out.
pub fn sightings<'a>(
    events: &mut [Event],
    eyes: &[Eye],
    second: u64,
    random: &mut Random,
    origin: impl Fn(u32) -> &'a Arc<Origin>,
) -> Vec<Sighting> {
    events.sort_unstable_by_key(|event| event.key);
    let mut sightings = Vec::with_capacity(events.len());
    for group in events.chunk_by(|one, other| one.key == other.key) {
        let event = group[0];
        let eye = eyes[event.sensor()];
        let Some(watch) = eye.watch else { continue };
        let packets = group.iter().map(|one| u64::from(one.packets)).sum();
        let (traffic, transport) = event.asked().parts();
        let source = event.source();
        sightings.push(Sighting {
            watch,
            flow: Flow {
                tuple: FlowTuple {
                    source: IpAddr::V4(Ipv4Addr::from_bits(source)),
                    traffic,
                    transport,
                },
                tally: tally(&event, (packets, traffic), eye.addresses, second, random),
            },
            origin: Arc::clone(origin(source)),
            late: false,
        });
    }
    sightings
}

fn tally(
    event: &Event,
    (packets, traffic): (u64, Traffic),
    addresses: u32,
    second: u64,
    random: &mut Random,
) -> Tally {
    let (targets, sample) = targets(packets, sample_max(traffic), addresses, random);
    let drawn = random.bits();
    let (one, other) = (drawn % 10_000, (drawn >> 32) % 10_000);
    let (first, last) = if packets == 1 {
        (one, one)
    } else {
        (one.min(other), one.max(other))
    };
    let own = mix(u64::from(event.source()));
    let tool = event.tool;
    let ttl = tool.initial_ttl() - HOPS - (own & 7) as u8;
    let syn = traffic == Traffic::ScanSyn;
    Tally {
        packets,
        bytes: packets * 40,
        first: Millis(second * 1_000 + first),
        last: Millis(second * 1_000 + last),
        targets,
        sample,
        source_port: 32_768 + (own >> 32) as u16 % 28_232,
        ttl_min: ttl,
        ttl_max: ttl,
        window: 0,
        options: if syn {
            options(tool)
        } else {
            OptionLayout::Unknown
        },
        marks: if syn {
            marks(tool, packets)
        } else {
            Marks::default()
        },
    }
}

fn marks(tool: Tool, packets: u64) -> Marks {
    let count = u32::try_from(packets).unwrap_or(u32::MAX);
    let mut marks = Marks {
        syns: count,
        ..Marks::default()
    };
    match tool {
        Tool::Mirai => marks.mirai = count,
        Tool::Zmap => marks.zmap = count,
        Tool::Masscan => marks.masscan = count,
        Tool::Nmap => marks.nmap = count,
        Tool::Linux | Tool::Windows => {}
    }
    marks
}

fn options(tool: Tool) -> OptionLayout {
    match tool {
        Tool::Linux => OptionLayout::Linux,
        Tool::Windows => OptionLayout::Windows,
        Tool::Nmap => OptionLayout::Mss,
        Tool::Mirai | Tool::Zmap | Tool::Masscan => OptionLayout::None,
    }
}

/// The targets of so many packets at random addresses: how many, and the sample of them.
fn targets(packets: u64, most: usize, addresses: u32, random: &mut Random) -> (u32, TargetSample) {
    if packets <= FEW as u64 {
        return few(packets as usize, addresses, random);
    }
    let space = f64::from(addresses.max(1));
    let expected = space * -(-(packets as f64) / space).exp_m1();
    let count = (expected.round() as u32).clamp(1, addresses.max(1));
    // the smallest of many uniform numbers are as far apart as arrivals
    let mut at = 0.0;
    let mut masked: Vec<u32> = Vec::with_capacity(most);
    for _ in 0..most.min(count as usize) {
        at += -(1.0 - random.unit()).ln() * MASKED as f64 / f64::from(count);
        let next = masked.last().map_or(0, |last| last + 1);
        masked.push((at as u32).max(next));
    }
    let last = masked.last().copied().unwrap_or(0);
    if u64::from(last) >= MASKED {
        let scale = (MASKED - 1) as f64 / f64::from(last);
        for one in &mut masked {
            *one = (f64::from(*one) * scale) as u32;
        }
        masked.dedup();
    }
    let count = count.max(masked.len() as u32);
    let count = if masked.len() < most {
        masked.len() as u32
    } else {
        count
    };
    let sample = TargetSample::from_ascending(masked, most).unwrap_or_default();
    (count, sample)
}

fn few(packets: usize, addresses: u32, random: &mut Random) -> (u32, TargetSample) {
    let mut masked = [0_u32; FEW];
    for one in &mut masked[..packets] {
        *one = masked_target(random.below(addresses.max(1).into()) as u16).into();
    }
    let drawn = &mut masked[..packets];
    drawn.sort_unstable();
    let mut distinct = 0;
    for index in 0..drawn.len() {
        if index == 0 || drawn[index] != drawn[distinct - 1] {
            drawn[distinct] = drawn[index];
            distinct += 1;
        }
    }
    let sample = TargetSample::from_slice(&drawn[..distinct], FEW).unwrap_or_default();
    (distinct as u32, sample)
}

/// A stand-in for the sensor's keyed mask: a permutation.
fn masked_target(offset: u16) -> u16 {
    let mut value = offset.wrapping_mul(40_503);
    value ^= value >> 7;
    value.wrapping_mul(29_383)
}
