//! From a trained network to a model: embeddings, support vector machine, calibration, evaluation.

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::embedder::Weights;
use mitoscope::features::Features;
use mitoscope::limits::Limits;
use mitoscope::model::{Calibration, OperatingPoint};
use mitoscope::quality::Quality;
use mitoscope::svm::Svm;
use rayon::prelude::*;

use crate::baseline::{Baseline, all_brightness, all_descriptors, all_geometry};
use crate::bootstrap::intervals_of;
use crate::contrast::{at_contrasts, bent_features};
use crate::course::Course;
use crate::embedded::{of_machine_cells, of_table, views};
use crate::evaluation::{AtPoint, CrossFitted, Evaluation, Figures, as_found, by_pattern};
use crate::head_ablation::{Variant, lesser};
use crate::judge::{Judge, Judged, OutOfFold, Split};
use crate::limits::limits;
use crate::operating_points::{balanced, operating_points as points};
use crate::reliability::Reliability;
use crate::svm_search::platt;

/// A classifier on a network's embeddings of cells.
pub struct Fitted {
    /// The support vector machine.
    pub svm: Svm,
    /// What it decides on.
    pub features: Features,
    /// Decision value to probability.
    pub calibration: Calibration,
    /// Thresholds, `balanced` first.
    pub operating_points: Vec<OperatingPoint>,
    /// What the model does not claim to know.
    pub limits: Limits,
    /// What it is worth.
    pub evaluation: Evaluation,
}

/// Which of the training rows the network did not know.
#[derive(Debug, Clone, PartialEq)]
pub enum Unseen {
    /// None of them.
    Nothing,
    /// All of them: it learned from simulated cells alone, so that folds of the classifier are honest.
    /// Only the statistics of its normalisation are of these cells, in the batches of a training.
    Everything,
    /// None, but [`crate::cross_fitting`] trained others that did not know theirs.
    InFolds(OutOfFold),
}

/// Fits the classifier on the training part and evaluates it, and the baselines, on the other.
///
/// Calibration, operating points, abstention and the limit of distance come from unseen cells, and
/// decision value 0 is `balanced`. Without these the calibration rests on cells that the network knew,
/// the one operating point is the machine's own threshold 0, and the latter two are none.
///
/// # Errors
/// When the device fails, or the training rows do not allow folds with both classes.
pub fn fit(
    course: &Course,
    split: &Split,
    weights: &Weights,
    unseen: Unseen,
    seed: u64,
    device: &Device,
) -> Result<Fitted> {
    let Course { preset, table, .. } = *course;
    let samples = course.real();
    let features = of_table(table, samples, weights, preset, device)?;
    let descriptors = all_descriptors(samples);
    let beside = of_machine_cells(course, views(table), weights, device)?.labelled;
    let judge = Judge { table, split, beside: &beside, grouped: true, seed };
    // Found cells stand after the given ones: of all values those of the latter come first.
    let given = split.given(table);
    let of_given = Judge { split: &given, ..judge };
    let mut judged = judge.fit(&features)?;
    let mut operating_points = vec![OperatingPoint { name: "balanced".into(), threshold: 0.0 }];
    let mut cross_fitted = None;
    let mut unknown_patterns = None;
    let mut head_ablation = Vec::new();
    let mut contrasts = Vec::new();
    let mut baseline = None;
    let unseen = match unseen {
        Unseen::Nothing => None,
        Unseen::Everything => {
            unknown_patterns = judge.unknown_patterns(&features, judged.chosen)?;
            let unknown = judge.out_of_fold(&features, &judged)?;
            head_ablation = lesser(&judge, &features, preset.features)?;
            head_ablation.push(Variant::of(
                &judge,
                preset.features,
                &unknown.decision_values,
                unknown_patterns.as_deref(),
            ));
            let threshold = balanced_of(&judge, &unknown);
            let machine = (judged.chosen, Some(&judged.svm));
            contrasts = at_contrasts(&judge, &features, machine, threshold, |rows, exponent| {
                bent_features(course, rows, exponent, weights, device)
            })?;
            baseline = Some(Baseline::of(course, &judge, &descriptors)?);
            Some(unknown)
        }
        Unseen::InFolds(cells) => Some(cells),
    };
    // Decision value 0 becomes `balanced`, so that every reader of a model calls the same cells.
    let unseen = unseen.map(|cells| {
        let balanced = balanced_of(&judge, &cells);
        let of_patterns = unknown_patterns.iter_mut().flatten();
        of_patterns.for_each(|value| *value -= balanced);
        let decision_values = cells.decision_values.iter().map(|v| v - balanced).collect();
        (OutOfFold { decision_values, ..cells }, balanced)
    });
    let read = unseen.as_ref().map(|(cells, _)| {
        let (decision_values, mitotic) = judge.read(&cells.decision_values);
        let (distances, _) = judge.read(&cells.distances);
        (OutOfFold { decision_values, distances, folds: cells.folds }, mitotic)
    });
    if let Some((read, mitotic)) = &read {
        judged.calibration = platt(&read.decision_values, mitotic)?;
        operating_points = points(&read.decision_values, mitotic);
    }
    if let Some((OutOfFold { folds, decision_values, .. }, balanced)) = &unseen {
        judged.shift(-balanced)?;
        operating_points[0].threshold = 0.0;
        let unknown = &decision_values[..given.train.len()];
        let held_out = &judged.held_out[..given.held_out.len()];
        cross_fitted = Some(CrossFitted {
            folds: *folds,
            figures: Figures::of(unknown, &of_given.truth(&given.train)),
            intervals: intervals_of(table, &given.train, unknown, seed),
            by_pattern: by_pattern(table, &given.train, unknown, Figures::of),
            found: as_found(table, &split.train, decision_values, seed),
            contrasts,
            points: operating_points
                .iter()
                .map(|point| at_point(&of_given, point, unknown, held_out))
                .collect(),
            held_out_reliability: (!held_out.is_empty()).then(|| {
                let probability = |value: &f64| judged.calibration.probability(*value);
                let probabilities: Vec<f64> = held_out.iter().map(probability).collect();
                Reliability::of(&probabilities, &judge.truth(&given.held_out))
            }),
        });
    }
    let qualities: Vec<Quality> =
        given.train.par_iter().map(|row| samples[*row].quality(&preset.preprocess)).collect();
    let limits = limits(&qualities, read.as_ref().map(|(cells, mitotic)| (cells, &mitotic[..])));
    let held_out = &judged.held_out[..given.held_out.len()];
    let evaluation = Evaluation {
        c: judged.chosen.c,
        gamma: judged.chosen.gamma,
        inner: judged.inner,
        held_out_specimens: split.specimens.iter().cloned().collect(),
        held_out: (!held_out.is_empty())
            .then(|| Figures::of(held_out, &judge.truth(&given.held_out))),
        held_out_intervals: intervals_of(table, &given.held_out, held_out, seed),
        held_out_by_pattern: by_pattern(table, &given.held_out, held_out, Figures::of),
        held_out_found: as_found(table, &split.held_out, &judged.held_out, seed),
        box_geometry_baseline: match all_geometry(table) {
            Some(features) => of_given.baseline(features)?,
            None => None,
        },
        brightness_baseline: of_given.baseline(all_brightness(samples))?,
        descriptors_baseline: of_given.baseline(descriptors)?,
        baseline,
        simulated_only: None,
        cross_fitted,
        unknown_patterns: unknown_patterns
            .map(|values| by_pattern(table, &given.train, &values, Figures::of)),
        head_ablation,
    };
    let Judged { svm, calibration, .. } = judged;
    let features = preset.features;
    Ok(Fitted { svm, features, calibration, operating_points, limits, evaluation })
}

/// The threshold of the best MCC on the cells that a reader labelled.
fn balanced_of(judge: &Judge, unseen: &OutOfFold) -> f64 {
    let (values, mitotic) = judge.read(&unseen.decision_values);
    balanced(&values, &mitotic)
}

/// What an operating point gives, on the cells it was chosen on and on those held out.
fn at_point(
    judge: &Judge,
    point: &OperatingPoint,
    cross_fitted: &[f64],
    held_out: &[f64],
) -> AtPoint {
    let rows = &judge.split.held_out;
    let figures = |values: &[f64], truth: &[bool]| Figures::at(point.threshold, values, truth);
    let recall = by_pattern(judge.table, rows, held_out, |values, truth| {
        truth.contains(&true).then(|| figures(values, truth).recall)
    });
    AtPoint {
        name: point.name.clone(),
        threshold: point.threshold,
        cross_fitted: figures(cross_fitted, &judge.truth(&judge.split.train)),
        held_out: (!rows.is_empty()).then(|| figures(held_out, &judge.truth(rows))),
        held_out_recall: recall.into_iter().filter_map(|(p, r)| Some((p, r?))).collect(),
    }
}
