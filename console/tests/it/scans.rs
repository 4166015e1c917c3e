//! Scans that sensors saw: of two partners, and of nobody.

use std::net::IpAddr;
use std::sync::Arc;

use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::{Counters, Loss, Losses};
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::append::Admitted;
use noroshi_store::origin::{Country, Origin, PartnerId};

use crate::desk::Desk;

/// 2 November 2026, 06:00:00 UTC.
pub(crate) const MORNING: u64 = 1_793_599_200;
/// A masked target that must be on no page.
const TARGET: u32 = 48_813;

/// One source: its address, whose it was, its AS number, the port it asked for, its packets.
pub(crate) type Scan<'a> = (&'a str, Option<&'a str>, u32, u16, u64);

fn flow((address, _, _, port, packets): Scan<'_>, at: u64) -> Flow {
    Flow {
        tuple: FlowTuple {
            source: address.parse::<IpAddr>().expect("an address"),
            traffic: Traffic::ScanSyn,
            transport: Transport::Tcp { service_port: port },
        },
        tally: Tally {
            packets,
            bytes: packets * 40,
            first: Millis(at * 1_000 + 345),
            last: Millis(at * 1_000 + 2_345),
            targets: 1,
            sample: TargetSample::new(vec![TARGET], 16),
            source_port: 40_123,
            ttl_min: 50,
            ttl_max: 51,
            window: 14_600,
            options: OptionLayout::Linux,
            marks: Marks {
                syns: u32::try_from(packets).expect("few"),
                mirai: u32::try_from(packets).expect("few"),
                ..Marks::default()
            },
        },
    }
}

fn origin((_, partner, asn, ..): Scan<'_>) -> Arc<Origin> {
    Arc::new(Origin {
        country: Country::new("TH"),
        asn,
        partner: partner.and_then(PartnerId::new),
        scanner: None,
        bogon: None,
    })
}

impl Desk {
    /// What one sensor saw in one interval of ten seconds; scans in the order of their addresses.
    pub(crate) async fn saw(&self, sensor: &str, second: u64, scans: &[Scan<'_>]) {
        let (length, interval) = (IntervalLength::DEFAULT, Interval(second));
        let mut losses = Losses::default();
        losses.add(Loss::NotIp, 2);
        let flows: Vec<Flow> = scans.iter().map(|scan| flow(*scan, second)).collect();
        let mut batch = Batch {
            id: BatchId {
                sensor: SensorId::new(sensor).expect("an id"),
                epoch: Epoch(7),
                sequence: second,
            },
            interval_length: length,
            spans: vec![Span::Active { interval, flows }],
            complete_through: interval.end(length),
            telescope_addresses: 512,
            target_bits: TargetBits::Sixteen,
            counters: Counters {
                losses,
                ..Counters::default()
            },
        };
        batch.counters.packets = batch.packets();
        batch.counters.frames = batch.counters.packets + 2;
        let origins = scans.iter().map(|scan| origin(*scan)).collect();
        let admitted = Admitted {
            batch,
            checksum: second,
            origins,
        };
        let kept = self.store.append(admitted).await;
        kept.expect("it is kept");
    }
}

/// The masked target, as text that no page may show.
pub(crate) fn target() -> String {
    TARGET.to_string()
}
