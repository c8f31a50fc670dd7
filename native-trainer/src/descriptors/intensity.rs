//! Statistics of the grey values of some pixels.
//!
//! Invariant: they do not depend on where the pixels lie.

use mitoscope::grey::percentile;

/// Mean and standard deviation; 0 when there is no pixel.
pub fn mean_deviation(plane: &[f32], pixels: &[usize]) -> (f32, f32) {
    let count = pixels.len().max(1) as f32;
    let mean = pixels.iter().map(|p| plane[*p]).sum::<f32>() / count;
    let variance = pixels.iter().map(|p| (plane[*p] - mean).powi(2)).sum::<f32>() / count;
    (mean, variance.sqrt())
}

/// Percentiles in the order asked for, linear between neighbours; 0 when there is no pixel.
pub fn percentiles<const N: usize>(
    plane: &[f32],
    pixels: &[usize],
    percents: [f32; N],
) -> [f32; N] {
    let mut values: Vec<f32> = pixels.iter().map(|p| plane[*p]).collect();
    percents.map(|percent| percentile(&mut values, percent))
}
