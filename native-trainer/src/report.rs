//! `report.html`: the paper's tables and figures for one's own data, on one page.
//!
//! Invariant: the page is whole by itself; it runs no script and asks for nothing, and every number
//! in it is in `report.json` too.

mod breakdown;
mod chart;
mod curves;
mod figures;
mod map;
mod paper;
mod tables;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::protocol::Setting;
use crate::reproduction::record::{MethodResult, Report};

pub use map::embedding_map;

const STYLE: &str = include_str!("report/style.css");

/// The page; `pictures` holds the grey values of each mistake's cell (`SIDE * SIDE`, 8 bits) by row.
pub fn render(report: &Report, pictures: &BTreeMap<usize, Vec<u8>>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                title { "mitoscope reproduce: " (report.data.name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Mitotic cells of " (report.data.name) }
                    (summary(report))
                }
                main {
                    section { h2 { "Verdicts" } (tables::confusions(report)) (tables::figures(report)) }
                    section { h2 { "Methods" } (tables::methods(report)) (figures::bars(report)) }
                    section { h2 { "Embeddings" } (figures::maps(report)) }
                    section { h2 { "Curves" } (figures::rankings(report)) }
                    section { h2 { "Trainings" } (figures::trainings(report)) }
                    section { h2 { "Patterns" } (breakdown::breakdowns(report)) }
                    section { h2 { "Most confident mistakes" } (figures::mistakes(report, pictures)) }
                    section { h2 { "How this was made" } (tables::provenance(report)) }
                }
                footer { "Research use only, not for diagnostic procedures." }
            }
        }
    };
    page.into_string()
}

fn summary(report: &Report) -> Markup {
    let mitotic = report.data.cells.iter().filter(|cell| cell.mitotic).count();
    let division = if report.grouped {
        "Whole specimens were divided: no specimen trains and tests."
    } else {
        "Cells were divided at random, as in the paper: cells of one specimen train and test."
    };
    html! {
        p {
            (mitotic) " mitotic and " (report.data.cells.len() - mitotic) " interphase cells"
            @if report.data.specimens > 0 { " of " (report.data.specimens) " specimens" }
            ". " (division) " Preset " (report.preset)
            @if report.steps > 0 {
                ", " (report.steps) " steps of " (report.batch[0]) " + " (report.batch[1]) " cells"
            }
            ". "
            "The paper's figures beside are of the I3A Task-3 set (UQSNP)."
        }
        @if report.runs.len() < report.planned {
            p.notice {
                (report.runs.len()) " of " (report.planned) " runs are finished; the others are missing here."
            }
        }
    }
}

/// The results of one setting.
fn of_setting(report: &Report, setting: Setting) -> impl Iterator<Item = &MethodResult> {
    report.results.iter().filter(move |result| result.setting == setting)
}

/// The settings that were run, in order.
fn settings(report: &Report) -> Vec<Setting> {
    let mut settings: Vec<Setting> = report.runs.iter().map(|run| run.setting).collect();
    settings.sort_unstable();
    settings.dedup();
    settings
}

/// Two decimals.
fn number(value: f64) -> String {
    format!("{value:.2}")
}

#[cfg(test)]
mod tests;
