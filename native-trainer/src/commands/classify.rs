//! `mitoscope classify`: a verdict on every cell of a table.

use anyhow::{Context, Result};
use mitoscope::classifier::{Classifier, Label, Prediction};
use mitoscope::embedder::EMBEDDING;
use mitoscope::specimen::{BOUNDARY, Rule};
use native_trainer::device;
use native_trainer::files::write_at_once;
use native_trainer::inference::embed_all;
use native_trainer::samples::prepare;
use native_trainer::table::Table;

use super::{SCORE_COLUMNS, call_all, read_model, score_columns};
use crate::Classify;

/// Runs the command.
pub fn run(options: &Classify) -> Result<()> {
    let table = options.data.open()?;
    let (model, _) = read_model(&options.model)?;
    let preprocess = model.manifest.preprocess.clone();
    let rule = Rule::of(&model.manifest, BOUNDARY, 1);
    let (device, name) = device::open(options.device)?;
    let classifier = Classifier::new(model, device);
    let mut verdicts: Vec<Option<(Prediction, Vec<f32>)>> = vec![None; table.rows.len()];
    for group in table.groups() {
        let samples = prepare(&table, &group, &preprocess)?;
        let embeddings = embed_all(&classifier, samples.len(), |i| samples[i].input(&preprocess))?;
        for (sample, embedding) in samples.iter().zip(embeddings) {
            let prediction = classifier.judge(&embedding, &sample.quality(&preprocess))?;
            verdicts[sample.row] = Some((prediction, embedding));
        }
    }
    let verdicts: Option<Vec<_>> = verdicts.into_iter().collect();
    let mut verdicts = verdicts.context("a cell was left out")?;
    call_all(verdicts.iter_mut().map(|(prediction, _)| prediction), &rule)?;
    if let Some(path) = &options.embeddings {
        write_at_once(path, &embeddings_csv(&verdicts)?)?;
    }
    write_at_once(&options.out, &scores_csv(&table, &verdicts)?)?;
    let mitotic = verdicts.iter().filter(|(v, _)| v.prediction == Label::Mitotic).count();
    println!("{mitotic} mitotic of {} cells, on {name}: {}", verdicts.len(), options.out.display());
    Ok(())
}

fn scores_csv(table: &Table, verdicts: &[(Prediction, Vec<f32>)]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table.header.iter().chain(SCORE_COLUMNS))?;
    for (record, (verdict, _)) in table.records.iter().zip(verdicts) {
        let added = score_columns(verdict);
        writer.write_record(record.iter().chain(added.iter().map(String::as_str)))?;
    }
    Ok(writer.into_inner()?)
}

fn embeddings_csv(verdicts: &[(Prediction, Vec<f32>)]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record((0..EMBEDDING).map(|i| format!("e{i}")))?;
    for (_, embedding) in verdicts {
        writer.write_record(embedding.iter().map(f32::to_string))?;
    }
    Ok(writer.into_inner()?)
}
