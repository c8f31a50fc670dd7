//! `mitoscope classify`: a verdict on every cell of a table.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use mitoscope::classifier::{Classifier, Label, Prediction};
use mitoscope::embedder::EMBEDDING;
use mitoscope::specimen::{BOUNDARY, Rule};
use native_trainer::bootstrap::intervals_of;
use native_trainer::contact_sheet::contact_sheet;
use native_trainer::device;
use native_trainer::evaluation::{Figures, as_found, by_pattern};
use native_trainer::files::write_at_once;
use native_trainer::found::with_found;
use native_trainer::inference::embed_all;
use native_trainer::judge::Split;
use native_trainer::reliability::Reliability;
use native_trainer::samples::prepare;
use native_trainer::table::Table;

use super::summary::{print_as_found, print_by_pattern, print_intervals, print_reliability};
use super::{SCORE_COLUMNS, call_all, read_model, score_columns};
use crate::Classify;

/// Pictures side by side on a sheet of mistakes.
const COLUMNS: usize = 12;
/// Seed of the intervals' draws.
const SEED: u64 = 1;

/// Runs the command.
pub fn run(options: &Classify) -> Result<()> {
    let table = options.data.open()?;
    let table = if options.found { with_found(&table)? } else { table };
    if options.found && table.rows.len() == table.given().len() {
        eprintln!(
            "--found: nothing was searched or found, because the table has no fields with boxes, or crops that \
                   name no specimen"
        );
    }
    let only: BTreeSet<String> = options.only.iter().cloned().collect();
    let split = Split::by_specimens(&table, &only).context("--only")?;
    let asked = |of: Split| if only.is_empty() { of.train } else { of.held_out };
    let rows = asked(split.given(&table));
    let (model, _) = read_model(&options.model)?;
    let preprocess = model.manifest.preprocess.clone();
    let rule = Rule::of(&model.manifest, BOUNDARY, 1);
    let (device, name) = device::open(options.device)?;
    let classifier = Classifier::new(model, device);
    let mut verdicts: Vec<Option<(Prediction, Vec<f32>)>> = vec![None; table.rows.len()];
    let mut mistakes = Vec::new();
    for group in table.groups() {
        let samples = prepare(&table, &group, &preprocess)?;
        let embeddings = embed_all(&classifier, samples.len(), |i| samples[i].input(&preprocess))?;
        let features = classifier.features(&embeddings);
        for ((sample, embedding), features) in samples.iter().zip(embeddings).zip(features) {
            let patch = sample.patch(&sample.window);
            let prediction = classifier.judge(&patch, &sample.levels, &features)?;
            if options.mistakes.is_some()
                && rows.binary_search(&sample.row).is_ok()
                && table.rows[sample.row].label.is_some_and(|label| label != prediction.prediction)
            {
                mistakes.push((prediction, sample.picture()));
            }
            verdicts[sample.row] = Some((prediction, embedding));
        }
    }
    let verdicts: Option<Vec<_>> = verdicts.into_iter().collect();
    let mut verdicts = verdicts.context("a cell was left out")?;
    let found: Vec<usize> = asked(split);
    let values: Vec<f64> = found.iter().map(|row| verdicts[*row].0.decision_value).collect();
    let found = as_found(&table, &found, &values, SEED);
    verdicts.truncate(table.given().len());
    call_all(verdicts.iter_mut().map(|(prediction, _)| prediction), &rule)?;
    if let Some(path) = &options.embeddings {
        write_at_once(path, &embeddings_csv(&verdicts)?)?;
    }
    match &options.mistakes {
        Some(_) if mistakes.is_empty() => eprintln!("no labelled cell is called wrong: no sheet"),
        Some(path) => write_at_once(path, &sheet_of(mistakes)?)?,
        None => (),
    }
    write_at_once(&options.out, &scores_csv(&table, &verdicts)?)?;
    print_figures(&table, &rows, &verdicts);
    found.iter().for_each(print_as_found);
    let mitotic = verdicts.iter().filter(|(v, _)| v.prediction == Label::Mitotic).count();
    println!("{mitotic} mitotic of {} cells, on {name}: {}", verdicts.len(), options.out.display());
    Ok(())
}

/// What the labelled cells say of the model: all, by staining pattern, and those it is sure of.
fn print_figures(table: &Table, rows: &[usize], verdicts: &[(Prediction, Vec<f32>)]) {
    let sure: Vec<usize> =
        rows.iter().copied().filter(|row| verdicts[*row].0.doubt.is_none()).collect();
    let values = |rows: &[usize]| -> Vec<f64> {
        rows.iter().map(|row| verdicts[*row].0.decision_value).collect()
    };
    let figures = |rows: &[usize]| Figures::of(&values(rows), &table.truth(rows));
    if rows.is_empty() {
        return;
    }
    println!("{:23} {}", "labelled cells", figures(rows).line());
    print_intervals(&intervals_of(table, rows, &values(rows), SEED));
    print_by_pattern(&by_pattern(table, rows, &values(rows), Figures::of));
    let share = 100.0 * sure.len() as f64 / rows.len() as f64;
    println!("{:23} {}", format!("without doubt, {share:.1} %"), figures(&sure).line());
    let probabilities: Vec<f64> = rows.iter().map(|row| verdicts[*row].0.probability).collect();
    print_reliability(&Reliability::of(&probabilities, &table.truth(rows)));
}

/// False alarms, then misses, each by the most confident, as one PNG.
fn sheet_of(mut mistakes: Vec<(Prediction, Vec<u8>)>) -> Result<Vec<u8>> {
    mistakes.sort_by(|(a, _), (b, _)| b.decision_value.total_cmp(&a.decision_value));
    let (alarms, mut misses): (Vec<_>, Vec<_>) =
        mistakes.into_iter().partition(|(of, _)| of.prediction == Label::Mitotic);
    misses.reverse();
    let pictures = |of: Vec<(Prediction, Vec<u8>)>| of.into_iter().map(|(_, p)| p).collect();
    contact_sheet(&[alarms, misses].map(pictures), COLUMNS)
}

fn scores_csv(table: &Table, verdicts: &[(Prediction, Vec<f32>)]) -> Result<Vec<u8>> {
    // What an earlier model said of the cells gives way.
    let columns = table.header.iter().enumerate();
    let kept: Vec<usize> =
        columns.filter(|(_, name)| !SCORE_COLUMNS.contains(&name.trim())).map(|(i, _)| i).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(some(&table.header, &kept).chain(SCORE_COLUMNS))?;
    for (record, (verdict, _)) in table.records.iter().zip(verdicts) {
        let added = score_columns(verdict);
        writer.write_record(some(record, &kept).chain(added.iter().map(String::as_str)))?;
    }
    Ok(writer.into_inner()?)
}

/// The fields of some columns.
fn some<'a>(record: &'a csv::StringRecord, columns: &'a [usize]) -> impl Iterator<Item = &'a str> {
    columns.iter().filter_map(|column| record.get(*column))
}

fn embeddings_csv(verdicts: &[(Prediction, Vec<f32>)]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record((0..EMBEDDING).map(|i| format!("e{i}")))?;
    for (_, embedding) in verdicts {
        writer.write_record(embedding.iter().map(f32::to_string))?;
    }
    Ok(writer.into_inner()?)
}
