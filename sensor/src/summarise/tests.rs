//! Laws of summarising, against a summary made the naive way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Mutex;

use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::flow::{FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::limits::BATCH_FLOWS_MAX;
use noroshi_proto::loss::Loss;
use noroshi_proto::sample::{TargetBits, TargetSample, sample_max};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_proto::v1;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::mask::{Mask, MaskKey};
use crate::packet::{MarkBits, Packet};
use crate::telescope::Telescope;

const LENGTH: IntervalLength = IntervalLength::DEFAULT;
/// A quarter of an hour before midnight.
const START: u64 = 20_000 * 86_400 - 900;

type Flows = BTreeMap<(Interval, FlowTuple), Tally>;

/// Made once per prefix: drawing a permutation takes its time.
fn mask(prefix: &str) -> Mask {
    static MASKS: Mutex<BTreeMap<String, Mask>> = Mutex::new(BTreeMap::new());
    let made = || {
        let telescope = Telescope::new(&[prefix.parse().unwrap()]);
        Mask::new(&MaskKey::from_bytes([7; 16]), telescope)
    };
    let mut masks = MASKS.lock().unwrap();
    masks.entry(prefix.to_owned()).or_insert_with(made).clone()
}

fn summariser(cut: Cut, prefix: &str) -> Summariser {
    let settings = Settings {
        sensor: SensorId::new("north-1").unwrap(),
        epoch: Epoch(1),
        interval_length: LENGTH,
        cut,
        memory: Memory::DEFAULT,
    };
    Summariser::new(settings, mask(prefix))
}

fn summarised(packets: &[Packet], cut: Cut, prefix: &str) -> Vec<Batch> {
    let mut summariser = summariser(cut, prefix);
    let mut batches = Vec::new();
    for packet in packets {
        batches.extend(summariser.add(packet));
    }
    batches.extend(summariser.finish());
    decoded(&batches)
}

fn decoded(batches: &[v1::Batch]) -> Vec<Batch> {
    batches
        .iter()
        .map(|batch| Batch::try_from(batch).expect("a sensor keeps the rules"))
        .collect()
}

/// Every flow by interval and tuple; none may stand twice.
fn flows(batches: &[Batch]) -> Flows {
    let mut flows = Flows::new();
    for (interval, flow) in batches.iter().flat_map(Batch::flows) {
        let twin = flows.insert((interval, flow.tuple), flow.tally.clone());
        assert!(
            twin.is_none(),
            "{:?} stands twice in {interval}",
            flow.tuple
        );
    }
    flows
}

/// What one packet adds.
fn counted(packet: &Packet, seen_at: Millis, masked: u32) -> Tally {
    let mut marks = Marks::default();
    for (bit, count) in marks.counts_mut().into_iter().enumerate() {
        *count = u32::from(packet.marks.0 >> bit & 1);
    }
    Tally {
        packets: 1,
        bytes: packet.bytes.into(),
        first: seen_at,
        last: seen_at,
        targets: 1,
        sample: TargetSample::new(vec![masked], 1),
        source_port: packet.source_port,
        ttl_min: packet.ttl,
        ttl_max: packet.ttl,
        window: packet.window,
        options: packet.options,
        marks,
    }
}

/// The summary, made without haste: one tally per packet, merged; targets counted in a set.
fn reference(packets: &[Packet], prefix: &str) -> Flows {
    let mask = mask(prefix);
    let mut flows = Flows::new();
    let mut targets = BTreeMap::<_, BTreeSet<u32>>::new();
    let mut open = Interval::EPOCH;
    for packet in packets {
        open = open.max(packet.seen_at.interval(LENGTH));
        let seen_at = packet.seen_at.max(Millis(open.start() * 1000));
        let masked = mask.mask(packet.target);
        let one = counted(packet, seen_at, masked);
        let key = (open, packet.tuple);
        targets.entry(key).or_default().insert(masked);
        let most = sample_max(packet.tuple.traffic);
        flows
            .entry(key)
            .and_modify(|tally| tally.merge(&one, most, mask.bits()))
            .or_insert(one);
    }
    for (key, tally) in &mut flows {
        tally.targets = targets[key].len() as u32;
    }
    flows
}

fn packets(most: usize) -> impl Strategy<Value = Vec<Packet>> {
    vec(packet(), 0..most).prop_map(|mut packets| {
        // each packet comes some time after the one before, or a little earlier
        let mut clock = START * 1000;
        for packet in &mut packets {
            let step = packet.seen_at.0;
            clock += step;
            packet.seen_at = Millis(if step % 5 == 0 { clock - 3_000 } else { clock });
        }
        packets
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    let steps = prop_oneof![40 => 0..300u64, 5 => 0..30_000u64, 1 => 0..3_000_000u64];
    let sources = prop_oneof![
        8 => (0..3u32).prop_map(|low| IpAddr::from((0xcb00_7100 + low).to_be_bytes())),
        2 => any::<[u8; 4]>().prop_map(IpAddr::from),
        2 => (0..2u16).prop_map(|low| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, low])),
    ];
    let transports = prop_oneof![
        3 => Just(Transport::Tcp { service_port: 23 }),
        1 => any::<u16>().prop_map(|service_port| Transport::Udp { service_port }),
        1 => Just(Transport::Icmp { kind: 8, code: 0 }),
    ];
    let traffic = prop_oneof![
        3 => Just(Traffic::ScanSyn),
        1 => Just(Traffic::BackscatterTcp),
        1 => (0..14usize).prop_map(|index| Traffic::ALL[index]),
    ];
    let target = prop_oneof![0..4u16, any::<u16>()];
    let sizes = prop_oneof![Just(40u32), Just(60), 0..100_000u32];
    let rest = (
        any::<(u16, u16)>(),
        48..51u8,
        0..8usize,
        prop_oneof![Just(1u8), any::<u8>()],
    );
    (steps, sources, transports, traffic, target, sizes, rest).prop_map(
        |(step, source, transport, traffic, target, bytes, rest)| {
            let ((source_port, window), ttl, options, marks) = rest;
            let [high, low] = target.to_be_bytes();
            Packet {
                seen_at: Millis(step),
                tuple: FlowTuple {
                    source,
                    traffic,
                    transport,
                },
                target: IpAddr::from([198, 18, high, low]),
                bytes,
                source_port: source_port % 3 + 40_000,
                window: window % 3,
                ttl,
                options: OptionLayout::ALL[options],
                marks: MarkBits(marks),
            }
        },
    )
}

proptest! {
    #[test]
    fn a_summary_is_the_naive_one(packets in packets(300), wide in any::<bool>()) {
        let prefix = if wide { "198.18.0.0/15" } else { "198.18.0.0/16" };
        let batches = summarised(&packets, Cut::WhenFull, prefix);
        prop_assert_eq!(flows(&batches), reference(&packets, prefix));
    }

    #[test]
    fn live_and_replay_give_the_same_flows(packets in packets(100)) {
        let live = summarised(&packets, Cut::EveryInterval, "198.18.0.0/16");
        let replay = summarised(&packets, Cut::WhenFull, "198.18.0.0/16");
        prop_assert_eq!(flows(&live), flows(&replay));
        prop_assert!(live.iter().all(|batch| batch.spans.len() <= 2));
        for batches in [live, replay] {
            every_interval_is_told_once(&batches);
            every_packet_is_counted(&batches, packets.len() as u64);
        }
    }

    /// Two sensors counted apart and merged equal one that saw both, as long as samples hold
    /// all targets; beyond that, targets are an estimate.
    #[test]
    fn merging_is_counting(north in packets(60), south in packets(60)) {
        let narrow = |mut packets: Vec<Packet>| {
            for packet in &mut packets {
                packet.target = "198.18.0.1".parse().unwrap();
                packet.seen_at = Millis(START * 1000 + packet.seen_at.0 % 10_000);
            }
            packets
        };
        let (north, south) = (narrow(north), narrow(south));
        let mut merged = flows(&summarised(&north, Cut::WhenFull, "198.18.0.0/16"));
        for (key, theirs) in flows(&summarised(&south, Cut::WhenFull, "198.18.0.0/16")) {
            let most = sample_max(key.1.traffic);
            merged
                .entry(key)
                .and_modify(|mine| mine.merge(&theirs, most, TargetBits::Sixteen))
                .or_insert(theirs);
        }
        let together = [north, south].concat();
        prop_assert_eq!(merged, flows(&summarised(&together, Cut::WhenFull, "198.18.0.0/16")));
    }
}

/// Spans follow each other without gap or overlap, and `complete_through` tells where they end.
fn every_interval_is_told_once(batches: &[Batch]) {
    let mut next = None;
    for batch in batches {
        for span in &batch.spans {
            let (first, intervals) = match span {
                Span::Silent { first, intervals } => (first.start(), *intervals),
                Span::Active { interval, .. } => (interval.start(), 1),
            };
            assert_eq!(first, next.unwrap_or(first));
            next = Some(first + intervals * u64::from(LENGTH.seconds()));
        }
        assert_eq!(Some(batch.complete_through), next);
    }
}

fn every_packet_is_counted(batches: &[Batch], packets: u64) {
    let mut sum = 0;
    for (sequence, batch) in batches.iter().enumerate() {
        sum += batch.packets();
        assert_eq!(batch.id.sequence, sequence as u64);
        assert_eq!(batch.counters.packets, sum);
        assert_eq!(batch.counters.frames, sum + batch.counters.losses.total());
    }
    assert_eq!(sum, packets);
}

fn a_packet(seen_at: Millis, source: u32) -> Packet {
    Packet {
        seen_at,
        tuple: FlowTuple {
            source: source.to_be_bytes().into(),
            traffic: Traffic::ScanSyn,
            transport: Transport::Tcp { service_port: 23 },
        },
        target: "198.18.0.1".parse().unwrap(),
        bytes: 40,
        source_port: 40_000,
        window: 1024,
        ttl: 50,
        options: OptionLayout::None,
        marks: MarkBits(MarkBits::SYN),
    }
}

#[test]
fn a_busy_interval_is_cut_and_complete_with_its_last_part() {
    let flows_sent = 2 * BATCH_FLOWS_MAX as u32 + 5;
    let mut packets: Vec<Packet> = (0..flows_sent)
        .map(|source| a_packet(Millis(START * 1000), source.wrapping_mul(0x9e37_79b1)))
        .collect();
    packets.push(a_packet(Millis((START + 10) * 1000), 1));
    let batches = summarised(&packets, Cut::EveryInterval, "198.18.0.0/16");
    let told: Vec<_> = batches
        .iter()
        .map(|b| (b.flows().count(), b.complete_through))
        .collect();
    let full = BATCH_FLOWS_MAX;
    let expected = [
        (full, START),
        (full, START),
        (5, START + 10),
        (1, START + 20),
    ];
    assert_eq!(told, expected);
    every_packet_is_counted(&batches, packets.len() as u64);
}

#[test]
fn more_packets_than_memory_are_sent_in_parts_and_none_is_lost() {
    let one_run = (Memory::DEFAULT.of_packets() / 24) as u64;
    let mut summariser = summariser(Cut::EveryInterval, "198.18.0.0/16");
    let mut batches = Vec::new();
    for number in 0..one_run * 2 {
        // 16 sources in turn, so the memory is filled by packets, not by flows
        let packet = a_packet(Millis(START * 1000 + number % 10_000), number as u32 % 16);
        batches.extend(summariser.add(&packet));
        assert_eq!(summariser.counters().packets, number + 1);
    }
    let parts = batches.len();
    batches.extend(summariser.finish());
    let batches = decoded(&batches);
    assert!(
        (1..=2).contains(&parts),
        "{parts} parts before the interval ended"
    );
    assert!(
        batches[..parts]
            .iter()
            .all(|batch| batch.complete_through == START)
    );
    assert_eq!(batches.last().unwrap().complete_through, START + 10);
    every_packet_is_counted(&batches, one_run * 2);
}

#[test]
fn a_month_of_silence_is_one_span() {
    let month = 30 * 86_400;
    let packets = [START, START + month].map(|second| a_packet(Millis(second * 1000), 1));
    let batches = summarised(&packets, Cut::EveryInterval, "198.18.0.0/16");
    let silent = Span::Silent {
        first: Interval(START + 10),
        intervals: month / 10 - 1,
    };
    assert_eq!(batches[0].spans[1..], [silent]);
    every_interval_is_told_once(&batches);
}

#[test]
fn no_batch_is_active_on_two_days() {
    let midnight = START + 900;
    let packets: Vec<Packet> = (0..6)
        .map(|number| a_packet(Millis((midnight - 30 + number * 10) * 1000), 1))
        .collect();
    let batches = summarised(&packets, Cut::WhenFull, "198.18.0.0/16");
    let through: Vec<u64> = batches.iter().map(|batch| batch.complete_through).collect();
    assert_eq!(through, [midnight, midnight + 30]);
}

#[test]
fn a_quiet_telescope_reports_its_silence_and_its_losses() {
    let mut summariser = summariser(Cut::EveryInterval, "198.18.0.0/16");
    assert!(summariser.advance_to(Interval(START)).is_empty());
    summariser.lose(Loss::NotIp);
    summariser.lose_many(Loss::KernelDropped, 3);
    assert!(summariser.advance_to(Interval(START)).is_empty());
    let batches = decoded(&summariser.advance_to(Interval(START + 10)));
    let silent = Span::Silent {
        first: Interval(START),
        intervals: 1,
    };
    assert_eq!(batches[0].spans, [silent]);
    let counters = &batches[0].counters;
    assert_eq!((counters.frames, counters.packets), (1, 0));
    assert_eq!(counters.losses.of(Loss::KernelDropped), 3);
}

#[test]
fn a_late_packet_counts_in_the_open_interval() {
    let packets = [START + 10, START].map(|second| a_packet(Millis(second * 1000), 1));
    let batches = summarised(&packets, Cut::EveryInterval, "198.18.0.0/16");
    let flows = flows(&batches);
    let (key, tally) = flows.first_key_value().unwrap();
    assert_eq!(
        (key.0, tally.packets, flows.len()),
        (Interval(START + 10), 2, 1)
    );
    assert_eq!(tally.first, Millis((START + 10) * 1000));
}

#[test]
fn nothing_in_gives_nothing_out() {
    assert!(
        summariser(Cut::WhenFull, "198.18.0.0/16")
            .finish()
            .is_empty()
    );
}
