//! The plainest rule: more sources than chance allows, if they came as a Poisson process
//! with the mean of the last day.

use crate::detectors::statistics::poisson_tail;

/// Bins of a day.
const DAY: usize = 144;
/// The chance below which it is an alarm.
const CHANCE: f64 = 1e-6;
/// Means of less than that are taken for that.
const MEAN_MIN: f64 = 0.05;

/// The bins that give alarm.
pub fn alarms(values: &[f64], _: &[f64]) -> Vec<usize> {
    let mut alarms = Vec::new();
    let mut sum: f64 = values.iter().take(DAY).sum();
    for bin in DAY..values.len() {
        let mean = (sum / DAY as f64).max(MEAN_MIN);
        let value = values[bin];
        // nothing nearer than that is so unlikely
        if value > mean + 3.0 * mean.sqrt() && poisson_tail(value as u64, mean) < CHANCE {
            alarms.push(bin);
        }
        sum += value - values[bin - DAY];
    }
    alarms
}
