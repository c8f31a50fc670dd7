//! Where the proposed method errs: its verdicts by staining pattern and by specimen.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::settings;
use super::tables::{or_dash, table};
use crate::metrics::Confusion;
use crate::protocol::Setting;
use crate::reproduction::record::{Cell, Method, Report};

/// By pattern, and by specimen where these are known.
pub fn breakdowns(report: &Report) -> Markup {
    let patterns = by("Pattern", report, |cell| &cell.pattern);
    let specimens = by("Specimen", report, |cell| &cell.specimen);
    html! {
        (patterns.unwrap_or_else(|| html! { p { "The table names no staining patterns." } }))
        @if let Some(specimens) = specimens {
            details { summary { "By specimen" } (specimens) }
        }
    }
}

/// A table a setting, counts added up over the sets; none where no cell belongs to a part.
fn by(title: &str, report: &Report, part: fn(&Cell) -> &str) -> Option<Markup> {
    let cells: BTreeMap<usize, &Cell> =
        report.data.cells.iter().map(|cell| (cell.row, cell)).collect();
    if cells.values().all(|cell| part(cell).is_empty()) {
        return None;
    }
    Some(html! {
        @for setting in settings(report) {
            (table(html! {
                caption { (setting) ", the proposed method by " (title.to_lowercase()) ", all sets" }
                thead { tr {
                    @for name in [title, "TP", "FN", "FP", "TN", "Recall", "MCC"] {
                        th scope="col" { (name) }
                    }
                } }
                tbody {
                    @for (name, c) in counts(report, setting, &cells, part) {
                        tr {
                            th scope="row" { @if name.is_empty() { "unknown" } @else { (name) } }
                            td { (c.tp) } td { (c.fn_) } td { (c.fp) } td { (c.tn) }
                            td { (or_dash((c.tp + c.fn_ > 0).then(|| c.recall()))) }
                            td { (or_dash((c.tp + c.fn_ > 0).then(|| c.mcc()))) }
                        }
                    }
                }
            }))
        }
    })
}

fn counts<'a>(
    report: &Report,
    setting: Setting,
    cells: &BTreeMap<usize, &'a Cell>,
    part: fn(&Cell) -> &str,
) -> BTreeMap<&'a str, Confusion> {
    let mut parts: BTreeMap<&str, Confusion> = BTreeMap::new();
    for run in report.runs.iter().filter(|run| run.setting == setting) {
        let Some(scores) = run.scores.iter().find(|s| s.method == Method::Proposed) else {
            continue;
        };
        for (row, value) in run.division.test.iter().zip(&scores.decision_values) {
            let Some(cell) = cells.get(row) else { continue };
            *parts.entry(part(cell)).or_default() +=
                Confusion::count(&[*value], &[cell.mitotic], 0.0);
        }
    }
    parts
}
