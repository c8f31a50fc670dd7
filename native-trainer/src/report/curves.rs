//! Points of precision-recall and ROC curves.

/// `[recall, precision]` after each distinct score, highest first.
pub fn precision_recall(scores: &[f64], mitotic: &[bool]) -> Vec<[f64; 2]> {
    let steps = crate::metrics::steps(scores, mitotic);
    let total = steps.last().map_or(0.0, |(tp, _)| *tp).max(1.0);
    steps.into_iter().map(|(tp, fp)| [tp / total, tp / (tp + fp)]).collect()
}

/// `[false positive rate, recall]` from (0, 0) on, after each distinct score.
pub fn roc(scores: &[f64], mitotic: &[bool]) -> Vec<[f64; 2]> {
    let steps = crate::metrics::steps(scores, mitotic);
    let (positives, negatives) = steps.last().copied().unwrap_or_default();
    let share = |(tp, fp): (f64, f64)| [fp / negatives.max(1.0), tp / positives.max(1.0)];
    std::iter::once([0.0, 0.0]).chain(steps.into_iter().map(share)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_are_one_step() {
        let (scores, mitotic) = ([3.0, 2.0, 2.0, 1.0], [true, true, false, false]);
        assert_eq!(precision_recall(&scores, &mitotic), [[0.5, 1.0], [1.0, 2.0 / 3.0], [1.0, 0.5]]);
        assert_eq!(roc(&scores, &mitotic), [[0.0, 0.0], [0.0, 0.5], [0.5, 1.0], [1.0, 1.0]]);
    }

    #[test]
    fn no_cell_is_no_curve() {
        assert!(precision_recall(&[], &[]).is_empty());
        assert_eq!(roc(&[], &[]), [[0.0, 0.0]]);
    }
}
