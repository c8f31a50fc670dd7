//! The unsupervised baseline: candidates that stand out from their specimen, then clustering.
//!
//! Invariant: no label is seen; every decision value is finite; the same cells give the same values.
//!
//! S. Tonti, S. Di Cataldo, E. Macii and E. Ficarra, "Unsupervised HEp-2 mitosis recognition in indirect
//! immunofluorescence imaging", EMBC 2015, pages 8135-8138.
//!
//! Known: it is unsupervised, so that the rarity of mitoses does not skew a training; Gupta et al. 2019
//! (reference 24) cite it among the works with morphological and textural descriptors and re-implemented
//! it for their figure 5.
//!
//! Assumed, since the paper's recipe is not public: the order of work, a limited set of candidates from
//! the slide and then clustering; which descriptors (brightness against the field,
//! shape of the bright part, co-occurrence texture), measured against the specimen's median cell in
//! robust deviations; a candidate is brighter than its specimen's typical cell, because a rounded cell
//! with condensed chromatin is; the clusters are two Gaussians over all candidates, and the mitotic one
//! lies farther from the typical cell. The constants were chosen on labelled fields of hep2-agh, so its
//! figures there flatter.

use std::collections::BTreeMap;

use mitoscope::grey::median;
use mitoscope::preprocess::{FieldLevels, Patch};
use rayon::prelude::*;

use super::intensity::percentiles;
use super::mixture::fit_two;
use super::planes::Planes;
use super::regions::disc;
use super::shape::Shape;
use super::{cooccurrence, mask};

/// Percentiles of the field-scaled cell; [`BRIGHTNESS`] tells candidates.
const PERCENTS: [f32; 7] = [1.0, 10.0, 25.0, 50.0, 75.0, 90.0, 99.0];
/// Place of the 90th percentile in the descriptor.
const BRIGHTNESS: usize = 5;
/// Robust deviations over the typical cell from which on a cell is a candidate.
const CANDIDATE: f64 = 0.5;
/// Robust deviations from which on a candidate is mitotic where there are too few to cluster.
pub const OUTLIER: f64 = 3.0;
/// Fewest candidates that are clustered.
pub const LEAST_CANDIDATES: usize = 40;
/// Fewest cells that make a specimen's own statistics; smaller specimens are measured against all.
const LEAST_CELLS: usize = 8;
/// Distance between the pixels of a co-occurrence, in patch pixels.
const STEP: usize = 3;
/// Largest deviation that is told apart.
const LIMIT: f64 = 6.0;
/// Least deviation within a specimen, relative to that over all cells.
const LEAST_DEVIATION: f32 = 0.3;
/// What a robust deviation short of [`CANDIDATE`] costs.
const SLOPE: f64 = 10.0;

/// Decision value of every cell, above 0 where it counts as mitotic.
///
/// Of a candidate it is the log-odds of the mitotic cluster; of any other cell it is negative and falls
/// with its brightness. With fewer than [`LEAST_CANDIDATES`] candidates there is no clustering and the
/// value is the brightness in robust deviations less [`OUTLIER`].
///
/// `specimens` names the specimen of every cell.
///
/// # Panics
/// When there are not as many specimens as cells.
pub fn tonti(cells: &[(&Patch, &FieldLevels)], specimens: &[usize]) -> Vec<f64> {
    assert_eq!(cells.len(), specimens.len(), "every cell needs its specimen");
    let described: Vec<Vec<f32>> =
        cells.par_iter().map(|(patch, levels)| describe(patch, levels)).collect();
    let rows = against_specimen(&described, specimens);
    let is_candidate = |row: &&Vec<f64>| row[BRIGHTNESS] > CANDIDATE;
    let candidates: Vec<Vec<f64>> = rows.iter().filter(is_candidate).cloned().collect();
    if candidates.len() < LEAST_CANDIDATES {
        return rows.iter().map(|row| row[BRIGHTNESS] - OUTLIER).collect();
    }
    let [typical, mitotic] = fit_two(&candidates);
    let decide = |row: &Vec<f64>| {
        let log_odds = mitotic.log_density(row) - typical.log_density(row);
        if row[BRIGHTNESS] > CANDIDATE {
            log_odds
        } else {
            log_odds.min(0.0) - 1.0 - SLOPE * (CANDIDATE - row[BRIGHTNESS])
        }
    };
    rows.iter().map(decide).collect()
}

/// Brightness (7), shape of the bright part (6) and texture (5) of one cell.
fn describe(patch: &Patch, levels: &FieldLevels) -> Vec<f32> {
    let Planes { cell_scaled, field_scaled } = Planes::of(patch, levels);
    let cell = disc(1.0);
    let brightness = percentiles(&field_scaled, &cell, PERCENTS);
    let shape = Shape::of(&mask::bright(&cell_scaled, &cell)).numbers();
    let texture = cooccurrence::haralick(&cell_scaled, &cell, STEP);
    brightness.into_iter().chain(shape).chain(texture).collect()
}

/// Every number as its deviation from the specimen's median, in median absolute deviations scaled to a
/// standard deviation.
fn against_specimen(described: &[Vec<f32>], specimens: &[usize]) -> Vec<Vec<f64>> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (cell, specimen) in specimens.iter().enumerate() {
        members.entry(*specimen).or_default().push(cell);
    }
    let statistics = |cells: &[usize], column: usize| {
        let mut values: Vec<f32> = cells.iter().map(|cell| described[*cell][column]).collect();
        let middle = median(&mut values);
        values.iter_mut().for_each(|v| *v = (*v - middle).abs());
        (middle, 1.4826 * median(&mut values))
    };
    let all: Vec<usize> = (0..described.len()).collect();
    let columns = described.first().map_or(0, Vec::len);
    let overall: Vec<(f32, f32)> = (0..columns).map(|column| statistics(&all, column)).collect();
    let mut rows = vec![Vec::with_capacity(columns); described.len()];
    for cells in members.values() {
        for (column, overall) in overall.iter().enumerate() {
            let own = cells.len() >= LEAST_CELLS;
            let (middle, deviation) = if own { statistics(cells, column) } else { *overall };
            let deviation = deviation.max(LEAST_DEVIATION * overall.1).max(f32::EPSILON);
            for &cell in cells {
                let value = f64::from((described[cell][column] - middle) / deviation);
                rows[cell].push(value.clamp(-LIMIT, LIMIT));
            }
        }
    }
    rows
}
