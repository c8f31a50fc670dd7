//! Operating points: thresholds on the decision value, each for one use.
//!
//! Invariant: a threshold lies midway between two decision values that occurred, so that no cell of
//! the validation lies on it; it is as good as the decision values are honest, so these must come from
//! cells that neither network nor classifier knew.

use mitoscope::model::OperatingPoint;

use crate::metrics::Confusion;

/// Least recall of `triage`, which shall lose no mitosis.
pub const TRIAGE_RECALL: f64 = 0.98;

/// Least precision of `precise`, whose mitoses shall be believed.
pub const PRECISE_PRECISION: f64 = 0.95;

/// The points in their order; `balanced` is first and always there.
///
/// - `balanced`: highest MCC,
/// - `triage`: highest precision at a recall of [`TRIAGE_RECALL`] or more,
/// - `precise`: highest recall at a precision of [`PRECISE_PRECISION`] or more; absent where no
///   threshold is that precise.
///
/// Of equals the lowest threshold is taken, since a missed mitosis is the greater loss. All decision
/// values must be finite.
pub fn operating_points(decision_values: &[f64], mitotic: &[bool]) -> Vec<OperatingPoint> {
    let candidates: Vec<(f64, Confusion)> = thresholds(decision_values)
        .into_iter()
        .map(|threshold| (threshold, Confusion::count(decision_values, mitotic, threshold)))
        .collect();
    let best = |allowed: fn(&Confusion) -> bool, worth: fn(Confusion) -> f64| {
        let allowed = candidates.iter().filter(|(_, counts)| allowed(counts));
        allowed.fold(None, |best: Option<(f64, f64)>, (threshold, counts)| {
            let worth = worth(*counts);
            match best {
                Some((_, highest)) if highest >= worth => best,
                _ => Some((*threshold, worth)),
            }
        })
    };
    let precise = |c: &Confusion| c.tp > 0 && c.precision() >= PRECISE_PRECISION;
    [
        ("balanced", best(|_| true, Confusion::mcc)),
        ("triage", best(|c| c.recall() >= TRIAGE_RECALL, Confusion::precision)),
        ("precise", best(precise, Confusion::recall)),
    ]
    .into_iter()
    .filter_map(|(name, point)| {
        point.map(|(threshold, _)| OperatingPoint { name: name.into(), threshold })
    })
    .collect()
}

/// The threshold of `balanced`; 0 where there is no decision value.
pub fn balanced(decision_values: &[f64], mitotic: &[bool]) -> f64 {
    operating_points(decision_values, mitotic).first().map_or(0.0, |point| point.threshold)
}

/// Midways between neighbouring decision values, ascending, and one below all.
fn thresholds(decision_values: &[f64]) -> Vec<f64> {
    let mut ranked = decision_values.to_vec();
    ranked.sort_by(f64::total_cmp);
    ranked.dedup();
    let below = ranked.first().map_or(0.0, |lowest| lowest - 1.0);
    let between = ranked.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
    std::iter::once(below).chain(between).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cells: &[(f64, bool)], expected: &[(&str, f64)]) {
        let (values, mitotic): (Vec<f64>, Vec<bool>) = cells.iter().copied().unzip();
        let points = operating_points(&values, &mitotic);
        let points: Vec<(&str, f64)> =
            points.iter().map(|point| (point.name.as_str(), point.threshold)).collect();
        assert_eq!(points, expected);
    }

    #[test]
    fn separable_classes_share_one_threshold() {
        let cells = [(-2.0, false), (-1.0, false), (1.0, true), (3.0, true)];
        check(&cells, &[("balanced", 0.0), ("triage", 0.0), ("precise", 0.0)]);
    }

    #[test]
    fn each_use_has_its_own_threshold() {
        // Three of four mitotic cells above all others, one among these.
        let cells = [
            (-3.0, false),
            (-2.0, true),
            (-1.5, false),
            (-1.0, false),
            (-0.5, false),
            (1.0, true),
            (2.0, true),
            (3.0, true),
        ];
        check(&cells, &[("balanced", 0.25), ("triage", -2.5), ("precise", 0.25)]);
    }

    #[test]
    fn a_precision_out_of_reach_is_no_point() {
        let cells = [(-1.0, false), (0.0, true), (1.0, false)];
        check(&cells, &[("balanced", -0.5), ("triage", -0.5)]);
    }

    #[test]
    fn tied_cells_stay_on_one_side() {
        check(&[(0.5, true), (0.5, false)], &[("balanced", -0.5), ("triage", -0.5)]);
    }
}
