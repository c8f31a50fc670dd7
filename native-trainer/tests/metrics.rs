//! Metrics and calibration give what scikit-learn gives, degenerate cases included.

use native_trainer::metrics::{Confusion, average_precision, roc_auc};
use native_trainer::svm_search::platt;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<f64>,
    mitotic: Vec<bool>,
    confusion: Confusion,
    precision: f64,
    recall: f64,
    f_score: f64,
    bca: f64,
    mcc: f64,
    average_precision: f64,
    roc_auc: Option<f64>,
    platt: Option<[f64; 2]>,
}

fn golden() -> Vec<Case> {
    let text = include_str!("fixtures/metrics_golden.json");
    serde_json::from_str::<Golden>(text).expect("golden values").cases
}

#[test]
fn metrics_agree_with_scikit_learn() {
    for case in golden() {
        let check = |what: &str, ours: f64, theirs: f64| {
            assert!((ours - theirs).abs() < 1e-12, "{}, {what}: {ours} for {theirs}", case.name);
        };
        let counts = Confusion::count(&case.scores, &case.mitotic, 0.0);
        assert_eq!(counts, case.confusion, "{}", case.name);
        check("precision", counts.precision(), case.precision);
        check("recall", counts.recall(), case.recall);
        check("F", counts.f_score(), case.f_score);
        check("BcA", counts.bca(), case.bca);
        check("MCC", counts.mcc(), case.mcc);
        check("AP", average_precision(&case.scores, &case.mitotic), case.average_precision);
        let auc = roc_auc(&case.scores, &case.mitotic);
        assert_eq!(auc.is_some(), case.roc_auc.is_some(), "{}", case.name);
        check("AUC", auc.unwrap_or(0.0), case.roc_auc.unwrap_or(0.0));
    }
}

#[test]
fn calibration_agrees_with_scikit_learn() {
    for case in golden() {
        let ours = platt(&case.scores, &case.mitotic);
        assert_eq!(ours.is_ok(), case.platt.is_some(), "{}", case.name);
        if let (Ok(ours), Some([a, b])) = (ours, case.platt) {
            for f in &case.scores {
                // scikit-learn stops its minimiser at a gradient of about 1e-6.
                let (p, theirs) = (ours.probability(*f), 1.0 / (1.0 + (a * f + b).exp()));
                assert!((p - theirs).abs() < 1e-5, "{}: {p} for {theirs}", case.name);
            }
        }
    }
}

#[test]
fn nothing_at_all_is_zero() {
    let empty = Confusion::count(&[], &[], 0.0);
    assert_eq!(empty, Confusion::default());
    let all = [empty.precision(), empty.recall(), empty.f_score(), empty.bca(), empty.mcc()];
    assert_eq!(all, [0.0; 5]);
    assert_eq!(average_precision(&[], &[]), 0.0);
    assert_eq!(roc_auc(&[], &[]), None);
}

#[test]
fn the_papers_tables_follow_from_its_counts() {
    let check = |tp, fn_, fp, tn, figures: [f64; 5]| {
        let c = Confusion { tp, fn_, fp, tn };
        let ours = [c.precision(), c.recall(), c.f_score(), c.bca(), c.mcc()];
        for (ours, theirs) in ours.iter().zip(figures) {
            assert!((ours - theirs).abs() < 0.011, "{ours} for {theirs}");
        }
    };
    check(69, 1, 36, 2924, [0.66, 0.99, 0.79, 0.98, 0.80]);
    check(49, 1, 21, 2093, [0.70, 0.98, 0.82, 0.98, 0.82]);
    check(29, 1, 9, 1259, [0.76, 0.96, 0.85, 0.97, 0.85]);
}
