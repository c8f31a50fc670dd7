//! The supervised baseline: texture and shape descriptors for a support vector machine.
//!
//! Invariant: [`NUMBERS`] numbers a cell, whatever the patch.
//!
//! A. Miros, A. Wiliem, K. Holohan, L. Ball, P. Hobson and B. C. Lovell, "A benchmarking platform for
//! mitotic cell classification of ANA IIF HEp-2 images", DICTA 2015.
//!
//! Known: its task, told by its title, and that Gupta et al. 2019 (reference 20) count it among the
//! works with morphological and textural descriptors and re-implemented it for their figure 5.
//!
//! Assumed, since the paper's recipe is not public: which descriptors, their scales and regions, and a
//! Gaussian-kernel machine on standardised numbers. Taken are the usual ones of the field: local binary
//! patterns at two scales, oriented gradients, radial profiles, grey percentiles and the shape of the
//! thresholded bright part. The grey levels enter twice, scaled to the cell and to its field. Figures of
//! this baseline tell what good classical descriptors reach here, not what the authors' own would.

use mitoscope::grey::gaussian_blur;
use mitoscope::preprocess::{FieldLevels, Patch, SIDE};

use super::intensity::percentiles;
use super::planes::Planes;
use super::regions::{disc, rings};
use super::shape::Shape;
use super::{hog, lbp, mask, radial};

/// Length of the descriptor.
pub const NUMBERS: usize = 94;

/// Radius in cell radii of the part that holds a cell with its immediate surroundings.
const WIDE: f32 = 1.3;
/// Radius in cell radii of the part that holds the chromatin of a cell.
const CORE: f32 = 0.7;
/// Blur before the local binary patterns in patch pixels: they are about form, not about noise.
const BLUR: f32 = 1.5;
/// Radii of the local binary patterns in patch pixels: fine texture and coarse structure.
const LBP_RADII: [f32; 2] = [2.0, 8.0];
/// Least difference that makes a pattern: a fifth of a nat on the field-scaled plane.
const LBP_TOLERANCE: f32 = 0.2 / 6.0;

/// Descriptor of one cell, [`NUMBERS`] finite numbers.
///
/// In this order: radial profiles (18), percentiles (12), shapes (24), oriented gradients (20), local
/// binary patterns as roots of shares (20).
pub fn miros(patch: &Patch, levels: &FieldLevels) -> Vec<f32> {
    let Planes { cell_scaled, field_scaled } = Planes::of(patch, levels);
    let (core, cell, wide) = (disc(CORE), disc(1.0), disc(WIDE));
    let mut numbers = Vec::with_capacity(NUMBERS);

    let rings_of_profile = rings(6, 1.5);
    let (means, deviations) = radial::profile(&cell_scaled, &rings_of_profile);
    numbers.extend(means);
    numbers.extend(deviations);
    numbers.extend(radial::profile(&field_scaled, &rings_of_profile).0);

    let of_field = [1.0, 10.0, 25.0, 50.0, 75.0, 90.0, 99.0];
    numbers.extend(percentiles(&field_scaled, &cell, of_field));
    numbers.extend(percentiles(&cell_scaled, &cell, [10.0, 25.0, 50.0, 75.0, 90.0]));

    numbers.extend(Shape::of(&mask::bright(&cell_scaled, &cell)).numbers());
    for region in [&core, &cell, &wide] {
        let bright = mask::bright(&cell_scaled, region);
        numbers.extend(Shape::of(&mask::largest_piece(&bright)).numbers());
    }

    numbers.extend(hog::sorted_orientations(&cell_scaled, &wide));
    numbers.extend(hog::by_ring(&cell_scaled, &rings(4, 1.4)));

    let smooth = gaussian_blur(&field_scaled, SIDE, BLUR);
    for radius in LBP_RADII {
        let shares = lbp::histogram(&smooth, &wide, radius, LBP_TOLERANCE);
        numbers.extend(shares.map(f32::sqrt));
    }
    numbers
}
