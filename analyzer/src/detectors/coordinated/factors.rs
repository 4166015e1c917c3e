//! Groups of networks that send at the same times: non-negative factors of packets by minute
//! (Dark-NMF; multiplicative updates: Lee, Seung: Algorithms for non-negative matrix
//! factorization, 2001).
//!
//! `V ≈ W·H`: `V` is minutes × networks, a column of `W` is a rhythm, a row of `H` says how
//! much each network takes part in it. Beginning with the absolute singular vectors, the
//! result follows from `V` alone.

use super::eigen::eigen;

/// Change of the mean square error at which an iteration ends (Dark-NMF).
const CHANGE_MIN: f64 = 1e-5;

/// Packets by minute and network, without the zeros.
#[derive(Debug)]
pub(super) struct Packets {
    minutes: usize,
    /// Of each network: (minute, packets).
    networks: Vec<Vec<(usize, f64)>>,
    square: f64,
}

/// A factorisation.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    /// How many rhythms.
    pub(super) rank: usize,
    /// Rhythms: minute by minute, all of each.
    pub(super) rhythms: Vec<f64>,
    /// Parts: network by network, in all rhythms.
    pub(super) parts: Vec<f64>,
}

impl Packets {
    /// Of these counts, network by network.
    pub(super) fn of<'a>(minutes: usize, counts: impl Iterator<Item = &'a [u16]>) -> Self {
        let sparse = |one: &[u16]| {
            let all = one[..minutes].iter().map(|count| f64::from(*count));
            let kept = all.enumerate().filter(|(_, count)| *count > 0.0);
            kept.collect::<Vec<_>>()
        };
        let networks: Vec<_> = counts.map(sparse).collect();
        let all = networks.iter().flatten();
        Self {
            minutes,
            square: all.map(|(_, count)| count * count).sum(),
            networks,
        }
    }

    /// The largest rank that can be asked for.
    pub(super) fn rank_max(&self) -> usize {
        self.minutes.min(self.networks.len()).saturating_sub(1)
    }

    /// The absolute left and right singular vectors, as factors of rank `rank`.
    pub(super) fn singular(&self, rank: usize) -> Factors {
        let minutes = self.minutes;
        let mut gram = vec![0.0; minutes * minutes];
        for network in &self.networks {
            for (one, packets) in network {
                for (other, more) in network {
                    gram[one * minutes + other] += packets * more;
                }
            }
        }
        let pairs = eigen(gram, minutes);
        let largest = pairs.first().map_or(0.0, |(value, _)| *value);
        let mut rhythms = vec![0.0; minutes * rank];
        let mut parts = vec![0.0; self.networks.len() * rank];
        for (index, (value, vector)) in pairs.iter().take(rank).enumerate() {
            if *value <= largest * 1e-12 {
                break; // V has no more ranks than that
            }
            for (minute, one) in vector.iter().enumerate() {
                rhythms[minute * rank + index] = one.abs();
            }
            for (number, network) in self.networks.iter().enumerate() {
                let along: f64 = network.iter().map(|(m, n)| vector[*m] * n).sum();
                parts[number * rank + index] = along.abs() / value.sqrt();
            }
        }
        Factors {
            rank,
            rhythms,
            parts,
        }
    }

    /// The mean square error of these factors, `cross` being ⟨V, WH⟩ and `model` ‖WH‖².
    fn error(&self, cross: f64, model: f64) -> f64 {
        let cells = (self.minutes * self.networks.len()).max(1) as f64;
        (self.square - 2.0 * cross + model) / cells
    }
}

impl Factors {
    /// The first `rank` of these rhythms.
    pub(super) fn first(&self, rank: usize) -> Self {
        let cut = |values: &[f64]| {
            let rows = values.chunks_exact(self.rank);
            rows.flat_map(|row| &row[..rank]).copied().collect()
        };
        Self {
            rank,
            rhythms: cut(&self.rhythms),
            parts: cut(&self.parts),
        }
    }

    /// Improves the factors until the error stays, at most so many times.
    pub(super) fn improve(mut self, packets: &Packets, iterations_max: usize) -> Self {
        let mut error = 0.0;
        for _ in 0..iterations_max {
            let next = self.update(packets);
            let change = (error - next).abs();
            error = next;
            if change < CHANGE_MIN {
                break;
            }
        }
        self
    }

    /// One update of the parts, then one of the rhythms; the error that is left.
    pub(super) fn update(&mut self, packets: &Packets) -> f64 {
        let rank = self.rank;
        let squares = gram(&self.rhythms, rank);
        // what the update of rhythms needs of the new parts: V·Hᵀ and H·Hᵀ
        let mut seen = vec![0.0; packets.minutes * rank];
        let mut wanted = vec![0.0; rank];
        let mut new = vec![0.0; rank];
        for (network, part) in packets
            .networks
            .iter()
            .zip(self.parts.chunks_exact_mut(rank))
        {
            wanted.fill(0.0);
            for (minute, count) in network {
                let rhythm = &self.rhythms[minute * rank..(minute + 1) * rank];
                add(&mut wanted, rhythm, *count);
            }
            multiply(&squares, part, &mut new);
            scale(part, &wanted, &new);
            for (minute, count) in network {
                add(&mut seen[minute * rank..(minute + 1) * rank], part, *count);
            }
        }
        let squares = gram(&self.parts, rank);
        let (mut cross, mut model) = (0.0, 0.0);
        for (rhythm, wanted) in self
            .rhythms
            .chunks_exact_mut(rank)
            .zip(seen.chunks_exact(rank))
        {
            multiply(&squares, rhythm, &mut new);
            scale(rhythm, wanted, &new);
            multiply(&squares, rhythm, &mut new);
            cross += inner(rhythm, wanted);
            model += inner(rhythm, &new);
        }
        packets.error(cross, model)
    }

    /// How many packets of each network belong to one rhythm (`diag(Σ W)·H`).
    pub(super) fn packets_in(&self, rhythm: usize) -> Vec<f64> {
        let rows = self.rhythms.chunks_exact(self.rank);
        let weight: f64 = rows.map(|row| row[rhythm]).sum();
        let parts = self.parts.chunks_exact(self.rank);
        parts.map(|part| part[rhythm] * weight).collect()
    }
}

/// `MᵀM` of rows of `rank`.
fn gram(rows: &[f64], rank: usize) -> Vec<f64> {
    let mut squares = vec![0.0; rank * rank];
    for row in rows.chunks_exact(rank) {
        for (index, one) in row.iter().enumerate() {
            add(&mut squares[index * rank..(index + 1) * rank], row, *one);
        }
    }
    squares
}

fn multiply(matrix: &[f64], vector: &[f64], into: &mut [f64]) {
    for (one, row) in into.iter_mut().zip(matrix.chunks_exact(vector.len())) {
        *one = inner(row, vector);
    }
}

fn add(to: &mut [f64], what: &[f64], times: f64) {
    for (one, other) in to.iter_mut().zip(what) {
        *one += other * times;
    }
}

fn inner(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// A multiplicative update; what is zero stays so.
fn scale(values: &mut [f64], wanted: &[f64], have: &[f64]) {
    for ((value, wanted), have) in values.iter_mut().zip(wanted).zip(have) {
        *value = if *have > 0.0 {
            *value * wanted / have
        } else {
            0.0
        };
    }
}
