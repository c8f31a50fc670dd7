//! The paper's figures 4 and 5, and the curves and pictures that it lacks.

use std::collections::BTreeMap;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{GrayImage, ImageFormat};
use maud::{Markup, html};
use mitoscope::preprocess::SIDE;

use super::chart::{Axis, Bar, Mark, bars as bar_chart, plot};
use super::{curves, number, of_setting, paper, settings};
use crate::evaluation::Metric;
use crate::miner::Mined;
use crate::reproduction::CROSS_ENTROPY_SETTING;
use crate::reproduction::record::{Method, Mistake, Report, Run};
use crate::training::StepReport;

/// Fig. 5; in the paper's setting, or in the last that was run.
pub fn bars(report: &Report) -> Markup {
    let settings = settings(report);
    let paper_setting = settings.iter().find(|setting| **setting == CROSS_ENTROPY_SETTING);
    let Some(setting) = paper_setting.or(settings.last()).copied() else {
        return html! {};
    };
    let bars: Vec<Bar> = of_setting(report, setting)
        .filter_map(|result| {
            let summary = result.summary.get(&Metric::Mcc)?;
            Some(Bar {
                name: result.method.title().to_owned(),
                value: summary.mean,
                interval: Some(summary.interval),
                published: paper::figure(setting, result.method, Metric::Mcc),
            })
        })
        .collect();
    html! {
        figure {
            (bar_chart(&format!("MCC of the methods in {setting}"), &bars))
            figcaption {
                "Fig. 5. MCC in " (setting) ": mean over the sets, its 95 % interval, and (diamonds) "
                "what the paper printed."
            }
        }
    }
}

/// Fig. 4, training cells and, beside them, test cells.
pub fn maps(report: &Report) -> Markup {
    let mitotic: BTreeMap<usize, bool> =
        report.data.cells.iter().map(|cell| (cell.row, cell.mitotic)).collect();
    let panel = |rows: &[usize], places: &[[f32; 2]], all: &[[f32; 2]]| {
        let axis = |i: usize| {
            let values = || all.iter().map(|place| f64::from(place[i]));
            let ends = [values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max)];
            Axis { title: String::new(), ends }
        };
        let of = |wanted: bool| {
            let chosen =
                rows.iter().zip(places).filter(|(row, _)| mitotic.get(row) == Some(&wanted));
            chosen.map(|(_, place)| place.map(f64::from)).collect()
        };
        let marks = [
            Mark::Points { series: 0, points: of(false) },
            Mark::Points { series: 1, points: of(true) },
        ];
        plot("t-SNE of the embeddings", &axis(0), &axis(1), false, &marks)
    };
    html! {
        p { span.key.s0 { "○ interphase" } " " span.key.s1 { "× mitotic" } }
        div.panels {
            @for run in &report.runs {
                @if let Some(map) = &run.map {
                    @let all = [&map.train[..], &map.test].concat();
                    figure {
                        (panel(&run.division.train, &map.train, &all))
                        figcaption { "Fig. 4. " (run.setting) ", set " (run.set) ": training cells" }
                    }
                    figure {
                        (panel(&run.division.test, &map.test, &all))
                        figcaption { (run.setting) ", set " (run.set) ": test cells, same map" }
                    }
                }
            }
        }
    }
}

/// Precision-recall and ROC curves of every method, all sets.
pub fn rankings(report: &Report) -> Markup {
    let mitotic: BTreeMap<usize, bool> =
        report.data.cells.iter().map(|cell| (cell.row, cell.mitotic)).collect();
    let unit = |title: &str| Axis { title: title.to_owned(), ends: [0.0, 1.0] };
    let marks = |setting, curve: fn(&[f64], &[bool]) -> Vec<[f64; 2]>| -> Vec<Mark> {
        let runs = report.runs.iter().filter(|run: &&Run| run.setting == setting);
        let of_run = |run: &Run| {
            let truth: Vec<bool> = run.division.test.iter().map(|row| mitotic[row]).collect();
            let line = |scores: &crate::reproduction::record::Scores| Mark::Line {
                series: series(scores.method),
                points: curve(&scores.decision_values, &truth),
            };
            run.scores.iter().map(line).collect::<Vec<_>>()
        };
        runs.flat_map(of_run).collect()
    };
    html! {
        p {
            @for method in Method::ALL {
                span class=(format!("key s{}", series(method))) { "━ " (method.title()) } " "
            }
        }
        div.panels {
            @for setting in settings(report) {
                figure {
                    (plot("Precision over recall", &unit("recall"), &unit("precision"), true,
                        &marks(setting, curves::precision_recall)))
                    figcaption { (setting) ": precision over recall, each set" }
                }
                figure {
                    (plot("ROC", &unit("false positive rate"), &unit("recall"), true,
                        &marks(setting, curves::roc)))
                    figcaption { (setting) ": ROC, each set" }
                }
            }
        }
    }
}

fn series(method: Method) -> usize {
    Method::ALL.iter().position(|other| *other == method).unwrap_or(0)
}

/// Loss and health of every training.
pub fn trainings(report: &Report) -> Markup {
    type Of = fn(&Mined) -> f64;
    let line = |series: usize, run: &Run, of: &dyn Fn(&StepReport) -> Option<f64>| Mark::Line {
        series,
        points: (1..)
            .zip(&run.steps)
            .filter_map(|(i, step)| Some([f64::from(i), of(step)?]))
            .collect(),
    };
    let mined = |series, run, of: Of| line(series, run, &move |step| step.mined.as_ref().map(of));
    let chart = |title: &str, name: &str, marks: Vec<Mark>| {
        let points = || {
            marks.iter().flat_map(|mark| match mark {
                Mark::Line { points, .. } | Mark::Points { points, .. } => points,
            })
        };
        let x = Axis::holding("step", points().map(|p| p[0]), [0.0, 1.0]);
        let y = Axis::holding(name, points().map(|p| p[1]), [0.0, 0.1]);
        plot(title, &x, &y, true, &marks)
    };
    let loss = |run: &Run| match run.steps.iter().any(|step| step.mined.is_some()) {
        true => "Triplet loss",
        false => "Loss",
    };
    html! {
        p.note {
            "Of all triplets of a batch: active ones violate the margin with the negative still farther "
            "than the positive, hard ones have it nearer, easy ones teach nothing. A spread near 0 "
            "would be a collapse."
        }
        @for run in &report.runs {
            details open[report.runs.len() <= 3] {
                summary { (run.setting) ", set " (run.set) }
                div.panels {
                    figure {
                        (chart(loss(run), "loss", vec![line(0, run, &|step| Some(step.loss))]))
                        figcaption { (loss(run)) }
                    }
                    figure {
                        (chart("Mined triplets", "share", vec![
                            mined(0, run, |m| m.active), mined(1, run, |m| m.easy), mined(2, run, |m| m.hard),
                        ]))
                        figcaption {
                            span.key.s0 { "━ active" } " " span.key.s1 { "━ easy" } " " span.key.s2 { "━ hard" }
                        }
                    }
                    figure {
                        (chart("Squared distances", "squared distance", vec![
                            mined(0, run, |m| m.anchor_positive), mined(1, run, |m| m.anchor_negative),
                            line(2, run, &|step| Some(step.spread)),
                        ]))
                        figcaption {
                            span.key.s0 { "━ anchor, positive" } " " span.key.s1 { "━ anchor, negative" } " "
                            span.key.s2 { "━ spread" }
                        }
                    }
                    @if !run.cross_entropy_losses.is_empty() {
                        @let points = (1..).zip(&run.cross_entropy_losses).map(|(i, v)| [f64::from(i), *v]);
                        figure {
                            (chart("Cross-entropy", "loss", vec![Mark::Line { series: 0, points: points.collect() }]))
                            figcaption { "Cross-entropy of the baseline" }
                        }
                    }
                }
            }
        }
    }
}

/// The cells that the proposed method got most confidently wrong.
pub fn mistakes(report: &Report, pictures: &BTreeMap<usize, Vec<u8>>) -> Markup {
    let cells: BTreeMap<usize, _> = report.data.cells.iter().map(|cell| (cell.row, cell)).collect();
    let group = |title: &str, mitotic: bool| {
        let of = |mistake: &&Mistake| cells.get(&mistake.row).is_some_and(|c| c.mitotic == mitotic);
        html! {
            h3 { (title) }
            @if !report.mistakes.iter().any(|mistake| of(&mistake)) { p { "None." } }
            ul.cells {
                @for mistake in report.mistakes.iter().filter(of) {
                    @let cell = cells[&mistake.row];
                    li {
                        @if let Some(source) = pictures.get(&mistake.row).and_then(|p| png(p)) {
                            img src=(source) width="128" height="128"
                                alt=(format!("cell of row {}", mistake.row + 1));
                        }
                        b { (number(mistake.decision_value)) } " wrong in " (mistake.wrong) " of "
                        (mistake.tested) " runs" br;
                        (cell.image) ", row " (mistake.row + 1)
                        @if !cell.pattern.is_empty() { ", " (cell.pattern) }
                    }
                }
            }
        }
    };
    html! {
        (group("Mitotic cells called interphase", true))
        (group("Interphase cells called mitotic", false))
    }
}

/// A patch as the address of its own bytes; none when it is no patch.
fn png(grey: &[u8]) -> Option<String> {
    let image = GrayImage::from_raw(SIDE as u32, SIDE as u32, grey.to_vec())?;
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(bytes.into_inner())))
}
