//! From a trained network to a model: embeddings, support vector machine, calibration, evaluation.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::cells::typical_size;
use mitoscope::embedder::Weights;
use mitoscope::limits::Limits;
use mitoscope::model::{Calibration, OperatingPoint};
use mitoscope::preprocess::Preprocess;
use mitoscope::quality::Quality;
use mitoscope::svm::{Svm, distance};
use rayon::prelude::*;

use crate::bootstrap::{clusters, intervals_of};
use crate::descriptors::miros::miros;
use crate::evaluation::{AtPoint, CrossFitted, Evaluation, Figures};
use crate::features::{box_geometry, brightness, standardise};
use crate::limits::limits;
use crate::network::{Output, infer};
use crate::operating_points::operating_points as points;
use crate::reliability::Reliability;
use crate::samples::Sample;
use crate::svm_search::{
    FOLDS, GridPoint, Search, decide, folds, out_of_fold, platt, search, trainable,
};
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
                "no cell of the specimen '{specimen}' is in {}: check its name",
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
    /// Thresholds, `balanced` first.
    pub operating_points: Vec<OperatingPoint>,
    /// What the model does not claim to know.
    pub limits: Limits,
    /// What it is worth.
    pub evaluation: Evaluation,
}

/// What the training rows are to networks or machines that did not know them.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfFold {
    /// Number of folds.
    pub folds: usize,
    /// One a training row, in their order.
    pub decision_values: Vec<f64>,
    /// Distance of each row's embedding from the nearest support vector of its fold's machine.
    pub distances: Vec<f32>,
}

/// Which of the training rows the network did not know.
#[derive(Debug, Clone, PartialEq)]
pub enum Unseen {
    /// None of them.
    Nothing,
    /// All of them: it learned from simulated cells alone, so that folds of the classifier are honest.
    /// Only the statistics of its normalisation are of these cells, without their labels.
    Everything,
    /// None, but [`crate::cross_fitting`] trained others that did not know theirs.
    InFolds(OutOfFold),
}

/// Fits the classifier on the training part and evaluates it, and the baselines, on the other.
///
/// Calibration, operating points, abstention and the limit of distance come from unseen cells, and
/// decision value 0 is `balanced`. Without these the calibration rests on cells that the network knew,
/// the one operating point is the machine's own threshold 0, and the latter two are none.
#[allow(clippy::too_many_arguments, reason = "one call a training; each is a noun of its own")]
pub fn fit(
    table: &Table,
    samples: &[Sample],
    split: &Split,
    weights: &Weights,
    preprocess: &Preprocess,
    unseen: Unseen,
    seed: u64,
    device: &Device,
) -> Result<Fitted> {
    let rows = [&split.train[..], &split.held_out].concat();
    let embeddings = outputs(samples, &rows, weights, Output::Embedding, preprocess, device)?;
    let judge = Judge { table, split, grouped: true, seed };
    let mut judged = judge.fit(&embeddings)?;
    let mut operating_points = vec![OperatingPoint { name: "balanced".into(), threshold: 0.0 }];
    let mut cross_fitted = None;
    let mitotic = judge.truth(&split.train);
    let (unseen, unknown_patterns) = match unseen {
        Unseen::Nothing => (None, None),
        Unseen::Everything => (
            Some(judge.out_of_fold(&embeddings, &judged)?),
            judge.unknown_patterns(&embeddings, &judged)?,
        ),
        Unseen::InFolds(cells) => (Some(cells), None),
    };
    // Decision value 0 becomes `balanced`, so that every reader of a model calls the same cells.
    let unseen = unseen.map(|cells| {
        let balanced =
            points(&cells.decision_values, &mitotic).first().map_or(0.0, |p| p.threshold);
        let decision_values = cells.decision_values.iter().map(|v| v - balanced).collect();
        (OutOfFold { decision_values, ..cells }, balanced)
    });
    if let Some((OutOfFold { folds, decision_values, .. }, balanced)) = &unseen {
        judged.shift(-balanced)?;
        judged.calibration = platt(decision_values, &mitotic)?;
        operating_points = points(decision_values, &mitotic);
        operating_points[0].threshold = 0.0;
        cross_fitted = Some(CrossFitted {
            folds: *folds,
            figures: Figures::of(decision_values, &mitotic),
            intervals: intervals_of(table, &split.train, decision_values, seed),
            by_pattern: by_pattern(table, &split.train, decision_values, Figures::of),
            points: operating_points
                .iter()
                .map(|point| judge.at_point(point, decision_values, &judged.held_out))
                .collect(),
            held_out_reliability: (!split.held_out.is_empty()).then(|| {
                let probability = |value: &f64| judged.calibration.probability(*value);
                let probabilities: Vec<f64> = judged.held_out.iter().map(probability).collect();
                Reliability::of(&probabilities, &judge.truth(&split.held_out))
            }),
        });
    }
    let qualities: Vec<Quality> =
        split.train.par_iter().map(|row| samples[*row].quality(preprocess)).collect();
    let limits = limits(&qualities, unseen.as_ref().map(|(cells, _)| (cells, &mitotic[..])));
    let held_out_by_pattern = by_pattern(table, &split.held_out, &judged.held_out, Figures::of);
    let evaluation = Evaluation {
        c: judged.chosen.c,
        gamma: judged.chosen.gamma,
        inner: judged.inner,
        held_out_specimens: split.specimens.iter().cloned().collect(),
        held_out: (!split.held_out.is_empty())
            .then(|| Figures::of(&judged.held_out, &judge.truth(&split.held_out))),
        held_out_intervals: intervals_of(table, &split.held_out, &judged.held_out, seed),
        held_out_by_pattern,
        box_geometry_baseline: match all_geometry(table) {
            Some(features) => judge.baseline(features)?,
            None => None,
        },
        brightness_baseline: judge.baseline(all_brightness(samples))?,
        descriptors_baseline: judge.baseline(all_descriptors(samples))?,
        simulated_only: None,
        cross_fitted,
        unknown_patterns,
    };
    let Judged { svm, calibration, .. } = judged;
    Ok(Fitted { svm, calibration, operating_points, limits, evaluation })
}

/// What `of` tells of decision values and truth of some rows, by staining pattern.
pub fn by_pattern<T>(
    table: &Table,
    rows: &[usize],
    decision_values: &[f64],
    of: impl Fn(&[f64], &[bool]) -> T,
) -> BTreeMap<String, T> {
    let mut parts: BTreeMap<&str, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
    for (row, value) in rows.iter().zip(decision_values) {
        let part = parts.entry(table.rows[*row].pattern.as_str()).or_default();
        part.0.push(*value);
        part.1.push(table.is_mitotic(*row));
    }
    let named = parts.into_iter().filter(|(pattern, _)| !pattern.is_empty());
    named.map(|(pattern, (values, truth))| (pattern.to_owned(), of(&values, &truth))).collect()
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

/// Descriptors after Miros 2015 of every row.
pub fn all_descriptors(samples: &[Sample]) -> Vec<Vec<f32>> {
    let of = |sample: &Sample| miros(&sample.patch(&sample.window), &sample.levels);
    samples.par_iter().map(of).collect()
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
    /// C and γ of the machine.
    chosen: GridPoint,
    calibration: Calibration,
    inner: Figures,
    /// Decision values of the held-out rows, in their order.
    held_out: Vec<f64>,
}

impl Judged {
    /// Adds to every decision value.
    fn shift(&mut self, by: f64) -> Result<()> {
        let (coefficients, vectors) = (self.svm.coefficients(), self.svm.support_vectors());
        self.svm = Svm::new(
            self.svm.gamma(),
            self.svm.bias() + by,
            coefficients.to_vec(),
            vectors.to_vec(),
            self.svm.dim(),
        )?;
        self.held_out.iter_mut().for_each(|value| *value += by);
        Ok(())
    }
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
    /// The machine of the training rows, given every row's embedding.
    pub fn machine(&self, embeddings: &[Vec<f32>]) -> Result<Svm> {
        let (samples, mitotic, search) = self.search(embeddings)?;
        Ok(Svm::fit(&samples, &mitotic, search.best.c, search.best.gamma)?)
    }

    /// Chooses C and γ, fits and applies a machine, given every row's embedding.
    fn fit(&self, embeddings: &[Vec<f32>]) -> Result<Judged> {
        let (samples, mitotic, search) = self.search(embeddings)?;
        let svm = Svm::fit(&samples, &mitotic, search.best.c, search.best.gamma)?;
        let held_out = self.split.held_out.iter();
        Ok(Judged {
            chosen: search.best,
            calibration: platt(&search.decision_values, &mitotic)?,
            inner: Figures::of(&search.decision_values, &mitotic),
            held_out: held_out.map(|row| svm.decision_value(&embeddings[*row])).collect(),
            svm,
        })
    }

    /// The training rows by machines that each leave one specimen out.
    fn out_of_fold(&self, embeddings: &[Vec<f32>], judged: &Judged) -> Result<OutOfFold> {
        let (samples, mitotic) = self.training(embeddings);
        let folds = match self.groups() {
            Some(specimens) if trainable(&specimens, &mitotic) => specimens,
            groups => folds(&mitotic, groups.as_deref(), FOLDS, self.seed)?,
        };
        let vectors = judged.svm.support_vectors().chunks_exact(judged.svm.dim());
        let vectors: Vec<(&[f32], Option<usize>)> = vectors
            .map(|vector| (vector, samples.iter().position(|sample| sample == vector)))
            .collect();
        let nearest_of_others = |fold: usize, sample: &[f32]| {
            let others = vectors.iter().filter(|(_, row)| row.is_none_or(|row| folds[row] != fold));
            others.map(|(vector, _)| distance(sample, vector)).fold(f32::INFINITY, f32::min)
        };
        let distances = samples.iter().zip(&folds).map(|(s, fold)| nearest_of_others(*fold, s));
        Ok(OutOfFold {
            folds: folds.iter().max().map_or(0, |last| last + 1),
            distances: distances.collect(),
            decision_values: out_of_fold(&samples, &mitotic, &folds, judged.chosen)?,
        })
    }

    /// The training rows by machines that each leave one staining pattern out; none where a machine
    /// would be left without a class.
    fn unknown_patterns(
        &self,
        embeddings: &[Vec<f32>],
        judged: &Judged,
    ) -> Result<Option<BTreeMap<String, Figures>>> {
        let rows = &self.split.train;
        let (samples, mitotic) = self.training(embeddings);
        let patterns = clusters(rows.iter().map(|row| self.table.rows[*row].pattern.as_str()));
        if !trainable(&patterns, &mitotic) {
            return Ok(None);
        }
        let values = out_of_fold(&samples, &mitotic, &patterns, judged.chosen)?;
        Ok(Some(by_pattern(self.table, rows, &values, Figures::of)))
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

    /// The training rows' features and truth.
    fn training(&self, features: &[Vec<f32>]) -> (Vec<Vec<f32>>, Vec<bool>) {
        let train = &self.split.train;
        (train.iter().map(|row| features[*row].clone()).collect(), self.truth(train))
    }

    /// The training rows' features and truth, and the best C and γ for them.
    fn search(&self, features: &[Vec<f32>]) -> Result<(Vec<Vec<f32>>, Vec<bool>, Search)> {
        let (samples, mitotic) = self.training(features);
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

    /// What an operating point gives, on the cells it was chosen on and on those held out.
    fn at_point(&self, point: &OperatingPoint, cross_fitted: &[f64], held_out: &[f64]) -> AtPoint {
        let rows = &self.split.held_out;
        let figures = |values: &[f64], truth: &[bool]| Figures::at(point.threshold, values, truth);
        let recall = by_pattern(self.table, rows, held_out, |values, truth| {
            truth.contains(&true).then(|| figures(values, truth).recall)
        });
        AtPoint {
            name: point.name.clone(),
            threshold: point.threshold,
            cross_fitted: figures(cross_fitted, &self.truth(&self.split.train)),
            held_out: (!rows.is_empty()).then(|| figures(held_out, &self.truth(rows))),
            held_out_recall: recall.into_iter().filter_map(|(p, r)| Some((p, r?))).collect(),
        }
    }
}
