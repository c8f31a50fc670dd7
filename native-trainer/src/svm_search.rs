//! Choice of the SVM's C and γ by inner cross-validation, and the calibration of its decisions.
//!
//! Invariant: a sample's out-of-fold decision value comes from a machine that saw neither the
//! sample nor another of its group; the same seed gives the same result on any number of threads.

use mitoscope::Error;
use mitoscope::model::Calibration;
use mitoscope::svm::Svm;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::kernel::{Distances, Kernel};
use crate::metrics::Confusion;

mod kernel;

/// Folds of the inner cross-validation, fewer where a class or the groups do not suffice.
pub const FOLDS: usize = 5;

/// Penalties C to try, ascending.
pub const C_GRID: [f64; 4] = [0.1, 1.0, 10.0, 100.0];

/// Kernel widths γ to try, ascending, as multiples of scikit-learn's 'scale'.
pub const GAMMA_GRID: [f64; 5] = [1.0 / 16.0, 0.25, 1.0, 4.0, 16.0];

/// MCC by which two pairs of the grid are told apart: less is chance at a hundred mitotic cells.
pub const TOLERANCE: f64 = 0.02;

/// Features of cells and their classes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labelled {
    /// One a cell.
    pub features: Vec<Vec<f32>>,
    /// Whether each is mitotic.
    pub mitotic: Vec<bool>,
}

impl Labelled {
    /// These cells, then others.
    pub fn and(&self, others: &Labelled) -> Labelled {
        Labelled {
            features: [&self.features[..], &others.features].concat(),
            mitotic: [&self.mitotic[..], &others.mitotic].concat(),
        }
    }

    /// Folds of these cells, continued for others that no fold leaves out.
    fn folds_with(folds: &[usize], others: &Labelled) -> Vec<usize> {
        let always = others.mitotic.iter().map(|_| usize::MAX);
        folds.iter().copied().chain(always).collect()
    }
}

/// One pair of the grid and how it fared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GridPoint {
    /// Penalty.
    pub c: f64,
    /// Kernel width.
    pub gamma: f64,
    /// MCC of the pooled out-of-fold verdicts at threshold 0.
    pub mcc: f64,
}

/// The chosen pair and what led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Of the pairs within [`TOLERANCE`] of the highest MCC the smoothest: the smallest γ, then the
    /// smallest C.
    pub best: GridPoint,
    /// Out-of-fold decision values of the chosen pair, one a sample.
    pub decision_values: Vec<f64>,
    /// The whole grid, C and then γ ascending.
    pub grid: Vec<GridPoint>,
}

/// Searches the grid [`C_GRID`] × [`GAMMA_GRID`] by stratified cross-validation in up to [`FOLDS`]
/// folds, on all threads of the current rayon pool.
///
/// `groups` names each cell's specimen or field; cells of one group stay in one fold. Every machine
/// learns from the cells `beside` too; none is chosen by them.
///
/// # Errors
/// [`Error::Fit`] when lengths differ, cells are unfit, or classes and groups do not allow two
/// folds that each leave both classes to train on.
pub fn search(
    known: &Labelled,
    beside: &Labelled,
    groups: Option<&[usize]>,
    seed: u64,
) -> Result<Search, Error> {
    let Labelled { features, mitotic } = known;
    let n = features.len();
    if mitotic.len() != n || groups.is_some_and(|groups| groups.len() != n) {
        return Err(Error::Fit(format!("{n} samples need as many labels and groups")));
    }
    let scale = Svm::scale_gamma(features)?;
    let folds = folds(mitotic, groups, FOLDS, seed)?;

    let all = known.and(beside);
    let distances = Distances::of(&all)?;
    let all_folds = Labelled::folds_with(&folds, beside);
    let cells = features.iter().map(Vec::as_slice);
    let asked: Vec<(usize, &[f32])> = folds.iter().copied().zip(cells).collect();
    let mut tried = Vec::new();
    for multiple in GAMMA_GRID {
        let kernel = distances.kernel(multiple * scale);
        let of_kernel = C_GRID.into_par_iter().map(|c| {
            let values = by_others(&kernel, c, &all_folds, &asked)?;
            let mcc = Confusion::count(&values, mitotic, 0.0).mcc();
            Ok((GridPoint { c, gamma: multiple * scale, mcc }, values))
        });
        tried.extend(of_kernel.collect::<Result<Vec<_>, Error>>()?);
    }
    // γ is ascending within each C already.
    tried.sort_by(|(a, _), (b, _)| a.c.total_cmp(&b.c));
    let (grid, mut pooled): (Vec<GridPoint>, Vec<Vec<f64>>) = tried.into_iter().unzip();
    let highest = grid.iter().map(|point| point.mcc).fold(f64::NEG_INFINITY, f64::max);
    let best = (0..grid.len())
        .filter(|i| grid[*i].mcc >= highest - TOLERANCE)
        .min_by(|a, b| grid[*a].gamma.total_cmp(&grid[*b].gamma))
        .unwrap_or(0);
    Ok(Search { best: grid[best], decision_values: pooled.swap_remove(best), grid })
}

/// The machine of all folds but one.
fn without(fold: usize, folds: &[usize], kernel: &Kernel, c: f64) -> Result<Svm, Error> {
    kernel.machine((0..folds.len()).filter(|i| folds[*i] != fold).collect(), c)
}

/// Decision values of the `asked` cells, each given with the fold whose machine is asked: one with these
/// parameters that saw the known cells of all other folds, and the cells `beside`.
///
/// # Errors
/// [`Error::Fit`] when C and γ are no valid parameters.
pub fn out_of_fold(
    known: &Labelled,
    beside: &Labelled,
    folds: &[usize],
    asked: &[(usize, &[f32])],
    GridPoint { c, gamma, .. }: GridPoint,
) -> Result<Vec<f64>, Error> {
    let all = known.and(beside);
    let all_folds = Labelled::folds_with(folds, beside);
    let kernel = Distances::of(&all)?.kernel(gamma);
    by_others(&kernel, c, &all_folds, asked)
}

/// [`out_of_fold`] by the kernel of all cells, each in a fold or in none.
fn by_others(
    kernel: &Kernel,
    c: f64,
    folds: &[usize],
    asked: &[(usize, &[f32])],
) -> Result<Vec<f64>, Error> {
    let count = asked.iter().map(|(fold, _)| fold + 1).max().unwrap_or(0);
    let of_folds = (0..count).into_par_iter().map(|fold| {
        let machine = without(fold, folds, kernel, c)?;
        let asked = asked.iter().enumerate().filter(|(_, (of, _))| *of == fold);
        Ok(asked.map(|(i, (_, cell))| (i, machine.decision_value(cell))).collect::<Vec<_>>())
    });
    let of_folds = of_folds.collect::<Result<Vec<_>, Error>>()?;
    let mut values = vec![f64::NAN; asked.len()];
    of_folds.into_iter().flatten().for_each(|(i, value)| values[i] = value);
    Ok(values)
}

/// Decision values of `others` by a machine fitted to the known cells: for baselines, which need no
/// machine that outlives them.
///
/// # Errors
/// [`Error::Fit`] when the search's numbers are no valid parameters.
pub fn decide(known: &Labelled, search: &Search, others: &[Vec<f32>]) -> Result<Vec<f64>, Error> {
    let GridPoint { c, gamma, .. } = search.best;
    let kernel = Distances::of(known)?.kernel(gamma);
    let machine = kernel.machine((0..known.mitotic.len()).collect(), c)?;
    Ok(others.par_iter().map(|cell| machine.decision_value(cell)).collect())
}

/// Fold of each sample, at most `most` of them: both classes spread evenly, groups whole.
pub(crate) fn folds(
    mitotic: &[bool],
    groups: Option<&[usize]>,
    most: usize,
    seed: u64,
) -> Result<Vec<usize>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let positives = mitotic.iter().filter(|m| **m).count();
    let rarest = positives.min(mitotic.len() - positives);
    let folds = match groups {
        None => {
            let count = most.min(rarest).max(1);
            let mut order: Vec<usize> = (0..mitotic.len()).collect();
            order.shuffle(&mut rng);
            order.sort_by_key(|i| !mitotic[*i]);
            let mut folds = vec![0; mitotic.len()];
            for (position, i) in order.into_iter().enumerate() {
                folds[i] = position % count;
            }
            folds
        }
        Some(groups) => grouped_folds(mitotic, groups, most, &mut rng),
    };
    if !trainable(&folds, mitotic) {
        return Err(Error::Fit(format!(
            "{positives} mitotic of {} cells in these groups are too few to cross-validate: add \
             cells or groups",
            mitotic.len()
        )));
    }
    Ok(folds)
}

/// Whether there are two folds or more, and each leaves both classes to train on.
pub fn trainable(folds: &[usize], mitotic: &[bool]) -> bool {
    let count = folds.iter().max().map_or(0, |last| last + 1);
    let leaves = |fold: usize, class: bool| {
        folds.iter().zip(mitotic).any(|(f, m)| *f != fold && *m == class)
    };
    count >= 2 && (0..count).all(|fold| leaves(fold, true) && leaves(fold, false))
}

/// Gives each group, those with most mitotic cells first, to the fold with the fewest of them.
fn grouped_folds(
    mitotic: &[bool],
    groups: &[usize],
    most: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let mut names = groups.to_vec();
    names.sort_unstable();
    names.dedup();
    names.shuffle(rng);
    let mut sized: Vec<(usize, usize, usize)> = names
        .into_iter()
        .map(|name| {
            let members = || groups.iter().zip(mitotic).filter(move |(group, _)| **group == name);
            (members().filter(|(_, m)| **m).count(), members().count(), name)
        })
        .collect();
    sized.sort_by_key(|(positives, size, _)| std::cmp::Reverse((*positives, *size)));
    let mut loads = vec![(0, 0); most.min(sized.len())];
    let mut folds = vec![0; groups.len()];
    for (positives, size, name) in sized {
        // A group without mitotic cells goes where the fewest cells are.
        let key = |load: &(usize, usize)| (if positives > 0 { load.0 } else { 0 }, load.1);
        let lightest = (0..loads.len()).min_by_key(|fold| key(&loads[*fold])).unwrap_or(0);
        loads[lightest].0 += positives;
        loads[lightest].1 += size;
        for (fold, _) in folds.iter_mut().zip(groups).filter(|(_, group)| **group == name) {
            *fold = lightest;
        }
    }
    folds
}

/// Fits Platt's sigmoid (Platt 1999: targets (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2)) by the damped
/// Newton iterations of Lin, Lin and Weng (2007).
///
/// `decision_values` must be out-of-fold ones, or the probabilities come out too sure.
///
/// # Errors
/// [`Error::Fit`] when lengths differ, a class is missing or a value is not finite.
pub fn platt(decision_values: &[f64], mitotic: &[bool]) -> Result<Calibration, Error> {
    const STEPS: usize = 100;
    const GRADIENT: f64 = 1e-9;
    const RIDGE: f64 = 1e-12;
    const SMALLEST_STEP: f64 = 1e-10;
    let n = mitotic.len();
    let positives = mitotic.iter().filter(|m| **m).count();
    let negatives = n - positives;
    if decision_values.len() != n || positives == 0 || negatives == 0 {
        return Err(Error::Fit(format!(
            "{} decision values of {positives} mitotic and {negatives} interphase cells cannot be \
             calibrated: both classes are needed",
            decision_values.len()
        )));
    }
    if let Some(bad) = decision_values.iter().find(|v| !v.is_finite()) {
        return Err(Error::Fit(format!("decision value {bad} is not finite")));
    }
    let high = (positives as f64 + 1.0) / (positives as f64 + 2.0);
    let low = 1.0 / (negatives as f64 + 2.0);
    let pairs = || {
        let targets = mitotic.iter().map(|m| if *m { high } else { low });
        decision_values.iter().copied().zip(targets)
    };
    // Cross-entropy −Σ t ln p + (1 − t) ln(1 − p), written so that no exponent overflows.
    let loss = |at: Calibration| {
        let term = |(f, t): (f64, f64)| {
            let z = at.a * f + at.b;
            let linear = if z >= 0.0 { t * z } else { (t - 1.0) * z };
            linear + (-z.abs()).exp().ln_1p()
        };
        pairs().map(term).sum::<f64>()
    };

    let mut at =
        Calibration { a: 0.0, b: ((negatives as f64 + 1.0) / (positives as f64 + 1.0)).ln() };
    let mut value = loss(at);
    for _ in 0..STEPS {
        let (mut haa, mut hbb, mut hab) = (RIDGE, RIDGE, 0.0);
        let (mut ga, mut gb) = (0.0, 0.0);
        for (f, t) in pairs() {
            let p = at.probability(f);
            let curvature = p * (1.0 - p);
            haa += f * f * curvature;
            hbb += curvature;
            hab += f * curvature;
            ga += f * (t - p);
            gb += t - p;
        }
        if ga.abs() < GRADIENT && gb.abs() < GRADIENT {
            break;
        }
        let determinant = haa * hbb - hab * hab;
        let da = -(hbb * ga - hab * gb) / determinant;
        let db = -(haa * gb - hab * ga) / determinant;
        let slope = ga * da + gb * db;
        let mut step = 1.0;
        loop {
            let next = Calibration { a: at.a + step * da, b: at.b + step * db };
            let next_value = loss(next);
            if next_value < value + 1e-4 * step * slope {
                (at, value) = (next, next_value);
                break;
            }
            step /= 2.0;
            // No descent left within rounding, or no finite direction: this is the minimum.
            if step < SMALLEST_STEP {
                return Ok(at);
            }
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests;
