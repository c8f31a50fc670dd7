//! The training loop: batch, embeddings, mining, loss, step; with health signals and checkpoints.
//!
//! Invariant: a step depends only on the preset, the seed, the cells and the steps before it, so a
//! training that was cut off ends with the weights of one that was not.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdaGradConfig, AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use mitoscope::classifier::Label;
use mitoscope::embedder::{Arithmetic, Stock, Weights, unit_rows};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, State};
use crate::descriptors::miros::{NUMBERS, miros};
use crate::features::Scaling;
use crate::loss::{
    cross_entropy, multi_similarity, proxy_anchor, proxy_logits, regression,
    supervised_contrastive, triplet_loss,
};
use crate::miner::{Mined, mine, squared_distances};
use crate::network::{Network, images, numbers};
use crate::preset::{Objective, Optimiser, PairLoss, Preset, Proxies, ProxyLoss};
use crate::sampler::Batches;
use crate::samples::Sample;

/// Below this spread a batch's embeddings are one point.
const COLLAPSED: f64 = 1e-3;

/// Batches whose statistics are averaged when the normalisation is folded.
const STATISTICS_BATCHES: usize = 12;

/// Batches whose cells give the scale of the descriptors to tell.
const SCALING_BATCHES: usize = 8;

/// Largest scaled descriptor to tell, in standard deviations.
const LARGEST: f32 = 3.0;

/// Largest norm of a parameter's gradient under AdamW.
const GRADIENT_NORM: f32 = 5.0;

/// What AdaGrad adds to the root of the summed squares.
pub const ADAGRAD_EPSILON: f32 = 1e-5;

/// What one optimiser step did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Mean loss of the triplets learned from, 0 when there was none; or the batch's loss.
    pub loss: f64,
    /// How the batch's triplets divide; none without triplets.
    pub mined: Option<Mined>,
    /// Root mean square distance of the batch's outputs from their mean; 0 at collapse.
    pub spread: f64,
    /// Cells embedded and learned from per second.
    pub images_per_second: f64,
}

/// Where and how long to train, beside the preset.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// Seed of weights, batches and augmentation.
    pub seed: u64,
    /// Device to train on, without autodiff.
    pub device: Device,
    /// Checkpoint file; read when `resume` is set.
    pub checkpoint: &'a Path,
    /// Steps between checkpoints.
    pub checkpoint_every: usize,
    /// Identity of the run, to recognise its checkpoint.
    pub run: String,
    /// Go on from the checkpoint if there is one.
    pub resume: bool,
    /// Checkpoint of the finished training whose network is the start, instead of random weights.
    pub start: Option<&'a Path>,
}

/// A trained network and how it got there.
pub struct Trained {
    /// Plain Table-1 weights, exact in half precision.
    pub weights: Weights,
    /// One report a step.
    pub steps: Vec<StepReport>,
}

/// Trains the network of a preset on the cells that the sampler draws; `progress` is told each step's
/// report.
///
/// # Errors
/// When the outputs are not finite, the network collapses, a cell is of one grey where triplets are learned, or a
/// checkpoint is of another run or cannot be written.
pub fn train(
    preset: &Preset,
    plan: &Plan,
    samples: &[Sample],
    labels: &[Option<Label>],
    sampler: &dyn Batches,
    progress: &mut dyn FnMut(usize, &StepReport),
) -> Result<Trained> {
    let device = plan.device.clone().autodiff();
    let mut network = Network::new(preset.normalised, plan.seed, &device)?;
    if let Objective::Proxies(proxies) = &preset.objective {
        network = network.with_heads(proxies.per_class, NUMBERS, plan.seed);
    }
    if let Some(start) = plan.start {
        network = checkpoint::network(start, network)?;
    }
    let mut state = State { run: plan.run.clone(), steps: Vec::new() };
    let (mut network, mut optimiser) = (network, optimiser(preset));
    if plan.resume {
        let found =
            checkpoint::load(plan.checkpoint, &plan.run, network.clone(), optimiser.clone())?;
        if let Some(found) = found {
            (state, network, optimiser) = found;
        }
    }
    let loader = Loader::new(preset, sampler, samples, plan.seed);
    for step in state.steps.len()..preset.steps {
        let report;
        (network, report) =
            advance(preset, &loader, step, network, &mut optimiser, labels, &device)?;
        progress(step, &report);
        state.steps.push(report);
        let done = step + 1;
        if done % plan.checkpoint_every == 0 || done == preset.steps {
            checkpoint::save(plan.checkpoint, &state, &network, &optimiser)?;
        }
    }
    let statistics = statistics(preset, &loader, &network, &plan.device)?;
    let weights = network.fold(&statistics)?.rounded_to_half();
    Ok(Trained { weights, steps: state.steps })
}

fn optimiser(preset: &Preset) -> ModuleOptimizer {
    match preset.optimiser {
        Optimiser::AdaGrad { .. } => AdaGradConfig::new().with_epsilon(ADAGRAD_EPSILON).init(),
        Optimiser::AdamW { decay, .. } => AdamWConfig::new()
            .with_weight_decay(decay)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(GRADIENT_NORM)))
            .init(),
    }
}

fn advance(
    preset: &Preset,
    loader: &Loader,
    step: usize,
    network: Network,
    optimiser: &mut ModuleOptimizer,
    labels: &[Option<Label>],
    device: &Device,
) -> Result<(Network, StepReport)> {
    let start = Instant::now();
    let cells = loader.sampler.batch(step);
    let batch = loader.load(&cells, step);
    let images = images(&batch.inputs, device);
    let outputs = match preset.objective {
        Objective::Triplet { .. } => network.forward(images),
        Objective::CrossEntropy => network.logits(images),
        Objective::Proxies(_) => network.outputs(images),
    };
    let width = outputs.dims()[1];
    let values = numbers(outputs.clone())?;
    ensure!(
        values.iter().all(|v| v.is_finite()),
        "the network's outputs at step {} are not finite: the training diverged, try another seed",
        step + 1
    );
    let rows: Vec<&[f32]> = values.chunks(width).collect();
    let batch_labels: Vec<Label> = cells.iter().filter_map(|cell| labels[*cell]).collect();
    let spread = spread(&rows);
    let (loss, mined) = match preset.objective {
        Objective::Triplet { margin, mining } => {
            // Its gradient would be infinite, and the error in the weights.
            if let Some(flat) = rows.iter().position(|row| row.iter().all(|value| *value == 0.0)) {
                let row = loader.samples[cells[flat]].row + 1;
                bail!("the cell of row {row} of the table is of one grey: remove it");
            }
            let distances = squared_distances(&rows);
            let (triplets, mined) = mine(&distances, &cells, &batch_labels, margin, mining);
            refuse_collapse(step, &mined, spread)?;
            (triplet_loss(&outputs, &triplets, margin), Some(mined))
        }
        Objective::CrossEntropy => (Some(cross_entropy(outputs, &batch_labels, 0.0)), None),
        Objective::Proxies(proxies) => (
            Some(proxies_loss(&proxies, &network, outputs, &batch_labels, batch.descriptors)?),
            None,
        ),
    };
    let (network, loss) = match loss {
        Some(loss) => {
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let rate = preset.optimiser.rate(step, preset.steps);
            (optimiser.step(rate, network, gradients), f64::from(loss.into_scalar::<f32>()))
        }
        None => (network, 0.0),
    };
    let images_per_second = cells.len() as f64 / start.elapsed().as_secs_f64();
    Ok((network, StepReport { loss, mined, spread, images_per_second }))
}

/// The weighted sum of [`Objective::Proxies`].
fn proxies_loss(
    constants: &Proxies,
    network: &Network,
    outputs: Tensor<2>,
    labels: &[Label],
    descriptors: Vec<Vec<f32>>,
) -> Result<Tensor<1>> {
    let heads = network.heads.as_ref().context("a network without heads has no proxies")?;
    let told = Stock.dense(outputs.clone(), &heads.descriptors);
    let truth = TensorData::new(descriptors.concat(), told.dims());
    let truth = Tensor::<2>::from_data(truth, &told.device());
    let embeddings = unit_rows(outputs);
    let proxies = heads.proxies.val();
    let to_proxies = match constants.loss {
        ProxyLoss::CrossEntropy { scale, doubt } => {
            cross_entropy(proxy_logits(&embeddings, proxies, scale), labels, doubt)
        }
        ProxyLoss::Anchor => proxy_anchor(&embeddings, proxies, labels),
    };
    let of_pairs = match constants.pairs {
        PairLoss::Contrastive { temperature } => {
            supervised_contrastive(&embeddings, labels, temperature)
        }
        PairLoss::MultiSimilarity => multi_similarity(&embeddings, labels),
    };
    Ok(to_proxies
        + of_pairs * constants.pairs_weight
        + regression(told, truth) * constants.descriptors)
}

/// At collapse Eq. 2 leaves no triplet and so no loss, which looks like success.
fn refuse_collapse(step: usize, mined: &Mined, spread: f64) -> Result<()> {
    ensure!(
        mined.active > 0.0 || spread > COLLAPSED,
        "the network collapsed at step {}: no triplet is active and all embeddings lie within \
         {spread:.1e} of one point; train with another seed or preset",
        step + 1
    );
    Ok(())
}

/// Makes the inputs of batches.
struct Loader<'a> {
    preset: &'a Preset,
    sampler: &'a dyn Batches,
    samples: &'a [Sample],
    seed: u64,
    /// Scale of the descriptors to tell, where the objective asks for them.
    scaling: Option<Scaling>,
}

/// What a step learns from.
struct Batch {
    inputs: Vec<Vec<f32>>,
    /// One a cell; empty where the objective does not ask for them.
    descriptors: Vec<Vec<f32>>,
}

impl<'a> Loader<'a> {
    fn new(preset: &'a Preset, sampler: &'a dyn Batches, samples: &'a [Sample], seed: u64) -> Self {
        let scaling = matches!(preset.objective, Objective::Proxies(_)).then(|| {
            let cells: Vec<usize> =
                (0..SCALING_BATCHES).flat_map(|step| sampler.batch(step)).collect();
            let describe = |cell: &usize| {
                let sample = &samples[*cell];
                miros(&sample.patch(&sample.window), &sample.levels)
            };
            let rows: Vec<Vec<f32>> = cells.par_iter().map(describe).collect();
            Scaling::over(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
        });
        Self { preset, sampler, samples, seed, scaling }
    }

    fn load(&self, cells: &[usize], step: usize) -> Batch {
        let make = |(i, cell): (usize, &usize)| {
            let sample = &self.samples[*cell];
            let (patch, levels) = match &self.preset.augmentation {
                Some(augmentation) => {
                    let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
                    rng.set_stream((step * cells.len() + i) as u64 + 1);
                    augmentation.change(sample, &mut rng)
                }
                None => (sample.patch(&sample.window), sample.levels),
            };
            let describe = |scaling: &Scaling| {
                let mut numbers = miros(&patch, &levels);
                scaling.scale(&mut numbers);
                numbers.iter_mut().for_each(|v| *v = v.clamp(-LARGEST, LARGEST));
                numbers
            };
            let descriptors = self.scaling.as_ref().map(describe);
            (self.preset.preprocess.input(&patch, &levels), descriptors)
        };
        let cells: Vec<_> = cells.par_iter().enumerate().map(make).collect();
        let (inputs, descriptors): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
        Batch { inputs, descriptors: descriptors.into_iter().flatten().collect() }
    }
}

/// Means over some batches of the normalised layers' statistics at the final weights.
fn statistics(
    preset: &Preset,
    loader: &Loader,
    network: &Network,
    device: &Device,
) -> Result<Vec<(Vec<f32>, Vec<f32>)>> {
    if !preset.normalised {
        return Ok(Vec::new());
    }
    // A copy without autodiff, which would keep every map for a backward pass that never comes.
    let plain = Network::new(true, loader.seed, device)?;
    let body = Network { heads: None, ..network.clone() };
    let network = plain
        .try_load_record(body.into_record())
        .map_err(|e| anyhow::anyhow!("the network cannot be copied: {e:?}"))?;
    let mut sums: Vec<(Vec<f32>, Vec<f32>)> = Vec::new();
    for batch in 0..STATISTICS_BATCHES {
        let step = preset.steps + batch;
        let inputs = loader.load(&loader.sampler.batch(step), step).inputs;
        let statistics = network.statistics(images(&inputs, device));
        for (layer, (mean, variance)) in statistics.into_iter().enumerate() {
            let (mean, variance) = (numbers(mean)?, numbers(variance)?);
            if layer == sums.len() {
                sums.push((vec![0.0; mean.len()], vec![0.0; mean.len()]));
            }
            let share = 1.0 / STATISTICS_BATCHES as f32;
            sums[layer].0.iter_mut().zip(mean).for_each(|(s, v)| *s += share * v);
            sums[layer].1.iter_mut().zip(variance).for_each(|(s, v)| *s += share * v);
        }
    }
    Ok(sums)
}

/// Root mean square distance of rows from their mean.
fn spread(rows: &[&[f32]]) -> f64 {
    let count = rows.len() as f64;
    let total: f64 = (0..rows[0].len())
        .map(|i| {
            let mean = rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / count;
            rows.iter().map(|row| (f64::from(row[i]) - mean).powi(2)).sum::<f64>() / count
        })
        .sum();
    total.sqrt()
}

#[cfg(test)]
mod tests {
    use mitoscope::embedder::EMBEDDING;

    use super::*;

    #[test]
    fn collapse_is_refused_and_success_is_not() {
        let batch = |point: fn(usize) -> f32| -> Vec<Vec<f32>> {
            (0..4)
                .map(|i| (0..EMBEDDING).map(|d| point(if d == 0 { i } else { 9 })).collect())
                .collect()
        };
        let check = |rows: &[Vec<f32>], active| {
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            refuse_collapse(7, &Mined { active, ..Mined::default() }, spread(&rows))
        };
        let (one_point, apart) = (batch(|_| 0.1), batch(|i| i as f32));
        let error = check(&one_point, 0.0).expect_err("collapsed").to_string();
        assert!(error.starts_with("the network collapsed at step 8"), "{error}");
        assert!(check(&one_point, 0.1).is_ok(), "something is still learned");
        assert!(check(&apart, 0.0).is_ok(), "all triplets are easy: learned");
    }

    #[test]
    fn spread_is_the_root_mean_square_distance_from_the_mean() {
        let mut rows = vec![vec![0.0; EMBEDDING]; 2];
        rows[1][5] = 2.0;
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        assert!((spread(&rows) - 1.0).abs() < 1e-12);
    }
}
