//! k nearest neighbours on embeddings: the baseline of section 5.3.
//!
//! Invariant: a decision value is the share of mitotic cells among the k nearest, less one half, so
//! that above 0 is the majority; equally near cells count in their order.

use mitoscope::Error;
use rayon::prelude::*;

use crate::metrics::Confusion;
use crate::svm_search::{FOLDS, TOLERANCE, folds};

/// Numbers of neighbours to try, ascending; odd, so that no vote is a draw.
pub const K_GRID: [usize; 6] = [1, 3, 5, 7, 9, 15];

/// The k of [`K_GRID`] with the highest MCC in the same cross-validation as the SVM's; of those within
/// [`TOLERANCE`] of it the largest, which is the smoothest.
///
/// # Errors
/// [`Error::Fit`] when classes and groups do not allow two folds.
pub fn choose_k(
    samples: &[Vec<f32>],
    mitotic: &[bool],
    groups: Option<&[usize]>,
    seed: u64,
) -> Result<usize, Error> {
    let folds = folds(mitotic, groups, FOLDS, seed)?;
    let votes: Vec<[f64; K_GRID.len()]> = (0..samples.len())
        .into_par_iter()
        .map(|cell| {
            let others = (0..samples.len()).filter(|i| folds[*i] != folds[cell]);
            let nearest = nearest(&samples[cell], others.map(|i| (&samples[i], mitotic[i])));
            K_GRID.map(|k| vote(&nearest, k))
        })
        .collect();
    let mcc = K_GRID.iter().enumerate().map(|(place, _)| {
        let values: Vec<f64> = votes.iter().map(|votes| votes[place]).collect();
        Confusion::count(&values, mitotic, 0.0).mcc()
    });
    let mcc: Vec<f64> = mcc.collect();
    let highest = mcc.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let within = (0..K_GRID.len()).rfind(|place| mcc[*place] >= highest - TOLERANCE);
    Ok(K_GRID[within.unwrap_or(0)])
}

/// Decision values of `others` by their `k` nearest samples.
pub fn decide(samples: &[Vec<f32>], mitotic: &[bool], k: usize, others: &[Vec<f32>]) -> Vec<f64> {
    let vote =
        |cell: &Vec<f32>| vote(&nearest(cell, samples.iter().zip(mitotic.iter().copied())), k);
    others.par_iter().map(vote).collect()
}

/// Whether each of the nearest cells is mitotic, nearest first; as many as the largest k needs.
fn nearest<'a>(cell: &[f32], others: impl Iterator<Item = (&'a Vec<f32>, bool)>) -> Vec<bool> {
    let squared =
        |other: &[f32]| -> f32 { cell.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum() };
    let mut all: Vec<(f32, bool)> =
        others.map(|(other, mitotic)| (squared(other), mitotic)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.truncate(K_GRID[K_GRID.len() - 1]);
    all.into_iter().map(|(_, mitotic)| mitotic).collect()
}

fn vote(nearest: &[bool], k: usize) -> f64 {
    let voters = &nearest[..k.min(nearest.len())];
    voters.iter().filter(|mitotic| **mitotic).count() as f64 / voters.len().max(1) as f64 - 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_a_line(places: &[f32]) -> Vec<Vec<f32>> {
        places.iter().map(|place| vec![*place]).collect()
    }

    #[test]
    fn the_majority_of_the_nearest_decides() {
        let samples = on_a_line(&[0.0, 1.0, 2.0, 10.0, 11.0]);
        let mitotic = [true, false, true, false, false];
        let values = decide(&samples, &mitotic, 3, &on_a_line(&[1.1, 10.2]));
        assert!((values[0] - (2.0 / 3.0 - 0.5)).abs() < 1e-12, "{values:?}");
        assert!((values[1] - (1.0 / 3.0 - 0.5)).abs() < 1e-12, "{values:?}");
        assert_eq!(decide(&samples, &mitotic, 1, &on_a_line(&[0.9])), [-0.5]);
    }

    #[test]
    fn more_neighbours_than_samples_are_all_of_them() {
        let values = decide(&on_a_line(&[0.0, 5.0]), &[true, false], 15, &on_a_line(&[0.1]));
        assert_eq!(values, [0.0]);
    }

    #[test]
    fn one_mislabelled_cell_in_each_cluster_asks_for_more_than_one_neighbour() {
        let places: Vec<f32> =
            (0..40).map(|i| (i % 20) as f32 + 1000.0 * (i / 20) as f32).collect();
        let mitotic: Vec<bool> = (0..40).map(|i| (i / 20 == 0) != (i % 20 == 9)).collect();
        let k = choose_k(&on_a_line(&places), &mitotic, None, 3).expect("both classes");
        assert!(k > 1, "k = {k}");
    }

    #[test]
    fn one_class_is_refused() {
        assert!(choose_k(&on_a_line(&[0.0, 1.0, 2.0]), &[true; 3], None, 1).is_err());
    }
}
