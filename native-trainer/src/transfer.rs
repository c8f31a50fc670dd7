//! What simulated cells alone teach of real ones: the test of a source that training never saw.
//!
//! Invariant: no real cell has a part in the network, the support vector machine or its C and γ.

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::embedder::Weights;

use crate::baseline::all_descriptors;
use crate::course::Course;
use crate::embedded::{MachineCells, machine_cells, of_machine_cells, of_table};
use crate::evaluation::{Figures, SimulatedOnly, by_pattern};
use crate::features::standardise;
use crate::judge::Split;
use crate::svm_search::{FOLDS, Labelled, decide, folds, search};
use crate::table::Table;

/// Figures on the real cells by a network that was trained on simulated cells alone, and a machine
/// of others.
///
/// # Errors
/// When the device fails, or the simulated cells do not allow folds with both classes.
pub fn simulated_only(
    course: &Course,
    split: &Split,
    weights: &Weights,
    seed: u64,
    device: &Device,
) -> Result<SimulatedOnly> {
    let known = of_machine_cells(course, 1, weights, device)?;
    let features = of_table(course.table, course.real(), weights, course.preset, device)?;
    judged(course.table, split, &known, &features, seed)
}

/// The same by descriptors after Miros, given those of every real cell; none where the course has no simulated
/// cells, or too few.
pub(crate) fn descriptors_simulated_only(
    course: &Course,
    split: &Split,
    real: &[Vec<f32>],
    seed: u64,
) -> Result<Option<SimulatedOnly>> {
    if course.for_machine.is_empty() {
        return Ok(None);
    }
    let samples: Vec<_> = course.for_machine.iter().map(|cell| cell.sample.clone()).collect();
    let mut known = machine_cells(course.for_machine, 1, all_descriptors(&samples));
    let groups = groups_of(&known.specimens);
    if folds(&known.labelled.mitotic, groups, FOLDS, seed).is_err() {
        return Ok(None);
    }
    let all: Vec<usize> = (0..known.specimens.len()).collect();
    let scaling = standardise(&mut known.labelled.features, &all);
    let real: Vec<Vec<f32>> = real.iter().cloned().map(|row| scaling.scaled(row)).collect();
    judged(course.table, split, &known, &real, seed).map(Some)
}

/// The specimens to keep whole; none where there is only one.
fn groups_of(specimens: &[usize]) -> Option<&[usize]> {
    specimens.iter().any(|of| *of != specimens[0]).then_some(specimens)
}

/// Figures on the real cells, given every row's features, by a machine of simulated ones.
fn judged(
    table: &Table,
    split: &Split,
    MachineCells { labelled, specimens }: &MachineCells,
    features: &[Vec<f32>],
    seed: u64,
) -> Result<SimulatedOnly> {
    let real = [&split.train[..], &split.held_out].concat();
    let others: Vec<Vec<f32>> = real.iter().map(|row| features[*row].clone()).collect();
    let found = search(labelled, &Labelled::default(), groups_of(specimens), seed)?;
    let values = decide(labelled, &found, &others)?;
    let truth = table.truth(&real);
    let held_out = split.train.len()..;
    Ok(SimulatedOnly {
        cells: specimens.len(),
        all: Figures::of(&values, &truth),
        held_out: (!split.held_out.is_empty())
            .then(|| Figures::of(&values[held_out.clone()], &truth[held_out])),
        by_pattern: by_pattern(table, &real, &values, Figures::of),
    })
}
