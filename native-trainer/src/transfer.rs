//! What simulated cells alone teach of real ones: the test of a source that training never saw.
//!
//! Invariant: no real cell has a part in the network, the support vector machine or its C and γ.

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::classifier::Label;
use mitoscope::embedder::Weights;

use crate::cross_fitting::Course;
use crate::evaluation::{Figures, SimulatedOnly};
use crate::fitting::{Split, by_pattern, outputs};
use crate::network::Output;
use crate::svm_search::{decide, search};

/// Simulated cells of each class that the support vector machine gets, at most.
const MACHINE_CELLS: [(Label, usize); 2] = [(Label::Mitotic, 400), (Label::Interphase, 800)];

/// Figures on the real cells by a network that was trained on simulated cells alone.
pub fn simulated_only(
    course: &Course,
    split: &Split,
    weights: &Weights,
    seed: u64,
    device: &Device,
) -> Result<SimulatedOnly> {
    let mut cells = Vec::new();
    for (label, most) in MACHINE_CELLS {
        let of: Vec<_> = course.simulated.iter().filter(|cell| cell.label() == label).collect();
        // Evenly over the specimens, whose cells lie in a row.
        let taken = most.min(of.len());
        cells.extend((0..taken).map(|i| of[i * of.len() / taken]));
    }
    let simulated: Vec<usize> = cells.iter().map(|cell| cell.sample.row).collect();
    let real = [&split.train[..], &split.held_out].concat();
    let rows = [&simulated[..], &real].concat();
    let preprocess = &course.preset.preprocess;
    let embeddings =
        outputs(course.samples, &rows, weights, Output::Embedding, preprocess, device)?;
    let of = |rows: &[usize]| -> Vec<Vec<f32>> {
        rows.iter().map(|row| embeddings[*row].clone()).collect()
    };
    let known = of(&simulated);
    let mitotic: Vec<bool> = cells.iter().map(|cell| cell.label() == Label::Mitotic).collect();
    let specimens: Vec<usize> = cells.iter().map(|cell| cell.specimen).collect();
    let found = search(&known, &mitotic, Some(&specimens), seed)?;
    let values = decide(&known, &mitotic, &found, &of(&real))?;
    let truth = split.truth(course.table, &real);
    let held_out = split.train.len()..;
    Ok(SimulatedOnly {
        cells: cells.len(),
        all: Figures::of(&values, &truth),
        held_out: (!split.held_out.is_empty())
            .then(|| Figures::of(&values[held_out.clone()], &truth[held_out])),
        by_pattern: by_pattern(course.table, &real, &values, Figures::of),
    })
}
