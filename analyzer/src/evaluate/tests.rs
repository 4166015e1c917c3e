//! The rules of others do what was published of them.

use super::{changefinder, dshield, poisson};

/// When the sources double.
const DOUBLED: usize = 2_000;

/// Two weeks of counts around a mean, then twice as many.
fn doubled() -> Vec<f64> {
    let usual = (0..DOUBLED).map(|bin| (40 + (bin * 7) % 11) as f64);
    usual.chain([95.0; 60]).collect()
}

#[test]
fn each_rule_notices_what_has_doubled() {
    let values = doubled();
    let totals = vec![5_000.0; values.len()];
    let first = |alarms: Vec<usize>| alarms.first().copied().unwrap_or(usize::MAX);
    let changes = changefinder::alarms(&values, &totals);
    assert!(changes.iter().any(|bin| *bin >= DOUBLED), "{changes:?}");
    assert_eq!(first(poisson::alarms(&values, &totals)), DOUBLED);
    assert!((DOUBLED..DOUBLED + 60).contains(&first(dshield::alarms(&values, &totals))));
}

#[test]
fn no_rule_minds_a_series_of_nothing() {
    let nothing = vec![0.0; 600];
    assert!(changefinder::alarms(&nothing, &nothing).is_empty());
    assert!(poisson::alarms(&nothing, &nothing).is_empty());
    assert!(dshield::alarms(&nothing, &nothing).is_empty());
}
