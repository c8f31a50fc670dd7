//! Bootstrap intervals: how far a figure could lie elsewhere with other specimens.
//!
//! Invariant: what is drawn, with replacement, is the specimen (the cell where no specimen is known),
//! never a cell by itself: cells of one slide are alike. One draw serves all sets of a setting, so
//! that the interval of their mean is honest although the sets share cells.

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::evaluation::{Figures, Interval, Metric};
use crate::table::Table;

/// Draws an interval is made of.
pub const DRAWS: usize = 1000;

/// Cells judged by one method in one set.
#[derive(Debug, Clone)]
pub struct Judged {
    /// One a cell; above 0 is mitotic.
    pub decision_values: Vec<f64>,
    /// Whether the cell is mitotic.
    pub mitotic: Vec<bool>,
    /// The cell's specimen, a number below the count of specimens.
    pub clusters: Vec<usize>,
}

/// 95 % percentile intervals of each set's metrics and of their mean over the sets.
///
/// A draw that leaves a set without a cell of one class says nothing and is left out; a metric no draw
/// defines has no interval.
pub fn intervals(
    sets: &[Judged],
    clusters: usize,
    seed: u64,
) -> (Vec<BTreeMap<Metric, Interval>>, BTreeMap<Metric, Interval>) {
    let draws: Vec<Vec<Option<Figures>>> = (0..DRAWS)
        .into_par_iter()
        .map(|draw| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(draw as u64);
            let mut times = vec![0; clusters];
            (0..clusters).for_each(|_| times[rng.random_range(0..clusters)] += 1);
            sets.iter().map(|set| drawn(set, &times)).collect()
        })
        .collect();
    let of_set = |set: usize| {
        by_metric(|metric| draws.iter().filter_map(|d| metric.of(d[set].as_ref()?)).collect())
    };
    let mean = |metric: Metric, draw: &[Option<Figures>]| -> Option<f64> {
        let values: Option<Vec<f64>> =
            draw.iter().map(|figures| metric.of(figures.as_ref()?)).collect();
        values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
    };
    let of_mean = by_metric(|metric| draws.iter().filter_map(|d| mean(metric, d)).collect());
    ((0..sets.len()).map(of_set).collect(), of_mean)
}

/// [`intervals`] of some rows of a table.
pub fn intervals_of(
    table: &Table,
    rows: &[usize],
    decision_values: &[f64],
    seed: u64,
) -> BTreeMap<Metric, Interval> {
    let clusters = clusters(rows.iter().map(|row| table.rows[*row].specimen.as_str()));
    let count = clusters.iter().max().map_or(0, |last| last + 1);
    let mitotic = table.truth(rows);
    let cells = Judged { decision_values: decision_values.to_vec(), mitotic, clusters };
    intervals(&[cells], count, seed).1
}

/// Number of each cell's specimen, in order of appearance; each cell its own where none is named.
pub fn clusters<'a>(specimens: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let (mut known, mut count, mut clusters) = (BTreeMap::new(), 0, Vec::new());
    for specimen in specimens {
        let next = count;
        let number = match specimen {
            "" => next,
            name => *known.entry(name).or_insert(next),
        };
        count += usize::from(number == next);
        clusters.push(number);
    }
    clusters
}

/// Figures of a set whose specimens count so many times; none when a class is missing.
fn drawn(set: &Judged, times: &[usize]) -> Option<Figures> {
    let cells: Vec<usize> = (0..set.mitotic.len())
        .flat_map(|cell| std::iter::repeat_n(cell, times[set.clusters[cell]]))
        .collect();
    let mitotic: Vec<bool> = cells.iter().map(|cell| set.mitotic[*cell]).collect();
    if mitotic.iter().all(|m| *m) || !mitotic.contains(&true) {
        return None;
    }
    let values: Vec<f64> = cells.iter().map(|cell| set.decision_values[*cell]).collect();
    Some(Figures::of(&values, &mitotic))
}

fn by_metric(values: impl Fn(Metric) -> Vec<f64>) -> BTreeMap<Metric, Interval> {
    let interval = |metric| Some((metric, percentiles(values(metric))?));
    Metric::ALL.into_iter().filter_map(interval).collect()
}

/// The 2.5th and the 97.5th percentile, linear between neighbours.
fn percentiles(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some([0.025, 0.975].map(|share| {
        let place = share * last as f64;
        let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
        below + (above - below) * place.fract()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[f64], mitotic: &[bool], clusters: &[usize]) -> Judged {
        Judged {
            decision_values: values.to_vec(),
            mitotic: mitotic.to_vec(),
            clusters: clusters.to_vec(),
        }
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        let values = (0..=1000).rev().map(f64::from).collect();
        assert_eq!(percentiles(values), Some([25.0, 975.0]));
        assert_eq!(percentiles(vec![3.0]), Some([3.0, 3.0]));
        assert_eq!(percentiles(vec![]), None);
    }

    #[test]
    fn a_perfect_method_has_no_width() {
        let set = set(&[1.0, -1.0, 1.0, -1.0], &[true, false, true, false], &[0, 0, 1, 1]);
        let (sets, mean) = intervals(&[set], 2, 1);
        assert_eq!(sets[0][&Metric::Mcc], [1.0, 1.0]);
        assert_eq!(mean[&Metric::RocAuc], [1.0, 1.0]);
    }

    #[test]
    fn recall_of_equal_specimens_is_binomial() {
        // 100 specimens with one mitotic cell each, half of them found: recall .5 ± 1.96 · .05.
        let count = 100;
        let cells = || 0..2 * count;
        let set = set(
            &cells().map(|i| if i < count && i % 2 == 0 { 1.0 } else { -1.0 }).collect::<Vec<_>>(),
            &cells().map(|i| i < count).collect::<Vec<_>>(),
            &cells().map(|i| i % count).collect::<Vec<_>>(),
        );
        let [low, high] = intervals(&[set], count, 7).1[&Metric::Recall];
        assert!((low - 0.402).abs() < 0.025 && (high - 0.598).abs() < 0.025, "{low} {high}");
    }

    #[test]
    fn alike_cells_of_one_specimen_do_not_narrow_the_interval() {
        let sized = |copies: usize| {
            let cells = || (0..20 * copies).map(|i| i % 20);
            let set = set(
                &cells().map(|i| if i % 4 == 0 { 1.0 } else { -1.0 }).collect::<Vec<_>>(),
                &cells().map(|i| i % 2 == 0).collect::<Vec<_>>(),
                &cells().collect::<Vec<_>>(),
            );
            intervals(&[set], 20, 3).1[&Metric::Mcc]
        };
        let (once, ten_times) = (sized(1), sized(10));
        assert!(once[1] - once[0] > 0.1, "{once:?}");
        assert!((0..2).all(|i| (once[i] - ten_times[i]).abs() < 1e-9), "{once:?} {ten_times:?}");
    }

    #[test]
    fn a_class_that_is_never_there_has_no_interval() {
        let (sets, mean) = intervals(&[set(&[1.0, 2.0], &[true, true], &[0, 1])], 2, 1);
        assert!(sets[0].is_empty() && mean.is_empty());
    }
}
