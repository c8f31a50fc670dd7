//! Measures a model's limits on cells that its network did not know.
//!
//! Invariant: no held-out cell has a part in them.

use mitoscope::grey::percentile;
use mitoscope::limits::{Abstention, Limits};
use mitoscope::quality::Quality;

use crate::fitting::OutOfFold;

/// Percentage of the training cells that lie beyond each limit.
pub const BEYOND: f32 = 0.5;

/// Share of the cells of either class that shall not be called the other class.
pub const COVERAGE: f64 = 0.9;

/// The limits that all but [`BEYOND`] % of cells imaged like these keep; distance and abstention need
/// cells that the network did not know. `mitotic` is the truth of the latter.
pub fn limits(qualities: &[Quality], unknown: Option<(&OutOfFold, &[bool])>) -> Limits {
    let beyond = |percent: f32, of: fn(&Quality) -> f32| {
        percentile(&mut qualities.iter().map(of).collect::<Vec<_>>(), percent)
    };
    let quality = Quality {
        contrast: beyond(BEYOND, |q| q.contrast),
        saturation: beyond(100.0 - BEYOND, |q| q.saturation),
        sharpness: beyond(BEYOND, |q| q.sharpness),
    };
    Limits {
        quality,
        distance: unknown
            .map(|(cells, _)| percentile(&mut cells.distances.clone(), 100.0 - BEYOND)),
        abstention: unknown
            .and_then(|(cells, mitotic)| abstention(&cells.decision_values, mitotic, COVERAGE)),
    }
}

/// Where label-conditional conformal prediction of this coverage gives both classes or none.
///
/// A decision value is taken for a class unless it is more extreme than all but a share
/// `1 − coverage` of that class's values. None where a class has fewer than `1 / (1 − coverage) − 1`
/// cells, which allow no such statement.
pub fn abstention(decision_values: &[f64], mitotic: &[bool], coverage: f64) -> Option<Abstention> {
    let of_class = |class: bool, sign: f64| -> Option<f64> {
        let values = decision_values.iter().zip(mitotic).filter(|(_, m)| **m == class);
        let mut values: Vec<f64> = values.map(|(value, _)| sign * value).collect();
        values.sort_by(f64::total_cmp);
        // The rank must not fall because 1 − 0.9 is a little less than 0.1.
        let rank = ((1.0 - coverage) * (values.len() + 1) as f64 + 1e-9).floor() as usize;
        Some(sign * values.get(rank.checked_sub(1)?)?)
    };
    let (mitotic_from, interphase_to) = (of_class(true, 1.0)?, of_class(false, -1.0)?);
    let (low, high) = (mitotic_from.min(interphase_to), mitotic_from.max(interphase_to));
    Some(Abstention { coverage, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_of_ten_new_cells_are_covered_whatever_their_distribution() {
        // The k-th smallest of n values is above a new one with probability k / (n + 1).
        let values: Vec<f64> = (1..=19).flat_map(|i| [f64::from(i), f64::from(-i)]).collect();
        let mitotic: Vec<bool> = values.iter().map(|v| *v > 0.0).collect();
        let found = abstention(&values, &mitotic, 0.9).expect("19 cells of each class");
        assert_eq!(found, Abstention { coverage: 0.9, low: -2.0, high: 2.0 });
    }

    #[test]
    fn classes_that_mix_are_abstained_from() {
        let values: Vec<f64> = (0..10).flat_map(|i| [f64::from(i), f64::from(i) + 0.5]).collect();
        let mitotic: Vec<bool> = (0..20).map(|i| i % 2 == 1).collect();
        let found = abstention(&values, &mitotic, 0.9).expect("10 cells of each class");
        assert_eq!((found.low, found.high), (0.5, 9.0));
    }

    #[test]
    fn too_few_cells_allow_no_statement() {
        let values: Vec<f64> = (0..30).map(f64::from).collect();
        let of = |count: usize, coverage| {
            let mitotic: Vec<bool> = (0..30).map(|i| i >= 30 - count).collect();
            abstention(&values, &mitotic, coverage)
        };
        assert_eq!(of(8, 0.9), None);
        assert!(of(9, 0.9).is_some());
        assert_eq!(of(9, 0.95), None);
    }

    #[test]
    fn one_cell_in_two_hundred_is_beyond_a_limit() {
        let one = |i: usize| {
            let v = i as f32;
            Quality { contrast: v, saturation: v / 1000.0, sharpness: v }
        };
        let qualities: Vec<Quality> = (0..=1000).map(one).collect();
        let Limits { quality, distance, abstention } = limits(&qualities, None);
        let within =
            |q: &&Quality| q.contrast >= quality.contrast && q.saturation <= quality.saturation;
        assert_eq!(qualities.iter().filter(within).count(), 1001 - 10);
        assert_eq!((distance, abstention), (None, None));
    }
}
