//! The graphical lasso: which variables are tied to each other directly.
//!
//! Block coordinate descent (Friedman, Hastie, Tibshirani: Sparse inverse covariance
//! estimation with the graphical lasso, 2008). Variables with equal data form a block: the
//! objective is strictly concave and does not change when members of a block are swapped, so
//! the solution is one number within each block and one between two. In the basis that
//! splits each block of `m` into its mean and its differences, the problem is one of a
//! variable per block with covariance `√(m·n)·s`, penalty `√(m·n)·ρ`, and one free number
//! per block, the covariance `u` within it:
//!
//! ```text
//! maximise  log det W + Σ (m−1)·log(t−u)    with  W = t + (m−1)·u  on the diagonal
//! ```
//!
//! where `t` is the variance. Given the rest of its row, whose quadratic form is `q`, the
//! best is `u = max(s − ρ, q/m)`. Exact, and of the size of the distinct columns.

/// Sweeps after which a solution is taken as it is.
const SWEEPS_MAX: usize = 200;
/// Rounds of one row's lasso after which the next row is taken.
const ROUNDS_MAX: usize = 200;

/// Blocks of equal variables.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    /// Variables in each.
    pub(super) sizes: Vec<f64>,
    /// Covariances between variables of blocks, row by row; on the diagonal within one.
    pub(super) covariances: Vec<f64>,
    /// Variances: what is on the diagonal of the estimate. Where variances are penalised (R's
    /// `glasso`, which Dark-GLASSO uses), with the penalty; else without (scikit-learn).
    pub(super) variances: Vec<f64>,
}

/// How it is solved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// The penalty.
    pub(super) rho: f64,
    /// Largest change of a covariance in the last sweep, as a share of the penalty.
    pub(super) tolerance: f64,
}

/// Where the blocks are tied.
#[derive(Clone, Debug)]
pub(super) struct Ties {
    /// Ties within each block.
    pub(super) within: Vec<bool>,
    /// Ties between two blocks, row by row.
    pub(super) between: Vec<bool>,
}

/// The state of the descent, scaled by block sizes.
struct Descent<'a> {
    blocks: &'a Blocks,
    terms: Terms,
    /// The estimate.
    estimate: Vec<f64>,
    /// The lasso's coefficients of each row.
    rows: Vec<f64>,
    /// Covariances within blocks, and whether the penalty holds them.
    within: Vec<(f64, bool)>,
}

/// Solves for these blocks.
pub(super) fn ties(blocks: &Blocks, terms: Terms) -> Ties {
    let mut descent = Descent::new(blocks, terms);
    let count = blocks.sizes.len();
    let mut gradient = vec![0.0; count];
    for _ in 0..SWEEPS_MAX {
        let mut changed = 0.0_f64;
        for row in 0..count {
            changed = changed.max(descent.improve(row, &mut gradient));
        }
        if changed <= terms.tolerance * terms.rho {
            break;
        }
    }
    Ties {
        within: descent.within.iter().map(|(_, held)| *held).collect(),
        between: descent.rows.iter().map(|one| *one != 0.0).collect(),
    }
}

impl Ties {
    /// Tied pairs of variables.
    pub(super) fn edges(&self, sizes: &[f64]) -> f64 {
        let count = sizes.len();
        let mut edges = 0.0;
        for (row, size) in sizes.iter().enumerate() {
            if self.within[row] {
                edges += size * (size - 1.0) / 2.0;
            }
            for (column, other) in sizes.iter().enumerate() {
                if self.between[row * count + column] {
                    edges += size * other / 2.0; // each tie stands twice
                }
            }
        }
        edges
    }
}

impl<'a> Descent<'a> {
    /// Begins with covariances as small as the penalty lets them all be: positive definite,
    /// and within the bounds of the dual problem.
    fn new(blocks: &'a Blocks, terms: Terms) -> Self {
        let count = blocks.sizes.len();
        let mut most = 0.0_f64;
        for row in 0..count {
            for column in 0..count {
                if row != column || blocks.sizes[row] > 1.0 {
                    most = most.max(blocks.covariances[row * count + column].abs());
                }
            }
        }
        let kept = 1.0 - (terms.rho / most.max(terms.rho)).min(1.0);
        let mut estimate = vec![0.0; count * count];
        let mut within = Vec::with_capacity(count);
        for row in 0..count {
            for column in 0..count {
                let scale = (blocks.sizes[row] * blocks.sizes[column]).sqrt();
                let at = row * count + column;
                estimate[at] = kept * scale * blocks.covariances[at];
            }
            let at = row * count + row;
            let inside = kept * blocks.covariances[at];
            estimate[at] = blocks.variances[row] + (blocks.sizes[row] - 1.0) * inside;
            within.push((inside, false));
        }
        Self {
            blocks,
            terms,
            estimate,
            rows: vec![0.0; count * count],
            within,
        }
    }

    /// Makes one row the best it can be; the largest change of a covariance.
    fn improve(&mut self, row: usize, gradient: &mut [f64]) -> f64 {
        let count = self.blocks.sizes.len();
        self.lasso(row, gradient);
        let own = self.blocks.sizes[row];
        let (mut quadratic, mut changed) = (0.0, 0.0_f64);
        for (column, slope) in gradient.iter().enumerate() {
            if column == row {
                continue;
            }
            let scale = (own * self.blocks.sizes[column]).sqrt();
            let wanted = scale * self.blocks.covariances[row * count + column] - slope;
            let before = self.estimate[row * count + column];
            changed = changed.max((wanted - before).abs() / scale);
            self.estimate[row * count + column] = wanted;
            self.estimate[column * count + row] = wanted;
            quadratic += wanted * self.rows[row * count + column];
        }
        if own <= 1.0 {
            return changed;
        }
        let least = self.blocks.covariances[row * count + row] - self.terms.rho;
        let free = quadratic / own;
        let inside = least.max(free);
        changed = changed.max((inside - self.within[row].0).abs());
        self.within[row] = (inside, least > free);
        self.estimate[row * count + row] = self.blocks.variances[row] + (own - 1.0) * inside;
        changed
    }

    /// One row's lasso by coordinate descent; leaves `gradient` as covariance less estimate.
    fn lasso(&mut self, row: usize, gradient: &mut [f64]) {
        let count = self.blocks.sizes.len();
        let own = self.blocks.sizes[row];
        let coefficients = &mut self.rows[row * count..(row + 1) * count];
        for (column, slope) in gradient.iter_mut().enumerate() {
            let scale = (own * self.blocks.sizes[column]).sqrt();
            *slope = scale * self.blocks.covariances[row * count + column];
        }
        for (column, coefficient) in coefficients.iter().enumerate() {
            if *coefficient != 0.0 {
                let others = &self.estimate[column * count..(column + 1) * count];
                subtract(gradient, others, *coefficient);
            }
        }
        for _ in 0..ROUNDS_MAX {
            let mut changed = 0.0_f64;
            for column in 0..count {
                if column == row {
                    continue;
                }
                let others = &self.estimate[column * count..(column + 1) * count];
                let (curve, before) = (others[column], coefficients[column]);
                let scale = (own * self.blocks.sizes[column]).sqrt();
                let after = shrink(gradient[column] + curve * before, self.terms.rho * scale);
                let after = after / curve;
                if after != before {
                    subtract(gradient, others, after - before);
                    coefficients[column] = after;
                    changed = changed.max((after - before).abs() * curve / scale);
                }
            }
            if changed <= self.terms.tolerance * self.terms.rho * 0.1 {
                return;
            }
        }
    }
}

fn subtract(from: &mut [f64], what: &[f64], times: f64) {
    for (one, other) in from.iter_mut().zip(what) {
        *one -= other * times;
    }
}

/// Towards zero by `least`, and not beyond.
fn shrink(value: f64, least: f64) -> f64 {
    if value.abs() <= least {
        return 0.0;
    }
    value - least.copysign(value)
}
