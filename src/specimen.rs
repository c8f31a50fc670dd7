//! The decision values of a specimen's cells to its verdict: how many are mitotic, and whether that is
//! enough to trust the preparation.
//!
//! Invariant: only finite decision values are counted; the fraction exists when there is a counted cell.

use serde::Serialize;

/// Whether a specimen holds enough mitotic cells. The clinical rule: at least one or two show that the
/// slide was prepared well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreparationCheck {
    /// At least as many mitotic cells as asked for.
    Enough,
    /// Some, but fewer than asked for.
    TooFew,
    /// Cells, none of them mitotic.
    NoneFound,
    /// No cell could be classified.
    NotGradable,
}

/// What is said about a specimen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Classified cells.
    pub cells: usize,
    /// Those above the operating point.
    pub mitotic: usize,
    /// Mitotic over classified cells; `None` without any.
    pub fraction: Option<f64>,
    /// Cells whose decision value is not finite.
    pub unclassified: usize,
    /// Whether there are enough mitotic cells.
    pub check: PreparationCheck,
}

/// Judges a specimen by the decision values of its cells.
///
/// A cell is mitotic when its decision value is above `operating_point` (0 is the classifier's own);
/// `enough` mitotic cells, at least one, pass the preparation check.
pub fn judge(decision_values: &[f64], operating_point: f64, enough: usize) -> Verdict {
    let finite = decision_values.iter().filter(|value| value.is_finite());
    let cells = finite.clone().count();
    let mitotic = finite.filter(|value| **value > operating_point).count();
    let check = match mitotic {
        _ if cells == 0 => PreparationCheck::NotGradable,
        0 => PreparationCheck::NoneFound,
        _ if mitotic < enough => PreparationCheck::TooFew,
        _ => PreparationCheck::Enough,
    };
    Verdict {
        cells,
        mitotic,
        fraction: (cells > 0).then(|| mitotic as f64 / cells as f64),
        unclassified: decision_values.len() - cells,
        check,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        values: &[f64],
        point: f64,
        enough: usize,
        mitotic: usize,
        expected: PreparationCheck,
    ) {
        let verdict = judge(values, point, enough);
        assert_eq!((verdict.mitotic, verdict.check), (mitotic, expected), "{values:?}");
    }

    #[test]
    fn the_number_asked_for_decides() {
        let values = [-1.0, 0.5, 0.2, -0.3, 1.4];
        check(&values, 0.0, 3, 3, PreparationCheck::Enough);
        check(&values, 0.0, 4, 3, PreparationCheck::TooFew);
        check(&values, 0.0, 0, 3, PreparationCheck::Enough);
        check(&values, 2.0, 0, 0, PreparationCheck::NoneFound);
        assert_eq!(judge(&values, 0.0, 1).fraction, Some(0.6));
    }

    #[test]
    fn the_operating_point_itself_is_not_mitotic() {
        check(&[0.5, 0.25], 0.25, 1, 1, PreparationCheck::Enough);
        check(&[0.0], 0.0, 1, 0, PreparationCheck::NoneFound);
    }

    #[test]
    fn what_is_not_finite_is_no_cell() {
        check(&[f64::NAN, f64::INFINITY], 0.0, 1, 0, PreparationCheck::NotGradable);
        check(&[], 0.0, 1, 0, PreparationCheck::NotGradable);
        let verdict = judge(&[f64::NAN, 1.0], 0.0, 1);
        assert_eq!((verdict.cells, verdict.unclassified), (1, 1));
        assert_eq!(verdict.fraction, Some(1.0));
        assert_eq!(judge(&[f64::NAN], 0.0, 1).fraction, None);
    }

    #[test]
    fn it_is_written_as_names() {
        let text = serde_json::to_string(&judge(&[1.0, -1.0], 0.0, 2)).expect("text");
        let expected =
            r#"{"cells":2,"mitotic":1,"fraction":0.5,"unclassified":0,"check":"too-few"}"#;
        assert_eq!(text, expected);
    }
}
