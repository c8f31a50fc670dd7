//! Unsupervised recognition, after Tonti, Di Cataldo, Macii and Ficarra, "Unsupervised HEp-2 mitosis
//! recognition in indirect immunofluorescence imaging" (EMBC 2015).
//!
//! Known: no label is used; mitotic cells are told from interphase ones by clustering morphological and
//! texture features of the cells of an image. Assumed: the features (those of [`super::miros`]), that
//! they count by their deviation from the specimen's typical cell, two clusters, and that the smaller
//! cluster is the mitotic one.

use std::collections::BTreeMap;

use mitoscope::grey::median;

use super::miros;
use crate::samples::Sample;
use crate::table::Table;

/// Deviations beyond this many typical ones count no more: one odd feature is no mitosis.
const FARTHEST: f32 = 4.0;

/// Share of the cells, the farthest from their specimen's typical one, that the small cluster starts as.
const SEED_SHARE: f32 = 0.05;

/// Most rounds of clustering.
const ROUNDS: usize = 100;

/// One decision value a row of the table, above 0 for the smaller cluster.
pub fn all(table: &Table, samples: &[Sample]) -> Vec<f64> {
    let specimens: Vec<&str> = table.rows.iter().map(|row| row.specimen.as_str()).collect();
    decide(&miros::all(samples), &specimens)
}

/// Decision values of cells: distance from the large cluster's centre less that from the small one's.
pub fn decide(descriptors: &[Vec<f32>], specimens: &[&str]) -> Vec<f64> {
    let cells = deviations(descriptors, specimens);
    let lengths: Vec<f32> = cells.iter().map(|cell| cell.iter().map(|v| v * v).sum()).collect();
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by(|a, b| lengths[*b].total_cmp(&lengths[*a]).then(a.cmp(b)));
    let mut small = vec![false; cells.len()];
    let seeds = (SEED_SHARE * cells.len() as f32).ceil() as usize;
    order.iter().take(seeds).for_each(|cell| small[*cell] = true);
    let mut values = vec![0.0; cells.len()];
    for _ in 0..ROUNDS {
        let centres = [false, true].map(|which| centre(&cells, &small, which));
        let [Some(large), Some(little)] = centres else { break };
        let value = |cell: &Vec<f32>| f64::from(distance(cell, &large) - distance(cell, &little));
        values = cells.iter().map(value).collect();
        let next: Vec<bool> = values.iter().map(|value| *value > 0.0).collect();
        if next == small {
            break;
        }
        small = next;
    }
    if 2 * small.iter().filter(|small| **small).count() > small.len() {
        values.iter_mut().for_each(|value| *value = -*value);
    }
    values
}

/// Each feature's deviation from its specimen's median, in median absolute deviations.
fn deviations(descriptors: &[Vec<f32>], specimens: &[&str]) -> Vec<Vec<f32>> {
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (cell, specimen) in specimens.iter().enumerate() {
        members.entry(specimen).or_default().push(cell);
    }
    let mut deviations = descriptors.to_vec();
    for cells in members.values() {
        for feature in 0..descriptors[cells[0]].len() {
            let mut values: Vec<f32> = cells.iter().map(|c| descriptors[*c][feature]).collect();
            let middle = median(&mut values);
            values.iter_mut().for_each(|v| *v = (*v - middle).abs());
            let typical = median(&mut values);
            for cell in cells {
                let deviation = descriptors[*cell][feature] - middle;
                let scaled = if typical > 0.0 { deviation / typical } else { 0.0 };
                deviations[*cell][feature] = scaled.clamp(-FARTHEST, FARTHEST);
            }
        }
    }
    deviations
}

fn centre(cells: &[Vec<f32>], small: &[bool], which: bool) -> Option<Vec<f32>> {
    let members = || cells.iter().zip(small).filter(|(_, small)| **small == which);
    let count = members().count();
    let mut sum = vec![0.0; cells.first()?.len()];
    members().for_each(|(cell, _)| sum.iter_mut().zip(cell).for_each(|(s, v)| *s += v));
    (count > 0).then(|| sum.into_iter().map(|s| s / count as f32).collect())
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_few_odd_cells_of_each_specimen_are_found() {
        // Two specimens of other brightness; every tenth cell is odd in both features.
        let cell = |i: usize| {
            let (specimen, odd) = ((i / 50) as f32, i % 10 == 3);
            let wave = [(i as f32 * 0.7).sin(), (i as f32 * 1.3).cos()];
            wave.map(|w| 10.0 * specimen + w + if odd { 6.0 } else { 0.0 }).to_vec()
        };
        let descriptors: Vec<Vec<f32>> = (0..100).map(cell).collect();
        let specimens: Vec<&str> = (0..100).map(|i| if i < 50 { "a" } else { "b" }).collect();
        let values = decide(&descriptors, &specimens);
        for (i, value) in values.iter().enumerate() {
            assert_eq!(*value > 0.0, i % 10 == 3, "cell {i}: {value}");
        }
    }

    #[test]
    fn few_or_equal_cells_are_no_mitoses() {
        for count in [0, 1, 2, 7] {
            let values = decide(&vec![vec![1.0, 2.0]; count], &vec!["a"; count]);
            assert!(values.len() == count && values.iter().all(|v| *v == 0.0), "{values:?}");
        }
    }
}
