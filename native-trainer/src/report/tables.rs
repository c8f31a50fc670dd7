//! The paper's tables 2 to 4 with ours beside, and the tables that it lacks.

use maud::{Markup, html};

use super::{number, of_setting, paper, settings};
use crate::evaluation::Metric;
use crate::metrics::Confusion;
use crate::reproduction::record::{Method, MethodResult, Report, Summary};

/// Name of a metric in a table's head.
fn heading(metric: Metric) -> &'static str {
    match metric {
        Metric::Precision => "Precision",
        Metric::Recall => "Recall",
        Metric::FScore => "F-score",
        Metric::Bca => "BcA",
        Metric::Mcc => "MCC",
        Metric::AveragePrecision => "AP",
        Metric::RocAuc => "ROC-AUC",
    }
}

pub(super) fn or_dash(value: Option<f64>) -> String {
    value.map_or("–".into(), number)
}

fn proposed(report: &Report) -> impl Iterator<Item = &MethodResult> {
    report.results.iter().filter(|result| result.method == Method::Proposed)
}

/// Table 2.
pub fn confusions(report: &Report) -> Markup {
    let row = |name: String, class: &str, counts: Confusion| {
        html! {
            tr class=(class) {
                th scope="row" { (name) }
                td { (counts.tp) } td { (counts.fn_) } td { (counts.fp) } td { (counts.tn) }
            }
        }
    };
    table(html! {
        caption { "Table 2. Confusion matrices of the proposed method on the test cells" }
        thead { tr {
            th scope="col" { "Setting" }
            th scope="col" { abbr title="mitotic, called mitotic" { "TP" } }
            th scope="col" { abbr title="mitotic, called interphase" { "FN" } }
            th scope="col" { abbr title="interphase, called mitotic" { "FP" } }
            th scope="col" { abbr title="interphase, called interphase" { "TN" } }
        } }
        @for result in proposed(report) {
            tbody {
                (row(format!("{}, the paper", result.setting), "paper", paper::confusion(result.setting)))
                @for set in &result.sets {
                    (row(format!("{}, set {}", result.setting, set.set), "", set.figures.confusion))
                }
                (mean_counts(result))
            }
        }
    })
}

fn mean_counts(result: &MethodResult) -> Markup {
    let mean = |of: fn(&Confusion) -> usize| {
        let sum: usize = result.sets.iter().map(|set| of(&set.figures.confusion)).sum();
        format!("{:.1}", sum as f64 / result.sets.len().max(1) as f64)
    };
    html! {
        tr.mean {
            th scope="row" { (result.setting) ", mean" }
            td { (mean(|c| c.tp)) } td { (mean(|c| c.fn_)) }
            td { (mean(|c| c.fp)) } td { (mean(|c| c.tn)) }
        }
    }
}

/// Table 3.
pub fn figures(report: &Report) -> Markup {
    let row = |name: String, class: &str, value: &dyn Fn(Metric) -> Option<f64>| {
        html! {
            tr class=(class) {
                th scope="row" { (name) }
                @for metric in Metric::ALL { td { (or_dash(value(metric))) } }
            }
        }
    };
    table(html! {
        caption { "Table 3. Figures of the proposed method; below each mean its 95 % interval" }
        (head("Setting"))
        @for result in proposed(report) {
            @let setting = result.setting;
            tbody {
                (row(format!("{setting}, the paper"), "paper", &|metric| {
                    paper::figure(setting, Method::Proposed, metric)
                }))
                @for set in &result.sets {
                    (row(format!("{setting}, set {}", set.set), "", &|metric| metric.of(&set.figures)))
                }
                tr.mean {
                    th scope="row" { (setting) ", mean ± SD" }
                    (summaries(result))
                }
                @for run in report.runs.iter().filter(|run| run.setting == setting) {
                    (row(format!("{setting}, set {}, validation", run.set), "aside", &|metric| {
                        metric.of(&run.validation)
                    }))
                }
            }
        }
    })
}

/// Table 4, for every setting.
pub fn methods(report: &Report) -> Markup {
    html! {
        @for setting in settings(report) {
            (table(html! {
                caption { "Table 4. Methods compared in " (setting) ", mean ± SD over the sets" }
                (head("Method"))
                tbody {
                    @for result in of_setting(report, setting) {
                        tr {
                            th scope="row" { (result.method.title()) }
                            (summaries(result))
                        }
                        @if paper::figure(setting, result.method, Metric::Mcc).is_some() {
                            tr.paper {
                                th scope="row" { "the paper" }
                                @for metric in Metric::ALL {
                                    td { (or_dash(paper::figure(setting, result.method, metric))) }
                                }
                            }
                        }
                    }
                }
            }))
        }
        p.note {
            "The paper shows Miros 2015 and Tonti 2015 as bars without numbers, below the proposed "
            "method. What is known of both and what is assumed stands in the program's documentation. "
            "Box geometry and brightness are trivial baselines: who does not beat them has learned "
            "nothing of how a mitosis looks."
        }
    }
}

/// What it takes to do it again.
pub fn provenance(report: &Report) -> Markup {
    let seconds: f64 = report.runs.iter().map(|run| run.seconds).sum();
    html! {
        p { code { (report.command) } }
        table {
            caption { "Made by" }
            tbody {
                tr { th scope="row" { "mitoscope" } td { (report.version) } }
                tr { th scope="row" { "Preset" } td { (report.preset) } }
                tr { th scope="row" { "Trained on" } td { (report.device) } }
                tr { th scope="row" { "Seed" } td { (report.seed) } }
                tr { th scope="row" { "Data, SHA-256" } td.digest { (report.data.sha256) } }
                tr { th scope="row" { "Wall time of the runs" } td { (format!("{seconds:.0} s")) } }
            }
        }
        p.note {
            "Intervals are 95 % percentile intervals of 1,000 bootstrap draws. What is drawn, with "
            "replacement, are specimens, or cells where no specimens are known; one draw serves all "
            "sets, so the interval of a mean is honest although its sets share cells. A training's own "
            "chance is not in them: for that look at the sets."
        }
    }
}

fn head(first: &str) -> Markup {
    html! {
        thead { tr {
            th scope="col" { (first) }
            @for metric in Metric::ALL { th scope="col" { (heading(metric)) } }
        } }
    }
}

fn summaries(result: &MethodResult) -> Markup {
    let cell = |Summary { mean, sd, interval }: &Summary| {
        html! {
            (number(*mean)) @if result.sets.len() > 1 { " ± " (number(*sd)) }
            small { (number(interval[0])) " to " (number(interval[1])) }
        }
    };
    html! {
        @for metric in Metric::ALL {
            td { @match result.summary.get(&metric) { Some(s) => (cell(s)), None => "–" } }
        }
    }
}

/// A table that scrolls by itself where the page is narrow.
pub(super) fn table(content: Markup) -> Markup {
    html! { div.scroll tabindex="0" { table { (content) } } }
}
