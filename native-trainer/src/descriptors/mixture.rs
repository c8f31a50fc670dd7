//! Two Gaussians fitted to unlabelled rows by expectation maximisation.
//!
//! Invariant: the same rows give the same fit; every log-density is finite for finite rows, because
//! every variance is at least [`LEAST_VARIANCE`].

/// Added to every variance; the rows are in robust standard deviations.
pub const LEAST_VARIANCE: f64 = 0.1;
/// Share of the rows, those farthest from 0, that starts as the second Gaussian.
const FAR_SHARE: f64 = 0.25;
/// Most rounds.
const ROUNDS: usize = 100;
/// Change of every membership below which the fit has settled.
const SETTLED: f64 = 1e-4;

/// One weighted Gaussian.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    log_weight: f64,
    /// Centre.
    pub mean: Vec<f64>,
    /// Lower Cholesky factor of the covariance, row by row, each up to its diagonal.
    factor: Vec<Vec<f64>>,
}

impl Gaussian {
    /// The weighted mean and covariance of the rows; `weights` are memberships within 0 to 1.
    fn fit(rows: &[Vec<f64>], weights: &[f64]) -> Self {
        let dimensions = rows.first().map_or(0, Vec::len);
        let total = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut mean = vec![0.0; dimensions];
        for (row, weight) in rows.iter().zip(weights) {
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += weight / total * v);
        }
        let mut covariance: Vec<Vec<f64>> = (1..=dimensions).map(|n| vec![0.0; n]).collect();
        for (row, weight) in rows.iter().zip(weights) {
            for (i, line) in covariance.iter_mut().enumerate() {
                for (j, entry) in line.iter_mut().enumerate() {
                    *entry += weight / total * (row[i] - mean[i]) * (row[j] - mean[j]);
                }
            }
        }
        covariance.iter_mut().enumerate().for_each(|(i, line)| line[i] += LEAST_VARIANCE);
        let log_weight = (total / rows.len().max(1) as f64).ln();
        Self { log_weight, mean, factor: cholesky(covariance) }
    }

    /// Logarithm of weight times density, up to a constant that both Gaussians share.
    pub fn log_density(&self, row: &[f64]) -> f64 {
        let mut solved: Vec<f64> = Vec::with_capacity(row.len());
        let mut value = self.log_weight;
        for (i, line) in self.factor.iter().enumerate() {
            let known: f64 = line.iter().zip(&solved).map(|(l, s)| l * s).sum();
            let next = (row[i] - self.mean[i] - known) / line[i];
            value -= 0.5 * next * next + line[i].ln();
            solved.push(next);
        }
        value
    }
}

/// The Cholesky factor of a symmetric matrix given by its lower triangle.
fn cholesky(mut matrix: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for i in 0..matrix.len() {
        let (above, rest) = matrix.split_at_mut(i);
        let line = &mut rest[0];
        for j in 0..=i {
            let pivot = if j < i { &above[j] } else { &line.clone() };
            let known: f64 = line.iter().zip(pivot).take(j).map(|(a, b)| a * b).sum();
            line[j] = if j < i {
                (line[j] - known) / above[j][j]
            } else {
                // Rounding may eat a little of the variance, never more than was added to it.
                (line[j] - known).max(0.5 * LEAST_VARIANCE).sqrt()
            };
        }
    }
    matrix
}

/// Fits two Gaussians; the first is the one nearer to 0.
///
/// # Shapes
/// - rows: `[n][dimensions]`, n at least 2, all finite
pub fn fit_two(rows: &[Vec<f64>]) -> [Gaussian; 2] {
    let square = |row: &Vec<f64>| row.iter().map(|v| v * v).sum::<f64>();
    let mut by_distance: Vec<usize> = (0..rows.len()).collect();
    by_distance.sort_by(|a, b| square(&rows[*b]).total_cmp(&square(&rows[*a])));
    let far = ((FAR_SHARE * rows.len() as f64) as usize).max(1);
    let mut second = vec![0.0; rows.len()];
    by_distance.iter().take(far).for_each(|row| second[*row] = 1.0);

    let maximise = |second: &[f64]| {
        let first: Vec<f64> = second.iter().map(|m| 1.0 - m).collect();
        [Gaussian::fit(rows, &first), Gaussian::fit(rows, second)]
    };
    let mut fitted = maximise(&second);
    for _ in 0..ROUNDS {
        let membership = |row: &Vec<f64>| {
            let odds = fitted[0].log_density(row) - fitted[1].log_density(row);
            1.0 / (1.0 + odds.clamp(-500.0, 500.0).exp())
        };
        let next: Vec<f64> = rows.iter().map(membership).collect();
        let change = next.iter().zip(&second).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        second = next;
        fitted = maximise(&second);
        if change < SETTLED {
            break;
        }
    }
    if square(&fitted[0].mean) > square(&fitted[1].mean) {
        fitted.swap(0, 1);
    }
    fitted
}
