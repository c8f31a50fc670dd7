//! `mitoscope simulate`: fields of our own, with exact labels.

use anyhow::{Result, ensure};
use native_trainer::simulation::FieldSpec;
use native_trainer::simulation::writer::{Options, write};

use crate::Simulate;

/// Runs the command.
pub fn run(options: &Simulate) -> Result<()> {
    ensure!(
        !options.out.join("cells.csv").exists(),
        "{} already holds a cell table: use another --out",
        options.out.display()
    );
    let Simulate { specimens, fields, seed, masks, .. } = *options;
    let spec = FieldSpec::default();
    let written =
        write(&options.out, &Options { specimens, fields, seed, masks, spec, any_size: true })?;
    println!(
        "{} fields, {} mitotic and {} interphase cells: {}",
        written.fields,
        written.mitotic,
        written.interphase,
        written.table.display()
    );
    Ok(())
}
