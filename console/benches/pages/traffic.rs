//! A day of one telescope's traffic, made up: sources by Zipf's law, most packets SYNs for a few services, one in ten
//! for any port.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::Counters;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic as Class, Transport};
use noroshi_store::append::Admitted;
use noroshi_store::origin::{Country, Origin};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// The first second, 2026-11-01 00:00 UTC: the day before the cases open.
pub(crate) const FROM: u64 = 1_793_491_200;
pub(crate) const DAY_SECONDS: u64 = 86_400;
const INTERVALS_PER_MINUTE: u64 = 6;
/// Minutes that are made; the day repeats them.
const MADE: u64 = 20;
/// Sources of the day.
const SOURCES: f64 = 300_000.0;
const SERVICES: [u16; 13] = [
    23, 22, 80, 443, 445, 3389, 8080, 5060, 53, 123, 2323, 5555, 8291,
];
const COUNTRIES: [&str; 12] = [
    "CN", "US", "RU", "BR", "IN", "TH", "VN", "ID", "MY", "TW", "KR", "NL",
];

/// The minutes that are made.
pub(crate) struct Traffic(Vec<Admitted>);

impl Traffic {
    /// So many million flow tuples a day.
    pub(crate) fn new(millions: f64) -> Self {
        let intervals = (DAY_SECONDS / 60 * INTERVALS_PER_MINUTE) as f64;
        let flows = (millions * 1e6 / intervals).ceil() as usize;
        let mut random = StdRng::seed_from_u64(7);
        Self((0..MADE).map(|_| minute(&mut random, flows)).collect())
    }

    /// One minute of the day, as one batch.
    pub(crate) fn minute(&self, minute: u64) -> Admitted {
        let mut next = self.0[(minute % MADE) as usize].clone();
        next.batch.id.sequence = minute;
        next.checksum = minute;
        for span in &mut next.batch.spans {
            let Span::Active { interval, flows } = span else {
                continue;
            };
            *interval = Interval(interval.start() + minute * 60);
            for flow in flows {
                flow.tally.first.0 += minute * 60_000;
                flow.tally.last.0 += minute * 60_000;
            }
        }
        next.batch.complete_through = FROM + (minute + 1) * 60;
        next.batch.counters.packets = (minute + 1) * next.batch.packets();
        next.batch.counters.frames = next.batch.counters.packets;
        next
    }

    /// A source of this rank among the loudest.
    pub(crate) fn source(&self, rank: u128) -> String {
        address(rank as u32).to_string()
    }
}

fn minute(random: &mut StdRng, flows: usize) -> Admitted {
    let mut spans = Vec::new();
    for number in 0..INTERVALS_PER_MINUTE {
        let start = FROM + number * 10;
        let mut made: Vec<Flow> = (0..flows).map(|_| flow(random, start)).collect();
        made.sort_by_key(|flow| flow.tuple);
        made.dedup_by_key(|flow| flow.tuple);
        while made.len() < flows {
            let more = flow(random, start);
            if let Err(place) = made.binary_search_by_key(&more.tuple, |flow| flow.tuple) {
                made.insert(place, more);
            }
        }
        spans.push(Span::Active {
            interval: Interval(start),
            flows: made,
        });
    }
    let sources = spans.iter().flat_map(|span| match span {
        Span::Active { flows, .. } => flows.as_slice(),
        _ => &[],
    });
    let origins = sources.map(|flow| origin(flow.tuple.source)).collect();
    Admitted {
        batch: Batch {
            id: BatchId {
                sensor: SensorId::new("jp-1").unwrap(),
                epoch: Epoch(11),
                sequence: 0,
            },
            interval_length: IntervalLength::DEFAULT,
            spans,
            complete_through: FROM,
            telescope_addresses: 65_536,
            target_bits: TargetBits::Sixteen,
            counters: Counters::default(),
        },
        checksum: 0,
        origins,
    }
}

fn flow(random: &mut StdRng, start: u64) -> Flow {
    let rank = (SOURCES.ln() * random.r#gen::<f64>()).exp() as u32;
    let port = match random.gen_range(0..10) {
        0 => random.r#gen(),
        _ => SERVICES[random.gen_range(0..13) * random.gen_range(0..13) / 13],
    };
    let tcp = Transport::Tcp { service_port: port };
    let udp = Transport::Udp { service_port: port };
    let (class, transport) = match random.gen_range(0..20) {
        0 => (Class::ScanEcho, Transport::Icmp { kind: 8, code: 0 }),
        1 => (Class::BackscatterTcp, tcp),
        2 | 3 => (Class::ScanUdp, udp),
        _ => (Class::ScanSyn, tcp),
    };
    let packets = random.gen_range(1..4_u32);
    let syns = if class == Class::ScanSyn { packets } else { 0 };
    let targets: Vec<u32> = (0..packets).map(|_| random.gen_range(0..65_536)).collect();
    let first = Millis(start * 1_000 + random.gen_range(0..5_000));
    Flow {
        tuple: FlowTuple {
            source: address(rank),
            traffic: class,
            transport,
        },
        tally: Tally {
            packets: u64::from(packets),
            bytes: u64::from(packets) * 60,
            first,
            last: Millis(first.0 + u64::from(packets - 1) * 1_000),
            targets: packets,
            sample: TargetSample::new(targets, 16),
            source_port: random.gen_range(32_768..61_000),
            ttl_min: 40 + (rank % 80) as u8,
            ttl_max: 40 + (rank % 80) as u8,
            window: 64_240,
            options: OptionLayout::Linux,
            marks: Marks {
                syns,
                ..Marks::default()
            },
        },
    }
}

/// The address of a source's rank; neighbours in rank are none in address.
fn address(rank: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(
        rank.wrapping_mul(0x9e37_79b1) ^ 0x5bd1_e995,
    ))
}

/// Countries and networks by the first bits of an address.
fn origin(source: IpAddr) -> Arc<Origin> {
    let number = match source {
        IpAddr::V4(source) => source.to_bits() >> 20,
        IpAddr::V6(_) => 0,
    };
    Arc::new(Origin {
        country: Country::new(COUNTRIES[number as usize % 12]),
        asn: 1_000 + number * 37 % 60_000,
        ..Origin::default()
    })
}
