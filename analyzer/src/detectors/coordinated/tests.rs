//! Numbers against other implementations: the vectors, and the script that made them with
//! scikit-learn, are in `tests/data/coordinated`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::density::{Columns, SLOTS};
use super::factors::{Factors, Packets};
use super::lasso::{Blocks, Terms, ties};

#[derive(Deserialize)]
struct LassoCase {
    counts: Vec<[u16; SLOTS]>,
    rho: f64,
    penalised: bool,
    pairs: Vec<(usize, usize)>,
}

#[derive(Deserialize)]
struct FactorCase {
    counts: Vec<Vec<u16>>,
    rank: usize,
    updates: usize,
    begin: FactorValues,
    end: FactorValues,
    error: f64,
}

#[derive(Deserialize)]
struct FactorValues {
    rhythms: Vec<Vec<f64>>,
    parts: Vec<Vec<f64>>,
}

fn lasso_cases() -> Vec<LassoCase> {
    let text = include_str!("../../../tests/data/coordinated/glasso.json");
    serde_json::from_str(text).expect("the vectors are JSON")
}

fn centred(counts: &[u16; SLOTS]) -> [f64; SLOTS] {
    let logs = counts.map(|count| f64::from(count).max(0.1).ln());
    let mean = logs.iter().sum::<f64>() / SLOTS as f64;
    logs.map(|log| log - mean)
}

fn covariance(one: &[u16; SLOTS], other: &[u16; SLOTS]) -> f64 {
    let (one, other) = (centred(one), centred(other));
    let products = one.iter().zip(&other).map(|(a, b)| a * b);
    products.sum::<f64>() / SLOTS as f64
}

fn terms(case: &LassoCase) -> Terms {
    Terms {
        rho: case.rho,
        tolerance: 1e-9,
    }
}

fn blocks(case: &LassoCase, columns: &[[u16; SLOTS]], sizes: Vec<f64>) -> Blocks {
    let rows = columns.iter();
    let all = rows.flat_map(|one| columns.iter().map(|other| covariance(one, other)));
    let more = if case.penalised { case.rho } else { 0.0 };
    let variances = columns.iter().map(|one| covariance(one, one) + more);
    Blocks {
        sizes,
        covariances: all.collect(),
        variances: variances.collect(),
    }
}

#[test]
fn the_lasso_ties_what_scikit_learn_ties() {
    for (number, case) in lasso_cases().iter().enumerate() {
        let count = case.counts.len();
        let found = ties(&blocks(case, &case.counts, vec![1.0; count]), terms(case));
        let mut pairs = Vec::new();
        for one in 0..count {
            for other in one + 1..count {
                if found.between[one * count + other] {
                    pairs.push((one, other));
                }
            }
        }
        assert_eq!(pairs, case.pairs, "case {number}, penalty {}", case.rho);
    }
}

#[test]
fn equal_columns_are_one_block_without_loss() {
    let mut repeated = 0;
    for (number, case) in lasso_cases().iter().enumerate() {
        let distinct: BTreeSet<[u16; SLOTS]> = case.counts.iter().copied().collect();
        let distinct: Vec<[u16; SLOTS]> = distinct.into_iter().collect();
        repeated += usize::from(distinct.len() < case.counts.len());
        let times = |one: &[u16; SLOTS]| case.counts.iter().filter(|other| *other == one).count();
        let sizes: Vec<f64> = distinct.iter().map(|one| times(one) as f64).collect();
        let edges = ties(&blocks(case, &distinct, sizes.clone()), terms(case)).edges(&sizes);
        assert_eq!(edges, case.pairs.len() as f64, "case {number}");
    }
    assert!(repeated >= 4);
}

#[test]
fn a_density_is_that_of_the_lasso() {
    for (number, case) in lasso_cases().iter().enumerate() {
        if !case.penalised {
            continue;
        }
        let columns = Columns::of(case.counts.iter().map(|one| &one[..]));
        let all = case.counts.len() as f64;
        let expected = case.pairs.len() as f64 / (all * (all - 1.0));
        // screened and solved with the tolerance of every day
        let density = columns.densities(&[0.3, case.rho])[1];
        let pairs_off = (density - expected).abs() * all * (all - 1.0);
        assert!(pairs_off <= 1.0, "case {number}: {pairs_off} pairs off");
    }
}

fn rows(values: &[f64], rank: usize) -> impl Iterator<Item = &[f64]> {
    values.chunks_exact(rank)
}

fn near(values: &[f64], expected: &[Vec<f64>], rank: usize, most: f64) {
    assert_eq!(values.len(), expected.len() * rank);
    for (one, other) in rows(values, rank).zip(expected) {
        for (value, expected) in one.iter().zip(other) {
            let off = (value - expected).abs();
            assert!(off <= most * expected.abs().max(1.0), "{value} {expected}");
        }
    }
}

#[test]
fn factors_are_those_of_scikit_learn() {
    let text = include_str!("../../../tests/data/coordinated/factors.json");
    let cases: Vec<FactorCase> = serde_json::from_str(text).expect("the vectors are JSON");
    for case in &cases {
        let packets = Packets::of(30, case.counts.iter().map(|one| &one[..]));
        let begin = packets.singular(case.rank);
        near(&begin.rhythms, &case.begin.rhythms, case.rank, 1e-8);
        near(&begin.parts, &case.begin.parts, case.rank, 1e-8);
        let mut factors = begin.first(case.rank);
        let mut error = 0.0;
        for _ in 0..case.updates {
            error = factors.update(&packets);
        }
        near(&factors.rhythms, &case.end.rhythms, case.rank, 1e-6);
        near(&factors.parts, &case.end.parts, case.rank, 1e-6);
        assert!((error - case.error).abs() < 1e-9, "{error} {}", case.error);
    }
}

#[test]
fn fewer_ranks_are_the_first_of_more() {
    let counts = [[3_u16, 0, 1, 0], [0, 2, 0, 2], [1, 1, 1, 1], [5, 0, 0, 1]];
    let packets = Packets::of(4, counts.iter().map(|one| &one[..]));
    let (three, two) = (packets.singular(3), packets.singular(2));
    let cut = three.first(2);
    assert_eq!((cut.rhythms, cut.parts), (two.rhythms, two.parts));
    let Factors { rank, parts, .. } = three.improve(&packets, 3_000);
    assert_eq!((rank, parts.len()), (3, 12));
    assert!(parts.iter().all(|part| part.is_finite() && *part >= 0.0));
}
