//! Histograms of oriented gradients (Dalal and Triggs 2005), made indifferent to the patch's turn.

use std::f32::consts::{FRAC_PI_2, PI};

use mitoscope::preprocess::SIDE;

use super::geometry::{distance, offset};

/// Central differences at a pixel: right and down; the border repeats.
fn gradient(plane: &[f32], pixel: usize) -> [f32; 2] {
    let (x, y) = (pixel % SIDE, pixel / SIDE);
    let at = |x: usize, y: usize| plane[y.min(SIDE - 1) * SIDE + x.min(SIDE - 1)];
    [
        0.5 * (at(x + 1, y) - at(x.saturating_sub(1), y)),
        0.5 * (at(x, y + 1) - at(x, y.saturating_sub(1))),
    ]
}

/// Share of gradient strength in each of `bins` orientations, strongest first: how much one
/// direction prevails, as in a metaphase plate.
pub fn sorted_orientations(plane: &[f32], pixels: &[usize], bins: usize) -> Vec<f32> {
    let mut histogram = vec![0.0; bins];
    for pixel in pixels {
        let [x, y] = gradient(plane, *pixel);
        // Each vote is shared by the two nearest bins.
        let place = y.atan2(x).rem_euclid(PI) / PI * bins as f32;
        let (low, share) = (place as usize, place.fract());
        histogram[low % bins] += x.hypot(y) * (1.0 - share);
        histogram[(low + 1) % bins] += x.hypot(y) * share;
    }
    let total = histogram.iter().sum::<f32>().max(f32::EPSILON);
    histogram.iter_mut().for_each(|v| *v /= total);
    histogram.sort_by(|a, b| b.total_cmp(a));
    histogram
}

/// Mean gradient strength by distance from the centre (`rings` rings up to `reach` cell radii) and by
/// the gradient's angle to the radius (`bins` bins from along to across).
pub fn radial_orientations(plane: &[f32], rings: usize, reach: f32, bins: usize) -> Vec<f32> {
    let (mut strength, mut count) = (vec![0.0; rings * bins], vec![0.0_f32; rings]);
    for pixel in (0..SIDE * SIDE).filter(|pixel| distance(*pixel) < reach) {
        let ring = ((distance(pixel) / reach * rings as f32) as usize).min(rings - 1);
        let ([gx, gy], [x, y]) = (gradient(plane, pixel), offset(pixel));
        let cosine = (gx * x + gy * y).abs() / (gx.hypot(gy) * x.hypot(y)).max(f32::MIN_POSITIVE);
        let angle = cosine.min(1.0).acos() / FRAC_PI_2;
        strength[ring * bins + ((angle * bins as f32) as usize).min(bins - 1)] += gx.hypot(gy);
        count[ring] += 1.0;
    }
    for (ring, strength) in strength.chunks_mut(bins).enumerate() {
        strength.iter_mut().for_each(|v| *v /= count[ring].max(1.0));
    }
    strength
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptors::geometry::ring;

    fn plane(of: impl Fn([f32; 2]) -> f32) -> Vec<f32> {
        (0..SIDE * SIDE).map(|pixel| of(offset(pixel))).collect()
    }

    #[test]
    fn a_ramp_has_one_orientation_and_a_flat_patch_none() {
        let ramp = plane(|[x, _]| x / 100.0);
        let histogram = sorted_orientations(&ramp, &ring(0.0, 1.0), 8);
        assert!((histogram[0] - 1.0).abs() < 1e-3, "{histogram:?}");
        assert_eq!(sorted_orientations(&plane(|_| 0.5), &ring(0.0, 1.0), 8), [0.0; 8]);
    }

    #[test]
    fn a_cone_points_along_the_radius_everywhere() {
        let cone = plane(|[x, y]| x.hypot(y) / 100.0);
        let strength = radial_orientations(&cone, 3, 1.2, 3);
        for ring in strength.chunks(3) {
            assert!(ring[0] > 0.009 && ring[1] + ring[2] < 1e-3, "{strength:?}");
        }
    }
}
