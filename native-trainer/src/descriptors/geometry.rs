//! Where the pixels of a patch lie relative to its centre, in radii of the typical cell.
//!
//! Invariant: a ring holds the same pixels after a quarter turn or a mirroring of the patch.

use mitoscope::preprocess::{Preprocess, SIDE};

/// Radius of the typical cell in patch pixels.
pub fn cell_radius() -> f32 {
    SIDE as f32 / (2.0 * Preprocess::paper().crop_factor)
}

/// Offset of a pixel's centre from the patch's centre: right and down, in patch pixels.
pub fn offset(pixel: usize) -> [f32; 2] {
    [pixel % SIDE, pixel / SIDE].map(|p| p as f32 + 0.5 - SIDE as f32 / 2.0)
}

/// Distance of a pixel's centre from the patch's centre in cell radii.
pub fn distance(pixel: usize) -> f32 {
    let [right, down] = offset(pixel);
    right.hypot(down) / cell_radius()
}

/// Pixels whose distance from the centre is within `from..to` cell radii.
pub fn ring(from: f32, to: f32) -> Vec<usize> {
    (0..SIDE * SIDE).filter(|pixel| (from..to).contains(&distance(*pixel))).collect()
}

/// Mean and standard deviation of a plane over some pixels; 0 when there is none.
pub fn mean_deviation(plane: &[f32], pixels: &[usize]) -> [f32; 2] {
    let count = pixels.len().max(1) as f32;
    let mean = pixels.iter().map(|p| plane[*p]).sum::<f32>() / count;
    let square = pixels.iter().map(|p| (plane[*p] - mean).powi(2)).sum::<f32>() / count;
    [mean, square.sqrt()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_divide_a_disc_and_stay_after_a_quarter_turn() {
        let (inner, outer) = (ring(0.0, 0.5), ring(0.5, 1.0));
        assert_eq!(inner.len() + outer.len(), ring(0.0, 1.0).len());
        let area = std::f32::consts::PI * cell_radius().powi(2);
        assert!((ring(0.0, 1.0).len() as f32 / area - 1.0).abs() < 0.02);
        let mut turned: Vec<usize> =
            outer.iter().map(|p| (p % SIDE) * SIDE + SIDE - 1 - p / SIDE).collect();
        turned.sort_unstable();
        assert_eq!(turned, outer);
    }

    #[test]
    fn mean_and_deviation_equal_plain_loops() {
        assert_eq!(mean_deviation(&[1.0, 9.0, 3.0], &[0, 2]), [2.0, 1.0]);
        assert_eq!(mean_deviation(&[1.0], &[]), [0.0, 0.0]);
    }
}
