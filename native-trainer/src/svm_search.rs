//! Choice of the SVM's C and γ by inner cross-validation, and the calibration of its decisions.
//!
//! Invariant: a sample's out-of-fold decision value comes from a machine that saw neither the
//! sample nor another of its group; the same seed gives the same result on any number of threads.

mod smo;

use mitoscope::Error;
use mitoscope::model::Calibration;
use mitoscope::svm::{MAX_SAMPLES, Svm};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::metrics::Confusion;

/// Folds of the inner cross-validation, fewer where a class or the groups do not suffice.
pub const FOLDS: usize = 5;

/// Penalties C to try, ascending.
pub const C_GRID: [f64; 4] = [0.1, 1.0, 10.0, 100.0];

/// Kernel widths γ to try, ascending, as multiples of scikit-learn's 'scale'.
pub const GAMMA_GRID: [f64; 5] = [1.0 / 16.0, 0.25, 1.0, 4.0, 16.0];

/// MCC by which two pairs of the grid are told apart: less is chance at a hundred mitotic cells.
pub const TOLERANCE: f64 = 0.02;

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
/// `groups` names each sample's specimen or field; samples of one group stay in one fold.
///
/// # Errors
/// [`Error::Fit`] when lengths differ, samples are unfit, or classes and groups do not allow two
/// folds that each leave both classes to train on.
pub fn search(
    samples: &[Vec<f32>],
    mitotic: &[bool],
    groups: Option<&[usize]>,
    seed: u64,
) -> Result<Search, Error> {
    let n = samples.len();
    if mitotic.len() != n || groups.is_some_and(|groups| groups.len() != n) {
        return Err(Error::Fit(format!("{n} samples need as many labels and groups")));
    }
    if n > MAX_SAMPLES {
        return Err(Error::Fit(format!("{n} samples are more than {MAX_SAMPLES}: take fewer")));
    }
    let scale = Svm::scale_gamma(samples)?;
    let folds = folds(mitotic, groups, seed)?;
    let count = folds.iter().max().map_or(0, |last| last + 1);

    let distances = squared_distances(samples);
    let mut tried = Vec::with_capacity(C_GRID.len() * GAMMA_GRID.len());
    for multiple in GAMMA_GRID {
        let gamma = multiple * scale;
        let kernel: Vec<f64> = distances.par_iter().map(|d| (-gamma * d).exp()).collect();
        let jobs = C_GRID.iter().rev().flat_map(|c| (0..count).map(|fold| (*c, fold)));
        let jobs: Vec<(f64, usize)> = jobs.collect();
        let decided = jobs
            .par_iter()
            .with_max_len(1)
            .map(|&(c, fold)| smo::decision_values(&kernel, &targets(mitotic, &folds, fold), c))
            .collect::<Result<Vec<_>, Error>>()?;
        for (decided, jobs) in decided.chunks(count).zip(jobs.chunks(count)) {
            let values: Vec<f64> = (0..n).map(|i| decided[folds[i]][i]).collect();
            let mcc = Confusion::count(&values, mitotic, 0.0).mcc();
            tried.push((GridPoint { c: jobs[0].0, gamma, mcc }, values));
        }
    }
    tried.sort_by(|(a, _), (b, _)| a.c.total_cmp(&b.c).then(a.gamma.total_cmp(&b.gamma)));
    let (grid, mut pooled): (Vec<GridPoint>, Vec<Vec<f64>>) = tried.into_iter().unzip();
    let highest = grid.iter().map(|point| point.mcc).fold(f64::NEG_INFINITY, f64::max);
    let best = (0..grid.len())
        .filter(|i| grid[*i].mcc >= highest - TOLERANCE)
        .min_by(|a, b| grid[*a].gamma.total_cmp(&grid[*b].gamma))
        .unwrap_or(0);
    Ok(Search { best: grid[best], decision_values: pooled.swap_remove(best), grid })
}

/// ‖a − b‖² of all pairs of samples, row by row.
fn squared_distances(samples: &[Vec<f32>]) -> Vec<f64> {
    let square = |(x, y): (&f32, &f32)| (f64::from(*x) - f64::from(*y)).powi(2);
    let row = |a: &Vec<f32>| -> Vec<f64> {
        samples.iter().map(|b| a.iter().zip(b).map(square).sum()).collect()
    };
    samples.par_iter().flat_map_iter(row).collect()
}

/// The classes as ±1, with 0 for the samples of the fold that is held out.
fn targets(mitotic: &[bool], folds: &[usize], held_out: usize) -> Vec<f64> {
    let target = |(mitotic, fold): (&bool, &usize)| match (*fold == held_out, *mitotic) {
        (true, _) => 0.0,
        (false, true) => 1.0,
        (false, false) => -1.0,
    };
    mitotic.iter().zip(folds).map(target).collect()
}

/// Fold of each sample: both classes spread evenly, groups whole.
fn folds(mitotic: &[bool], groups: Option<&[usize]>, seed: u64) -> Result<Vec<usize>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let positives = mitotic.iter().filter(|m| **m).count();
    let rarest = positives.min(mitotic.len() - positives);
    let folds = match groups {
        None => {
            let count = FOLDS.min(rarest).max(1);
            let mut order: Vec<usize> = (0..mitotic.len()).collect();
            order.shuffle(&mut rng);
            order.sort_by_key(|i| !mitotic[*i]);
            let mut folds = vec![0; mitotic.len()];
            for (position, i) in order.into_iter().enumerate() {
                folds[i] = position % count;
            }
            folds
        }
        Some(groups) => grouped_folds(mitotic, groups, &mut rng),
    };
    let count = folds.iter().max().map_or(0, |last| last + 1);
    let trainable = |fold: usize| {
        let has = |class: bool| folds.iter().zip(mitotic).any(|(f, m)| *f != fold && *m == class);
        has(true) && has(false)
    };
    if count < 2 || !(0..count).all(trainable) {
        return Err(Error::Fit(format!(
            "{positives} mitotic of {} cells in these groups are too few to cross-validate: add \
             cells or groups",
            mitotic.len()
        )));
    }
    Ok(folds)
}

/// Gives each group, those with most mitotic cells first, to the fold with the fewest of them.
fn grouped_folds(mitotic: &[bool], groups: &[usize], rng: &mut ChaCha8Rng) -> Vec<usize> {
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
    let mut loads = vec![(0, 0); FOLDS.min(sized.len())];
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
