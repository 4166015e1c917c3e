//! The analyzer alone, as fast as it can: how much memory the same traffic takes after hours.

use std::sync::Arc;

use noroshi_analyzer::alerts::Purpose;
use noroshi_analyzer::analysis::Analysis;
use noroshi_analyzer::detectors::Observation;
use noroshi_analyzer::scenario::region;
use noroshi_analyzer::settings::Settings;
use noroshi_store::registry::Registry;

use crate::Size;
use crate::sampler::mebibytes;
use crate::traffic::{play, sensors};

/// Seconds of traffic between two looks.
const LOOK_EVERY: u64 = 600;

/// Prints the memory of this process every ten minutes of `size`, with what making the traffic takes.
pub fn run(size: &Size, from: u64) {
    let registry = region::registry(&sensors());
    let registry = Registry::parse("registry.toml", &registry).expect("the scenarios' own");
    let mut analysis = Analysis::new(
        &Settings::default(),
        Arc::new(registry),
        Observation::Live,
        Purpose::Operation,
    );
    println!("before: {:.0} MiB", mebibytes(std::process::id(), "VmRSS:"));
    let mut outcomes = 0;
    let until = from + size.seconds; // the past is part of it: nobody has to come first
    for window in play(size, from).take_while(|window| window.end() <= until) {
        let end = window.end();
        outcomes += analysis.examine(&[window]).len();
        if (end - from).is_multiple_of(LOOK_EVERY) {
            println!(
                "{:>4} min: {:.0} MiB, {outcomes} outcomes",
                (end - from) / 60,
                mebibytes(std::process::id(), "VmRSS:")
            );
            let tables = analysis.tables().into_iter();
            let tables = tables.map(|fill| format!("{} {}", fill.entries, fill.table));
            println!("          {}", tables.collect::<Vec<_>>().join(", "));
        }
    }
}
