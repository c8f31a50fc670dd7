//! Hand-made descriptors with a Gaussian-kernel SVM, after Miros, Wiliem, Holohan, Ball, Hobson and
//! Lovell, "A benchmarking platform for mitotic cell classification of ANA IIF HEp-2 images"
//! (DICTA 2015).
//!
//! Known: the task (mitotic against interphase on single-cell images of the later I3A Task-3 set), and
//! that texture and shape descriptors were compared with SVMs. Assumed: which descriptors, and all
//! their constants; those here are common ones, chosen by grouped cross-validation inside the training
//! fields of hep2-agh. The paper's authors re-implemented it likewise "with available information".

use mitoscope::grey::percentile;
use mitoscope::preprocess::{FieldLevels, Patch, Preprocess, SIDE};
use rayon::prelude::*;

use super::geometry::{mean_deviation, ring};
use super::gradients::{radial_orientations, sorted_orientations};
use super::mask::{bright, regions};
use super::patterns;
use super::shape::shape;
use crate::samples::Sample;

/// Extents of a cell's body, of its surroundings and of its core, in radii of the typical cell.
const CELL: f32 = 1.0;
const WIDE: f32 = 1.3;
const CORE: f32 = 0.7;

/// Reach and number of the rings of a radial profile.
const PROFILE: (f32, usize) = (1.5, 6);

/// Radii of the local binary patterns in patch pixels, and how much brighter a neighbour must be.
const PATTERN_RADII: [f32; 2] = [1.0, 3.0];
const PATTERN_TOLERANCE: f32 = 0.03;

/// The descriptors of all cells, in order.
pub fn all(samples: &[Sample]) -> Vec<Vec<f32>> {
    let of = |sample: &Sample| describe(&sample.patch(&sample.window), &sample.levels);
    samples.par_iter().map(of).collect()
}

/// The descriptor of one cell; features are to be standardised before an SVM sees them.
pub fn describe(patch: &Patch, levels: &FieldLevels) -> Vec<f32> {
    let input = Preprocess::modern().input(patch, levels);
    let (scaled, field) = (&input[..SIDE * SIDE], &input[SIDE * SIDE..2 * SIDE * SIDE]);
    let [cell, wide, core] = [CELL, WIDE, CORE].map(|reach| ring(0.0, reach));
    let mut numbers = Vec::new();

    // Brightness: against the field's typical cell and within the cell.
    numbers.extend(percentiles(field, &cell, &[1.0, 10.0, 25.0, 50.0, 75.0, 90.0, 99.0]));
    numbers.extend(percentiles(scaled, &cell, &[10.0, 25.0, 50.0, 75.0, 90.0]));
    numbers.extend(moments(scaled, &cell));
    for plane in [scaled, field] {
        for place in 0..PROFILE.1 {
            let width = PROFILE.0 / PROFILE.1 as f32;
            let pixels = ring(place as f32 * width, (place + 1) as f32 * width);
            numbers.extend(mean_deviation(plane, &pixels));
        }
    }
    // Texture.
    numbers.extend(sorted_orientations(scaled, &wide, 8));
    numbers.extend(radial_orientations(scaled, 4, 1.4, 3));
    for radius in PATTERN_RADII {
        numbers.extend(patterns::histogram(scaled, &cell, radius, PATTERN_TOLERANCE));
    }
    // Shape of what is bright.
    for pixels in [&cell, &wide, &core] {
        let mask = bright(scaled, pixels);
        let parts = regions(&mask);
        let all: Vec<usize> = (0..mask.len()).filter(|pixel| mask[*pixel]).collect();
        let share =
            |part: usize| parts.get(part).map_or(0.0, |p| p.len() as f32 / all.len() as f32);
        numbers.extend(shape(parts.first().map_or(&[], Vec::as_slice)));
        numbers.extend(shape(&all));
        numbers.extend([(parts.len() as f32 + 1.0).ln(), share(0), share(1)]);
    }
    numbers
}

fn percentiles<'a>(
    plane: &[f32],
    pixels: &[usize],
    percents: &'a [f32],
) -> impl Iterator<Item = f32> + use<'a> {
    let mut values: Vec<f32> = pixels.iter().map(|pixel| plane[*pixel]).collect();
    percents.iter().map(move |percent| percentile(&mut values, *percent))
}

/// Mean, deviation, skewness and the logarithm of 1 + kurtosis.
fn moments(plane: &[f32], pixels: &[usize]) -> [f32; 4] {
    const SOFTENING: f32 = 1e-3;
    let [mean, deviation] = mean_deviation(plane, pixels);
    let moment = |power: i32| {
        let normal = |pixel: &usize| ((plane[*pixel] - mean) / (deviation + SOFTENING)).powi(power);
        pixels.iter().map(normal).sum::<f32>() / pixels.len() as f32
    };
    [mean, deviation, moment(3), moment(4).ln_1p()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptors::geometry::offset;

    const LEVELS: FieldLevels = FieldLevels { background: 0.1, cell: 0.5 };

    fn patch(of: impl Fn([f32; 2]) -> f32) -> Patch {
        Patch((0..SIDE * SIDE).map(|pixel| of(offset(pixel))).collect())
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
    }

    #[test]
    fn every_patch_has_a_finite_descriptor_of_one_length() {
        let plate = patch(|[x, y]| if x.abs() < 25.0 && y.abs() < 7.0 { 0.9 } else { 0.2 });
        let length = describe(&plate, &LEVELS).len();
        for flat in [0.0, 0.5, 1.0] {
            let numbers = describe(&patch(|_| flat), &LEVELS);
            assert!(numbers.len() == length && numbers.iter().all(|v| v.is_finite()), "{flat}");
        }
    }

    #[test]
    fn a_turned_plate_is_the_same_plate_and_no_round_nucleus() {
        let plate = |x: f32, y: f32| {
            if x.abs() < 25.0 && y.abs() < 7.0 { 0.9 } else { 0.2 + 0.05 * (x / 7.0).sin() }
        };
        let upright = describe(&patch(|[x, y]| plate(x, y)), &LEVELS);
        let turned = describe(&patch(|[x, y]| plate(y, -x)), &LEVELS);
        let round =
            patch(|[x, y]| if x.hypot(y) < 30.0 { 0.5 } else { 0.2 + 0.05 * (x / 7.0).sin() });
        let round = describe(&round, &LEVELS);
        let (same, other) = (distance(&upright, &turned), distance(&upright, &round));
        assert!(same < 0.05 * other, "{same} {other}");
    }
}
