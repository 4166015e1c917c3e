//! The statistics agree with values computed independently (SciPy), vector by vector.

use noroshi_analyzer::detectors::statistics::{
    Cusum, binomial_tail_bound, discovery_limit, negative_binomial_tail, poisson_tail,
};
use noroshi_analyzer::generate::random::Random;
use proptest::prelude::*;

/// Arguments and value of every vector of a function.
fn vectors(function: &str) -> Vec<(Vec<f64>, f64)> {
    let lines = include_str!("../data/statistics.tsv").lines();
    let of_function = lines.filter_map(|line| {
        let mut fields = line.split('\t');
        (fields.next()? == function).then_some(())?;
        let number = |text: &str| text.parse::<f64>().expect("a number");
        let arguments = fields.next()?.split(',').map(number).collect();
        Some((arguments, number(fields.next()?)))
    });
    let vectors: Vec<_> = of_function.collect();
    assert!(vectors.len() > 5, "no vectors of {function}");
    vectors
}

/// Within one part in a hundred million; below 1e-250 both are nothing.
fn agree(ours: f64, theirs: f64, what: &[f64]) {
    let near = (ours - theirs).abs() <= theirs.abs() * 1e-8 + 1e-250;
    assert!(near, "{what:?}: {ours:e} is not {theirs:e}");
}

#[test]
fn poisson_tails() {
    for (arguments, value) in vectors("poisson_tail") {
        agree(
            poisson_tail(arguments[0] as u64, arguments[1]),
            value,
            &arguments,
        );
    }
}

#[test]
fn negative_binomial_tails() {
    for (arguments, value) in vectors("negative_binomial_tail") {
        let [count, mean, size] = arguments[..] else {
            panic!("{arguments:?}");
        };
        agree(
            negative_binomial_tail(count as u64, mean, size),
            value,
            &arguments,
        );
    }
}

#[test]
fn the_binomial_bound_is_never_below_the_tail_nor_far_above() {
    for (arguments, value) in vectors("binomial_tail") {
        let (matches, trials) = (arguments[0] as u32, arguments[1] as u32);
        let bound = binomial_tail_bound(matches, trials, arguments[2]);
        assert!(
            bound >= value * (1.0 - 1e-9),
            "{arguments:?}: {bound:e} below {value:e}"
        );
        assert!(bound <= 1.0);
        if matches * 100 <= trials {
            // where matches are rare, Chernoff loses some square root of their number
            let loss = 4.0 * f64::from(matches).sqrt();
            assert!(
                bound <= value * loss,
                "{arguments:?}: {bound:e} far above {value:e}"
            );
        }
    }
}

#[test]
fn discoveries() {
    for (arguments, value) in vectors("discovery_limit") {
        let mut chances = arguments[1..].to_vec();
        chances.reverse();
        agree(
            discovery_limit(&mut chances, arguments[0]),
            value,
            &arguments[..1],
        );
    }
}

/// A normal number (Box and Muller, 1958).
fn normal(random: &mut Random) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.unit()).cos()
}

#[test]
fn cumulative_sums_run_as_long_as_they_should() {
    for (arguments, value) in vectors("run_length") {
        let [slack, limit, shift] = arguments[..] else {
            panic!("{arguments:?}");
        };
        let random = &mut Random::new(77);
        let (runs, mut steps) = (3_000, 0);
        for _ in 0..runs {
            let mut sum = Cusum::default();
            steps += 1;
            while sum.add(normal(random) + shift, (slack, f64::INFINITY)) < limit {
                steps += 1;
            }
        }
        let mean = f64::from(steps) / f64::from(runs);
        // the error of a mean of 3,000 runs, which are spread as widely as they are long
        assert!(
            (mean / value - 1.0).abs() < 0.06,
            "{arguments:?}: {mean} is not {value}"
        );
    }
}

proptest! {
    /// More is never more likely, and a chance is a chance.
    #[test]
    fn tails_fall(count in 0_u64..5_000, mean in 0.01_f64..2_000.0, size in 1.0_f64..2_000.0) {
        let each = [
            (poisson_tail(count, mean), poisson_tail(count + 1, mean)),
            (negative_binomial_tail(count, mean, size), negative_binomial_tail(count + 1, mean, size)),
        ];
        for (one, next) in each {
            prop_assert!((0.0..=1.0).contains(&one) && next <= one + 1e-12);
        }
    }

    /// Fewer false discoveries allowed never find more.
    #[test]
    fn strictness_finds_less(mut chances in prop::collection::vec(0.0_f64..1.0, 0..50), rate in 0.001_f64..0.5) {
        let strict = discovery_limit(&mut chances.clone(), rate / 2.0);
        let limit = discovery_limit(&mut chances, rate);
        prop_assert!(strict <= limit && limit <= rate.max(limit.min(1.0)));
    }

    /// Whatever is added, a sum stays within its bounds, and quiet takes it down.
    #[test]
    fn sums_stay_within_bounds(values in prop::collection::vec(-9.0_f64..9.0, 0..200)) {
        let mut sum = Cusum::default();
        for value in values {
            prop_assert!((0.0..=20.0).contains(&sum.add(value, (0.5, 20.0))));
        }
        sum.pass(40, 0.5);
        prop_assert_eq!(sum, Cusum::default());
    }
}
