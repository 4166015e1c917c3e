//! The few distributions that detectors ask.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::gamma_lr;

/// The middle of a series, and how far values lie from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Median.
    pub median: f64,
    /// Median absolute deviation from it.
    pub mad: f64,
    /// Mean of the lower 95 %.
    pub mean: f64,
    /// Variance of the lower 95 %.
    pub variance: f64,
}

impl Usual {
    /// What is usual in `values`; `None` without any.
    pub fn of(values: &mut [f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let most = (values.len() * 95).div_ceil(100);
        values.select_nth_unstable_by(most - 1, f64::total_cmp);
        let kept = &values[..most];
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        let median = middle(values);
        let mut away: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
        Some(Self {
            median,
            mad: middle(&mut away),
            mean,
            variance,
        })
    }

    /// Robust deviations of `value` from the median; the scale is never below that of a
    /// Poisson count.
    pub fn deviations(&self, value: f64) -> f64 {
        let scale = (1.4826 * self.mad).max((self.median + 1.0).sqrt());
        (value - self.median) / scale
    }

    /// The same, less sure of itself by a factor: while little of the past is known.
    pub fn widened(self, factor: f64) -> Self {
        Self {
            mad: self.mad * factor,
            variance: self.variance * factor * factor,
            ..self
        }
    }

    /// The chance of `count` or more, by a negative binomial with these moments (Poisson
    /// where they are not over-dispersed).
    pub fn tail(&self, count: u64) -> f64 {
        let mean = self.median.max(self.mean).max(0.05);
        if self.variance <= mean {
            return poisson_tail(count, mean);
        }
        let size = (mean * mean / (self.variance - mean)).max(1.0);
        negative_binomial_tail(count, mean, size)
    }
}

/// Adds up deviations beyond a slack, never below 0: what lasts comes together, however small
/// (the upper cumulative sum of Page, Continuous Inspection Schemes, 1954).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cusum(f64);

impl Cusum {
    /// Adds one value, and says how much there is: `most` at most.
    pub fn add(&mut self, deviations: f64, (slack, most): (f64, f64)) -> f64 {
        self.0 = (self.0 + deviations - slack).clamp(0.0, most);
        self.0
    }

    /// So many values as usual went by.
    pub fn pass(&mut self, values: u32, slack: f64) {
        self.0 = (self.0 - f64::from(values) * slack).max(0.0);
    }
}

/// How many times farther sums of successive values stray than if each stood alone: the root
/// of the long-run variance over the variance, 1 at least. What lasts for some bins by itself
/// makes a cumulative sum reach its limit that much sooner (Johnson and Bagshaw, The Effect of
/// Serial Correlation on the Performance of CUSUM Tests, 1974). A straight line through the
/// values is taken out, autocorrelations are weighed as Bartlett did (1950), up to `lags`.
pub fn long_run(values: &[f64], lags: usize) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count.max(1.0);
    let middle = (count - 1.0) / 2.0;
    let at = |index: usize| index as f64 - middle;
    let slope = values
        .iter()
        .enumerate()
        .map(|(index, value)| at(index) * value)
        .sum::<f64>()
        / (count * (count * count - 1.0) / 12.0).max(1.0);
    let left: Vec<f64> = values
        .iter()
        .enumerate()
        .map(|(index, value)| value - mean - slope * at(index))
        .collect();
    let together = products(left, lags);
    let alone = together[0];
    if alone <= 0.0 {
        return 1.0;
    }
    let weight = |lag: usize| 1.0 - lag as f64 / (lags + 1) as f64;
    let lasting: f64 = (1..lags + 1).map(|lag| weight(lag) * together[lag]).sum();
    (1.0 + 2.0 * lasting / alone).max(1.0).sqrt()
}

/// Lags that are worked out side by side.
const ABREAST: usize = 8;

/// The sum of products of each value and the one so many after it, for each lag up to `lags` and
/// some more. Each sum is added up in order of values; only sums stand side by side.
fn products(mut values: Vec<f64>, lags: usize) -> Vec<f64> {
    let count = values.len();
    let blocks = (lags + 1).div_ceil(ABREAST);
    values.resize(count + blocks * ABREAST, 0.0); // what is after the last adds nothing
    let mut together = Vec::with_capacity(blocks * ABREAST);
    for block in 0..blocks {
        let mut sums = [0.0; ABREAST];
        let later = values[block * ABREAST..].windows(ABREAST);
        for (value, later) in values[..count].iter().zip(later) {
            for (sum, other) in sums.iter_mut().zip(later) {
                *sum += value * other;
            }
        }
        together.extend(sums);
    }
    together
}

/// The middle of some values, in any order; they are put into another.
fn middle(values: &mut [f64]) -> f64 {
    let (half, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    if is_odd {
        return *upper;
    }
    let upper = *upper;
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lower + upper) / 2.0
}

/// P(X ≥ `count`) for a Poisson of this mean.
pub fn poisson_tail(count: u64, mean: f64) -> f64 {
    if count == 0 {
        return 1.0;
    }
    if mean <= 0.0 {
        return 0.0;
    }
    gamma_lr(count as f64, mean).clamp(0.0, 1.0)
}

/// Between which means a Poisson count lies, with 95 % confidence: Byar's approximation of the
/// exact bounds by the gamma distribution (Breslow and Day, Statistical Methods in Cancer
/// Research II, 1987), within 1 % from 10 on.
pub fn poisson_interval(count: u64) -> (f64, f64) {
    let bound = |n: f64, deviations: f64| {
        n * (1.0 - 1.0 / (9.0 * n) + deviations / (3.0 * n.sqrt())).powi(3)
    };
    let low = if count == 0 {
        0.0
    } else {
        bound(count as f64, -1.96).max(0.0)
    };
    (low, bound(count as f64 + 1.0, 1.96))
}

/// How many times longer than from its first sighting to its last something lasted, if it was
/// seen `count` times at moments drawn at random: as is to be expected, and at most with 95 %
/// confidence; `None` below two. The span of n uniform draws has mean (n − 1)/(n + 1), and is
/// below q with chance n·qⁿ⁻¹ − (n − 1)·qⁿ (David and Nagaraja, Order Statistics, 2003, §2.3).
pub fn span_stretch(count: u64) -> Option<(f64, f64)> {
    if count < 2 {
        return None;
    }
    let n = count as f64;
    let below = |q: f64| q.powf(n - 1.0) * (n - (n - 1.0) * q);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle) < 0.05 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(((n + 1.0) / (n - 1.0), 1.0 / high))
}

/// The chance that counts which follow the `expected` shares differ by as much (Pearson's
/// chi-square); `None` where fewer than two of them are to be expected five times.
pub fn uniformity(observed: &[(f64, f64)]) -> Option<f64> {
    let total: f64 = observed.iter().map(|(count, _)| count).sum();
    let shares: f64 = observed.iter().map(|(_, share)| share).sum();
    let expected = |share: f64| total * share / shares;
    let is_enough = observed.iter().all(|(_, share)| expected(*share) >= 5.0);
    if observed.len() < 2 || shares <= 0.0 || !is_enough {
        return None;
    }
    let distance: f64 = observed
        .iter()
        .map(|(count, share)| (count - expected(*share)).powi(2) / expected(*share))
        .sum();
    let freedom = (observed.len() - 1) as f64;
    Some(1.0 - gamma_lr(freedom / 2.0, distance.max(1e-12) / 2.0))
}

/// P(X ≥ `count`) for a negative binomial with variance `mean + mean² / size`.
pub fn negative_binomial_tail(count: u64, mean: f64, size: f64) -> f64 {
    if count == 0 {
        return 1.0;
    }
    beta_reg(count as f64, size, mean / (mean + size)).clamp(0.0, 1.0)
}

/// The largest chance that still counts as a discovery when a share `rate` of them may be
/// false (Benjamini and Hochberg, 1995); 0 where none does.
pub fn discovery_limit(chances: &mut [f64], rate: f64) -> f64 {
    chances.sort_unstable_by(f64::total_cmp);
    let tested = chances.len() as f64;
    let mut limit = 0.0;
    for (rank, chance) in chances.iter().enumerate() {
        if *chance <= (rank + 1) as f64 * rate / tested {
            limit = *chance;
        }
    }
    limit
}

/// An upper bound of P(X ≥ `matches`) for a binomial with small `chance` (Chernoff).
pub fn binomial_tail_bound(matches: u32, trials: u32, chance: f64) -> f64 {
    let (matches, expected) = (f64::from(matches), f64::from(trials) * chance);
    if matches <= expected {
        return 1.0;
    }
    (matches - expected - matches * (matches / expected).ln()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::random::Random;

    #[test]
    fn tails_agree_with_tables() {
        // Poisson(3): P(X ≥ 8) = 0.011905; NB(mean 3, size 2): P(X ≥ 8) = 0.0704
        assert!((poisson_tail(8, 3.0) - 0.011_905).abs() < 1e-6);
        let direct: f64 = 1.0
            - (0..8)
                .map(|x| f64::from(x + 1) * 0.4_f64.powi(2) * 0.6_f64.powi(x))
                .sum::<f64>();
        assert!((negative_binomial_tail(8, 3.0, 2.0) - direct).abs() < 1e-9);
        assert_eq!(poisson_tail(0, 3.0), 1.0);
        assert_eq!(poisson_tail(1_000_000, 1.0), 0.0);
        assert!(negative_binomial_tail(100_000, 10.0, 5.0) < 1e-300);
    }

    #[test]
    fn intervals_and_uniformity_agree_with_tables() {
        // exact bounds of a count of 10: 4.795 to 18.390; chi-square 3.841 with one degree
        let (low, high) = poisson_interval(10);
        assert!(
            (low - 4.795).abs() < 0.05 && (high - 18.390).abs() < 0.05,
            "{low} {high}"
        );
        assert_eq!(poisson_interval(0).0, 0.0);
        let chance = uniformity(&[(100.0 + 13.859, 1.0), (100.0 - 13.859, 1.0)]).expect("enough");
        assert!((chance - 0.05).abs() < 1e-3, "{chance}");
        assert!(uniformity(&[(3.0, 1.0), (2.0, 1.0)]).is_none());
    }

    #[test]
    fn spans_are_stretched_as_draws_are() {
        assert_eq!(span_stretch(1), None);
        // two draws: the span is below q with chance 2q − q², 5 % at 1 − √0.95
        let (expected, most) = span_stretch(2).expect("two");
        assert_eq!(expected, 3.0);
        assert!((1.0 / most - (1.0 - 0.95_f64.sqrt())).abs() < 1e-9);
        // many draws: both ends together lack a gamma of shape 2, 4.744 at 95 %
        let (expected, most) = span_stretch(100_000).expect("many");
        assert!((expected - 1.000_02).abs() < 1e-7, "{expected}");
        assert!((most - 1.000_047_44).abs() < 1e-7, "{most}");
    }

    #[test]
    fn a_spike_does_not_move_what_is_usual() {
        let mut values: Vec<f64> = (0..100).map(|n| f64::from(n % 5)).collect();
        let calm = Usual::of(&mut values.clone()).expect("values");
        values.extend([5_000.0; 4]);
        let spiked = Usual::of(&mut values).expect("values");
        assert_eq!(calm.median, spiked.median);
        assert_eq!(calm.mad, spiked.mad);
        assert!(spiked.mean < 10.0);
        assert!(Usual::of(&mut []).is_none());
    }

    /// Of independent values 1; of values that come six times each the root of
    /// 1 + 2·Σ(1 − k/6)(1 − k/13) = 5.1.
    #[test]
    fn what_lasts_strays_farther() {
        let random = &mut Random::new(25);
        let mut draw = || random.below(100) as f64;
        let alone: Vec<f64> = (0..1_440).map(|_| draw()).collect();
        let lasting: Vec<f64> = (0..240).flat_map(|_| [draw(); 6]).collect();
        assert!(long_run(&alone, 12) < 1.15);
        let lasting = long_run(&lasting, 12);
        assert!((2.0..2.5).contains(&lasting), "{lasting}");
        let line: Vec<f64> = (0..144).map(f64::from).collect();
        assert!(long_run(&line, 12) < 1.01, "growth is not what lasts");
        assert_eq!(long_run(&[3.0; 144], 12), 1.0);
        assert_eq!(long_run(&[], 12), 1.0);
    }

    #[test]
    fn discoveries_stop_at_the_last_rank_that_holds() {
        assert_eq!(discovery_limit(&mut [0.04, 0.001, 0.5, 0.008], 0.05), 0.008);
        assert_eq!(discovery_limit(&mut [0.5, 0.9], 0.05), 0.0);
        assert_eq!(discovery_limit(&mut [], 0.05), 0.0);
    }

    #[test]
    fn the_bound_is_above_the_tail() {
        for (matches, trials) in [(3, 1_000), (5, 100_000), (2, 40_000)] {
            let chance = 2.0_f64.powi(-16);
            let tail = poisson_tail(u64::from(matches), f64::from(trials) * chance);
            assert!(binomial_tail_bound(matches, trials, chance) >= tail * 0.999);
        }
    }
}
