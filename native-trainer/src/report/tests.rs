use super::*;
use crate::bootstrap;
use crate::evaluation::{Figures, Metric};
use crate::miner::Mined;
use crate::protocol::Division;
use crate::reproduction::record::{
    Cell, Data, EmbeddingMap, Method, Mistake, Run, Scores, SetResult, Summary,
};
use crate::training::StepReport;

/// A report of one run on four cells, three of them judged right.
fn report() -> Report {
    let cell = |row: usize| Cell {
        row,
        image: format!("<script>alert({row})</script>.png"),
        specimen: format!("s{}", row % 2),
        pattern: "HOM".into(),
        mitotic: row < 2,
    };
    let values = vec![1.5, -0.25, -1.0, -2.0];
    let mitotic = [true, true, false, false];
    let figures = Figures::of(&values, &mitotic);
    let judged = bootstrap::Judged {
        decision_values: values.clone(),
        mitotic: mitotic.to_vec(),
        clusters: vec![0, 1, 0, 1],
    };
    let (of_sets, of_mean) = bootstrap::intervals(&[judged], 2, 1);
    let summary = of_mean
        .iter()
        .filter_map(|(metric, interval)| {
            let mean = metric.of(&figures)?;
            Some((*metric, Summary { mean, sd: 0.0, interval: *interval }))
        })
        .collect();
    let set = SetResult { set: 1, figures: figures.clone(), intervals: of_sets[0].clone() };
    let step = StepReport {
        loss: 1.25,
        mined: Some(Mined { active: 0.5, easy: 0.25, hard: 0.25, ..Mined::default() }),
        spread: 0.75,
        images_per_second: 10.0,
    };
    let run = Run {
        setting: Setting::B,
        set: 1,
        division: Division { train: vec![], validation: vec![], test: vec![0, 1, 2, 3] },
        scores: vec![Scores {
            method: Method::Proposed,
            chosen: "C = 1".into(),
            decision_values: values,
        }],
        validation: figures.clone(),
        steps: vec![step; 3],
        cross_entropy_losses: vec![0.7, 0.6],
        map: Some(EmbeddingMap {
            train: vec![],
            test: vec![[0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [3.0, 1.0]],
        }),
        seconds: 12.0,
    };
    Report {
        version: "1".into(),
        command: "mitoscope reproduce --data cells.csv".into(),
        preset: "paper".into(),
        device: "CPU".into(),
        steps: 3,
        batch: [2, 2],
        seed: 1,
        grouped: false,
        planned: 2,
        data: Data {
            name: "four cells".into(),
            sha256: "0".repeat(64),
            specimens: 2,
            cells: (0..4).map(cell).collect(),
        },
        runs: vec![run],
        results: vec![MethodResult {
            setting: Setting::B,
            method: Method::Proposed,
            sets: vec![set],
            summary,
        }],
        mistakes: vec![Mistake { row: 1, tested: 1, wrong: 1, decision_value: -0.25 }],
    }
}

#[test]
fn the_figures_stand_on_the_page() {
    let report = report();
    let page = render(&report, &BTreeMap::from([(1, vec![7; 128 * 128])]));
    let mcc = number(report.results[0].summary[&Metric::Mcc].mean);
    assert_eq!(mcc, "0.58");
    for text in [
        "Table 2",
        "Table 3",
        "Table 4",
        "Fig. 4",
        "Fig. 5",
        "data:image/png;base64,",
        &mcc,
        "1 of 2 runs are finished",
        "−0.25",
        "wrong in 1 of 1 runs",
        "2093",
        "0.82",
        "mitoscope reproduce --data cells.csv",
        "Research use only",
    ] {
        assert!(
            page.replace('-', "−").contains(&text.replace('-', "−")),
            "no '{text}' on the page"
        );
    }
}

#[test]
fn verdicts_are_broken_down_by_pattern_and_specimen() {
    let page = render(&report(), &BTreeMap::new());
    let check = |name: &str, cells: [&str; 6]| {
        let row: String = cells.map(|cell| format!("<td>{cell}</td>")).concat();
        let row = format!("<th scope=\"row\">{name}</th>{row}");
        assert!(page.contains(&row), "no '{row}' on the page");
    };
    check("HOM", ["1", "1", "0", "2", "0.50", "0.58"]);
    check("s0", ["1", "0", "0", "1", "1.00", "1.00"]);
    check("s1", ["0", "1", "0", "1", "0.00", "0.00"]);

    let mut anonymous = report();
    anonymous.data.cells.iter_mut().for_each(|cell| cell.specimen.clear());
    assert!(!render(&anonymous, &BTreeMap::new()).contains("By specimen"));
}

#[test]
fn names_are_escaped_and_nothing_is_asked_for() {
    let page = render(&report(), &BTreeMap::new());
    assert!(page.contains("&lt;script&gt;alert(1)"), "the name is shown");
    for forbidden in ["<script", "http:", "https:", "url(", "@import"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn a_report_without_runs_is_a_page() {
    let empty = Report { runs: vec![], results: vec![], mistakes: vec![], ..report() };
    let page = render(&empty, &BTreeMap::new());
    assert!(page.contains("0 of 2 runs are finished") && page.ends_with("</html>"));
}
