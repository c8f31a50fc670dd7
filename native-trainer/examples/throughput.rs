//! Times one kind of work a process: `throughput train|embed|simulate`, the network on random inputs.
//!
//! Prints one line of JSON: the work, images per second (median of the rounds; simulated ones are fields
//! of 1,000 x 1,000 pixels, without writing them) and the process's peak memory. `cargo xtask bench` runs it.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::Device;
use mitoscope::embedder::EMBEDDING;
use mitoscope::embedder::cpu::CpuEmbedder;
use mitoscope::preprocess::{CHANNELS, SIDE};
use native_trainer::memory;
use native_trainer::network::{Network, images, numbers};
use native_trainer::simulation::{FieldSpec, field};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Images of a batch.
const BATCH: usize = 32;

/// Measured rounds, after one that is not.
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    memory::keep_freed();
    let work = std::env::args().nth(1).unwrap_or_default();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut image = || (0..CHANNELS * SIDE * SIDE).map(|_| rng.random()).collect();
    let inputs: Vec<Vec<f32>> = (0..BATCH).map(|_| image()).collect();
    let (mut round, threads): (Box<dyn FnMut() -> Result<()>>, usize) = match work.as_str() {
        "train" => (train(inputs)?, rayon::current_num_threads()),
        "embed" => (embed(inputs)?, 1),
        "simulate" => (Box::new(simulate), 1),
        other => bail!("'{other}' is none of 'train', 'embed' and 'simulate'"),
    };
    round()?;
    let mut rates = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round()?;
        rates.push(BATCH as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    let line = serde_json::json!({
        "engine": "mitoscope, native CPU",
        "work": work,
        "batch": BATCH,
        "threads": threads,
        "images_per_s": (100.0 * rates[ROUNDS / 2]).round() / 100.0,
        "peak_mib": memory::peak_mib()?,
    });
    println!("{line}");
    Ok(())
}

/// Forward and backward pass with all gradients, as in preset `paper`.
fn train(inputs: Vec<Vec<f32>>) -> Result<Box<dyn FnMut() -> Result<()>>> {
    let device = Device::flex().autodiff();
    let network = Network::new(false, 1, &device)?;
    Ok(Box::new(move || {
        let embeddings = network.forward(images(&inputs, &device));
        let first = embeddings.clone().slice([0..1, 0..EMBEDDING]);
        let gradients = (embeddings - first).square().sum().backward();
        let weight = network.embedder.convolutions[0].weight.val();
        numbers(weight.grad(&gradients).context("conv1 has no gradient")?).map(drop)
    }))
}

/// Forward pass of the network as it classifies on the CPU, image by image.
fn embed(inputs: Vec<Vec<f32>>) -> Result<Box<dyn FnMut() -> Result<()>>> {
    let weights = Network::new(false, 1, &Device::flex())?.fold(&[])?;
    let embedder = CpuEmbedder::new(&weights, false);
    let mut arena = embedder.arena();
    Ok(Box::new(move || {
        let mut finite = inputs.iter().flat_map(|input| embedder.embed(input, &mut arena));
        ensure!(finite.all(f32::is_finite), "an embedding is not finite");
        Ok(())
    }))
}

/// Fields as the simulator draws them: of all patterns and magnifications.
fn simulate() -> Result<()> {
    let spec = FieldSpec::default();
    ensure!(
        (0..BATCH as u64).all(|seed| !field(&spec, seed).pixels.is_empty()),
        "a field has no pixel"
    );
    Ok(())
}
