//! What a classifier is worth, as lines of text.

use std::collections::BTreeMap;

use mitoscope::limits::{Abstention, Limits};
use native_trainer::baseline::{Baseline, Part};
use native_trainer::contrast::AtContrast;
use native_trainer::evaluation::{
    AsFound, AtPoint, CrossFitted, Evaluation, Figures, Interval, Metric, SimulatedOnly,
};
use native_trainer::head_ablation::Variant;
use native_trainer::limits::{COVERAGE, least_cells};
use native_trainer::reliability::Reliability;

/// Prints the record of a training and what the model abstains from.
pub(super) fn summarise(evaluation: &Evaluation, limits: &Limits) {
    println!("inner cross-validation  {}", evaluation.inner.line());
    let rows = [
        ("held out", &evaluation.held_out),
        ("  by box alone", &evaluation.box_geometry_baseline),
        ("  by brightness alone", &evaluation.brightness_baseline),
        ("  by descriptors", &evaluation.descriptors_baseline),
    ];
    for (name, figures) in rows {
        if let Some(figures) = figures {
            println!("{name:23} {}", figures.line());
        }
    }
    print_intervals(&evaluation.held_out_intervals);
    print_by_pattern(&evaluation.held_out_by_pattern);
    evaluation.held_out_found.iter().for_each(print_as_found);
    if let Some(cross_fitted) = &evaluation.cross_fitted {
        let CrossFitted {
            folds,
            figures,
            intervals,
            by_pattern,
            found,
            contrasts,
            points,
            held_out_reliability,
        } = cross_fitted;
        println!("{:23} {}", format!("unknown in {folds} folds"), figures.line());
        print_intervals(intervals);
        print_by_pattern(by_pattern);
        found.iter().for_each(print_as_found);
        print_contrasts(contrasts);
        for AtPoint { name, threshold, cross_fitted, held_out, .. } in points {
            println!("{:23} {}", format!("  {name} {threshold:.3}"), cross_fitted.line());
            if let Some(figures) = held_out {
                println!("{:23} {}", "    held out", figures.line());
            }
        }
        held_out_reliability.iter().for_each(print_reliability);
    }
    print_abstention(limits);
    if let Some(patterns) = &evaluation.unknown_patterns {
        println!("each pattern by an SVM made without it");
        print_by_pattern(patterns);
    }
    for Variant { features, simulated, unknown_specimens, unknown_patterns } in
        &evaluation.head_ablation
    {
        println!("SVM on {}, {simulated} simulated cells beside", features.name());
        println!("{:23} {}", "  unknown specimens", unknown_specimens.line());
        if let Some(figures) = unknown_patterns {
            println!("{:23} {}", "  unknown patterns", figures.line());
        }
    }
    evaluation.simulated_only.iter().for_each(print_simulated_only);
    evaluation.baseline.iter().for_each(print_baseline);
}

/// A line below that of the figures.
pub(super) fn print_intervals(intervals: &BTreeMap<Metric, Interval>) {
    let of = |metric| {
        let interval = intervals.get(&metric);
        interval.map_or("-".into(), |[low, high]| format!("{low:.2} to {high:.2}"))
    };
    if !intervals.is_empty() {
        let (mcc, ap) = (of(Metric::Mcc), of(Metric::AveragePrecision));
        println!("{:23} MCC {mcc}, AP {ap}, BcA {}", "  95 % intervals", of(Metric::Bca));
    }
}

/// A line a staining pattern.
pub(super) fn print_by_pattern(figures: &BTreeMap<String, Figures>) {
    for (pattern, figures) in figures {
        println!("  {pattern:21} {}", figures.line());
    }
}

/// Figures of cells in the boxes that the detector finds.
pub(super) fn print_as_found(AsFound { figures, intervals, by_pattern, missed, strays }: &AsFound) {
    println!("{:23} {}", "  as found", figures.line());
    println!("    {missed} not found; {} of {} in no given box are called", strays[1], strays[0]);
    print_intervals(intervals);
    print_by_pattern(by_pattern);
}

/// Figures at other contrast.
fn print_contrasts(contrasts: &[AtContrast]) {
    for AtContrast { exponent, unknown, held_out } in contrasts {
        println!("{:23} {}", format!("  greys to the {exponent:.1}"), unknown.line());
        if let Some(figures) = held_out {
            println!("{:23} {}", "    held out", figures.line());
        }
    }
}

/// Figures of simulated cells alone.
fn print_simulated_only(SimulatedOnly { all, held_out, by_pattern, .. }: &SimulatedOnly) {
    println!("{:23} {}", "simulated only: all", all.line());
    if let Some(figures) = held_out {
        println!("{:23} {}", "  held out", figures.line());
    }
    print_by_pattern(by_pattern);
}

/// The descriptors wherever the model is judged.
fn print_baseline(of: &Baseline) {
    println!("descriptors after Miros with an SVM of their own, judged likewise");
    let part = |name, Part { figures, intervals, by_pattern }: &Part| {
        println!("{name:23} {}", figures.line());
        print_intervals(intervals);
        print_by_pattern(by_pattern);
    };
    of.held_out.iter().for_each(|of| part("held out", of));
    of.held_out_found.iter().for_each(print_as_found);
    part("unknown specimens", &of.unknown_specimens);
    of.unknown_found.iter().for_each(print_as_found);
    print_contrasts(&of.contrasts);
    of.unknown_patterns.iter().for_each(|of| part("unknown patterns", of));
    of.simulated_only.iter().for_each(print_simulated_only);
}

/// Whether probabilities came true: two figures, and the points of a reliability plot.
pub(super) fn print_reliability(Reliability { brier, calibration_error, bins }: &Reliability) {
    println!(
        "{:23} Brier {brier:.3}, expected calibration error {calibration_error:.3}",
        "  probabilities"
    );
    for bin in bins {
        let name = format!("    {:.2} on average", bin.probability);
        println!("{name:23} {:.2} of {} cells are mitotic", bin.mitotic, bin.cells);
    }
}

/// From which decision values the model abstains, or why it says nothing of it.
fn print_abstention(limits: &Limits) {
    let [mitotic, interphase] = COVERAGE.map(|of| 100.0 * of);
    let name = "abstention";
    match limits.abstention {
        Some(Abstention { low, high, .. }) => println!(
            "{name:23} from {low:.3} to {high:.3}: {mitotic} % of mitotic and {interphase} % of interphase cells \
             are called right or abstained from, all patterns together"
        ),
        None => {
            let [mitotic_cells, interphase_cells] = COVERAGE.map(least_cells);
            println!(
                "{name:23} none: to state {mitotic} % of mitotic and {interphase} % of interphase cells takes \
                 {mitotic_cells} and {interphase_cells} labelled ones that the network did not know"
            );
        }
    }
}
