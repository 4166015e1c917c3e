//! Eigenvectors of a small symmetric matrix, by Jacobi's rotations (Golub, Van Loan: Matrix
//! Computations, 8.5).

/// Sweeps that are enough for any matrix that is not hostile.
const SWEEPS_MAX: usize = 50;

/// Eigenvalues, largest first, each with its vector.
pub(super) fn eigen(mut matrix: Vec<f64>, size: usize) -> Vec<(f64, Vec<f64>)> {
    let mut vectors = vec![0.0; size * size];
    for index in 0..size {
        vectors[index * size + index] = 1.0;
    }
    let scale: f64 = matrix.iter().map(|one| one * one).sum();
    for _ in 0..SWEEPS_MAX {
        let mut off = 0.0;
        for row in 0..size {
            for column in row + 1..size {
                off += matrix[row * size + column].powi(2);
                rotate(&mut matrix, &mut vectors, size, (row, column));
            }
        }
        if off <= scale * 1e-30 {
            break;
        }
    }
    let mut pairs: Vec<(f64, Vec<f64>)> = (0..size)
        .map(|index| {
            let vector = (0..size).map(|row| vectors[row * size + index]);
            (matrix[index * size + index], vector.collect())
        })
        .collect();
    pairs.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    pairs
}

/// Makes the entry at (`row`, `column`) zero.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, (row, column): (usize, usize)) {
    let at = |one: usize, other: usize| one * size + other;
    let off = matrix[at(row, column)];
    if off == 0.0 {
        return;
    }
    let theta = (matrix[at(column, column)] - matrix[at(row, row)]) / (2.0 * off);
    let tangent = 1.0_f64.copysign(theta) / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for index in 0..size {
        turn(matrix, (at(index, row), at(index, column)), cosine, sine);
    }
    for index in 0..size {
        turn(matrix, (at(row, index), at(column, index)), cosine, sine);
        turn(vectors, (at(index, row), at(index, column)), cosine, sine);
    }
}

fn turn(values: &mut [f64], (one, other): (usize, usize), cosine: f64, sine: f64) {
    let (a, b) = (values[one], values[other]);
    values[one] = cosine * a - sine * b;
    values[other] = sine * a + cosine * b;
}
