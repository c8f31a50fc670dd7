//! The same cells under other transfer curves: what another camera, or an image stored for the eye, shows of
//! a field.
//!
//! Invariant: cells stay where they are, and all grey values of a field follow one curve.

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::embedder::Weights;
use mitoscope::svm::Svm;
use serde::{Deserialize, Serialize};

use crate::course::Course;
use crate::embedded::bent_features;
use crate::evaluation::Figures;
use crate::judge::Judge;
use crate::svm_search::GridPoint;

/// Exponents that are tried: linear grey values and those stored for a screen differ by some 2.2.
pub const EXPONENTS: [f32; 4] = [0.5, 0.7, 1.4, 2.0];

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

/// Figures at all [`EXPONENTS`] of machines fitted to every row's features as they are, given their C and γ and
/// the machine of all training rows.
pub(crate) fn at_contrasts(
    course: &Course,
    judge: &Judge,
    features: &[Vec<f32>],
    (chosen, machine): (GridPoint, Option<&Svm>),
    threshold: f64,
    weights: &Weights,
    device: &Device,
) -> Result<Vec<AtContrast>> {
    let given = judge.split.given(course.table);
    let asked = [&given.train[..], machine.map_or(&[], |_| &given.held_out[..])].concat();
    let bent = EXPONENTS.map(|exponent| bent_features(course, &asked, exponent, weights, device));
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
