//! What sensors in the field send today is still understood tomorrow.

use expect_test::expect_file;
use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::{Counters, Loss, Losses};
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_proto::v1;
use prost::Message;

/// 2026-11-02T06:00:00Z
const START: u64 = 1_793_599_200;

#[test]
fn a_batch_of_the_first_version_still_decodes() {
    let bytes = include_bytes!("data/batch-v1.bin");
    let wire = v1::Batch::decode(bytes.as_slice()).expect("a message");
    let batch = Batch::try_from(&wire).expect("a batch");
    expect_file!["data/batch-v1.txt"].assert_debug_eq(&batch);
    assert_eq!(batch, example());
}

/// Never run again unless the wire gets a new version beside the first.
#[test]
#[ignore = "writes the committed example"]
fn write_the_example() {
    let wire = v1::Batch::try_from(&example()).expect("it keeps the rules");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/batch-v1.bin");
    std::fs::write(path, wire.encode_to_vec()).expect("the file is written");
}

/// Something of everything a batch can say.
fn example() -> Batch {
    let mut losses = Losses::default();
    losses.add(Loss::NotIp, 3);
    losses.add(Loss::KernelDropped, 5);
    Batch {
        id: BatchId {
            sensor: SensorId::new("jp-1").expect("a name"),
            epoch: Epoch(0x0123_4567_89ab_cdef),
            sequence: 42,
        },
        interval_length: IntervalLength::DEFAULT,
        spans: vec![
            Span::Silent {
                first: Interval(START - 60),
                intervals: 6,
            },
            Span::Active {
                interval: Interval(START),
                flows: vec![mirai(), masscan(), backscatter(), quoted_victim(), echo6()],
            },
            Span::Silent {
                first: Interval(START + 10),
                intervals: 2,
            },
            Span::Active {
                interval: Interval(START + 30),
                flows: vec![later(mirai())],
            },
        ],
        complete_through: START + 40,
        telescope_addresses: 4096,
        target_bits: TargetBits::Sixteen,
        counters: Counters {
            frames: 1003,
            packets: 1000,
            losses,
        },
    }
}

fn flow(source: &str, traffic: Traffic, transport: Transport) -> Flow {
    let tally = Tally {
        packets: 1,
        bytes: 40,
        first: Millis(START * 1000 + 1234),
        last: Millis(START * 1000 + 1234),
        targets: 1,
        sample: TargetSample::new(vec![0x8123], 16),
        source_port: 0,
        ttl_min: 47,
        ttl_max: 47,
        window: 0,
        options: OptionLayout::Unknown,
        marks: Marks::default(),
    };
    let tuple = FlowTuple {
        source: source.parse().expect("an address"),
        traffic,
        transport,
    };
    Flow { tuple, tally }
}

fn mirai() -> Flow {
    let tcp = Transport::Tcp { service_port: 23 };
    let mut flow = flow("203.0.113.7", Traffic::ScanSyn, tcp);
    flow.tally.packets = 31;
    flow.tally.bytes = 31 * 40;
    flow.tally.last = Millis(START * 1000 + 9_999);
    flow.tally.targets = 29;
    flow.tally.sample = TargetSample::new((0..29).map(|n| n * 2_003).collect(), 16);
    flow.tally.source_port = 40_123;
    flow.tally.window = 14_600;
    flow.tally.options = OptionLayout::None;
    flow.tally.marks.syns = 31;
    flow.tally.marks.mirai = 31;
    flow.tally.marks.irregular = 31;
    flow
}

/// Some of its packets only.
fn masscan() -> Flow {
    let tcp = Transport::Tcp { service_port: 8080 };
    let mut flow = flow("203.0.113.7", Traffic::ScanSyn, tcp);
    flow.tally.packets = 3;
    flow.tally.bytes = 130;
    flow.tally.targets = 2;
    flow.tally.sample = TargetSample::new(vec![7, 65_535], 16);
    flow.tally.ttl_max = 240;
    flow.tally.window = 1024;
    flow.tally.marks.syns = 3;
    flow.tally.marks.masscan = 2;
    flow
}

fn backscatter() -> Flow {
    let tcp = Transport::Tcp { service_port: 443 };
    let mut flow = flow("203.0.113.9", Traffic::BackscatterTcp, tcp);
    flow.tally.packets = 300;
    flow.tally.bytes = 300 * 44;
    flow.tally.targets = 290;
    flow.tally.sample = TargetSample::new((0..290).map(|n| n * 220).collect(), 128);
    flow.tally.source_port = 55_555;
    flow
}

fn quoted_victim() -> Flow {
    let udp = Transport::Udp {
        service_port: 27_015,
    };
    let mut flow = flow("203.0.113.200", Traffic::BackscatterIcmpError, udp);
    flow.tally.marks.mismatched = 1;
    flow
}

fn echo6() -> Flow {
    let icmp = Transport::Icmp6 { kind: 128, code: 0 };
    flow("2001:db8::7", Traffic::ScanEcho, icmp)
}

fn later(mut flow: Flow) -> Flow {
    flow.tally.first.0 += 30_000;
    flow.tally.last.0 += 30_000;
    flow
}
