//! `mitoscope references`: gives a model cells of known label to compare with.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use mitoscope::classifier::Classifier;
use mitoscope::embedder::EMBEDDING;
use mitoscope::grey::shrink;
use mitoscope::model::{ReferenceSource, sha256};
use mitoscope::preprocess::SIDE;
use mitoscope::references::{PICTURE_SIDE, ReferenceCell, References};
use native_trainer::device;
use native_trainer::files::write_at_once;
use native_trainer::inference::embed_all;
use native_trainer::samples::{Sample, prepare_all};
use native_trainer::table::Table;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{data_name, precision, read_model};
use crate::AddReferences;

/// Columns of a cell table that tell what a cell is beyond its label.
const KINDS: [&str; 3] = ["phase", "look_alike", "pattern"];

/// Runs the command.
pub fn run(options: &AddReferences) -> Result<()> {
    let (mut model, _) = read_model(&options.model)?;
    let table = options.data.open()?;
    let preprocess = model.manifest.preprocess.clone();
    let samples = prepare_all(&table, &preprocess)?;
    let chosen = choose(&table, &samples, options.count, options.seed)?;
    let samples: Vec<&Sample> = chosen.iter().map(|row| &samples[*row]).collect();
    let (device, name) = device::open(options.device)?;
    let classifier = Classifier::new(model.clone(), device);
    let embeddings = embed_all(&classifier, samples.len(), |i| samples[i].input(&preprocess))?;
    let cells = chosen.iter().filter_map(|row| reference(&table, *row)).collect();
    let pictures = samples.iter().flat_map(|sample| picture(sample)).collect();
    model.references = References::new(cells, embeddings.concat(), pictures, EMBEDDING)?;
    model.manifest.references = Some(ReferenceSource {
        data: data_name(&options.data_name, &options.data),
        licence: options.licence.clone(),
        data_sha256: table.digest()?,
    });
    let bytes = model.to_bytes(precision(options.half)).context("the model cannot be written")?;
    write_at_once(&options.out, &bytes)?;
    println!(
        "{} references, embedded on {name}: {}, {} bytes, SHA-256 {}",
        samples.len(),
        options.out.display(),
        bytes.len(),
        sha256(&bytes)
    );
    Ok(())
}

/// Rows to take, in the order of the table: half of each class, the kinds of a class in turn, at random
/// within a kind; none whose picture would reach beyond its image.
fn choose(table: &Table, samples: &[Sample], count: usize, seed: u64) -> Result<Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = Vec::with_capacity(count);
    for mitotic in [true, false] {
        let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for Sample { row, .. } in samples.iter().filter(|sample| sample.is_whole()) {
            if let Some(cell) = reference(table, *row)
                && table.is_mitotic(*row) == mitotic
            {
                kinds.entry(cell.kind).or_default().push(*row);
            }
        }
        let mut kinds: Vec<Vec<usize>> = kinds.into_values().collect();
        kinds.iter_mut().for_each(|rows| rows.shuffle(&mut rng));
        let deepest = kinds.iter().map(Vec::len).max().unwrap_or(0);
        let in_turn = (0..deepest).flat_map(|turn| kinds.iter().filter_map(move |k| k.get(turn)));
        let wanted = if mitotic { count / 2 } else { count - count / 2 };
        let taken: Vec<usize> = in_turn.copied().take(wanted).collect();
        ensure!(
            taken.len() == wanted,
            "{} has {} whole cells of one class, {wanted} are wanted: ask for fewer by --count",
            table.source().display(),
            taken.len()
        );
        chosen.extend(taken);
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// What is known of a row; none without a label.
fn reference(table: &Table, row: usize) -> Option<ReferenceCell> {
    let column = |name: &&str| table.header.iter().position(|h| h.trim() == *name);
    let words: Vec<&str> = KINDS
        .iter()
        .filter_map(column)
        .filter_map(|column| table.records[row].get(column))
        .filter(|word| !word.is_empty())
        .collect();
    Some(ReferenceCell { label: table.rows[row].label?, kind: words.join(", ") })
}

/// The cell for the eye, at the size that a model file keeps.
fn picture(sample: &Sample) -> Vec<u8> {
    let grey: Vec<f32> = sample.picture().into_iter().map(f32::from).collect();
    let small = shrink(&grey, (SIDE, SIDE), (PICTURE_SIDE, PICTURE_SIDE));
    small.into_iter().map(|v| v.round() as u8).collect()
}
