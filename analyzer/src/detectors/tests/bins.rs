//! Windows made of whole crowds, so that weeks can be shown to a detector in no time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::SensorId;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::origin::{Country, Origin};
use noroshi_store::window::{Sighting, Watch, Window};

use crate::generate::random::Random;

pub(super) const BIN_SECONDS: u64 = 600;
pub(super) const DAY_BINS: u64 = 144;
pub(super) const WEEK_BINS: u64 = 7 * DAY_BINS;
/// A Monday, midnight.
pub(super) const MONDAY: u64 = 1_793_577_600;

/// Sources that ask for one port in one bin.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    pub(super) port: u16,
    /// Numbers of the sources: each in a /24 of its own.
    pub(super) sources: Vec<u32>,
    pub(super) origin: Origin,
}

pub(super) fn crowd(port: u16, sources: impl IntoIterator<Item = u32>, country: &str) -> Crowd {
    Crowd {
        port,
        sources: sources.into_iter().collect(),
        origin: Origin {
            country: Country::new(country),
            ..Origin::default()
        },
    }
}

/// About `mean` of a population of four times as many: a count with its natural spread.
pub(super) fn about(mean: u32, from: u32, random: &mut Random) -> Vec<u32> {
    (from..from + mean * 4)
        .filter(|_| random.below(4) == 0)
        .collect()
}

pub(super) fn address(number: u32) -> IpAddr {
    IpAddr::V4((0x0500_0000 + (number << 8) + 7).into())
}

/// Sensors of so many addresses each.
pub(super) fn watches(addresses: &[u64]) -> Vec<Watch> {
    let watch = |(index, addresses): (usize, &u64)| Watch {
        sensor: SensorId::new(&format!("s{index}")).expect("an id"),
        addresses: *addresses,
        target_bits: TargetBits::Sixteen,
    };
    addresses.iter().enumerate().map(watch).collect()
}

/// The bin's windows: ten of a minute each; every source is seen in one of them.
pub(super) fn bin(index: u64, crowds: &[Crowd], watches: &[Watch]) -> Vec<Window> {
    let length = IntervalLength::new(60).expect("a minute");
    let start = MONDAY + index * BIN_SECONDS;
    let mut windows: Vec<Window> = (0..10)
        .map(|minute| Window {
            watches: watches.to_vec(),
            ..Window::empty(Interval(start + minute * 60), length)
        })
        .collect();
    let mut origins: HashMap<u16, Arc<Origin>> = HashMap::new();
    for (number, crowd) in crowds.iter().enumerate() {
        let origin = origins.entry(number as u16).or_default();
        *origin = Arc::new(crowd.origin.clone());
        for source in &crowd.sources {
            let minute = (u64::from(*source) * 7 + index) % 10;
            let at = Millis((start + minute * 60) * 1_000 + u64::from(source % 60_000));
            let sighting = Sighting {
                watch: *source as usize % watches.len().max(1),
                flow: flow(crowd.port, *source, at),
                origin: Arc::clone(origin),
                late: false,
            };
            windows[minute as usize].flows.push(sighting);
        }
    }
    for window in &mut windows {
        window
            .flows
            .sort_by(|a, b| (&a.flow.tuple, a.watch).cmp(&(&b.flow.tuple, b.watch)));
    }
    windows
}

fn flow(port: u16, source: u32, at: Millis) -> Flow {
    Flow {
        tuple: FlowTuple {
            source: address(source),
            traffic: Traffic::ScanSyn,
            transport: Transport::Tcp { service_port: port },
        },
        tally: Tally {
            packets: 2,
            bytes: 80,
            first: at,
            last: at,
            targets: 1,
            sample: TargetSample::new(vec![source.wrapping_mul(2_654_435_761) >> 20], 16),
            source_port: 40_000,
            ttl_min: 50,
            ttl_max: 50,
            window: 0,
            options: OptionLayout::Unknown,
            marks: Marks::default(),
        },
    }
}
