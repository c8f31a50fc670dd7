//! Gaussian kernels of all pairs of cells, evaluated once for the many machines of a search.
//!
//! LIBSVM's solver takes seconds for a grid where smartcore takes minutes; the solution is the same, as
//! `tests/svm_parity.rs` shows.
//!
//! Invariant: a kernel holds the pairs of exactly the cells that it is asked to make machines of.

use libsvm_rs::qmatrix::QMatrix;
use libsvm_rs::solver::{Solver, SolverVariant};
use mitoscope::Error;
use mitoscope::svm::{Svm, check_count, check_problem, squared_distance};
use rayon::prelude::*;

use super::Labelled;

/// Largest violation of the optimality conditions of a machine that serves a search: LIBSVM's own.
const KKT_GAP: f64 = 1e-3;

/// Cells, and how far apart they are.
pub(super) struct Distances<'a> {
    cells: &'a Labelled,
    /// Squared, n rows of n values.
    squared: Vec<f32>,
}

impl<'a> Distances<'a> {
    /// Between all pairs of these cells.
    ///
    /// # Errors
    /// [`Error::Fit`] when there are too many: 8,192 take 256 MB, and as much for a kernel.
    pub fn of(cells: &'a Labelled) -> Result<Self, Error> {
        let all = &cells.features;
        let n = all.len();
        check_count(n)?;
        let mut squared = vec![0.0; n * n];
        squared.par_chunks_mut(n.max(1)).zip(all).for_each(|(row, a)| {
            row.iter_mut().zip(all).for_each(|(value, b)| *value = squared_distance(a, b) as f32);
        });
        Ok(Self { cells, squared })
    }

    /// Their kernel of width γ.
    pub fn kernel(&self, gamma: f64) -> Kernel<'a> {
        let of = |squared: &f32| (-gamma * f64::from(*squared)).exp() as f32;
        Kernel { cells: self.cells, gamma, values: self.squared.par_iter().map(of).collect() }
    }
}

/// The kernel of all pairs of cells, for one γ.
pub(super) struct Kernel<'a> {
    cells: &'a Labelled,
    gamma: f64,
    /// n rows of n values.
    values: Vec<f32>,
}

impl Kernel<'_> {
    /// The machine with penalty `c` of some of the cells, given by their places.
    ///
    /// # Errors
    /// [`Error::Fit`] when a class is missing, or `c` or γ is not positive.
    pub fn machine(&self, places: Vec<usize>, c: f64) -> Result<Svm, Error> {
        let features = &self.cells.features;
        let mitotic: Vec<bool> = places.iter().map(|i| self.cells.mitotic[*i]).collect();
        check_problem(&mitotic, c, self.gamma)?;
        let n = places.len();
        let signs: Vec<i8> = mitotic.iter().map(|mitotic| if *mitotic { 1 } else { -1 }).collect();
        let problem = Problem {
            kernel: self,
            places: places.clone(),
            signs: signs.clone(),
            diagonal: vec![1.0; n],
            row: vec![0.0; n],
        };
        let mut alphas = vec![0.0; n];
        libsvm_rs::set_quiet(true);
        let solution = Solver::solve(
            SolverVariant::Standard,
            n,
            Box::new(problem),
            &vec![-1.0; n],
            &signs,
            &mut alphas,
            c,
            c,
            KKT_GAP,
            true,
        );
        let support = || (0..n).filter(|i| alphas[*i] != 0.0);
        let coefficients = support().map(|i| alphas[i] * f64::from(signs[i])).collect();
        let vectors = support().flat_map(|i| features[places[i]].iter().copied()).collect();
        let dim = features.first().map_or(0, Vec::len);
        Svm::new(self.gamma, -solution.rho, coefficients, vectors, dim)
    }
}

/// The quadratic form of one machine, in the solver's own order of its cells.
struct Problem<'a> {
    kernel: &'a Kernel<'a>,
    places: Vec<usize>,
    signs: Vec<i8>,
    diagonal: Vec<f64>,
    /// The last row that was asked for.
    row: Vec<f32>,
}

impl QMatrix for Problem<'_> {
    fn get_q(&mut self, i: usize, len: usize) -> &[f32] {
        let n = self.kernel.cells.mitotic.len();
        let of_cell = &self.kernel.values[self.places[i] * n..][..n];
        let sign = self.signs[i];
        let others = self.places.iter().zip(&self.signs).take(len);
        for (value, (place, other)) in self.row.iter_mut().zip(others) {
            *value = f32::from(sign * other) * of_cell[*place];
        }
        &self.row[..len]
    }

    fn get_qd(&self) -> &[f64] {
        &self.diagonal
    }

    fn swap_index(&mut self, i: usize, j: usize) {
        self.places.swap(i, j);
        self.signs.swap(i, j);
    }
}
