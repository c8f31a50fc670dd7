//! Decision values of training cells, and their distances from what is known, by networks and
//! classifiers that knew neither the cell nor its specimen: what operating points, calibration and
//! limits are to be fitted on.
//!
//! Invariant: all cells of a specimen are in one fold, and what is trained on simulated cells alone is
//! shared by all folds, for it saw no real cell.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};

use crate::course::Course;
use crate::embedded::{of_machine_cells, of_table};
use crate::judge::{Judge, OutOfFold, Split};
use crate::svm_search::{self, Labelled, trainable};
use crate::training::{Plan, StepReport};

/// How the training cells are parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folds {
    /// Into so many folds of whole specimens.
    Specimens(usize),
    /// By staining pattern: each is judged by a training without it.
    Patterns,
}

impl FromStr for Folds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "pattern" => Ok(Folds::Patterns),
            _ => text
                .parse()
                .map(Folds::Specimens)
                .map_err(|_| format!("'{text}' is neither a number of folds nor 'pattern'")),
        }
    }
}

impl std::fmt::Display for Folds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Folds::Specimens(count) => count.fmt(f),
            Folds::Patterns => f.write_str("pattern"),
        }
    }
}

/// The fold of every training row.
///
/// # Errors
/// When the specimens or patterns do not allow these folds with both classes.
pub fn folds_of(judge: &Judge, folds: Folds) -> Result<Vec<usize>> {
    let truth = judge.table.truth(&judge.split.train);
    match folds {
        Folds::Specimens(count) => {
            ensure!(count > 1, "{count} folds leave nothing to train on: take 2 or more");
            Ok(svm_search::folds(&truth, judge.groups().as_deref(), count, judge.seed)?)
        }
        Folds::Patterns => {
            let patterns = judge.patterns();
            let patterns =
                patterns.context("the column pattern is empty for some cells: fill it")?;
            let enough = trainable(&patterns, &truth);
            ensure!(enough, "without one of the staining patterns a class has no cell: add cells");
            Ok(patterns)
        }
    }
}

/// What each training row of the split is to the fold's network and machine, which did not know it.
///
/// `checkpoint` names a fold's checkpoint; `plan` is that of the model's own training otherwise.
///
/// # Errors
/// When the specimens or patterns do not allow these folds with both classes, or a training fails.
pub fn cross_fit(
    course: &Course,
    split: &Split,
    plan: &Plan,
    folds: Folds,
    checkpoint: &dyn Fn(usize) -> std::path::PathBuf,
    progress: &mut dyn FnMut(usize, usize, &StepReport),
) -> Result<OutOfFold> {
    let none = Labelled::default();
    let judge = Judge { table: course.table, split, beside: &none, grouped: true, seed: plan.seed };
    let folds = folds_of(&judge, folds)?;
    let count = folds.iter().max().map_or(0, |last| last + 1);
    let mut decision_values = vec![f64::NAN; split.train.len()];
    let mut distances = vec![f32::NAN; split.train.len()];
    for fold in 0..count {
        let part = |inside: bool| -> Vec<usize> {
            let rows = split.train.iter().zip(&folds);
            rows.filter(|(_, of)| (**of == fold) == inside).map(|(row, _)| *row).collect()
        };
        let part_split =
            Split { train: part(false), held_out: part(true), specimens: split.specimens.clone() };
        let path = checkpoint(fold);
        let fold_plan = Plan {
            checkpoint: Path::new(&path),
            run: format!("{} without {:?}", plan.run, part_split.held_out),
            ..plan.clone()
        };
        let trained = course.train(&part_split.train, &fold_plan, &mut |step, report| {
            progress(fold, step, report)
        })?;
        let weights = &trained.weights;
        let features = of_table(course.table, course.real(), weights, course.preset, &plan.device)?;
        let beside = of_machine_cells(course, 1, weights, &plan.device)?.labelled;
        let machine = Judge { split: &part_split, beside: &beside, ..judge }.machine(&features)?;
        for (place, row) in split.train.iter().enumerate().filter(|(i, _)| folds[*i] == fold) {
            decision_values[place] = machine.decision_value(&features[*row]);
            distances[place] = machine.nearest(&features[*row]);
        }
    }
    Ok(OutOfFold { folds: count, decision_values, distances })
}
