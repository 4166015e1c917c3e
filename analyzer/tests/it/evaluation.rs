//! The detectors do no worse on a short scenario than they did.

use std::time::Duration;

use noroshi_analyzer::evaluate::{Evaluation, Run};
use noroshi_analyzer::scenario::catalogue;
use noroshi_analyzer::scenario::truth::Verdict;
use noroshi_analyzer::settings::Settings;

fn week(seed: u64) -> Evaluation {
    let scenario = catalogue::named("week").expect("it is there");
    let run = Run {
        scenario: &scenario,
        seed,
        settings: &Settings::default(),
        only: &[],
        clock: || Duration::ZERO,
    };
    run.evaluate(&mut |_| {})
}

/// A seed that differs from one run to the next: the place of something in memory.
fn any_seed() -> u64 {
    let place = Box::new(0_u8);
    (&raw const *place).addr() as u64 / 16 % 1_000_000
}

#[test]
fn a_week_is_judged_as_well_as_ever() {
    let evaluation = week(1);
    let own = &evaluation.methods[0];
    eprintln!("{evaluation}");
    assert!(own.precision >= Some(0.99), "{own:?}");
    assert!(own.found >= 6, "{own:?}");
    for one in &evaluation.courses {
        let silent = one.truth.verdict == Verdict::Silent;
        assert!(!silent || one.alerts == 0, "{one:?}");
    }
}

#[test]
fn a_week_of_any_seed_is_judged_well() {
    let seed = any_seed();
    let evaluation = week(seed);
    eprintln!("{evaluation}");
    let own = &evaluation.methods[0];
    assert!(own.precision >= Some(0.97), "seed {seed}: {own:?}");
    assert!(own.found >= 5, "seed {seed}: {own:?}");
    assert_eq!(own.false_high_per_partner_week, 0.0, "seed {seed}: {own:?}");
}
