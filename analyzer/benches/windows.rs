//! What each detector costs per sighting: background radiation with a crowd of sources seen
//! once, at two sizes, so that what grows faster than its input shows.
//!
//! ```text
//! cargo bench -p noroshi-analyzer --bench windows
//! ```
//! Without `--bench` among its arguments it makes one small round.

#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads its arguments and measures time"
)]

#[path = "time/spent.rs"]
mod spent;

use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use noroshi_analyzer::detectors::{Observation, all};
use noroshi_analyzer::generate::background::{Background, Population};
use noroshi_analyzer::generate::observe;
use noroshi_analyzer::generate::packet::{Content, Sent, Tool};
use noroshi_analyzer::generate::random::Random;
use noroshi_analyzer::settings::Settings;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::origin::Origin;
use noroshi_store::window::Window;

/// A noon in 2026.
const NOON: u64 = 1_793_620_800_000;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let (strangers, rounds) = if full { (400_000, 5) } else { (2_000, 1) };
    let small = windows(strangers);
    let large = windows(strangers * 4);
    let names = all(&Settings::default(), Observation::Live).len();
    println!(
        "{} and {} sightings, best of {rounds}",
        sightings(&small),
        sightings(&large)
    );
    let mut sum = 0.0;
    for index in 0..names {
        let (name, one) = cost(index, &small, rounds);
        let (_, four) = cost(index, &large, rounds);
        let ratio = four / one;
        println!("{name:16} {one:7.1} ns/sighting, {four:7.1} at four times as many: {ratio:4.2}");
        sum += four;
    }
    let per_second = 1e9 / sum;
    println!("all together     {sum:7.1} ns/sighting: {per_second:.0} sightings/s on one core");
}

/// Sixty seconds of background, and so many sources that are seen once.
fn windows(strangers: u32) -> Vec<Window> {
    let telescope: Ipv4Net = "198.18.0.0/16".parse().expect("a prefix");
    let background = Background {
        telescope,
        rate: f64::from(strangers) / 60.0 / 65_536.0,
        populations: vec![Population {
            prefix: "45.80.0.0/14".parse().expect("a prefix"),
            sources: 20_000,
        }],
        zipf: 1.1,
    };
    let until = Millis(NOON + 60_000);
    let mut packets = background.packets(3, Millis(NOON), until);
    let random = &mut Random::new(5);
    packets.extend((0..strangers).map(|number| Sent {
        at: Millis(NOON + u64::from(number) * 60_000 / u64::from(strangers)),
        source: Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761)),
        target: random.address(telescope),
        ttl: 244,
        content: Content::Syn {
            tool: Tool::Linux,
            port: 8_080,
            source_port: 1_025,
        },
        salt: number,
    }));
    packets.sort_unstable();
    let sensor = SensorId::new("s").expect("an id");
    let nowhere = Arc::new(Origin::default());
    observe::windows(&[(sensor, telescope)], &packets, |_| Arc::clone(&nowhere))
}

fn sightings(windows: &[Window]) -> usize {
    windows.iter().map(|window| window.flows.len()).sum()
}

/// The name of a detector, and its nanoseconds of a processor per sighting.
fn cost(index: usize, windows: &[Window], rounds: usize) -> (&'static str, f64) {
    let mut best = f64::INFINITY;
    let mut name = "";
    for _ in 0..rounds {
        let mut detector = all(&Settings::default(), Observation::Live).swap_remove(index);
        name = detector.facts().name;
        let begun = spent::by_thread();
        let found: usize = windows
            .iter()
            .map(|window| detector.examine(window).len())
            .sum();
        std::hint::black_box(found);
        best = best.min((spent::by_thread() - begun).as_nanos() as f64);
    }
    (name, best / sightings(windows).max(1) as f64)
}
