//! The bundled model gives on real cells what its manifest says.

mod common;

use std::collections::BTreeSet;

use mitoscope::classifier::Classifier;
use mitoscope::device::Device;
use mitoscope::model::Model;
use native_trainer::evaluation::{Evaluation, Figures, as_found};
use native_trainer::found::with_found;
use native_trainer::inference::embed_all;
use native_trainer::judge::Split;
use native_trainer::samples::prepare;
use native_trainer::table::Table;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/model/model.safetensors");

#[test]
fn the_held_out_figures_are_those_of_the_manifest() {
    let model = std::fs::read(MODEL).expect("the bundled model");
    let model = Model::from_bytes(&model).expect("a whole model");
    let evaluation: Evaluation =
        serde_json::from_value(model.manifest.metrics.clone()).expect("an evaluation");
    let Some(table) = common::hep2_agh() else { return };
    let table = Table::open(&table).expect("the table");
    let specimens: BTreeSet<String> = evaluation.held_out_specimens.iter().cloned().collect();
    let table = with_found(&table).expect("found cells");
    let split = Split::by_specimens(&table, &specimens).expect("the same specimens");
    let preprocess = model.manifest.preprocess.clone();
    let classifier = Classifier::new(model, Device::Cpu);
    let mut values = vec![f64::NAN; table.rows.len()];
    for group in table.groups() {
        if !group.rows.iter().any(|row| split.held_out.contains(row)) {
            continue;
        }
        let samples = prepare(&table, &group, &preprocess).expect("the field");
        let input = |cell: usize| samples[cell].input(&preprocess);
        let embeddings = embed_all(&classifier, samples.len(), input).expect("embeddings");
        for (sample, features) in samples.iter().zip(classifier.features(&embeddings)) {
            let patch = sample.patch(&sample.window);
            let verdict = classifier.judge(&patch, &sample.levels, &features);
            values[sample.row] = verdict.expect("a verdict").decision_value;
        }
    }
    let values: Vec<f64> = split.held_out.iter().map(|row| values[*row]).collect();
    let as_found = as_found(&table, &split.held_out, &values, 1).expect("found cells");
    let given = split.given(&table).held_out;
    let given = Figures::of(&values[..given.len()], &table.truth(&given));
    let brightness = evaluation.brightness_baseline.expect("a baseline");
    assert!(given.mcc > brightness.mcc + 0.2, "no better than brightness: {given:?}");
    let recorded = evaluation.held_out_found.expect("found cells");
    assert_eq!((as_found.missed, as_found.strays), (recorded.missed, recorded.strays));
    for (figures, recorded) in
        [(given, evaluation.held_out.expect("held out")), (as_found.figures, recorded.figures)]
    {
        assert_eq!(figures.confusion, recorded.confusion);
        assert!((figures.average_precision - recorded.average_precision).abs() < 1e-3);
    }
}
