//! What the search for rhythms costs: closing a window of ten minutes (density of the
//! graphical lasso over 1,000 networks) and one of half an hour (non-negative factors of
//! ranks 1 to 10), and taking an interval in.
//!
//! Budget: 20 ms for ten minutes, so that a month takes a minute and a half of one core.

use std::net::Ipv4Addr;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ipnet::Ipv4Net;
use noroshi_analyzer::detectors::Detector;
use noroshi_analyzer::detectors::coordinated::CoordinatedScans;
use noroshi_analyzer::generate::background::{Background, Population};
use noroshi_analyzer::generate::observe;
use noroshi_analyzer::generate::packet::{Content, Sent, Tool};
use noroshi_analyzer::generate::random::Random;
use noroshi_analyzer::settings::Coordinated;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_store::origin::Origin;
use noroshi_store::window::Window;

/// A half hour that begins at one.
const BEGIN: u64 = 1_793_620_800;

/// Half an hour at a telescope of 4,096 addresses: background from 2,000 networks, and 60
/// sources in step.
fn half_hour() -> Vec<Window> {
    let telescope: Ipv4Net = "198.18.0.0/20".parse().expect("a prefix");
    let population = |index: u32| Population {
        prefix: Ipv4Net::new_assert(
            Ipv4Addr::new(20 + (index % 8) as u8, (index / 8) as u8, 0, 0),
            16,
        ),
        sources: 4,
    };
    let background = Background {
        telescope,
        rate: 0.01,
        populations: (0..2_000).map(population).collect(),
        zipf: 0.8,
    };
    let until = Millis((BEGIN + 1_800) * 1_000);
    let mut packets = background.packets(1, Millis(BEGIN * 1_000), until);
    let random = &mut Random::new(2);
    for order in 0..9 {
        for number in 0..60 {
            packets.push(Sent {
                at: Millis((BEGIN + order * 190) * 1_000 + random.below(20_000)),
                source: Ipv4Addr::new(20, number, 7, 7),
                target: random.address(telescope),
                ttl: 50,
                content: Content::Syn {
                    tool: Tool::Linux,
                    port: 5_432,
                    source_port: 40_000,
                },
                salt: 0,
            });
        }
    }
    packets.sort_unstable();
    let sensor = SensorId::new("s0").expect("an id");
    let nowhere = Arc::new(Origin::default());
    observe::windows(&[(sensor, telescope)], &packets, |_| Arc::clone(&nowhere))
}

/// A detector that has seen these, and the window that makes it judge them.
fn before(seen: &[Window]) -> (CoordinatedScans, Window) {
    let mut detector = CoordinatedScans::new(&Coordinated::default());
    for window in seen {
        detector.examine(window);
    }
    let last = seen.last().map_or(BEGIN, Window::end);
    (
        detector,
        Window::empty(Interval(last), IntervalLength::DEFAULT),
    )
}

fn costs(criterion: &mut Criterion) {
    let windows = half_hour();
    let ten_minutes = &windows[..60];
    let mut group = criterion.benchmark_group("coordinated");
    group.sample_size(20);
    for (name, seen) in [("close_600s", ten_minutes), ("close_1800s", &windows[..])] {
        group.bench_function(name, |bencher| {
            let judge = |(mut detector, next): (CoordinatedScans, Window)| detector.examine(&next);
            bencher.iter_batched(|| before(seen), judge, BatchSize::PerIteration);
        });
    }
    group.bench_function("take_in_600s", |bencher| {
        bencher.iter(|| before(ten_minutes));
    });
    group.finish();
}

criterion_group!(benches, costs);
criterion_main!(benches);
