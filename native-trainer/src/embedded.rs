//! What a network makes of many cells: its outputs, and the features that a machine decides on.
//!
//! Invariant: features are those of inference: from all cells of a field, labelled or not.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use burn::tensor::Device;
use mitoscope::classifier::Label;
use mitoscope::embedder::Weights;
use mitoscope::features::Features;
use mitoscope::preprocess::Preprocess;
use mitoscope::svm::{MAX_SAMPLES, check_count};

use crate::course::Course;
use crate::network::{Output, infer};
use crate::preset::Preset;
use crate::samples::Sample;
use crate::simulated::SimulatedCell;
use crate::svm_search::Labelled;
use crate::table::Table;

/// Simulated cells of each class that a machine learns from, at most, for each view of the real ones beside them:
/// lest one laboratory outweigh all others.
const MACHINE_CELLS: [(Label, usize); 2] = [(Label::Mitotic, 400), (Label::Interphase, 800)];

/// How often a table holds each cell: as given, and as found.
pub fn views(table: &Table) -> usize {
    if table.rows.len() > table.given().len() { 2 } else { 1 }
}

/// Most simulated cells beside so many views of real ones.
fn most_beside(views: usize) -> usize {
    MACHINE_CELLS.iter().map(|(_, most)| views * most).sum()
}

/// Refuses more real cells than a preset's machine can learn, simulated ones beside them.
///
/// # Errors
/// Those of [`check_count`].
pub fn check_learnable(cells: usize, preset: &Preset) -> Result<()> {
    let beside = if preset.simulated.is_some() { most_beside(1) } else { 0 };
    check_count(cells + beside).context("the support vector machine")
}

/// Whether a table's cells and the simulated ones beside them are not too many for a machine.
pub fn learnable(table: &Table) -> bool {
    table.rows.len() + most_beside(views(table)) <= MAX_SAMPLES
}

/// Outputs of a network for some rows, by row; empty for the others.
///
/// # Errors
/// When the device fails.
pub fn outputs(
    samples: &[Sample],
    rows: &[usize],
    weights: &Weights,
    output: Output,
    preprocess: &Preprocess,
    device: &Device,
) -> Result<Vec<Vec<f32>>> {
    let input = |row: usize| samples[row].input(preprocess);
    let values = infer(weights, output, rows, input, device)?;
    Ok(by_place(rows, values, samples.len()))
}

/// The values of some of so many cells, by cell; empty for the others.
pub fn by_place(cells: &[usize], values: Vec<Vec<f32>>, count: usize) -> Vec<Vec<f32>> {
    let mut all = vec![Vec::new(); count];
    cells.iter().zip(values).for_each(|(cell, values)| all[*cell] = values);
    all
}

/// Features of every row of the table.
///
/// # Errors
/// When the device fails.
pub fn of_table(
    table: &Table,
    samples: &[Sample],
    weights: &Weights,
    preset: &Preset,
    device: &Device,
) -> Result<Vec<Vec<f32>>> {
    let rows: Vec<usize> = (0..table.rows.len()).collect();
    let embeddings =
        outputs(samples, &rows, weights, Output::Embedding, &preset.preprocess, device)?;
    Ok(by_field(table, &embeddings, preset.features))
}

/// Features of every row from every row's embedding.
pub fn by_field(table: &Table, embeddings: &[Vec<f32>], features: Features) -> Vec<Vec<f32>> {
    by_group(table.groups().into_iter().map(|group| group.rows), embeddings, features)
}

/// Features of every cell, given which cells belong together.
fn by_group(
    groups: impl Iterator<Item = Vec<usize>>,
    embeddings: &[Vec<f32>],
    features: Features,
) -> Vec<Vec<f32>> {
    let mut all = vec![Vec::new(); embeddings.len()];
    for cells in groups {
        let of_group: Vec<Vec<f32>> = cells.iter().map(|cell| embeddings[*cell].clone()).collect();
        for (cell, of_cell) in cells.into_iter().zip(features.of(&of_group)) {
            all[cell] = of_cell;
        }
    }
    all
}

/// Simulated cells that a machine learns from.
#[derive(Debug, Default)]
pub struct MachineCells {
    /// Their features and classes.
    pub labelled: Labelled,
    /// The specimen of each.
    pub specimens: Vec<usize>,
}

/// Features of the course's simulated cells for the machine beside so many views of real ones, evenly taken
/// from its specimens; none where it has none.
///
/// # Errors
/// When the device fails.
pub fn of_machine_cells(
    course: &Course,
    views: usize,
    weights: &Weights,
    device: &Device,
) -> Result<MachineCells> {
    let Course { preset, for_machine: cells, .. } = course;
    let input = |cell: usize| cells[cell].sample.input(&preset.preprocess);
    let all: Vec<usize> = (0..cells.len()).collect();
    let embeddings = infer(weights, Output::Embedding, &all, input, device)?;
    let mut specimens: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for cell in all {
        specimens.entry(cells[cell].specimen).or_default().push(cell);
    }
    let features = by_group(specimens.into_values(), &embeddings, preset.features);
    Ok(machine_cells(cells, views, features))
}

/// So many views' share of simulated cells for the machine, given the features of all.
pub(crate) fn machine_cells(
    cells: &[SimulatedCell],
    views: usize,
    mut features: Vec<Vec<f32>>,
) -> MachineCells {
    let mut taken = MachineCells::default();
    for cell in evenly(cells, views) {
        taken.labelled.features.push(std::mem::take(&mut features[cell]));
        taken.labelled.mitotic.push(cells[cell].label() == Label::Mitotic);
        taken.specimens.push(cells[cell].specimen);
    }
    taken
}

/// Places of so many times [`MACHINE_CELLS`] at most, from cells whose specimens lie in a row.
fn evenly(cells: &[SimulatedCell], times: usize) -> Vec<usize> {
    let mut all = Vec::new();
    for (label, most) in MACHINE_CELLS {
        let of: Vec<usize> = (0..cells.len()).filter(|i| cells[*i].label() == label).collect();
        let taken = (times * most).min(of.len());
        all.extend((0..taken).map(|i| of[i * of.len() / taken]));
    }
    all
}
