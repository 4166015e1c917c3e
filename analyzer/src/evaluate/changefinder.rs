//! ChangeFinder, as nicter's analysis uses it (Takeuchi, Yamanishi, 2006; parameters as in
//! the published code of Dark-TRACER: order 2, discounting 0.005, smoothing 10 then 5,
//! threshold 3).
//!
//! Two stages of sequentially discounting autoregression: the first scores each value by
//! how badly it was foreseen, the second scores the smoothed scores.

/// How fast the past is forgotten.
const DISCOUNT: f64 = 0.005;
/// Values that the next one is foreseen from.
const ORDER: usize = 2;
/// Scores averaged after the first stage, and after the second.
const SMOOTHING: [usize; 2] = [10, 5];
/// Scores above it are alarms.
pub const THRESHOLD: f64 = 3.0;
/// Values that must have been seen before an alarm counts: 1 / `DISCOUNT`. The published
/// configuration ignores only the first 15, and alarms on what it has not learnt yet.
pub const WARM_UP: usize = 200;

/// The bins that give alarm.
pub fn alarms(values: &[f64], _: &[f64]) -> Vec<usize> {
    alarms_after(values, WARM_UP)
}

/// The bins from `first` on that give alarm.
pub fn alarms_after(values: &[f64], first: usize) -> Vec<usize> {
    let scores = scores(values);
    let over = scores.iter().enumerate().skip(first);
    over.filter(|(_, score)| **score > THRESHOLD)
        .map(|(bin, _)| bin)
        .collect()
}

/// The score of every value, after both stages.
pub fn scores(values: &[f64]) -> Vec<f64> {
    let first = smoothed(&surprise(values), SMOOTHING[0]);
    smoothed(&surprise(&first), SMOOTHING[1])
}

/// The logarithmic loss of each value, given those before it; 0 for the first two.
fn surprise(values: &[f64]) -> Vec<f64> {
    let mut scores = vec![0.0; values.len()];
    let (mut mean, mut variance) = (0.0, 0.0);
    let mut covariance = [0.0; ORDER + 1];
    for at in ORDER..values.len() {
        let value = values[at];
        mean += DISCOUNT * (value - mean);
        for (lag, one) in covariance.iter_mut().enumerate() {
            let product = (value - mean) * (values[at - lag] - mean);
            *one += DISCOUNT * (product - *one);
        }
        let weights = weights(covariance);
        let foreseen: f64 = (1..=ORDER)
            .map(|lag| weights[lag - 1] * (values[at - lag] - mean))
            .sum();
        let missed = (value - mean - foreseen).powi(2);
        variance += DISCOUNT * (missed - variance);
        if variance > 0.0 {
            scores[at] = 0.5 * ((std::f64::consts::TAU * variance).ln() + missed / variance);
        }
    }
    scores
}

/// The solution of the Yule-Walker equations of order 2, by the pseudo-inverse of their
/// matrix, whose eigenvalues are the sum and the difference of its entries.
fn weights([c0, c1, c2]: [f64; ORDER + 1]) -> [f64; ORDER] {
    let (sum, difference) = (c0 + c1, c0 - c1);
    let tolerance = f64::EPSILON.sqrt() * sum.abs().max(difference.abs());
    let part = |value: f64, by: f64| match by.abs() > tolerance {
        true => value / 2.0 / by,
        false => 0.0,
    };
    let (even, odd) = (part(c1 + c2, sum), part(c1 - c2, difference));
    [even + odd, even - odd]
}

/// The mean of each value and those before it, at most `width`.
fn smoothed(values: &[f64], width: usize) -> Vec<f64> {
    let each = (0..values.len()).map(|at| {
        let part = &values[(at + 1).saturating_sub(width)..=at];
        part.iter().sum::<f64>() / part.len() as f64
    });
    each.collect()
}
