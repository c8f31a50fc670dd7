//! How well a cell is imaged: what a network cannot make up for.
//!
//! Invariant: the numbers know nothing of the cell's class and do not depend on the camera's bit depth.

use serde::{Deserialize, Serialize};

use crate::grey::{gaussian_blur, percentile, shrink};
use crate::preprocess::{FieldLevels, LEAST_RANGE, Patch, SIDE, disc};

/// Structure is measured at half the patch's resolution, where much of the noise is gone.
const HALF: usize = SIDE / 2;
/// Details between these sizes, in pixels of that, tell a sharp image from a blurred one; smaller ones are
/// noise. The nucleus of a typical cell has a radius of some 17.
const DETAIL: (f32, f32) = (1.0, 2.0);
/// The percentiles between which structure spans its range.
const RANGE: (f32, f32) = (1.0, 99.0);
/// Grey that close to the brightest, relative to the patch's range, is at the camera's limit if many
/// pixels have it.
const AT_LIMIT: f32 = 0.002;

/// What is measured of one patch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Range of the structure over the height of the field's typical cell above its background; near 0
    /// where there is no cell.
    pub contrast: f32,
    /// Share of the cell's disc that is as bright as the brightest pixel, 0 to 1.
    pub saturation: f32,
    /// Standard deviation of small details in the cell's disc over the range of the structure; small
    /// where the image is out of focus.
    pub sharpness: f32,
}

impl Quality {
    /// Measures a patch of a field with these levels, whose typical cell has this radius in patch
    /// pixels ([`Preprocess::cell_radius`](crate::preprocess::Preprocess::cell_radius)).
    pub fn of(Patch(grey): &Patch, levels: &FieldLevels, radius: f32) -> Self {
        let half = shrink(grey, (SIDE, SIDE), (HALF, HALF));
        let fine = gaussian_blur(&half, HALF, DETAIL.0);
        let coarse = gaussian_blur(&half, HALF, DETAIL.1);
        let mut ranked = coarse.clone();
        let low = percentile(&mut ranked, RANGE.0);
        let range = percentile(&mut ranked, RANGE.1) - low;

        let brightest = grey.iter().copied().fold(f32::MIN, f32::max);
        let darkest = grey.iter().copied().fold(f32::MAX, f32::min);
        let limit = brightest - AT_LIMIT * (brightest - darkest);
        let within = disc(SIDE, radius);
        let at_limit = within.iter().filter(|i| grey[**i] >= limit).count();

        let details: Vec<f32> =
            disc(HALF, 0.5 * radius).iter().map(|i| fine[*i] - coarse[*i]).collect();
        Self {
            contrast: range / (levels.cell - levels.background).max(LEAST_RANGE),
            saturation: at_limit as f32 / within.len().max(1) as f32,
            sharpness: deviation(&details) / range.max(LEAST_RANGE),
        }
    }
}

/// Standard deviation; 0 for none.
fn deviation(values: &[f32]) -> f32 {
    let share = 1.0 / values.len().max(1) as f32;
    let mean = share * values.iter().sum::<f32>();
    (share * values.iter().map(|v| (v - mean).powi(2)).sum::<f32>()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: FieldLevels = FieldLevels { background: 0.1, cell: 0.5 };
    const RADIUS: f32 = 34.0;

    /// A disc of half the grey range, with speckles, in front of 0.1.
    fn cell() -> Vec<f32> {
        let mut grey = vec![0.1; SIDE * SIDE];
        for i in disc(SIDE, 30.0) {
            let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
            grey[i] = 0.5 + 0.1 * (x * 0.8).sin() * (y * 0.8).cos();
        }
        grey
    }

    fn quality(grey: Vec<f32>) -> Quality {
        Quality::of(&Patch(grey), &LEVELS, RADIUS)
    }

    #[test]
    fn a_plain_cell_has_the_contrast_of_its_field() {
        let Quality { contrast, saturation, .. } = quality(cell());
        assert!((0.9..1.3).contains(&contrast), "{contrast}");
        assert!(saturation < 0.05, "{saturation}");
        // The camera's scale does not matter.
        let dimmer = FieldLevels { background: 0.01, cell: 0.05 };
        let dim = cell().iter().map(|v| 0.1 * v).collect();
        let dim = Quality::of(&Patch(dim), &dimmer, RADIUS);
        assert!((dim.contrast - contrast).abs() < 1e-3 && dim.saturation == saturation);
    }

    #[test]
    fn no_cell_has_no_contrast() {
        assert!(quality(vec![0.1; SIDE * SIDE]).contrast < 1e-6);
        let blank = FieldLevels { background: 0.1, cell: 0.1 };
        let blank = Quality::of(&Patch(vec![0.1; SIDE * SIDE]), &blank, RADIUS);
        assert!(blank.contrast < 1e-6 && blank.sharpness < 1e-6, "{blank:?}");
    }

    #[test]
    fn clipping_is_seen() {
        let clipped = cell().into_iter().map(|v| v.min(0.45)).collect();
        assert!(quality(clipped).saturation > 0.5);
    }

    #[test]
    fn blur_is_seen_and_noise_hardly_matters() {
        let sharp = quality(cell()).sharpness;
        let blurred = |sigma| quality(gaussian_blur(&cell(), SIDE, sigma)).sharpness;
        assert!(blurred(3.0) < 0.6 * sharp && blurred(6.0) < 0.35 * sharp, "{sharp}");
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.04 * (state as f32 / u32::MAX as f32 - 0.5)
        };
        let noisy = gaussian_blur(&cell(), SIDE, 6.0).into_iter().map(|v| v + noise()).collect();
        assert!(quality(noisy).sharpness < 0.4 * sharp);
    }
}
