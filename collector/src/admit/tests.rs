//! Sensor × telescope × time → verdict.

use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::Counters;
use noroshi_proto::refusal::Remedy;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::IntervalLength;
use noroshi_proto::traffic::{Traffic, Transport};

use super::*;

/// 2026-11-02 06:00 UTC.
const NOW: Millis = Millis(1_793_599_200_000);

const REGISTRY: &str = r#"
[[partner]]
id = "jp-cert"
name = "Host of the sensors"
country = "JP"

[[sensor]]
id = "jp-1"
partner = "jp-cert"
telescope = [
    { prefix = "198.18.0.0/24", from = 2026-01-01 },
    { prefix = "198.18.1.0/24", from = 2026-01-01, until = 2026-06-01 },
]
"#;

fn registry() -> Registry {
    Registry::parse("registry.toml", REGISTRY).expect("the test's registry is good")
}

fn a_hello(sensor: &str, telescope: &[&str], purpose: Purpose, clock: Millis) -> Hello {
    Hello {
        sensor: SensorId::new(sensor).expect("id"),
        epoch: Epoch(7),
        software_version: "0.1.0".to_owned(),
        interval_length: IntervalLength::DEFAULT,
        telescope: telescope
            .iter()
            .map(|prefix| prefix.parse().expect("prefix"))
            .collect(),
        purpose,
        clock,
    }
}

fn a_batch(sensor: &str, at: u64, addresses: u64, targets: u32) -> Batch {
    let seen = Millis(at * 1000);
    let tally = Tally {
        packets: u64::from(targets),
        bytes: 40 * u64::from(targets),
        first: seen,
        last: seen,
        targets,
        sample: TargetSample::default(),
        source_port: 40_000,
        ttl_min: 50,
        ttl_max: 50,
        window: 1024,
        options: OptionLayout::None,
        marks: Marks::default(),
    };
    let tuple = FlowTuple {
        source: "203.0.113.7".parse().expect("address"),
        traffic: Traffic::ScanSyn,
        transport: Transport::Tcp { service_port: 23 },
    };
    Batch {
        id: BatchId {
            sensor: SensorId::new(sensor).expect("id"),
            epoch: Epoch(7),
            sequence: 0,
        },
        interval_length: IntervalLength::DEFAULT,
        spans: vec![Span::Active {
            interval: Interval(at),
            flows: vec![Flow { tuple, tally }],
        }],
        complete_through: at + 10,
        telescope_addresses: addresses,
        target_bits: TargetBits::Sixteen,
        counters: Counters::default(),
    }
}

/// What the sensor does about the verdict; `None` where it was admitted.
fn remedy(verdict: Result<(), Refusal>) -> Option<Remedy> {
    verdict.err().map(|refusal| refusal.remedy())
}

#[test]
#[allow(clippy::too_many_lines, reason = "one row a case")]
fn hellos_are_judged_by_sensor_telescope_purpose_and_clock() {
    use Purpose::{Live, Replay as Again};
    const BOTH: [&str; 2] = ["198.18.0.0/24", "198.18.1.0/24"];
    const ONE: [&str; 1] = ["198.18.0.0/24"];
    let ahead = Millis(NOW.0 + 300_001);
    let behind = Millis(NOW.0 - 300_001);
    let later = Some(Remedy::RetryLater);
    let cases = [
        ("jp-1", &ONE[..], Live, behind, Replay::Refused, later),
        ("jp-1", &ONE[..], Again, behind, Replay::Admitted, None),
        (
            "jp-1",
            &ONE[..],
            Live,
            Millis(NOW.0 - 300_000),
            Replay::Refused,
            None,
        ),
        ("jp-1", &ONE[..], Live, NOW, Replay::Refused, None),
        (
            "jp-1",
            &ONE[..],
            Live,
            Millis(NOW.0 + 300_000),
            Replay::Refused,
            None,
        ),
        (
            "jp-1",
            &ONE[..],
            Live,
            ahead,
            Replay::Refused,
            Some(Remedy::RetryLater),
        ),
        (
            "jp-1",
            &BOTH[..],
            Live,
            NOW,
            Replay::Refused,
            Some(Remedy::Stop),
        ),
        (
            "jp-1",
            &[][..],
            Live,
            NOW,
            Replay::Refused,
            Some(Remedy::Stop),
        ),
        (
            "jp-1",
            &["198.18.0.0/25"][..],
            Live,
            NOW,
            Replay::Refused,
            Some(Remedy::Stop),
        ),
        (
            "jp-2",
            &ONE[..],
            Live,
            NOW,
            Replay::Refused,
            Some(Remedy::Stop),
        ),
        (
            "jp-1",
            &ONE[..],
            Again,
            NOW,
            Replay::Refused,
            Some(Remedy::Stop),
        ),
        ("jp-1", &ONE[..], Again, ahead, Replay::Admitted, None),
        ("jp-1", &BOTH[..], Again, NOW, Replay::Admitted, None),
        (
            "jp-1",
            &["10.0.0.0/8"][..],
            Again,
            NOW,
            Replay::Admitted,
            Some(Remedy::Stop),
        ),
    ];
    for (sensor, telescope, purpose, clock, replay, expected) in cases {
        let said = a_hello(sensor, telescope, purpose, clock);
        assert_eq!(
            remedy(hello(&said, &registry(), replay, NOW).map(drop)),
            expected,
            "{said:?}"
        );
    }
}

#[test]
fn batches_are_judged_by_stream_time_size_and_targets() {
    let now = NOW.seconds();
    let spring = 1_775_001_600; // 2026-04-01: both prefixes are watched
    let fortnight = 14 * 86_400;
    let cases = [
        (Purpose::Live, a_batch("jp-1", now - 10, 256, 5), None),
        (Purpose::Live, a_batch("jp-1", now + 290, 256, 5), None),
        (
            Purpose::Live,
            a_batch("jp-1", now + 300, 256, 5),
            Some(Remedy::RetryLater),
        ),
        (
            Purpose::Live,
            a_batch("jp-1", now - fortnight, 256, 5),
            None,
        ),
        (
            Purpose::Live,
            a_batch("jp-1", now - fortnight - 10, 256, 5),
            Some(Remedy::DropAndCount),
        ),
        (
            Purpose::Live,
            a_batch("jp-2", now, 256, 5),
            Some(Remedy::DropAndCount),
        ),
        (
            Purpose::Live,
            a_batch("jp-1", now, 512, 5),
            Some(Remedy::Stop),
        ),
        (
            Purpose::Live,
            a_batch("jp-1", now, 256, 257),
            Some(Remedy::DropAndCount),
        ),
        (Purpose::Replay, a_batch("jp-1", spring, 512, 257), None),
        (
            Purpose::Replay,
            a_batch("jp-1", spring, 256, 5),
            Some(Remedy::Stop),
        ),
    ];
    for (purpose, sent, expected) in cases {
        let stream = a_hello("jp-1", &["198.18.0.0/24"], purpose, NOW);
        let verdict = batch(&sent, &stream, &registry(), NOW);
        assert_eq!(remedy(verdict), expected, "{purpose:?} {sent:?}");
    }
}

#[test]
fn refusals_say_what_to_do() {
    let said = a_hello("jp-1", &["198.18.1.0/24"], Purpose::Live, NOW);
    let refusal = hello(&said, &registry(), Replay::Refused, NOW).expect_err("another telescope");
    expect_test::expect![[r#"
        the telescope differs from the registry: the sensor watches 198.18.1.0/24, the registry says 198.18.0.0/24 for now: make them equal"#]]
    .assert_eq(&refusal.to_string());
}
