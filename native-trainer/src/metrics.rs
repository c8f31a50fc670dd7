//! Figures of merit of a two-class verdict; mitotic is the positive class.
//!
//! Invariant: an undefined ratio (nothing to divide by) is 0, as with scikit-learn's
//! `zero_division=0`; only an area that has no meaning is `None`.

use serde::{Deserialize, Serialize};

/// Counts of right and wrong verdicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Mitotic cells called mitotic.
    pub tp: usize,
    /// Mitotic cells called interphase.
    #[serde(rename = "fn")]
    pub fn_: usize,
    /// Interphase cells called mitotic.
    pub fp: usize,
    /// Interphase cells called interphase.
    pub tn: usize,
}

impl std::ops::AddAssign for Confusion {
    fn add_assign(&mut self, other: Self) {
        self.tp += other.tp;
        self.fn_ += other.fn_;
        self.fp += other.fp;
        self.tn += other.tn;
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

impl Confusion {
    /// Counts the verdicts `decision value > threshold` against the truth, pair by pair.
    pub fn count(decision_values: &[f64], mitotic: &[bool], threshold: f64) -> Self {
        let mut counts = Self::default();
        for (value, mitotic) in decision_values.iter().zip(mitotic) {
            let count = match (*mitotic, *value > threshold) {
                (true, true) => &mut counts.tp,
                (true, false) => &mut counts.fn_,
                (false, true) => &mut counts.fp,
                (false, false) => &mut counts.tn,
            };
            *count += 1;
        }
        counts
    }

    fn parts(self) -> (f64, f64, f64, f64) {
        (self.tp as f64, self.fn_ as f64, self.fp as f64, self.tn as f64)
    }

    /// TP / (TP + FP); 0 when nothing was called mitotic.
    pub fn precision(self) -> f64 {
        let (tp, _, fp, _) = self.parts();
        ratio(tp, tp + fp)
    }

    /// TP / (TP + FN); 0 when there is no mitotic cell.
    pub fn recall(self) -> f64 {
        let (tp, fn_, _, _) = self.parts();
        ratio(tp, tp + fn_)
    }

    /// TN / (TN + FP); 0 when there is no interphase cell.
    pub fn specificity(self) -> f64 {
        let (_, _, fp, tn) = self.parts();
        ratio(tn, tn + fp)
    }

    /// Harmonic mean of precision and recall; 0 when there is neither a mitotic cell nor a call.
    pub fn f_score(self) -> f64 {
        let (tp, fn_, fp, _) = self.parts();
        ratio(2.0 * tp, 2.0 * tp + fp + fn_)
    }

    /// Balanced class accuracy ½ [TP / (TP + FN) + TN / (TN + FP)]; a missing class counts as 0
    /// (scikit-learn leaves it out of the mean instead).
    pub fn bca(self) -> f64 {
        0.5 * (self.recall() + self.specificity())
    }

    /// Matthews correlation coefficient; 0 when a row or column of the table is empty.
    pub fn mcc(self) -> f64 {
        let (tp, fn_, fp, tn) = self.parts();
        let product = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        ratio(tp * tn - fp * fn_, product.sqrt())
    }
}

/// Cumulative (true positives, false positives) after each group of equal scores, highest first.
pub(crate) fn steps(scores: &[f64], mitotic: &[bool]) -> Vec<(f64, f64)> {
    let mut pairs: Vec<(f64, bool)> = scores.iter().copied().zip(mitotic.iter().copied()).collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut tp, mut fp, mut steps) = (0.0, 0.0, Vec::new());
    for group in pairs.chunk_by(|a, b| a.0 == b.0) {
        let positives = group.iter().filter(|(_, mitotic)| *mitotic).count();
        tp += positives as f64;
        fp += (group.len() - positives) as f64;
        steps.push((tp, fp));
    }
    steps
}

/// Average precision Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores, as scikit-learn defines it (equal
/// scores are one step); 0 when there is no mitotic cell.
pub fn average_precision(scores: &[f64], mitotic: &[bool]) -> f64 {
    let steps = steps(scores, mitotic);
    let total = steps.last().map_or(0.0, |(tp, _)| *tp);
    let mut before = 0.0;
    let mut area = 0.0;
    for (tp, fp) in steps {
        area += (tp - before) * ratio(tp, tp + fp);
        before = tp;
    }
    ratio(area, total)
}

/// Area under the ROC curve, ties counting one half; `None` unless both classes are present.
pub fn roc_auc(scores: &[f64], mitotic: &[bool]) -> Option<f64> {
    let steps = steps(scores, mitotic);
    let (positives, negatives) = steps.last().copied()?;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let mut area = 0.0;
    let mut before = (0.0, 0.0);
    for (tp, fp) in steps {
        area += (fp - before.1) * (tp + before.0) / 2.0;
        before = (tp, fp);
    }
    Some(area / (positives * negatives))
}
