//! Which of a series of densities stand out.
//!
//! The largest is dropped for as long as that leaves at most a set share of the variance;
//! what was dropped stands out (Dark-GLASSO). What stood out is not kept, so that an event
//! does not become usual; but a level that lasts half a day does.

use std::collections::VecDeque;

use crate::settings::Coordinated;

/// Windows in a row that stand out before they are taken for usual: half a day.
const LASTING: u32 = 72;
/// Telescopes whose sizes differ by no more are compared.
const SIZE_RATIO_MAX: f64 = 1.25;

/// Past densities for one penalty.
#[derive(Clone, Debug, Default)]
pub(super) struct Outliers {
    /// Density, and the telescope's size, oldest first.
    past: VecDeque<(f64, u64)>,
    /// Windows in a row that stood out.
    lasting: u32,
}

impl Outliers {
    /// Whether `density`, seen by a telescope of this size, stands out; it is kept then as
    /// part of the past unless it does.
    pub(super) fn judge(&mut self, density: f64, size: u64, settings: &Coordinated) -> bool {
        let like = |other: u64| {
            let (one, other) = (size.max(1) as f64, other.max(1) as f64);
            one.max(other) / one.min(other) <= SIZE_RATIO_MAX
        };
        let past = self.past.iter().filter(|(_, other)| like(*other));
        let mut known: Vec<f64> = past.map(|(density, _)| *density).collect();
        let enough = known.len() >= settings.history_min;
        known.push(density);
        let least = standing_out(&mut known, settings.variance_share);
        let stands_out = enough && least.is_some_and(|least| density >= least);
        self.lasting = if stands_out { self.lasting + 1 } else { 0 };
        if !stands_out || self.lasting > LASTING {
            self.past.push_back((density, size));
        }
        while self.past.len() >= settings.history_max.max(1) {
            self.past.pop_front();
        }
        stands_out
    }
}

/// The smallest value that stands out, if any does.
fn standing_out(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let mut kept = values.len();
    while kept > 1 {
        let (with, without) = (variance(&values[..kept]), variance(&values[..kept - 1]));
        if with <= 0.0 || without / with > share {
            break;
        }
        kept -= 1;
    }
    values.get(kept).copied()
}

fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::random::Random;

    fn calm(random: &mut Random) -> f64 {
        let sum: f64 = (0..12).map(|_| random.unit()).sum();
        0.01 + 0.001 * (sum - 6.0)
    }

    #[test]
    fn a_peak_stands_out_and_stays_out() {
        let settings = Coordinated::default();
        let (mut outliers, random) = (Outliers::default(), &mut Random::new(1));
        let before = (0..143).filter(|_| outliers.judge(calm(random), 256, &settings));
        assert_eq!(before.count(), 0, "no judgement without a day");
        for _ in 0..300 {
            outliers.judge(calm(random), 256, &settings);
        }
        assert!(outliers.judge(0.02, 256, &settings));
        assert!(
            outliers.judge(0.02, 256, &settings),
            "nor does it hide the next"
        );
        assert!(!outliers.judge(0.01, 256, &settings));
        assert!(!outliers.judge(0.02, 1_024, &settings), "another telescope");
    }

    #[test]
    fn a_level_that_lasts_becomes_usual() {
        let settings = Coordinated::default();
        let (mut outliers, random) = (Outliers::default(), &mut Random::new(1));
        for _ in 0..432 {
            outliers.judge(calm(random), 256, &settings);
        }
        let higher = (0..288).filter(|_| outliers.judge(0.01 + calm(random), 256, &settings));
        assert!((60..150).contains(&higher.count()));
    }
}
