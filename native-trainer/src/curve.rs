//! Transfer curves: how another camera, or an image stored for the eye, shows the same cell.
//!
//! Invariant: a cell stays where it is, and its field's levels follow the curve of its pixels.

use mitoscope::preprocess::{FieldLevels, Preprocess};

use crate::samples::Sample;

/// Exponents of the curves under which a machine learns its cells: others than those it is tested under
/// ([`crate::contrast::EXPONENTS`]).
pub const TAUGHT: [f32; 3] = [1.0, 0.6, 1.7];

/// A grey value, `0..=1`, under the curve of an exponent.
pub fn bend(value: f32, exponent: f32) -> f32 {
    value.max(0.0).powf(exponent)
}

/// The network's input of a cell at an exponent.
pub fn bent_input(sample: &Sample, exponent: f32, preprocess: &Preprocess) -> Vec<f32> {
    let mut patch = sample.patch(&sample.window);
    patch.0.iter_mut().for_each(|value| *value = bend(*value, exponent));
    let [background, cell] =
        [sample.levels.background, sample.levels.cell].map(|level| bend(level, exponent));
    preprocess.input(&patch, &FieldLevels { background, cell })
}

#[cfg(test)]
mod tests {
    use mitoscope::GreyImage;
    use mitoscope::cells::CellBox;

    use super::*;
    use crate::samples::of_field;
    use crate::simulation::{FieldSpec, field};

    #[test]
    fn a_cell_is_bent_as_its_whole_field_would_be() {
        let field = field(&FieldSpec { nuclear_radius: Some(30.0), ..FieldSpec::default() }, 5);
        let white = f32::from(field.white);
        let greys: Vec<f32> = field.pixels.iter().map(|level| f32::from(*level) / white).collect();
        let bounds = field.cells.iter().filter(|cell| cell.whole).map(|cell| cell.bounds);
        let boxes: Vec<CellBox> = bounds
            .map(|of| {
                let [x, y, w, h] = [of.x, of.y, of.width, of.height].map(|pixels| pixels as f32);
                CellBox { x, y, w, h }
            })
            .collect();
        let rows: Vec<usize> = (0..boxes.len()).collect();
        let preprocess = Preprocess::modern();
        let samples = |greys: Vec<f32>| {
            let image = GreyImage::new(field.width, field.height, greys).expect("an image");
            of_field(image, &boxes, &rows, &preprocess).expect("cells")
        };
        let plain = samples(greys.clone());
        assert!(plain.len() > 2, "{} cells", plain.len());
        for exponent in [1.0, 0.7, 1.4] {
            let whole = samples(greys.iter().map(|grey| bend(*grey, exponent)).collect());
            for (cell, whole) in plain.iter().zip(&whole) {
                let (bent, whole) =
                    (bent_input(cell, exponent, &preprocess), whole.input(&preprocess));
                let apart = bent.iter().zip(&whole).map(|(a, b)| (a - b).abs()).sum::<f32>();
                let apart = apart / bent.len() as f32;
                // Resampling and bending do not quite commute.
                assert!(apart < if exponent == 1.0 { 1e-6 } else { 0.02 }, "{exponent}: {apart}");
            }
        }
    }
}
