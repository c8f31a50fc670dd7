//! What a classifier is worth on cells it was not made from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::bootstrap::intervals_of;
use crate::contrast::AtContrast;
use crate::found::Found;
use crate::head_ablation::Variant;
use crate::metrics::{Confusion, average_precision, roc_auc};
use crate::reliability::Reliability;
use crate::table::Table;

/// All figures of one set of cells at one threshold, 0 unless another is named; mitotic is positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Counts of verdicts.
    pub confusion: Confusion,
    /// Precision.
    pub precision: f64,
    /// Recall.
    pub recall: f64,
    /// F-score.
    pub f_score: f64,
    /// Balanced class accuracy.
    pub bca: f64,
    /// Matthews correlation coefficient.
    pub mcc: f64,
    /// Average precision.
    pub average_precision: f64,
    /// Area under the ROC curve; none where a class is missing.
    pub roc_auc: Option<f64>,
}

impl Figures {
    /// From decision values and the truth.
    pub fn of(decision_values: &[f64], mitotic: &[bool]) -> Self {
        Self::at(0.0, decision_values, mitotic)
    }

    /// The same at another threshold.
    pub fn at(threshold: f64, decision_values: &[f64], mitotic: &[bool]) -> Self {
        let confusion = Confusion::count(decision_values, mitotic, threshold);
        Self {
            confusion,
            precision: confusion.precision(),
            recall: confusion.recall(),
            f_score: confusion.f_score(),
            bca: confusion.bca(),
            mcc: confusion.mcc(),
            average_precision: average_precision(decision_values, mitotic),
            roc_auc: roc_auc(decision_values, mitotic),
        }
    }

    /// One line of a table.
    pub fn line(&self) -> String {
        let c = self.confusion;
        format!(
            "TP {:3} FN {:3} FP {:3} TN {:4}  P {:.2} R {:.2} F {:.2} BcA {:.2} MCC {:.2} AP {:.2} AUC {}",
            c.tp,
            c.fn_,
            c.fp,
            c.tn,
            self.precision,
            self.recall,
            self.f_score,
            self.bca,
            self.mcc,
            self.average_precision,
            self.roc_auc.map_or("-".into(), |auc| format!("{auc:.2}")),
        )
    }
}

/// A figure of merit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// TP / (TP + FP).
    Precision,
    /// TP / (TP + FN).
    Recall,
    /// Harmonic mean of both.
    FScore,
    /// Balanced class accuracy.
    Bca,
    /// Matthews correlation coefficient.
    Mcc,
    /// Area under the precision-recall curve.
    AveragePrecision,
    /// Area under the ROC curve.
    RocAuc,
}

/// Bounds of a 95 % bootstrap interval; specimens are drawn, cells where these are unknown.
pub type Interval = [f64; 2];

impl Metric {
    /// All, as tables list them.
    pub const ALL: [Metric; 7] = [
        Metric::Precision,
        Metric::Recall,
        Metric::FScore,
        Metric::Bca,
        Metric::Mcc,
        Metric::AveragePrecision,
        Metric::RocAuc,
    ];

    /// Its value among the figures; none where it is undefined.
    pub fn of(self, figures: &Figures) -> Option<f64> {
        Some(match self {
            Metric::Precision => figures.precision,
            Metric::Recall => figures.recall,
            Metric::FScore => figures.f_score,
            Metric::Bca => figures.bca,
            Metric::Mcc => figures.mcc,
            Metric::AveragePrecision => figures.average_precision,
            Metric::RocAuc => return figures.roc_auc,
        })
    }
}

/// What one operating point gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtPoint {
    /// Name of the point.
    pub name: String,
    /// Its threshold on the decision value.
    pub threshold: f64,
    /// Figures on the given ones of the cells it was chosen on.
    pub cross_fitted: Figures,
    /// Figures on held-out cells; none when nothing was held out.
    pub held_out: Option<Figures>,
    /// Recall on held-out cells by staining pattern, where it has mitotic cells.
    pub held_out_recall: BTreeMap<String, f64>,
}

/// Cells in the boxes that the detector finds, those in no given box among the interphase ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AsFound {
    /// A mitotic cell that is not found counts as called interphase.
    pub figures: Figures,
    /// Intervals of these.
    pub intervals: BTreeMap<Metric, Interval>,
    /// The same by staining pattern.
    pub by_pattern: BTreeMap<String, Figures>,
    /// Mitotic cells that are not found.
    pub missed: usize,
    /// Found boxes in no given one, and how many of these are called mitotic.
    pub strays: [usize; 2],
}

/// What networks that did not know the cells tell of the training cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossFitted {
    /// Number of folds, each judged without its own specimens.
    pub folds: usize,
    /// Figures at threshold 0.
    pub figures: Figures,
    /// Intervals of these.
    #[serde(default)]
    pub intervals: BTreeMap<Metric, Interval>,
    /// The same by staining pattern.
    #[serde(default)]
    pub by_pattern: BTreeMap<String, Figures>,
    /// The same cells as found.
    #[serde(default)]
    pub found: Option<AsFound>,
    /// At other contrast, by the same machines.
    #[serde(default)]
    pub contrasts: Vec<AtContrast>,
    /// The operating points chosen on these decision values.
    pub points: Vec<AtPoint>,
    /// Calibrated probabilities of held-out cells; none when nothing was held out.
    pub held_out_reliability: Option<Reliability>,
}

/// The record of one training: goes into the model's manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Penalty of the support vector machine.
    pub c: f64,
    /// Kernel width.
    pub gamma: f64,
    /// Out-of-fold figures on the training cells; the network knew them, so these flatter.
    pub inner: Figures,
    /// Specimens that neither network nor classifier saw.
    pub held_out_specimens: Vec<String>,
    /// Figures on their cells; none when nothing was held out.
    pub held_out: Option<Figures>,
    /// Intervals of these.
    #[serde(default)]
    pub held_out_intervals: BTreeMap<Metric, Interval>,
    /// The same by staining pattern.
    pub held_out_by_pattern: BTreeMap<String, Figures>,
    /// The same cells as found.
    #[serde(default)]
    pub held_out_found: Option<AsFound>,
    /// The same cells by the shape of their box alone; none where boxes are absent or all alike.
    pub box_geometry_baseline: Option<Figures>,
    /// The same cells by their brightness alone.
    pub brightness_baseline: Option<Figures>,
    /// The same cells by the descriptors after Miros 2015.
    #[serde(default)]
    pub descriptors_baseline: Option<Figures>,
    /// The descriptors judged in all that follows as the network's features are; none where the network knew the
    /// training rows.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// All real cells by a network and a machine that knew simulated cells alone.
    #[serde(default)]
    pub simulated_only: Option<SimulatedOnly>,
    /// Cells that the network did not know, where there are such among the training cells.
    #[serde(default)]
    pub cross_fitted: Option<CrossFitted>,
    /// Each staining pattern by a machine that was made without it, where the network learned from no
    /// real cell.
    #[serde(default)]
    pub unknown_patterns: Option<BTreeMap<String, Figures>>,
    /// What the machine owes to its features and to simulated cells; empty where the network knew the
    /// training rows.
    #[serde(default)]
    pub head_ablation: Vec<Variant>,
}

/// Figures of training on simulated cells alone; no real cell had a part in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimulatedOnly {
    /// Simulated cells of the support vector machine.
    pub cells: usize,
    /// On all labelled real cells.
    pub all: Figures,
    /// On those held out.
    pub held_out: Option<Figures>,
    /// On all by staining pattern.
    pub by_pattern: BTreeMap<String, Figures>,
}

/// What found cells among these rows are called; none where there is none.
pub fn as_found(
    table: &Table,
    rows: &[usize],
    decision_values: &[f64],
    seed: u64,
) -> Option<AsFound> {
    let Found { missed, strays } = &table.found;
    let value = |(row, value): (&usize, &f64)| match table.is_found(*row) {
        true => Some((*row, *value)),
        false => {
            (missed.contains(row) && table.is_mitotic(*row)).then_some((*row, f64::NEG_INFINITY))
        }
    };
    let cells = rows.iter().zip(decision_values).filter_map(value);
    let (rows, values): (Vec<usize>, Vec<f64>) = cells.unzip();
    let strays = || rows.iter().zip(&values).filter(|(row, _)| strays.contains(row));
    let mitotic = table.truth(&rows);
    rows.iter().any(|row| table.is_found(*row)).then(|| AsFound {
        figures: Figures::of(&values, &mitotic),
        intervals: intervals_of(table, &rows, &values, seed),
        by_pattern: by_pattern(table, &rows, &values, Figures::of),
        missed: rows.iter().filter(|row| missed.contains(row)).count(),
        strays: [strays().count(), strays().filter(|(_, value)| **value > 0.0).count()],
    })
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
