//! From a trained network to a model: embeddings, support vector machine, calibration, evaluation.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::cells::typical_size;
use mitoscope::embedder::Weights;
use mitoscope::model::Calibration;
use mitoscope::preprocess::Preprocess;
use mitoscope::svm::Svm;
use rayon::prelude::*;

use crate::evaluation::{Evaluation, Figures};
use crate::features::{box_geometry, brightness, standardise};
use crate::network::{Output, infer};
use crate::samples::Sample;
use crate::svm_search::{Search, decide, platt, search};
use crate::table::Table;

/// Which labelled cells make the model and which only test it, as rows of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to test on.
    pub held_out: Vec<usize>,
    /// Specimens of the latter.
    pub specimens: BTreeSet<String>,
}

impl Split {
    /// Holds whole specimens out; unlabelled rows are in neither part.
    pub fn by_specimens(table: &Table, specimens: &BTreeSet<String>) -> Result<Self> {
        for specimen in specimens {
            anyhow::ensure!(
                table.rows.iter().any(|row| row.specimen == *specimen),
                "--hold-out names the specimen '{specimen}', which {} does not hold",
                table.source().display()
            );
        }
        let labelled = (0..table.rows.len()).filter(|i| table.rows[*i].label.is_some());
        let (held_out, train) =
            labelled.partition(|i| specimens.contains(&table.rows[*i].specimen));
        Ok(Self { train, held_out, specimens: specimens.clone() })
    }

    /// Whether each of these labelled rows is mitotic.
    pub fn truth(&self, table: &Table, rows: &[usize]) -> Vec<bool> {
        rows.iter().map(|row| table.is_mitotic(*row)).collect()
    }
}

/// A classifier on a network's embeddings.
pub struct Fitted {
    /// The support vector machine.
    pub svm: Svm,
    /// Decision value to probability.
    pub calibration: Calibration,
    /// What it is worth.
    pub evaluation: Evaluation,
}

/// Fits the classifier on the training part and evaluates it, and the baselines, on the other.
pub fn fit(
    table: &Table,
    samples: &[Sample],
    split: &Split,
    weights: &Weights,
    preprocess: &Preprocess,
    seed: u64,
    device: &Device,
) -> Result<Fitted> {
    let rows = [&split.train[..], &split.held_out].concat();
    let embeddings = outputs(samples, &rows, weights, Output::Embedding, preprocess, device)?;
    let judge = Judge { table, split, grouped: true, seed };
    let judged = judge.fit(&embeddings)?;
    let by_pattern: BTreeSet<&str> =
        split.held_out.iter().map(|row| table.rows[*row].pattern.as_str()).collect();
    let held_out_by_pattern = by_pattern
        .into_iter()
        .filter(|pattern| !pattern.is_empty())
        .map(|pattern| {
            let of = |(_, row): &(usize, &usize)| table.rows[**row].pattern == pattern;
            let places: Vec<usize> =
                split.held_out.iter().enumerate().filter(of).map(|(i, _)| i).collect();
            (pattern.to_owned(), judge.figures(&judged.held_out, &places))
        })
        .collect();
    let evaluation = Evaluation {
        c: judged.c,
        gamma: judged.svm.gamma(),
        inner: judged.inner,
        held_out_specimens: split.specimens.iter().cloned().collect(),
        held_out: (!split.held_out.is_empty())
            .then(|| Figures::of(&judged.held_out, &judge.truth(&split.held_out))),
        held_out_by_pattern,
        box_geometry_baseline: match all_geometry(table) {
            Some(features) => judge.baseline(features)?,
            None => None,
        },
        brightness_baseline: judge.baseline(all_brightness(samples))?,
    };
    Ok(Fitted { svm: judged.svm, calibration: judged.calibration, evaluation })
}

/// Outputs of a network for some rows, by row; empty for the others.
pub fn outputs(
    samples: &[Sample],
    rows: &[usize],
    weights: &Weights,
    output: Output,
    preprocess: &Preprocess,
    device: &Device,
) -> Result<Vec<Vec<f32>>> {
    let input = |row: usize| samples[row].input(preprocess);
    let mut all = vec![Vec::new(); samples.len()];
    for (row, values) in rows.iter().zip(infer(weights, output, rows, input, device)?) {
        all[*row] = values;
    }
    Ok(all)
}

/// Box features of every row; none unless every row has a box.
pub fn all_geometry(table: &Table) -> Option<Vec<Vec<f32>>> {
    let boxes: Option<Vec<_>> = table.rows.iter().map(|row| row.cell).collect();
    let boxes = boxes?;
    let mut by_image: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for (row, cell) in table.rows.iter().zip(&boxes) {
        by_image.entry(row.image).or_default().push(*cell);
    }
    let typical: BTreeMap<usize, f32> =
        by_image.iter().map(|(image, boxes)| (*image, typical_size(boxes))).collect();
    let features = table.rows.iter().zip(&boxes);
    Some(features.map(|(row, cell)| box_geometry(cell, typical[&row.image])).collect())
}

/// Brightness of every row.
pub fn all_brightness(samples: &[Sample]) -> Vec<Vec<f32>> {
    let of = |sample: &Sample| brightness(&sample.patch(&sample.window), &sample.levels);
    samples.par_iter().map(of).collect()
}

/// Chooses, fits and applies classifiers on one split.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The cells.
    pub table: &'a Table,
    /// Which of them to learn from.
    pub split: &'a Split,
    /// Whether inner cross-validation keeps specimens whole, where they are known.
    pub grouped: bool,
    /// Seed of its folds.
    pub seed: u64,
}

struct Judged {
    svm: Svm,
    c: f64,
    calibration: Calibration,
    inner: Figures,
    /// Decision values of the held-out rows, in their order.
    held_out: Vec<f64>,
}

/// Verdicts of a support vector machine that need not outlive them.
pub struct Verdicts {
    /// Penalty that inner cross-validation chose.
    pub c: f64,
    /// Kernel width likewise.
    pub gamma: f64,
    /// Decision values of the asked rows, in their order.
    pub decision_values: Vec<f64>,
}

impl Judge<'_> {
    /// Chooses C and γ, fits and applies a machine, given every row's embedding.
    fn fit(&self, embeddings: &[Vec<f32>]) -> Result<Judged> {
        let (samples, mitotic, search) = self.search(embeddings)?;
        let svm = Svm::fit(&samples, &mitotic, search.best.c, search.best.gamma)?;
        let held_out = self.split.held_out.iter();
        Ok(Judged {
            c: search.best.c,
            calibration: platt(&search.decision_values, &mitotic)?,
            inner: Figures::of(&search.decision_values, &mitotic),
            held_out: held_out.map(|row| svm.decision_value(&embeddings[*row])).collect(),
            svm,
        })
    }

    /// Figures of the held-out rows by other features, chosen and fitted likewise; none where there
    /// is no such row, or all training rows look alike.
    fn baseline(&self, features: Vec<Vec<f32>>) -> Result<Option<Figures>> {
        if self.split.held_out.is_empty() {
            return Ok(None);
        }
        let verdicts = self.standardised_verdicts(features, &self.split.held_out)?;
        let truth = self.truth(&self.split.held_out);
        Ok(verdicts.map(|verdicts| Figures::of(&verdicts.decision_values, &truth)))
    }

    /// [`Judge::verdicts`] by features that are first scaled over the training rows; none where
    /// these all look alike.
    pub fn standardised_verdicts(
        &self,
        mut features: Vec<Vec<f32>>,
        rows: &[usize],
    ) -> Result<Option<Verdicts>> {
        let train = &self.split.train;
        if train.iter().all(|row| features[*row] == features[train[0]]) {
            return Ok(None);
        }
        standardise(&mut features, train);
        self.verdicts(&features, rows).map(Some)
    }

    /// Verdicts on some rows, given every row's features: C and γ by inner cross-validation on the
    /// training rows, the machine fitted to these.
    pub fn verdicts(&self, features: &[Vec<f32>], rows: &[usize]) -> Result<Verdicts> {
        let (samples, mitotic, search) = self.search(features)?;
        let others: Vec<Vec<f32>> = rows.iter().map(|row| features[*row].clone()).collect();
        let decision_values = decide(&samples, &mitotic, &search, &others)?;
        Ok(Verdicts { c: search.best.c, gamma: search.best.gamma, decision_values })
    }

    /// The training rows' features and truth, and the best C and γ for them.
    fn search(&self, features: &[Vec<f32>]) -> Result<(Vec<Vec<f32>>, Vec<bool>, Search)> {
        let train = &self.split.train;
        let samples: Vec<Vec<f32>> = train.iter().map(|row| features[*row].clone()).collect();
        let mitotic = self.truth(train);
        let search = search(&samples, &mitotic, self.groups().as_deref(), self.seed)?;
        Ok((samples, mitotic, search))
    }

    /// The specimens of the training rows as numbers; none unless they are to be kept whole and at
    /// least two are known.
    pub fn groups(&self) -> Option<Vec<usize>> {
        if !self.grouped {
            return None;
        }
        let specimens: Vec<&str> =
            self.split.train.iter().map(|row| self.table.rows[*row].specimen.as_str()).collect();
        let names: BTreeSet<&str> = specimens.iter().copied().collect();
        let places: BTreeMap<&str, usize> = names.iter().copied().zip(0..).collect();
        (names.len() > 1 && !names.contains(""))
            .then(|| specimens.iter().map(|name| places[name]).collect())
    }

    fn truth(&self, rows: &[usize]) -> Vec<bool> {
        self.split.truth(self.table, rows)
    }

    /// Figures of some of the held-out cells.
    fn figures(&self, values: &[f64], places: &[usize]) -> Figures {
        let rows: Vec<usize> = places.iter().map(|place| self.split.held_out[*place]).collect();
        let values: Vec<f64> = places.iter().map(|place| values[*place]).collect();
        Figures::of(&values, &self.truth(&rows))
    }
}
