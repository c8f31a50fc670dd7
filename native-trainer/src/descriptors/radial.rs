//! Radial profile: how grey changes from the centre of a cell outwards.
//!
//! Invariant: turning the patch about its centre changes the profile by resampling only.

use super::intensity::mean_deviation;

/// Mean and standard deviation of a plane in each ring, from the inside out.
pub fn profile(plane: &[f32], rings: &[Vec<usize>]) -> (Vec<f32>, Vec<f32>) {
    rings.iter().map(|ring| mean_deviation(plane, ring)).unzip()
}
