//! The cells of a specimen to its verdict: how many are mitotic, which are uncertain, and whether enough
//! are confirmed to trust the preparation.
//!
//! Invariant: a reader's answer outweighs the classifier, and only answered cells confirm. The page has the
//! same rule in `www/verdict.js`, because it must judge at every move of a slider; both are tested against
//! `tests/fixtures/verdicts.json`.

use serde::{Deserialize, Serialize};

use crate::classifier::{Label, Prediction};
use crate::limits::Doubt;
use crate::model::Manifest;

/// The decision value where the support vector machine itself divides the classes.
pub const BOUNDARY: f64 = 0.0;

/// Support vectors lie at a decision value of ±1 by definition: nearer cells are in the margin.
pub const MARGIN: (f64, f64) = (-1.0, 1.0);

/// What is known of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Evidence {
    /// The classifier's; none for a cell that could not be classified.
    pub decision_value: Option<f64>,
    /// Which of the model's limits it is beyond.
    pub doubt: Option<Doubt>,
    /// The reader's.
    pub answer: Option<Label>,
}

/// How to judge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Rule {
    /// Decision values above it are mitotic.
    pub threshold: f64,
    /// The operating points of a model that does not say where it abstains: a cell whose decision value lies
    /// between the lowest and the highest of these, boundary and threshold is uncertain.
    pub points: Vec<f64>,
    /// Decision values between which a cell is uncertain: where the model abstains, else [`MARGIN`].
    pub margin: (f64, f64),
    /// Confirmed mitotic cells that show a good preparation; the clinical rule says one or two.
    pub needed: usize,
    /// False when a reader says that the specimen cannot be judged.
    pub gradable: bool,
}

impl Rule {
    /// The rule of a model's predictions.
    pub fn of(manifest: &Manifest, threshold: f64, needed: usize) -> Self {
        let abstention = manifest.limits.as_ref().and_then(|limits| limits.abstention);
        let points = manifest.operating_points.iter().map(|point| point.threshold);
        Self {
            threshold,
            points: if abstention.is_some() { Vec::new() } else { points.collect() },
            margin: abstention.map_or(MARGIN, |abstention| (abstention.low, abstention.high)),
            needed,
            gradable: true,
        }
    }
}

impl From<&Prediction> for Evidence {
    /// What the classifier alone says.
    fn from(prediction: &Prediction) -> Self {
        let Prediction { decision_value, doubt, .. } = *prediction;
        Self { decision_value: Some(decision_value), doubt, answer: None }
    }
}

/// What one cell is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// By the threshold.
    pub model: Option<Label>,
    /// The reader's answer, else the model's.
    pub label: Option<Label>,
    /// Why it is uncertain, if it is.
    pub doubt: Option<Doubt>,
}

/// Whether enough mitotic cells show that the slide was prepared well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preparation {
    /// As many are confirmed as are needed.
    Passed,
    /// Too few are confirmed, but candidates or uncertain cells await an answer.
    Open,
    /// Some are confirmed, fewer than needed, and no cell is left to ask about.
    Few,
    /// There is none.
    None,
    /// No cell could be classified, or a reader says that the specimen cannot be judged.
    Ungradable,
}

/// What is said about a specimen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Classified cells.
    pub cells: usize,
    /// Those that are mitotic, by answer or else by the threshold.
    pub mitotic: usize,
    /// Mitotic over classified cells; none without any.
    pub fraction: Option<f64>,
    /// Mitotic by the reader's answer.
    pub confirmed: usize,
    /// Mitotic by the model, not yet answered.
    pub candidates: usize,
    /// Uncertain, not yet answered.
    pub doubtful: usize,
    /// Classified cells that the reader has answered.
    pub answered: usize,
    /// The preparation check.
    pub preparation: Preparation,
    /// As in the rule.
    pub needed: usize,
}

/// Calls every cell of a specimen, in order, and sums up.
pub fn judge(cells: &[Evidence], rule: &Rule) -> (Vec<Call>, Verdict) {
    let points = rule.points.iter().copied().chain([BOUNDARY, rule.threshold]);
    let (lowest, highest) =
        (points.clone().fold(BOUNDARY, f64::min), points.fold(BOUNDARY, f64::max));
    let call = |cell: &Evidence| {
        let Some(value) = cell.decision_value.filter(|value| value.is_finite()) else {
            return Call { model: None, label: cell.answer, doubt: None };
        };
        let model = if value > rule.threshold { Label::Mitotic } else { Label::Interphase };
        let doubt = if cell.doubt.is_some() {
            cell.doubt
        } else if value > lowest && value <= highest {
            Some(Doubt::Points)
        } else {
            (value > rule.margin.0 && value < rule.margin.1).then_some(Doubt::Margin)
        };
        Call { model: Some(model), label: Some(cell.answer.unwrap_or(model)), doubt }
    };
    let calls: Vec<Call> = cells.iter().map(call).collect();
    let count = |counts: &dyn Fn(&Call, Option<Label>) -> bool| {
        let classified = calls.iter().zip(cells).filter(|(call, _)| call.model.is_some());
        classified.filter(|(call, cell)| counts(call, cell.answer)).count()
    };
    let mitotic = Some(Label::Mitotic);
    let mut verdict = Verdict {
        cells: count(&|_, _| true),
        mitotic: count(&|call, _| call.label == mitotic),
        fraction: None,
        confirmed: count(&|_, answer| answer == mitotic),
        candidates: count(&|call, answer| answer.is_none() && call.model == mitotic),
        doubtful: count(&|call, answer| answer.is_none() && call.doubt.is_some()),
        answered: count(&|_, answer| answer.is_some()),
        preparation: Preparation::None,
        needed: rule.needed,
    };
    let cells = verdict.cells;
    verdict.fraction = (cells > 0).then(|| verdict.mitotic as f64 / cells as f64);
    verdict.preparation = if !rule.gradable || cells == 0 {
        Preparation::Ungradable
    } else if verdict.confirmed >= rule.needed {
        Preparation::Passed
    } else if verdict.candidates + verdict.doubtful > 0 {
        Preparation::Open
    } else if verdict.confirmed > 0 {
        Preparation::Few
    } else {
        Preparation::None
    };
    (calls, verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        case: String,
        cells: Vec<(Option<f64>, Option<Doubt>, Option<Label>)>,
        rule: Rule,
        calls: Vec<(Option<Label>, Option<Label>, Option<Doubt>)>,
        verdict: Verdict,
    }

    #[test]
    fn the_rule_is_that_of_the_golden_cases() {
        let text = include_str!("../tests/fixtures/verdicts.json");
        let cases: Vec<Case> = serde_json::from_str(text).expect("cases");
        assert!(cases.len() >= 20);
        for Case { case, cells, rule, calls: expected, verdict: wanted } in cases {
            let cells: Vec<Evidence> = cells
                .into_iter()
                .map(|(decision_value, doubt, answer)| Evidence { decision_value, doubt, answer })
                .collect();
            let (calls, verdict) = judge(&cells, &rule);
            let calls: Vec<_> =
                calls.iter().map(|call| (call.model, call.label, call.doubt)).collect();
            assert_eq!(calls, expected, "{case}");
            assert_eq!(verdict, wanted, "{case}");
        }
    }

    #[test]
    fn what_is_not_finite_is_not_classified() {
        let rule =
            Rule { threshold: 0.0, points: vec![], margin: MARGIN, needed: 1, gradable: true };
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let cell = Evidence { decision_value: Some(value), doubt: None, answer: None };
            let (calls, verdict) = judge(&[cell], &rule);
            assert_eq!((calls[0].label, verdict.cells), (None, 0));
            assert_eq!((verdict.preparation, verdict.fraction), (Preparation::Ungradable, None));
        }
    }
}
