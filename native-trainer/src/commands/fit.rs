//! `mitoscope fit`: a new classifier for a trained network, from the cells of another laboratory.

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use mitoscope::model::{Manifest, Provenance};
use native_trainer::course::Cells;
use native_trainer::device;
use native_trainer::embedded::check_learnable;
use native_trainer::evaluation::Evaluation;
use native_trainer::files::make_folder;
use native_trainer::fitting::{Unseen, fit};
use native_trainer::judge::Split;
use native_trainer::preset::{Preset, PresetName};

use super::train::{MODEL, as_learned, finish};
use super::{data_flags, data_name, hold_out_flag, read_model, warn_of_unnamed};
use crate::Fit;

/// Runs the command.
pub fn run(options: &Fit) -> Result<()> {
    let (model, sha256) = read_model(&options.model)?;
    let mut preset = preset(&model.manifest)
        .with_context(|| format!("the model {}", options.model.display()))?;
    if let (Some(specimens), Some(simulated)) = (options.simulated, &mut preset.simulated) {
        simulated.for_machine = specimens;
    }
    let simulated = preset.simulated.as_ref().map(|of| of.for_machine);
    let table = options.data.open()?;
    let held_out = options.hold_out.iter().cloned().collect();
    let split = Split::by_specimens(&table, &held_out).context("--hold-out")?;
    check_learnable(split.train.len(), &preset)?;
    ensure!(
        !options.out.join(MODEL).exists(),
        "{} already holds a model: use another --out",
        options.out.display()
    );
    warn_of_unnamed(&table);
    let data_sha256 = table.digest()?;
    let table = as_learned(table, &preset, &split)?;
    let cells = Cells::for_machine(&table, &preset, options.seed)?;
    let split = Split::by_specimens(&table, &held_out)?;
    let (device, name) = device::open(options.device)?;
    make_folder(&options.out)?;
    eprintln!(
        "{} cells to fit to, {} held out, on {name}",
        split.train.len(),
        split.held_out.len()
    );
    let course = cells.course(&preset, &table);
    let device = device.for_burn();
    let everything = Unseen::Everything;
    let fitted = fit(&course, &split, &model.weights, everything, options.seed, &device)?;
    let provenance = Provenance {
        data: data_name(&options.data_name, &options.data),
        licence: options.licence.clone(),
        data_sha256,
        command: format!(
            "mitoscope fit{} --out RUN --seed {}{}{}, with the network of {sha256}",
            data_flags(&options.data),
            options.seed,
            simulated.map_or(String::new(), |count| format!(" --simulated {count}")),
            hold_out_flag(&options.hold_out)
        ),
        seed: options.seed,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        trained_steps: model.manifest.provenance.trained_steps,
    };
    finish(&options.out, &preset, model.weights, fitted, provenance)
}

/// The preset of a model whose network learned from no real cell, so that all of them test it honestly.
fn preset(manifest: &Manifest) -> Result<Preset> {
    let name = PresetName::from_str(&manifest.preset, false);
    let preset = name.ok().context("is of no preset that this version knows")?.preset();
    ensure!(
        preset.preprocess == manifest.preprocess && preset.features == manifest.features,
        "was made by another version of preset {}: train it anew",
        preset.name
    );
    let evaluation: Option<Evaluation> = serde_json::from_value(manifest.metrics.clone()).ok();
    ensure!(
        evaluation.is_some_and(|of| !of.head_ablation.is_empty()),
        "has a network that learned from real cells, so that it cannot be judged on such honestly: \
         take one of preset simulated, trained without --steps"
    );
    Ok(preset)
}
