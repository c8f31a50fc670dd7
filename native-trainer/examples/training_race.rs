//! Our side of `cargo xtask bench train`: `training_race TABLE FOLDER STEPS`.
//!
//! Writes the starting weights and all batches to FOLDER for the other side, then trains preset
//! `paper` on the CPU: one step for each line on standard input, answered with its loss and seconds
//! as a line of JSON; at the end the process's peak memory.

use std::collections::HashMap;
use std::io::stdin;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use mitoscope::embedder::Weights;
use mitoscope::preprocess::SIDE;
use native_trainer::memory;
use native_trainer::network::Network;
use native_trainer::preset::{Objective, Optimiser, Preset, PresetName};
use native_trainer::sampler::{BatchSize, Batches, StratifiedSampler};
use native_trainer::samples::{Sample, prepare_all};
use native_trainer::table::Table;
use native_trainer::training::{ADAGRAD_EPSILON, Plan, train};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

const SEED: u64 = 1;

fn main() -> Result<()> {
    memory::keep_freed();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [table, folder, steps] = arguments.as_slice() else {
        anyhow::bail!("usage: training_race TABLE FOLDER STEPS");
    };
    let (table, folder) = (Table::open(Path::new(table))?, PathBuf::from(folder));
    let batch = BatchSize { mitotic: 8, interphase: 24, neighbours: 0 };
    let preset = Preset { batch, steps: steps.parse()?, ..PresetName::Paper.preset() };
    let samples = prepare_all(&table, &preset.preprocess)?;
    let labels = table.labels();
    let specimens = table.specimens();
    let sampler = StratifiedSampler::new(&labels, &specimens, batch, SEED)?;
    write_start(&folder, &preset, &samples, &sampler)?;

    let checkpoint = folder.join("checkpoint.safetensors");
    let plan = Plan {
        seed: SEED,
        device: Device::flex(),
        checkpoint: &checkpoint,
        checkpoint_every: preset.steps,
        run: "race".into(),
        resume: false,
        start: None,
    };
    println!("{}", json!({ "batch": batch.total() }));
    wait();
    train(&preset, &plan, &samples, &labels, &sampler, &mut |step, report| {
        let seconds = batch.total() as f64 / report.images_per_second;
        println!("{}", json!({ "loss": report.loss, "seconds": seconds }));
        if step + 1 < preset.steps {
            wait();
        }
    })?;
    println!("{}", json!({ "peak_mib": memory::peak_mib()? }));
    Ok(())
}

/// Waits for the next step to be asked for; without a next line the race was called off.
fn wait() {
    if stdin().lines().next().is_none_or(|line| line.is_err()) {
        std::process::exit(1);
    }
}

/// `weights.safetensors`, `batches.safetensors` (`images`: `[steps, batch, 128, 128]`, one of the
/// three equal channels) and `plan.json`.
fn write_start(
    folder: &Path,
    preset: &Preset,
    samples: &[Sample],
    sampler: &StratifiedSampler,
) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    let weights = Network::new(false, SEED, &Device::flex())?.fold(&[])?;
    let layers: Vec<(String, Vec<usize>, Vec<u8>)> = Weights::layers()
        .map(|(name, shape)| {
            let bytes = weights.tensors()[&name].iter().flat_map(|v| v.to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    write_tensors(&folder.join("weights.safetensors"), &layers)?;

    let mut images = Vec::new();
    for cell in (0..preset.steps).flat_map(|step| sampler.batch(step)) {
        let input = samples[cell].input(&preset.preprocess);
        images.extend(input[..SIDE * SIDE].iter().flat_map(|v| v.to_le_bytes()));
    }
    let shape = vec![preset.steps, preset.batch.total(), SIDE, SIDE];
    write_tensors(&folder.join("batches.safetensors"), &[("images".into(), shape, images)])?;

    let Objective::Triplet { margin, .. } = preset.objective else {
        anyhow::bail!("preset paper has no triplet loss");
    };
    let Optimiser::AdaGrad { rate } = preset.optimiser else {
        anyhow::bail!("preset paper does not train by AdaGrad");
    };
    let plan = json!({
        "mitotic": preset.batch.mitotic, "margin": margin, "rate": rate, "epsilon": ADAGRAD_EPSILON,
    });
    std::fs::write(folder.join("plan.json"), plan.to_string())?;
    Ok(())
}

fn write_tensors(path: &Path, tensors: &[(String, Vec<usize>, Vec<u8>)]) -> Result<()> {
    let views: HashMap<&str, TensorView> = tensors
        .iter()
        .map(|(name, shape, bytes)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?))
        })
        .collect::<Result<_>>()?;
    safetensors::serialize_to_file(views, None, path)
        .with_context(|| format!("cannot write {}", path.display()))
}
