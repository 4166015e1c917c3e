//! Laws of the wire.

use std::net::IpAddr;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use crate::answer::{Ack, Refused};
use crate::batch::{Batch, Span};
use crate::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use crate::hello::{Held, Hello, Purpose, Welcome};
use crate::id::{BatchId, Epoch, SensorId};
use crate::limits::{BATCH_FLOWS_MAX, SPANS_BYTES_MAX};
use crate::loss::{Counters, Loss, Losses};
use crate::refusal::Refusal;
use crate::sample::{TargetBits, TargetSample, sample_max};
use crate::time::{Interval, IntervalLength, Millis};
use crate::traffic::{Traffic, Transport};
use crate::v1;
use crate::wire::{Malformed, checksum};

const LENGTH: u64 = 10;
const DAY: u64 = 20_000 * 86_400;

fn sources() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        4 => (0..6u32).prop_map(|low| IpAddr::from((0xcb00_7100 + low).to_be_bytes())),
        4 => any::<[u8; 4]>().prop_map(IpAddr::from),
        1 => any::<[u8; 16]>().prop_map(IpAddr::from),
    ]
}

fn tuples() -> impl Strategy<Value = FlowTuple> {
    let transports = prop_oneof![
        prop_oneof![Just(23), Just(80), any::<u16>()]
            .prop_map(|service_port| Transport::Tcp { service_port }),
        any::<u16>().prop_map(|service_port| Transport::Udp { service_port }),
        any::<(u8, u8)>().prop_map(|(kind, code)| Transport::Icmp { kind, code }),
        any::<(u8, u8)>().prop_map(|(kind, code)| Transport::Icmp6 { kind, code }),
        any::<u8>().prop_map(|protocol| Transport::Other { protocol }),
    ];
    let traffic = (0..14usize).prop_map(|index| Traffic::ALL[index]);
    (sources(), traffic, transports).prop_map(|(source, traffic, transport)| FlowTuple {
        source,
        traffic,
        transport,
    })
}

/// What a flow counted, before its class is known.
type Counted = (Tally, Vec<u32>, u64);

fn counted(bits: TargetBits) -> impl Strategy<Value = Counted> {
    let numbers = (
        prop_oneof![Just(1u64), 2..5u64, 1..1u64 << 40],
        prop_oneof![40..64u64, 0..1u64 << 20],
        0..LENGTH * 1000,
        0..LENGTH * 1000,
        any::<[u8; 2]>(),
        any::<(u16, u16)>(),
        (0..8usize, any::<u8>(), any::<[u32; 8]>(), any::<bool>()),
    );
    let highest = u32::MAX >> (32 - bits.bits());
    let sample = btree_set(0..=highest, 0..140).prop_map(|set| set.into_iter().collect());
    (numbers, sample, 0..3u64).prop_map(|(numbers, sample, more)| {
        let (packets, size, one, other, ttls, (port, window), marked) = numbers;
        let (options, mask, counts, is_partial) = marked;
        let mut marks = Marks::default();
        for (bit, count) in marks.counts_mut().into_iter().enumerate() {
            let whole = u32::try_from(packets).unwrap_or(u32::MAX);
            if is_partial {
                *count = (u64::from(counts[bit]) % (packets + 1)) as u32;
            } else if mask >> bit & 1 > 0 {
                *count = whole;
            }
        }
        let tally = Tally {
            packets,
            bytes: packets * size + more,
            first: Millis(one.min(other)),
            last: Millis(if packets == 1 {
                one.min(other)
            } else {
                one.max(other)
            }),
            targets: 0,
            sample: TargetSample::default(),
            source_port: port,
            ttl_min: ttls[0].min(ttls[1]),
            ttl_max: ttls[0].max(ttls[1]),
            window,
            options: OptionLayout::ALL[options],
            marks,
        };
        (tally, sample, more)
    })
}

fn flow(tuple: FlowTuple, (mut tally, sample, more): Counted, interval: Interval) -> Flow {
    let most = sample_max(tuple.traffic).min(tally.packets.min(200) as usize);
    tally.sample = TargetSample::new(sample, most);
    let targets = (tally.sample.len() as u64 + more).min(tally.packets);
    tally.targets = targets as u32;
    tally.first.0 += interval.start() * 1000;
    tally.last.0 += interval.start() * 1000;
    Flow { tuple, tally }
}

fn spans(bits: TargetBits) -> impl Strategy<Value = Vec<Span>> {
    let flows = btree_map(tuples(), counted(bits), 0..20);
    vec((0..4u64, flows, 1..1000u64), 0..6).prop_map(|spans| {
        let mut next = DAY;
        let mut made = Vec::new();
        for (skip, flows, silence) in spans {
            let first = Interval(next + skip * LENGTH);
            if flows.is_empty() {
                next = first.start() + silence * LENGTH;
                let intervals = silence;
                made.push(Span::Silent { first, intervals });
                continue;
            }
            next = first.start() + LENGTH;
            let flows = flows.into_iter();
            let flows = flows
                .map(|(tuple, counted)| flow(tuple, counted, first))
                .collect();
            made.push(Span::Active {
                interval: first,
                flows,
            });
        }
        made
    })
}

fn batches() -> impl Strategy<Value = Batch> {
    let bits = prop_oneof![Just(TargetBits::Sixteen), Just(TargetBits::ThirtyTwo)];
    let header = (any::<u64>(), any::<u64>(), any::<u64>(), any::<[u32; 3]>());
    let spans = bits.prop_flat_map(|bits| (Just(bits), spans(bits)));
    (header, spans).prop_map(
        |((epoch, sequence, time, counts), (target_bits, mut spans))| {
            // a long silence may have led to the next day
            let day = DAY / 86_400;
            spans.retain(
                |span| !matches!(span, Span::Active { interval, .. } if interval.day() > day),
            );
            let mut losses = Losses::default();
            losses.add(Loss::NotIp, counts[0].into());
            losses.add(Loss::SpoolFull, counts[1].into());
            Batch {
                id: BatchId {
                    sensor: SensorId::new("north-1").unwrap(),
                    epoch: Epoch(epoch),
                    sequence,
                },
                interval_length: IntervalLength::DEFAULT,
                spans,
                complete_through: time,
                telescope_addresses: 65_536,
                target_bits,
                counters: Counters {
                    frames: u64::from(counts[0]) + u64::from(counts[2]),
                    packets: counts[2].into(),
                    losses,
                },
            }
        },
    )
}

proptest! {
    #[test]
    fn a_batch_survives_the_wire(batch in batches()) {
        let wire = v1::Batch::try_from(&batch).unwrap();
        prop_assert_eq!(Batch::try_from(&wire).unwrap(), batch);
    }

    /// Whatever the columns say, decoding answers; what it accepts can be said again.
    #[test]
    fn damage_never_panics(batch in batches(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let wire = v1::Batch::try_from(&batch).unwrap();
        let mut columns = zstd::bulk::decompress(&wire.spans, SPANS_BYTES_MAX).unwrap();
        let mut damaged = wire;
        let bytes = if bit % 2 == 0 { &mut columns } else { &mut damaged.bits };
        if bytes.is_empty() {
            return Ok(());
        }
        let index = at.index(bytes.len());
        bytes[index] ^= 1u8 << bit;
        damaged.spans = zstd::bulk::compress(&columns, 1).unwrap();
        damaged.checksum = checksum::of(&damaged);
        if let Ok(accepted) = Batch::try_from(&damaged) {
            let again = v1::Batch::try_from(&accepted).unwrap();
            prop_assert_eq!(Batch::try_from(&again).unwrap(), accepted);
        }
    }

    #[test]
    fn every_changed_byte_is_noticed(batch in batches(), at in any::<prop::sample::Index>()) {
        let mut wire = v1::Batch::try_from(&batch).unwrap();
        let index = at.index(wire.spans.len());
        wire.spans[index] ^= 1;
        let refused = matches!(Batch::try_from(&wire), Err(Malformed::Checksum { .. }));
        prop_assert!(refused);
    }
}

fn quiet(spans: Vec<Span>) -> Batch {
    Batch {
        id: BatchId {
            sensor: SensorId::new("north-1").unwrap(),
            epoch: Epoch(1),
            sequence: 0,
        },
        interval_length: IntervalLength::DEFAULT,
        spans,
        complete_through: DAY,
        telescope_addresses: 256,
        target_bits: TargetBits::Sixteen,
        counters: Counters::default(),
    }
}

#[test]
fn a_long_silence_costs_no_more_than_a_short_one() {
    let size = |intervals| {
        let first = Interval(DAY);
        let batch = quiet(vec![Span::Silent { first, intervals }]);
        let wire = v1::Batch::try_from(&batch).unwrap();
        prost::Message::encoded_len(&wire)
    };
    assert!(size(30 * 8640) <= size(1) + 3);
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let mut bomb = v1::Batch::try_from(&quiet(Vec::new())).unwrap();
    bomb.spans = zstd::bulk::compress(&vec![0; SPANS_BYTES_MAX + 1], 1).unwrap();
    bomb.spans_bytes = SPANS_BYTES_MAX as u32 + 1;
    bomb.checksum = checksum::of(&bomb);
    let refused = Batch::try_from(&bomb);
    assert!(matches!(
        refused,
        Err(Malformed::OverLimit {
            what: "spans_bytes",
            ..
        })
    ));

    // nor does understating its size help
    bomb.spans_bytes = 100;
    bomb.checksum = checksum::of(&bomb);
    let refused = Batch::try_from(&bomb);
    assert!(matches!(
        refused,
        Err(Malformed::Invalid { what: "spans", .. })
    ));
}

#[test]
fn more_flows_than_allowed_are_refused_before_they_are_made() {
    let mut wire = v1::Batch::try_from(&quiet(Vec::new())).unwrap();
    let columns = v1::Spans {
        flags: vec![0; BATCH_FLOWS_MAX + 1],
        ..v1::Spans::default()
    };
    let columns = prost::Message::encode_to_vec(&columns);
    wire.spans_bytes = columns.len() as u32;
    wire.spans = zstd::bulk::compress(&columns, 1).unwrap();
    wire.checksum = checksum::of(&wire);
    let refused = Batch::try_from(&wire);
    assert!(matches!(
        refused,
        Err(Malformed::OverLimit { what: "flows", .. })
    ));
}

/// Each rule, broken by a batch that keeps all others.
#[test]
fn a_batch_that_breaks_a_rule_is_refused() {
    let good = one_flow();
    v1::Batch::try_from(&good).expect("it keeps every rule");
    type Breaking = fn(&mut Batch);
    let broken: [(&str, Breaking); 15] = [
        ("packets", |b| tally(b).packets = 0),
        ("first, last", |b| tally(b).first = Millis(DAY * 1000 - 1)),
        ("first, last", |b| {
            tally(b).last = Millis((DAY + LENGTH) * 1000)
        }),
        ("first, last", |b| tally(b).last = Millis(DAY * 1000)),
        ("ttl_min, ttl_max", |b| tally(b).ttl_min = 99),
        ("targets", |b| tally(b).targets = 4),
        ("targets", |b| tally(b).targets = 1),
        ("sample", |b| {
            tally(b).sample = TargetSample::new(vec![7, 65_536], 16)
        }),
        ("marks", |b| tally(b).marks.mirai = 4),
        ("bytes", |b| twice(b).bytes = u64::MAX),
        ("packets", |b| twice(b).packets = u64::MAX),
        ("flows", |b| {
            let flows = flows(b);
            flows.push(flows[0].clone());
        }),
        ("flows", |b| flows(b).clear()),
        ("intervals", |b| b.spans.push(b.spans[0].clone())),
        ("counters", |b| b.counters.frames = 1),
    ];
    for (expected, breaking) in broken {
        let mut batch = good.clone();
        breaking(&mut batch);
        let what = match v1::Batch::try_from(&batch) {
            Err(Malformed::Invalid { what, .. }) => what,
            other => panic!("{expected}: {other:?}"),
        };
        assert_eq!(what, expected);
    }
}

#[test]
fn active_intervals_of_two_days_are_refused() {
    let mut batch = one_flow();
    let Span::Active { flows, .. } = &batch.spans[0] else {
        panic!("active");
    };
    let mut flow = flows[0].clone();
    flow.tally.first = Millis((DAY + 86_400) * 1000);
    flow.tally.last = Millis((DAY + 86_400) * 1000);
    batch.spans.push(Span::Active {
        interval: Interval(DAY + 86_400),
        flows: vec![flow],
    });
    assert!(v1::Batch::try_from(&batch).is_err());
}

fn one_flow() -> Batch {
    let tuple = FlowTuple {
        source: "203.0.113.9".parse().unwrap(),
        traffic: Traffic::ScanSyn,
        transport: Transport::Tcp { service_port: 23 },
    };
    let tally = Tally {
        packets: 3,
        bytes: 120,
        first: Millis(DAY * 1000 + 1),
        last: Millis(DAY * 1000 + 2),
        targets: 2,
        sample: TargetSample::new(vec![7, 9], 16),
        source_port: 40_000,
        ttl_min: 50,
        ttl_max: 50,
        window: 1024,
        options: OptionLayout::None,
        marks: Marks::default(),
    };
    quiet(vec![Span::Active {
        interval: Interval(DAY),
        flows: vec![Flow { tuple, tally }],
    }])
}

fn flows(batch: &mut Batch) -> &mut Vec<Flow> {
    match &mut batch.spans[0] {
        Span::Active { flows, .. } => flows,
        Span::Silent { .. } => panic!("the batch has one flow"),
    }
}

fn tally(batch: &mut Batch) -> &mut Tally {
    &mut flows(batch)[0].tally
}

/// The tally of a second flow.
fn twice(batch: &mut Batch) -> &mut Tally {
    let flows = flows(batch);
    let mut second = flows[0].clone();
    second.tuple.transport = Transport::Tcp { service_port: 80 };
    flows.push(second);
    &mut flows[1].tally
}

proptest! {
    #[test]
    fn a_hello_survives_the_wire(epoch in any::<u64>(), clock in any::<u64>(), replay in any::<bool>()) {
        let hello = Hello {
            sensor: SensorId::new("north-1").unwrap(),
            epoch: Epoch(epoch),
            software_version: "0.1.0".to_owned(),
            interval_length: IntervalLength::DEFAULT,
            telescope: vec!["198.18.0.0/20".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
            purpose: if replay { Purpose::Replay } else { Purpose::Live },
            clock: Millis(clock),
        };
        prop_assert_eq!(Hello::try_from(v1::Hello::from(&hello)).unwrap(), hello);
    }

    #[test]
    fn a_welcome_survives_the_wire(ranges in vec(any::<(u64, u64, u64)>(), 0..5), clock in any::<u64>()) {
        let held = ranges.into_iter().map(|(epoch, one, other)| Held {
            epoch: Epoch(epoch),
            first: one.min(other),
            last: one.max(other),
        });
        let welcome = Welcome { held: held.collect(), clock: Millis(clock) };
        prop_assert_eq!(Welcome::try_from(v1::Welcome::from(&welcome)).unwrap(), welcome);
    }

    #[test]
    fn an_ack_survives_the_wire(epoch in any::<u64>(), sequence in any::<u64>()) {
        let ack = Ack { epoch: Epoch(epoch), sequence };
        prop_assert_eq!(Ack::from(v1::Ack::from(ack)), ack);
    }
}

#[test]
fn every_refusal_survives_the_wire() {
    let detail = || "why and what to do".to_owned();
    let refusals = [
        Refusal::UnknownSensor(detail()),
        Refusal::TelescopeMismatch(detail()),
        Refusal::ReplayNotAdmitted,
        Refusal::Fenced,
        Refusal::UnsupportedVersion(detail()),
        Refusal::Malformed(detail()),
        Refusal::OverLimit(detail()),
        Refusal::TooOld(detail()),
        Refusal::Conflict(detail()),
        Refusal::StoreBusy(detail()),
        Refusal::ClockAhead(detail()),
        Refusal::TooManyStreams,
        Refusal::Overtaken,
    ];
    for refusal in refusals {
        for batch in [None, Some((Epoch(7), 8))] {
            let refused = Refused {
                batch,
                refusal: refusal.clone(),
            };
            assert_eq!(Refused::try_from(v1::Refusal::from(&refused)), Ok(refused));
        }
    }
}

#[test]
fn unknown_numbers_are_errors() {
    let hello = v1::Hello {
        sensor: "north-1".to_owned(),
        interval_seconds: 10,
        purpose: 77,
        ..v1::Hello::default()
    };
    assert_eq!(
        Hello::try_from(hello),
        Err(Malformed::unknown("purpose", 77u64))
    );
    let refusal = v1::Refusal {
        reason: 99,
        ..v1::Refusal::default()
    };
    assert_eq!(
        Refused::try_from(refusal),
        Err(Malformed::unknown("reason", 99u64))
    );
}

#[test]
fn a_long_detail_is_cut_at_a_character() {
    let refused = Refused {
        batch: None,
        refusal: Refusal::StoreBusy("狼煙".repeat(1000)),
    };
    let wire = v1::Refusal::from(&refused);
    assert!(wire.detail.len() <= crate::limits::TEXT_BYTES_MAX && wire.detail.ends_with('狼'));
}
