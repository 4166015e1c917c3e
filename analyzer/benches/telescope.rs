//! Whether a /8 is examined in real time: windows of 1.4 million packets a second, through all
//! detectors and the cases, against the ten seconds that each of them lasts.
//!
//! Who sends, and for what, is the scenario `day` on eight sensors of a /11 each. Beside the
//! analysis stands a pass that only reads the windows: what no analysis can do without.
//!
//! ```text
//! cargo bench -p noroshi-analyzer --bench telescope               a /8
//! cargo bench -p noroshi-analyzer --bench telescope -- storm      a day of seventy million spoofed sources
//! ```
//! Without `--bench` among its arguments it plays a thousandth of it.

#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads its arguments and measures time"
)]

#[path = "time/spent.rs"]
mod spent;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use noroshi_analyzer::alerts::Purpose;
use noroshi_analyzer::analysis::Analysis;
use noroshi_analyzer::detectors::Observation;
use noroshi_analyzer::evaluate::Run;
use noroshi_analyzer::scenario::{Scenario, catalogue, region};
use noroshi_analyzer::settings::Settings;
use noroshi_proto::time::{Interval, IntervalLength};
use noroshi_store::registry::Registry;
use noroshi_store::window::Window;

/// Packets a second that a /8 receives (PERF: the load to be examined in real time).
const PACKETS: f64 = 1.4e6;
/// Addresses of a /8.
const ADDRESSES: f64 = (1 << 24) as f64;
/// Sources of background at one time: as many as a /8 sees within some minutes.
const SOURCES: f64 = 8e6;
/// Packets of a quiet source at one visit, as in the scenario `month`.
const BURST: f64 = 4.0;
/// Windows until the tables of sources are full, and those that are measured.
const WINDOWS: (usize, usize) = (2, 3);
/// Seconds of a window, and of a bin of them.
const WINDOW_SECONDS: u64 = 10;
const BIN_SECONDS: u64 = 600;
/// Packets of one flow tuple in the scenario `month`.
const PACKETS_PER_TUPLE: f64 = 2.0;

/// Seconds, packets and flow tuples, added up.
#[derive(Default)]
struct Sum {
    read: f64,
    examined: f64,
    packets: u64,
    tuples: usize,
}

fn main() {
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    if asked("storm") {
        storm();
    } else {
        a_slash_eight(if asked("--bench") { 1.0 } else { 1e-3 });
    }
}

/// The scenario `storm`: how much of real time, and of memory, it takes.
fn storm() {
    let scenario = catalogue::named("storm").expect("it is in the catalogue");
    let run = Run {
        scenario: &scenario,
        seed: 1,
        settings: &Settings::default(),
        only: &[],
        clock: spent::by_thread,
    };
    let begun = Instant::now();
    let made = run.evaluate(&mut |_| {});
    let seconds = begun.elapsed().as_secs_f64();
    let real = seconds / scenario.watched_seconds() as f64;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find(|line| line.starts_with("VmHWM"));
    println!(
        "storm: {} flow tuples, {seconds:.0} s: {real:.4} of real time; {}",
        made.flow_tuples,
        memory.unwrap_or("memory unknown")
    );
    for detector in &made.detectors {
        let seconds = detector.cpu_seconds.unwrap_or(0.0);
        println!("{:16} {seconds:.0} s of a processor", detector.name);
    }
}

fn a_slash_eight(scale: f64) {
    let scenario = telescope(scale);
    let mut analysis = analysis();
    let mut windows = scenario.play(1);
    for window in windows.by_ref().take(WINDOWS.0) {
        analysis.examine(&[window]);
    }
    let before = analysis.spent();
    let mut sum = Sum::default();
    let mut last = scenario.from;
    for window in windows.take(WINDOWS.1) {
        sum.take(window, &mut analysis);
        last += WINDOW_SECONDS;
    }
    // the bin that these windows are part of must be closed as well
    let next = Interval(last - last % BIN_SECONDS + BIN_SECONDS);
    let begun = Instant::now();
    analysis.examine(&[Window::empty(next, IntervalLength::DEFAULT)]);
    let windows = WINDOWS.1 as f64;
    sum.examined +=
        begun.elapsed().as_secs_f64() * windows * WINDOW_SECONDS as f64 / BIN_SECONDS as f64;
    sum.tell(windows * WINDOW_SECONDS as f64, scale);
    for ((name, spent), (_, before)) in analysis.spent().into_iter().zip(before) {
        let nanos = (spent - before).as_nanos() as f64 / sum.tuples as f64;
        println!("{name:16} {nanos:6.0} ns of a processor a tuple");
    }
}

/// The scenario `day`, as a share of a /8 would see it.
fn telescope(scale: f64) -> Scenario {
    let mut scenario = catalogue::named("day").expect("it is in the catalogue");
    let larger = ADDRESSES * scale / scenario.addresses() as f64;
    for place in &mut scenario.sensors {
        place.addresses = (f64::from(place.addresses) * larger) as u32;
    }
    scenario.rate = PACKETS / ADDRESSES;
    scenario.sources = (SOURCES * scale) as u32;
    scenario.burst = BURST;
    scenario.script.clear();
    scenario
}

/// All detectors and the cases, for the partners of the scenario.
fn analysis() -> Analysis {
    let scenario = catalogue::named("day").expect("it is in the catalogue");
    let text = region::registry(&scenario.sensors);
    let registry = Registry::parse("registry.toml", &text).expect("a test parses it");
    Analysis::new(
        &Settings::default(),
        Arc::new(registry),
        Observation::Live,
        Purpose::Operation,
    )
    .timed(spent::by_thread)
}

impl Sum {
    fn take(&mut self, window: Window, analysis: &mut Analysis) {
        self.tuples += window.flows.len();
        let begun = Instant::now();
        self.packets += black_box(window.packets());
        self.read += begun.elapsed().as_secs_f64();
        let windows = [window];
        let begun = Instant::now();
        black_box(analysis.examine(&windows));
        self.examined += begun.elapsed().as_secs_f64();
    }

    /// How long `seconds` of a share of a /8 took.
    fn tell(&self, seconds: f64, scale: f64) {
        let (tuples, packets) = (self.tuples as f64, self.packets as f64);
        let nanos = self.examined * 1e9 / tuples;
        let real = self.examined / (seconds * scale);
        let (ratio, reading) = (packets / tuples, self.examined / self.read);
        let rate = packets / seconds / scale / 1e6;
        println!(
            "a /8: {rate:.2} million packets/s, {ratio:.1} a flow tuple; {nanos:.0} ns a tuple on {} cores, \
             {reading:.1} times what reading takes",
            rayon::current_num_threads(),
        );
        println!("a /8: {real:.2} of real time");
        // the scenario `month` has fewer packets a tuple, so more tuples of as many packets
        let dense = nanos * PACKETS / PACKETS_PER_TUPLE / 1e9;
        println!("a /8 of {PACKETS_PER_TUPLE} packets a tuple: {dense:.2} of real time");
    }
}
