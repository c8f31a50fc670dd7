//! `mitoscope export`: the model of a finished run as one file.

use anyhow::{Context, Result, ensure};
use mitoscope::model::{Precision, sha256};
use native_trainer::files::write_at_once;

use super::{read_model, train::MODEL};
use crate::Export;

/// Runs the command.
pub fn run(options: &Export) -> Result<()> {
    let path = options.run.join(MODEL);
    ensure!(
        path.exists(),
        "{} holds no finished model: run `mitoscope train --out {} --resume` to the end first",
        options.run.display(),
        options.run.display()
    );
    let model = read_model(&path)?;
    let precision = if options.half { Precision::Half } else { Precision::Full };
    let bytes = model.to_bytes(precision).context("the model cannot be written")?;
    write_at_once(&options.out, &bytes)?;
    println!("{}: {} bytes, SHA-256 {}", options.out.display(), bytes.len(), sha256(&bytes));
    Ok(())
}
