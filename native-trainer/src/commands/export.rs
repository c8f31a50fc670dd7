//! `mitoscope export`: the model of a finished run as one file.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use mitoscope::model::{Model, sha256};
use native_trainer::files::write_at_once;

use super::{precision, read_model, train::MODEL};
use crate::Export;

/// Runs the command.
pub fn run(options: &Export) -> Result<()> {
    let mut model = finished(&options.run)?;
    for run in &options.beside {
        let other = finished(run)?.manifest;
        ensure!(
            model.manifest.metrics["beside"].get(&other.preset).is_none(),
            "--beside: {} is the second run of preset {}; one of a preset is told",
            run.display(),
            other.preset
        );
        model.manifest.metrics["beside"][other.preset] = other.metrics;
    }
    let bytes = model.to_bytes(precision(options.half)).context("the model cannot be written")?;
    write_at_once(&options.out, &bytes)?;
    println!("{}: {} bytes, SHA-256 {}", options.out.display(), bytes.len(), sha256(&bytes));
    Ok(())
}

/// The model of a run that was trained to the end.
fn finished(run: &Path) -> Result<Model> {
    let path = run.join(MODEL);
    ensure!(
        path.exists(),
        "{} holds no finished model: give its `train` command again with --resume, or its `fit` command",
        run.display()
    );
    Ok(read_model(&path)?.0)
}
