//! Counts and choices from a seed.

use crate::generate::random::Random;

/// Means from which a Poisson count is drawn as a rounded normal.
const NORMAL_MIN: f64 = 40.0;

/// A count with a Poisson distribution of this mean.
pub fn poisson(random: &mut Random, mean: f64) -> u64 {
    if mean <= 0.0 {
        return 0;
    }
    if mean >= NORMAL_MIN {
        return (mean + mean.sqrt() * normal(random)).round().max(0.0) as u64;
    }
    let limit = (-mean).exp();
    let mut product = random.unit();
    let mut count = 0;
    while product > limit {
        product *= random.unit();
        count += 1;
    }
    count
}

/// A number with a standard normal distribution (Box and Muller, 1958).
pub fn normal(random: &mut Random) -> f64 {
    let (radius, angle) = (1.0 - random.unit(), random.unit());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// A choice among weighted entries in constant time (Walker's alias method, 1977; Vose, 1991).
#[derive(Clone, Debug)]
pub struct Choice {
    /// Of each entry, the chance of itself, as a share of 2^32, and who stands for the rest.
    entries: Vec<(u32, u32)>,
}

impl Choice {
    /// Among as many entries as there are weights, at least one of them above 0.
    pub fn new(weights: &[f64]) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut left: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..left.len()).partition(|index| left[*index] < 1.0);
        let mut entries: Vec<(u32, u32)> = (0..left.len())
            .map(|index| (u32::MAX, index as u32))
            .collect();
        while let (Some(poor), Some(rich)) = (small.pop(), large.last().copied()) {
            entries[poor] = ((left[poor] * f64::from(u32::MAX)) as u32, rich as u32);
            left[rich] -= 1.0 - left[poor];
            if left[rich] < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        Self { entries }
    }

    /// One of them, by index.
    pub fn draw(&self, random: &mut Random) -> usize {
        let bits = random.bits();
        let index = (((bits >> 32) * self.entries.len() as u64) >> 32) as usize;
        let (own, other) = self.entries[index];
        if bits as u32 <= own {
            index
        } else {
            other as usize
        }
    }
}
