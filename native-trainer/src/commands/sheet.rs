//! `mitoscope sheet`: labelled cells of several tables on one picture, to compare by eye.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, ensure};
use mitoscope::classifier::Label;
use native_trainer::contact_sheet::contact_sheet;
use native_trainer::files::write_at_once;
use native_trainer::preset::PresetName;
use native_trainer::samples::prepare;
use native_trainer::table::Table;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::label_name;
use crate::Sheet;

/// Runs the command.
pub fn run(options: &Sheet) -> Result<()> {
    ensure!(options.cells > 0, "--cells 0 shows nothing");
    let open = |path: &PathBuf| match options.hold_out.is_empty() {
        true => Table::open(path),
        false => Table::open(path)?.with_named_fields(),
    };
    let tables = options.data.iter().map(open).collect::<Result<Vec<_>>>()?;
    for specimen in &options.hold_out {
        let known = tables.iter().any(|table| table.specimens().contains(&specimen.as_str()));
        ensure!(
            known,
            "--hold-out: no cell of the specimen '{specimen}' is in any table: check its name"
        );
    }
    let mut draw = ChaCha8Rng::seed_from_u64(options.seed);
    let mut blocks = Vec::new();
    // Mitotic cells of all tables before interphase ones, so that like stands below like.
    for label in [Label::Mitotic, Label::Interphase] {
        for table in &tables {
            for (pattern, mut rows) in by_pattern(table, label, &options.hold_out) {
                let all = rows.len();
                rows.shuffle(&mut draw);
                rows.truncate(options.cells);
                blocks.push(pictures(table, &rows.into_iter().collect())?);
                println!(
                    "row {:2}: {} of {all} {} cells {pattern}, {}",
                    blocks.len(),
                    all.min(options.cells),
                    label_name(label),
                    table.source().display()
                );
            }
        }
    }
    ensure!(!blocks.is_empty(), "no cell is labelled mitotic or interphase: nothing to show");
    write_at_once(&options.out, &contact_sheet(&blocks, options.cells)?)?;
    println!("{}", options.out.display());
    Ok(())
}

/// Rows of a class by staining pattern, but for those of some specimens.
fn by_pattern<'a>(
    table: &'a Table,
    label: Label,
    without: &[String],
) -> BTreeMap<&'a str, Vec<usize>> {
    let mut patterns: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, row) in table.rows.iter().enumerate() {
        if row.label == Some(label) && !without.contains(&row.specimen) {
            patterns.entry(&row.pattern).or_default().push(i);
        }
    }
    patterns
}

/// Pictures of some rows, cut as a model sees them.
fn pictures(table: &Table, rows: &BTreeSet<usize>) -> Result<Vec<Vec<u8>>> {
    let preprocess = PresetName::Simulated.preset().preprocess;
    let mut pictures = Vec::with_capacity(rows.len());
    for group in table.groups() {
        if group.rows.iter().any(|row| rows.contains(row)) {
            let samples = prepare(table, &group, &preprocess)?;
            let shown = samples.iter().filter(|sample| rows.contains(&sample.row));
            pictures.extend(shown.map(|sample| sample.picture()));
        }
    }
    Ok(pictures)
}
