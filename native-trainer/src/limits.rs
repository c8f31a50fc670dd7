//! Measures a model's limits on cells that its network did not know.
//!
//! Invariant: no held-out cell has a part in them.

use mitoscope::grey::percentile;
use mitoscope::limits::{Abstention, Limits};
use mitoscope::quality::Quality;

use crate::judge::OutOfFold;

/// Percentage of the training cells that lie beyond each limit.
pub const BEYOND: f32 = 0.5;

/// Share of the mitotic and of the interphase cells that shall not be called the other class: there are
/// ten times as many of the latter, and a false alarm in a hundred already is one in ten mitoses.
pub const COVERAGE: [f64; 2] = [0.9, 0.99];

/// Cells of a class that a statement about this share of it takes.
pub fn least_cells(coverage: f64) -> usize {
    // The quotient must not rise because 1 − 0.9 is a little less than 0.1.
    (1.0 / (1.0 - coverage) - 1.0 - 1e-9).ceil() as usize
}

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

/// Where label-conditional conformal prediction of this coverage of mitotic and of interphase cells
/// gives both classes or none, and 0, where the calls change.
///
/// A decision value is taken for a class unless it is more extreme than all but a share
/// `1 − coverage` of that class's values. None where a class has fewer than [`least_cells`], which allow
/// no such statement.
pub fn abstention(
    decision_values: &[f64],
    mitotic: &[bool],
    coverage: [f64; 2],
) -> Option<Abstention> {
    let of_class = |class: bool, sign: f64, coverage: f64| -> Option<f64> {
        let values = decision_values.iter().zip(mitotic).filter(|(_, m)| **m == class);
        let mut values: Vec<f64> = values.map(|(value, _)| sign * value).collect();
        values.sort_by(f64::total_cmp);
        // The rank must not fall because 1 − 0.9 is a little less than 0.1.
        let rank = ((1.0 - coverage) * (values.len() + 1) as f64 + 1e-9).floor() as usize;
        Some(sign * values.get(rank.checked_sub(1)?)?)
    };
    let edges = [of_class(true, 1.0, coverage[0])?, of_class(false, -1.0, coverage[1])?];
    Some(Abstention {
        mitotic: coverage[0],
        interphase: coverage[1],
        low: edges.into_iter().fold(0.0, f64::min),
        high: edges.into_iter().fold(0.0, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(values: &[f64], mitotic: &[bool], coverage: [f64; 2]) -> Option<(f64, f64)> {
        abstention(values, mitotic, coverage).map(|found| (found.low, found.high))
    }

    #[test]
    fn nine_of_ten_new_cells_are_covered_whatever_their_distribution() {
        // The k-th smallest of n values is above a new one with probability k / (n + 1).
        let values: Vec<f64> = (-9..10).flat_map(|i| [f64::from(i), f64::from(i) - 8.0]).collect();
        let mitotic: Vec<bool> = (0..38).map(|i| i % 2 == 0).collect();
        assert_eq!(edges(&values, &mitotic, [0.9, 0.9]), Some((-8.0, 0.0)));
        assert_eq!(edges(&values, &mitotic, [0.9, 0.95]), Some((-8.0, 1.0)));
    }

    #[test]
    fn the_boundary_is_abstained_from_even_if_the_classes_are_apart() {
        let values: Vec<f64> = (1..=19).flat_map(|i| [f64::from(i), f64::from(-i)]).collect();
        let mitotic: Vec<bool> = values.iter().map(|v| *v > 0.0).collect();
        assert_eq!(edges(&values, &mitotic, [0.9, 0.9]), Some((-2.0, 2.0)));
        let above: Vec<f64> = values.iter().map(|v| v + 30.0).collect();
        assert_eq!(edges(&above, &mitotic, [0.9, 0.9]), Some((0.0, 32.0)));
    }

    #[test]
    fn too_few_cells_allow_no_statement() {
        let values: Vec<f64> = (0..30).map(f64::from).collect();
        let of = |count: usize, coverage| {
            let mitotic: Vec<bool> = (0..30).map(|i| i >= 30 - count).collect();
            edges(&values, &mitotic, [coverage, 0.9])
        };
        assert_eq!([0.9, 0.95, 0.99].map(least_cells), [9, 19, 99]);
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
