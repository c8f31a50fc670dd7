//! The same cells under other transfer curves: what another camera, or an image stored for the eye, shows of
//! a field.
//!
//! Invariant: cells stay where they are, and all grey values of a field follow one curve.

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::embedder::Weights;
use mitoscope::preprocess::{FieldLevels, Patch, Preprocess};
use mitoscope::svm::Svm;
use serde::{Deserialize, Serialize};

use crate::course::Course;
use crate::embedded::{by_field, by_place};
use crate::evaluation::Figures;
use crate::judge::Judge;
use crate::network::{Output, infer};
use crate::samples::Sample;
use crate::svm_search::GridPoint;
use crate::table::Group;

/// Exponents that are tried: linear grey values and those stored for a screen differ by some 2.2.
pub const EXPONENTS: [f32; 4] = [0.5, 0.7, 1.4, 2.0];

/// A grey value, `0..=1`, under the curve of an exponent.
pub fn bend(value: f32, exponent: f32) -> f32 {
    value.max(0.0).powf(exponent)
}

/// What a machine is worth on fields whose grey values are raised to a power.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtContrast {
    /// The power.
    pub exponent: f32,
    /// Given training cells, each by a machine that was made without its specimen.
    pub unknown: Figures,
    /// Given held-out cells, by the machine of all training cells.
    pub held_out: Option<Figures>,
}

/// Figures at all [`EXPONENTS`] of machines fitted to every row's features as they are, given their C and γ, the
/// machine of all training rows, and what makes features of some given rows at an exponent, by row.
pub(crate) fn at_contrasts(
    judge: &Judge,
    features: &[Vec<f32>],
    (chosen, machine): (GridPoint, Option<&Svm>),
    threshold: f64,
    bent_features: impl Fn(&[usize], f32) -> Result<Vec<Vec<f32>>>,
) -> Result<Vec<AtContrast>> {
    let given = judge.split.given(judge.table);
    let asked = [&given.train[..], machine.map_or(&[], |_| &given.held_out[..])].concat();
    let bent = EXPONENTS.map(|exponent| bent_features(&asked, exponent));
    let bent = bent.into_iter().collect::<Result<Vec<_>>>()?;
    let mut others: Vec<(usize, &[f32])> = Vec::new();
    for bent in &bent {
        others.extend(given.train.iter().map(|row| (*row, bent[*row].as_slice())));
    }
    let unknown = judge.out_of_fold_as(features, chosen, &others)?;
    let figures = |values: &[f64], rows| Figures::at(threshold, values, &judge.truth(rows));
    let of_held_out = |bent: &Vec<Vec<f32>>| {
        let machine = machine.filter(|_| !given.held_out.is_empty())?;
        let values = given.held_out.iter().map(|row| machine.decision_value(&bent[*row]));
        Some(figures(&values.collect::<Vec<_>>(), &given.held_out))
    };
    let unknown = unknown.chunks(given.train.len());
    let at = |((exponent, bent), unknown): ((f32, &Vec<Vec<f32>>), &[f64])| AtContrast {
        exponent,
        unknown: figures(unknown, &given.train),
        held_out: of_held_out(bent),
    };
    Ok(EXPONENTS.into_iter().zip(&bent).zip(unknown).map(at).collect())
}

/// A cell and its field's grey levels at an exponent.
pub(crate) fn bent(sample: &Sample, exponent: f32) -> (Patch, FieldLevels) {
    let mut patch = sample.patch(&sample.window);
    patch.0.iter_mut().for_each(|value| *value = bend(*value, exponent));
    let [background, cell] =
        [sample.levels.background, sample.levels.cell].map(|level| bend(level, exponent));
    (patch, FieldLevels { background, cell })
}

/// The network's input of a cell at an exponent.
fn bent_input(sample: &Sample, exponent: f32, preprocess: &Preprocess) -> Vec<f32> {
    let (patch, levels) = bent(sample, exponent);
    preprocess.input(&patch, &levels)
}

/// A network's features of some given rows at an exponent, by row.
pub(crate) fn bent_features(
    course: &Course,
    rows: &[usize],
    exponent: f32,
    weights: &Weights,
    device: &Device,
) -> Result<Vec<Vec<f32>>> {
    let Course { table, preset, .. } = course;
    let input = |row: usize| bent_input(&course.real()[row], exponent, &preset.preprocess);
    // A field's other cells say what is typical of it.
    let asked = |field: &Group| field.rows.iter().any(|row| rows.contains(row));
    let cells: Vec<usize> =
        table.groups().into_iter().filter(asked).flat_map(|field| field.rows).collect();
    let embeddings = infer(weights, Output::Embedding, &cells, input, device)?;
    let embeddings = by_place(&cells, embeddings, table.rows.len());
    Ok(by_field(table, &embeddings, preset.features))
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
