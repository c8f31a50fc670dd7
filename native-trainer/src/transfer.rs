//! What simulated cells alone teach of real ones: the test of a source that training never saw.
//!
//! Invariant: no real cell has a part in the network, the support vector machine or its C and γ.

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::embedder::Weights;

use crate::course::Course;
use crate::embedded::{MachineCells, of_machine_cells, of_table};
use crate::evaluation::{Figures, SimulatedOnly};
use crate::fitting::by_pattern;
use crate::judge::Split;
use crate::svm_search::{Labelled, decide, search};

/// Figures on the real cells by a network that was trained on simulated cells alone, and a machine
/// of others.
pub fn simulated_only(
    course: &Course,
    split: &Split,
    weights: &Weights,
    seed: u64,
    device: &Device,
) -> Result<SimulatedOnly> {
    let MachineCells { labelled, specimens } = of_machine_cells(course, 1, weights, device)?;
    let features = of_table(course.table, course.real(), weights, course.preset, device)?;
    let real = [&split.train[..], &split.held_out].concat();
    let others: Vec<Vec<f32>> = real.iter().map(|row| features[*row].clone()).collect();
    let found = search(&labelled, &Labelled::default(), Some(&specimens), seed)?;
    let values = decide(&labelled, &found, &others)?;
    let truth = split.truth(course.table, &real);
    let held_out = split.train.len()..;
    Ok(SimulatedOnly {
        cells: specimens.len(),
        all: Figures::of(&values, &truth),
        held_out: (!split.held_out.is_empty())
            .then(|| Figures::of(&values[held_out.clone()], &truth[held_out])),
        by_pattern: by_pattern(course.table, &real, &values, Figures::of),
    })
}
