//! What a classifier is worth on cells it was not made from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metrics::{Confusion, average_precision, roc_auc};

/// All figures of one set of cells at threshold 0; mitotic is positive.
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
        let confusion = Confusion::count(decision_values, mitotic, 0.0);
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
    /// The same by staining pattern.
    pub held_out_by_pattern: BTreeMap<String, Figures>,
    /// The same cells by the shape of their box alone; none where boxes are absent or all alike.
    pub box_geometry_baseline: Option<Figures>,
    /// The same cells by their brightness alone.
    pub brightness_baseline: Option<Figures>,
}
