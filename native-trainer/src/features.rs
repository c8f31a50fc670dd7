//! The two trivial baselines: what a cell's box, or its brightness, alone says of its class.
//!
//! A network that does not clearly beat these has learned nothing of how a mitosis looks.

use mitoscope::cells::CellBox;
use mitoscope::grey::percentile;
use mitoscope::preprocess::{FieldLevels, Patch};

/// Percentiles of the patch that describe its brightness.
const PERCENTILES: [f32; 4] = [50.0, 75.0, 90.0, 99.0];

/// Width, height, size and elongation of a box, relative to the field's typical size.
pub fn box_geometry(cell: &CellBox, typical: f32) -> Vec<f32> {
    let relative = |length: f32| (length / typical.max(1.0)).ln();
    vec![relative(cell.w), relative(cell.h), relative(cell.size()), (cell.w / cell.h).ln().abs()]
}

/// Brightness of a patch relative to its field's typical cell.
pub fn brightness(patch: &Patch, levels: &FieldLevels) -> Vec<f32> {
    let height = (levels.cell - levels.background).max(f32::EPSILON);
    let mut relative: Vec<f32> = patch.0.iter().map(|v| (v - levels.background) / height).collect();
    let mean = relative.iter().sum::<f32>() / relative.len() as f32;
    let variance = relative.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / relative.len() as f32;
    let ranked = PERCENTILES.map(|p| percentile(&mut relative, p));
    [mean, variance.sqrt()].into_iter().chain(ranked).collect()
}

/// Mean and deviation of each feature over some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling(Vec<(f32, f32)>);

impl Scaling {
    /// Over rows of equal length.
    pub fn over(rows: &[&[f32]]) -> Self {
        let count = rows.len().max(1) as f32;
        let of_column = |column: usize| {
            let values = || rows.iter().map(|row| row[column]);
            let mean = values().sum::<f32>() / count;
            let deviation = (values().map(|v| (v - mean).powi(2)).sum::<f32>() / count).sqrt();
            // What is the same in all of them tells nothing, wherever it is not.
            (mean, if deviation > f32::EPSILON { deviation } else { 1.0 })
        };
        Self((0..rows.first().map_or(0, |row| row.len())).map(of_column).collect())
    }

    /// Scales a row to mean 0 and deviation 1.
    pub fn scale(&self, row: &mut [f32]) {
        for (value, (mean, deviation)) in row.iter_mut().zip(&self.0) {
            *value = (*value - mean) / deviation;
        }
    }

    /// A row so scaled.
    pub fn scaled(&self, mut row: Vec<f32>) -> Vec<f32> {
        self.scale(&mut row);
        row
    }
}

/// Scales every feature to mean 0 and deviation 1 over the rows of `reference`, and gives the scale.
pub fn standardise(features: &mut [Vec<f32>], reference: &[usize]) -> Scaling {
    let rows: Vec<&[f32]> = reference.iter().map(|row| features[*row].as_slice()).collect();
    let scaling = Scaling::over(&rows);
    features.iter_mut().for_each(|row| scaling.scale(row));
    scaling
}
