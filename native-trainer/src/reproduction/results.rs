//! From the runs to the report's tables: figures, intervals and mistakes.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Method, MethodResult, Mistake, Run, SetResult, Summary};
use crate::bootstrap::{Judged, clusters, intervals};
use crate::evaluation::{Figures, Metric};
use crate::protocol::Setting;
use crate::table::Table;

/// Most mistakes of each kind that are listed.
const MISTAKES: usize = 24;

/// Every method in every setting, and the most confident mistakes of the proposed one.
pub fn results(table: &Table, runs: &[Run], seed: u64) -> (Vec<MethodResult>, Vec<Mistake>) {
    let clusters = clusters(table.specimens());
    let settings: BTreeSet<Setting> = runs.iter().map(|run| run.setting).collect();
    let mut results = Vec::new();
    for setting in settings {
        for method in Method::ALL {
            let judged: Vec<(usize, Judged)> = runs
                .iter()
                .filter(|run| run.setting == setting)
                .filter_map(|run| Some((run.set, judged(table, &clusters, run, method)?)))
                .collect();
            if !judged.is_empty() {
                results.push(result(setting, method, judged, &clusters, seed));
            }
        }
    }
    (results, mistakes(table, runs))
}

fn judged(table: &Table, clusters: &[usize], run: &Run, method: Method) -> Option<Judged> {
    let scores = run.scores.iter().find(|scores| scores.method == method)?;
    let test = &run.division.test;
    Some(Judged {
        decision_values: scores.decision_values.clone(),
        mitotic: table.truth(test),
        clusters: test.iter().map(|row| clusters[*row]).collect(),
    })
}

fn result(
    setting: Setting,
    method: Method,
    judged: Vec<(usize, Judged)>,
    clusters: &[usize],
    seed: u64,
) -> MethodResult {
    let (numbers, judged): (Vec<usize>, Vec<Judged>) = judged.into_iter().unzip();
    let count = clusters.iter().max().map_or(0, |last| last + 1);
    let (of_sets, of_mean) = intervals(&judged, count, seed);
    let sets: Vec<SetResult> = numbers
        .into_iter()
        .zip(&judged)
        .zip(of_sets)
        .map(|((set, judged), intervals)| {
            let figures = Figures::of(&judged.decision_values, &judged.mitotic);
            SetResult { set, figures, intervals }
        })
        .collect();
    let summary = |metric: Metric| -> Option<(Metric, Summary)> {
        let values: Option<Vec<f64>> = sets.iter().map(|set| metric.of(&set.figures)).collect();
        let (values, interval) = (values?, *of_mean.get(&metric)?);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        let sd = (squares / (count - 1.0).max(1.0)).sqrt();
        Some((metric, Summary { mean, sd, interval }))
    };
    let summary = Metric::ALL.into_iter().filter_map(summary).collect();
    MethodResult { setting, method, sets, summary }
}

/// Cells that the proposed method got wrong, each kind by its most confident.
fn mistakes(table: &Table, runs: &[Run]) -> Vec<Mistake> {
    let mut by_row: BTreeMap<usize, Mistake> = BTreeMap::new();
    for run in runs {
        let Some(scores) = run.scores.iter().find(|s| s.method == Method::Proposed) else {
            continue;
        };
        for (row, value) in run.division.test.iter().zip(&scores.decision_values) {
            let empty = Mistake { row: *row, tested: 0, wrong: 0, decision_value: 0.0 };
            let mistake = by_row.entry(*row).or_insert(empty);
            mistake.tested += 1;
            if (*value > 0.0) != table.is_mitotic(*row) {
                mistake.wrong += 1;
                if value.abs() > mistake.decision_value.abs() {
                    mistake.decision_value = *value;
                }
            }
        }
    }
    let (mut missed, mut alarms): (Vec<Mistake>, Vec<Mistake>) = by_row
        .into_values()
        .filter(|mistake| mistake.wrong > 0)
        .partition(|mistake| table.is_mitotic(mistake.row));
    for kind in [&mut missed, &mut alarms] {
        kind.sort_by(|a, b| b.decision_value.abs().total_cmp(&a.decision_value.abs()));
        kind.truncate(MISTAKES);
    }
    missed.append(&mut alarms);
    missed
}
