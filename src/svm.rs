//! The Gaussian-kernel support vector machine that turns a cell's features into a decision value.
//!
//! Invariant: γ is positive, every number is finite, there is one coefficient a support vector.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::svm::Kernel;
use smartcore::svm::svc::{SVC, SVCParameters};

use crate::Error;

/// Largest violation of the optimality (KKT) conditions that a fitted machine may have.
///
/// LIBSVM stops at 1e-3; a tenth of that keeps decision values within 1e-3 of its own.
const KKT_GAP: f64 = 1e-4;

/// Passes over the samples to try, in turn, until [`KKT_GAP`] is reached: the solver cannot go on
/// from where it stopped.
const EPOCHS: [usize; 6] = [2, 6, 18, 54, 162, 486];

/// Order in which the solver visits the samples; fixed so that a fit can be repeated.
const SOLVER_SEED: u64 = 1;

/// Most samples of one fit: the kernel matrix of so many takes 512 MB.
pub const MAX_SAMPLES: usize = 8192;

/// A fitted two-class machine: Σᵢ coefficientᵢ · exp(−γ‖x − svᵢ‖²) + bias, positive for mitotic.
#[derive(Debug, Clone, PartialEq)]
pub struct Svm {
    gamma: f64,
    bias: f64,
    coefficients: Vec<f64>,
    support_vectors: Vec<f32>,
    dim: usize,
}

impl Svm {
    /// Builds a machine from its numbers; `support_vectors` is n rows of `dim` values.
    ///
    /// # Errors
    /// [`Error::Model`] when γ is not positive, a number is not finite, there is no support vector
    /// or the lengths differ.
    pub fn new(
        gamma: f64,
        bias: f64,
        coefficients: Vec<f64>,
        support_vectors: Vec<f32>,
        dim: usize,
    ) -> Result<Self, Error> {
        if !(gamma.is_finite() && gamma > 0.0) {
            return Err(Error::Model(format!("SVM: gamma {gamma} is not a positive number")));
        }
        if !bias.is_finite() {
            return Err(Error::Model(format!("SVM: bias {bias} is not finite")));
        }
        let n = coefficients.len();
        if n == 0 || dim == 0 || n.checked_mul(dim) != Some(support_vectors.len()) {
            return Err(Error::Model(format!(
                "SVM: {n} coefficients and dimension {dim} do not fit {} support vector values",
                support_vectors.len()
            )));
        }
        if let Some(bad) = coefficients.iter().find(|v| !v.is_finite()) {
            return Err(Error::Model(format!("SVM: coefficient {bad} is not finite")));
        }
        if let Some(bad) = support_vectors.iter().find(|v| !v.is_finite()) {
            return Err(Error::Model(format!("SVM: support vector value {bad} is not finite")));
        }
        Ok(Self { gamma, bias, coefficients, support_vectors, dim })
    }

    /// Kernel width γ.
    pub fn gamma(&self) -> f64 {
        self.gamma
    }

    /// Constant term of the decision value.
    pub fn bias(&self) -> f64 {
        self.bias
    }

    /// One signed coefficient a support vector, positive for mitotic ones.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// Support vectors, `coefficients().len()` rows of `dim()` values.
    pub fn support_vectors(&self) -> &[f32] {
        &self.support_vectors
    }

    /// Number of features.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Signed decision value of a cell with `dim()` features; positive means mitotic.
    ///
    /// NaN when `x` has another length or holds NaN, so that no label can come of it.
    pub fn decision_value(&self, x: &[f32]) -> f64 {
        if x.len() != self.dim {
            return f64::NAN;
        }
        let rows = self.support_vectors.chunks_exact(self.dim);
        self.coefficients.iter().zip(rows).fold(self.bias, |sum, (coefficient, row)| {
            sum + coefficient * (-self.gamma * squared_distance(x, row)).exp()
        })
    }

    /// Distance of `dim()` features from the nearest support vector; infinite when `x` has
    /// another length or holds NaN. Far from all of them the decision value is the bias alone.
    pub fn nearest(&self, x: &[f32]) -> f32 {
        if x.len() != self.dim {
            return f32::INFINITY;
        }
        let rows = self.support_vectors.chunks_exact(self.dim);
        rows.map(|row| distance(x, row)).fold(f32::INFINITY, f32::min)
    }

    /// scikit-learn's `gamma='scale'`: 1 / (dim · variance of all values together).
    ///
    /// # Errors
    /// [`Error::Fit`] when samples are missing, of unequal length, not finite or all equal.
    pub fn scale_gamma(samples: &[Vec<f32>]) -> Result<f64, Error> {
        let dim = check_samples(samples)?;
        let count = (samples.len() * dim) as f64;
        let values = || samples.iter().flatten().map(|v| f64::from(*v));
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        let gamma = 1.0 / (dim as f64 * variance);
        if variance > 0.0 && gamma.is_finite() && gamma > 0.0 {
            Ok(gamma)
        } else {
            Err(Error::Fit("all values of the samples are equal: nothing to learn from".into()))
        }
    }

    /// Fits a machine with penalty `c` and kernel width `gamma`, without class weights.
    ///
    /// `mitotic[i]` tells the class of `samples[i]`. smartcore's solver does the work on the kernel
    /// matrix; the result is accepted only when its KKT violation is at most 1e-4.
    ///
    /// # Errors
    /// [`Error::Fit`] when lengths differ, a class is missing, a value is not finite, `c` or `gamma`
    /// is not positive, there are too many samples, or the solver does not converge.
    pub fn fit(samples: &[Vec<f32>], mitotic: &[bool], c: f64, gamma: f64) -> Result<Self, Error> {
        let dim = check_samples(samples)?;
        let n = samples.len();
        if mitotic.len() != n {
            return Err(Error::Fit(format!("{n} samples but {} labels", mitotic.len())));
        }
        check_problem(mitotic, c, gamma)?;
        check_count(n)?;
        let gram = Gram::new(samples, gamma);
        let mut gap = f64::INFINITY;
        for epochs in EPOCHS {
            let solution = solve(&gram, mitotic, c, epochs)?;
            gap = solution.kkt_gap(&gram, mitotic, c);
            if gap <= KKT_GAP {
                return solution.into_svm(samples, gamma, dim);
            }
        }
        Err(Error::Fit(format!(
            "the SVM did not converge for C = {c}, gamma = {gamma} (KKT violation {gap:.1e}): \
             are the same cells labelled as both classes?"
        )))
    }
}

/// Whether samples of these classes make a machine with penalty `c` and kernel width `gamma`.
///
/// # Errors
/// [`Error::Fit`] when a class is missing, or `c` or `gamma` is not positive.
pub fn check_problem(mitotic: &[bool], c: f64, gamma: f64) -> Result<(), Error> {
    let n = mitotic.len();
    for (class, wanted) in [("mitotic", true), ("interphase", false)] {
        if !mitotic.contains(&wanted) {
            return Err(Error::Fit(format!("none of the {n} samples is {class}: add some")));
        }
    }
    for (name, value) in [("C", c), ("gamma", gamma)] {
        if !(value.is_finite() && value > 0.0) {
            return Err(Error::Fit(format!("{name} = {value} is not a positive number")));
        }
    }
    Ok(())
}

/// Whether a kernel matrix of so many samples is not too large.
///
/// # Errors
/// [`Error::Fit`] when there are more than [`MAX_SAMPLES`].
pub fn check_count(samples: usize) -> Result<(), Error> {
    if samples > MAX_SAMPLES {
        return Err(Error::Fit(format!(
            "{samples} samples are more than {MAX_SAMPLES}: take fewer"
        )));
    }
    Ok(())
}

/// Common length of the samples.
fn check_samples(samples: &[Vec<f32>]) -> Result<usize, Error> {
    let dim = samples.first().map_or(0, Vec::len);
    if dim == 0 {
        return Err(Error::Fit("no samples, or samples without values".into()));
    }
    for (i, sample) in samples.iter().enumerate() {
        if sample.len() != dim {
            return Err(Error::Fit(format!(
                "sample {i} has {} values, the first one {dim}",
                sample.len()
            )));
        }
        if let Some(bad) = sample.iter().find(|v| !v.is_finite()) {
            return Err(Error::Fit(format!("sample {i} holds {bad}, which is not finite")));
        }
    }
    Ok(dim)
}

/// Euclidean distance of two embeddings.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    squared_distance(a, b).sqrt() as f32
}

/// ‖a − b‖² in f64, in four partial sums so that it vectorises.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let square = |(x, y): (&f32, &f32)| (f64::from(*x) - f64::from(*y)).powi(2);
    let (mut sums, (ca, cb)) = ([0.0; 4], (a.chunks_exact(4), b.chunks_exact(4)));
    let rest: f64 = ca.remainder().iter().zip(cb.remainder()).map(square).sum();
    for (x, y) in ca.zip(cb) {
        for (sum, pair) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += square(pair);
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Kernel matrix of the samples. smartcore's samples are then plain indices into it: faster, and
/// its solver would silently drop every feature beyond the number of samples.
#[derive(Debug, Clone, Serialize)]
struct Gram {
    n: usize,
    #[serde(skip)]
    values: Arc<Vec<f64>>,
}

impl Gram {
    fn new(samples: &[Vec<f32>], gamma: f64) -> Self {
        let n = samples.len();
        let mut values = vec![1.0; n * n];
        for (i, a) in samples.iter().enumerate() {
            for (j, b) in samples.iter().enumerate().take(i) {
                let k = (-gamma * squared_distance(a, b)).exp();
                values[i * n + j] = k;
                values[j * n + i] = k;
            }
        }
        Self { n, values: Arc::new(values) }
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..(i + 1) * self.n]
    }
}

impl Kernel for Gram {
    fn apply(&self, x_i: &Vec<f64>, x_j: &Vec<f64>) -> Result<f64, Failed> {
        match (x_i.as_slice(), x_j.as_slice()) {
            ([i], [j]) if (*i as usize) < self.n && (*j as usize) < self.n => {
                Ok(self.values[*i as usize * self.n + *j as usize])
            }
            _ => Err(Failed::fit("a sample is not an index into the kernel matrix")),
        }
    }

    // smartcore's trait carries these two for its serde registry, which we never use.
    #[cfg(not(target_arch = "wasm32"))]
    fn typetag_name(&self) -> &'static str {
        "mitoscope::Gram"
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn typetag_deserialize(&self) {}
}

/// What smartcore's fitted model shows of itself in its serialised form.
#[derive(Deserialize)]
struct Solution {
    instances: Vec<Vec<f64>>,
    w: Vec<f64>,
    b: f64,
}

fn solve(gram: &Gram, mitotic: &[bool], c: f64, epochs: usize) -> Result<Solution, Error> {
    let fail = |e: &dyn std::fmt::Display| Error::Fit(format!("the SVM cannot be fitted: {e}"));
    let indices = (0..gram.n).map(|i| i as f64).collect();
    let x = DenseMatrix::new(gram.n, 1, indices, false).map_err(|e| fail(&e))?;
    let y: Vec<i32> = mitotic.iter().map(|&m| if m { 1 } else { -1 }).collect();
    let parameters = SVCParameters::default()
        .with_epoch(epochs)
        .with_c(c)
        .with_tol(KKT_GAP / 10.0)
        .with_seed(Some(SOLVER_SEED))
        .with_kernel(gram.clone());
    let svc = SVC::fit(&x, &y, &parameters).map_err(|e| fail(&e))?;
    // A deserialised SVC has no kernel and panics in predict, so only its numbers are taken.
    let fitted = serde_json::to_value(&svc).map_err(|e| fail(&e))?;
    serde_json::from_value(fitted).map_err(|e| fail(&e))
}

impl Solution {
    /// Index of each support vector with its signed coefficient.
    fn support(&self) -> impl Iterator<Item = (usize, f64)> {
        let indices = self.instances.iter().flatten().map(|i| *i as usize);
        indices.zip(self.w.iter().copied()).filter(|(_, w)| *w != 0.0)
    }

    /// Violation of the optimality conditions over all samples: LIBSVM's stopping criterion.
    fn kkt_gap(&self, gram: &Gram, mitotic: &[bool], c: f64) -> f64 {
        let mut alphas = vec![0.0; gram.n];
        let mut gradient: Vec<f64> = mitotic.iter().map(|&m| if m { 1.0 } else { -1.0 }).collect();
        for (i, alpha) in self.support() {
            alphas[i] = alpha;
            for (g, k) in gradient.iter_mut().zip(gram.row(i)) {
                *g -= alpha * k;
            }
        }
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for ((alpha, g), mitotic) in alphas.iter().zip(gradient).zip(mitotic) {
            let (min, max) = if *mitotic { (0.0, c) } else { (-c, 0.0) };
            if *alpha > min {
                low = low.min(g);
            }
            if *alpha < max {
                high = high.max(g);
            }
        }
        high - low
    }

    fn into_svm(self, samples: &[Vec<f32>], gamma: f64, dim: usize) -> Result<Svm, Error> {
        let mut support: Vec<(usize, f64)> = self.support().collect();
        support.sort_by_key(|(i, _)| *i);
        let coefficients = support.iter().map(|(_, w)| *w).collect();
        let rows = support.iter().filter_map(|(i, _)| samples.get(*i));
        let support_vectors = rows.flatten().copied().collect();
        Svm::new(gamma, self.b, coefficients, support_vectors, dim)
            .map_err(|e| Error::Fit(format!("the SVM cannot be fitted: {e}")))
    }
}

#[cfg(test)]
mod tests;
