//! The network as it is trained: Table 1, with batch normalisation where the preset asks for it.
//!
//! Invariant: [`Network::fold`] gives plain Table-1 weights of the same function, so inference never
//! knows how the network was trained.

use std::collections::BTreeMap;

use anyhow::Result;
use burn::module::{Module, Param};
use burn::tensor::module::batch_norm_train;
use burn::tensor::{Device, Tensor, TensorData};
use mitoscope::embedder::{
    Arithmetic, Convolution, Dense, EMBEDDING, Embedder, Geometry, Stock, TABLE_1, Weights,
    unit_rows, without_dead_columns,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::convolution::{Activation, fast_convolution};
use crate::normalisation::{EPSILON, normalised_relu};

/// Scale and shift of one normalised layer.
#[derive(Module, Debug)]
pub struct Norm {
    /// `[channels]`, 1 at first.
    pub gamma: Param<Tensor<1>>,
    /// `[channels]`, 0 at first.
    pub beta: Param<Tensor<1>>,
}

/// What a training asks of the last layer's outputs beside the embedding; no part of the model.
#[derive(Module, Debug)]
pub struct Heads {
    /// `[2 * n, 128]`, the mitotic class's first: what the embedding is compared with.
    pub proxies: Param<Tensor<2>>,
    /// Tells the cell's classical descriptors.
    pub descriptors: Dense,
}

/// The network in training.
#[derive(Module, Debug)]
pub struct Network {
    /// Table 1.
    pub embedder: Embedder,
    /// One a normalised layer, convolutions first; none in preset `paper`.
    pub norms: Vec<Norm>,
    /// Where the objective needs them.
    pub heads: Option<Heads>,
}

/// Mean and variance of each normalised layer's output before normalisation.
pub type Statistics = Vec<(Tensor<1>, Tensor<1>)>;

impl Network {
    /// He initialisation from a seed, biases 0.
    ///
    /// # Errors
    /// Never for Table 1; weights of other shapes are refused.
    pub fn new(normalised: bool, seed: u64, device: &Device) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tensors = Weights::layers().map(|(name, shape)| {
            let count = shape.iter().product();
            let fan_in: usize = shape[1..].iter().product();
            let deviation = if shape.len() > 1 { (2.0 / fan_in as f32).sqrt() } else { 0.0 };
            let mut draw = || -> f32 { StandardNormal.sample(&mut rng) };
            (name, (0..count).map(|_| deviation * draw()).collect())
        });
        let weights = Weights::from_tensors(tensors.collect())?;
        let layers = Weights::layers().filter(|(name, _)| name.ends_with("weight"));
        let widths: Vec<usize> = layers.map(|(_, shape)| shape[0]).collect();
        let norm = |width: &usize| Norm {
            gamma: Param::from_tensor(Tensor::ones([*width], device)),
            beta: Param::from_tensor(Tensor::zeros([*width], device)),
        };
        // The last layer is the embedding itself: it is only scaled to length 1.
        let normalised = if normalised { &widths[..widths.len() - 1] } else { &[] };
        Ok(Self {
            embedder: Embedder::new(&weights, false, device),
            norms: normalised.iter().map(norm).collect(),
            heads: None,
        })
    }

    /// The same network with heads for `proxies` a class and `descriptors` numbers a cell.
    pub fn with_heads(self, proxies: usize, descriptors: usize, seed: u64) -> Self {
        let device = self.embedder.dense[0].bias.val().device();
        let mut rng = ChaCha8Rng::seed_from_u64(!seed);
        let deviation = (EMBEDDING as f32).sqrt().recip();
        let mut random = |rows: usize| {
            let draw = |_| -> f32 { StandardNormal.sample(&mut rng) };
            let values: Vec<f32> = (0..rows * EMBEDDING).map(draw).map(|v| deviation * v).collect();
            Param::from_tensor(Tensor::<2>::from_data(
                TensorData::new(values, [rows, EMBEDDING]),
                &device,
            ))
        };
        let proxies = random(2 * proxies);
        let descriptors = Dense {
            weight: random(descriptors),
            bias: Param::from_tensor(Tensor::zeros([descriptors], &device)),
        };
        Self { heads: Some(Heads { proxies, descriptors }), ..self }
    }

    /// Embeds a batch as in training.
    ///
    /// # Shapes
    /// - `images`: `[batch, 3, 128, 128]`
    /// - output: `[batch, 128]`, rows of length 1
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        unit_rows(self.outputs(images))
    }

    /// The last layer's outputs as in training, not yet scaled to length 1.
    ///
    /// # Shapes
    /// As [`Network::forward`].
    pub fn outputs(&self, images: Tensor<4>) -> Tensor<2> {
        self.pass(images, None)
    }

    /// The two logits of the cross-entropy baseline, mitotic first.
    ///
    /// Its last layer has two nodes (section 5.2): these are the first two of Table 1's, and the
    /// others get no gradient.
    ///
    /// # Shapes
    /// - `images`: `[batch, 3, 128, 128]`
    /// - output: `[batch, 2]`
    pub fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let mut arithmetic = Training { norms: self.norms.iter(), statistics: None };
        logits(&self.embedder, images, &mut arithmetic)
    }

    /// Mean and variance of each normalised layer's output before normalisation, in this batch.
    pub fn statistics(&self, images: Tensor<4>) -> Statistics {
        let mut statistics = Vec::with_capacity(self.norms.len());
        self.pass(images, Some(&mut statistics));
        statistics
    }

    fn pass(&self, images: Tensor<4>, statistics: Option<&mut Statistics>) -> Tensor<2> {
        let mut arithmetic = Training { norms: self.norms.iter(), statistics };
        self.embedder.outputs_with(images, without_dead_columns(TABLE_1), &mut arithmetic)
    }

    /// Plain weights of the function this network is at the given statistics.
    ///
    /// # Errors
    /// When the device fails, or a folded weight is not finite.
    pub fn fold(&self, statistics: &[(Vec<f32>, Vec<f32>)]) -> Result<Weights> {
        let layers = self.plain_layers()?;
        let mut tensors = BTreeMap::new();
        let names: Vec<String> = Weights::layers().map(|(name, _)| name).collect();
        for (i, (mut weight, mut bias)) in layers.into_iter().enumerate() {
            if let (Some(norm), Some((mean, variance))) = (self.norms.get(i), statistics.get(i)) {
                let (gamma, beta) = (numbers(norm.gamma.val())?, numbers(norm.beta.val())?);
                let taps = weight.len() / bias.len();
                for (channel, kernel) in weight.chunks_mut(taps).enumerate() {
                    let root = (f64::from(variance[channel]) + EPSILON).sqrt();
                    let scale = (f64::from(gamma[channel]) / root) as f32;
                    kernel.iter_mut().for_each(|w| *w *= scale);
                    bias[channel] = beta[channel] + (bias[channel] - mean[channel]) * scale;
                }
            }
            tensors.insert(names[2 * i].clone(), weight);
            tensors.insert(names[2 * i + 1].clone(), bias);
        }
        Ok(Weights::from_tensors(tensors)?)
    }

    fn plain_layers(&self) -> Result<Vec<(Vec<f32>, Vec<f32>)>> {
        let Embedder { convolutions, dense } = &self.embedder;
        let convolutions =
            convolutions.iter().map(|l| Ok((numbers(l.weight.val())?, numbers(l.bias.val())?)));
        let dense = dense.iter().map(|l| Ok((numbers(l.weight.val())?, numbers(l.bias.val())?)));
        convolutions.chain(dense).collect()
    }
}

/// The first two outputs of the last layer, not scaled to length 1.
fn logits(embedder: &Embedder, images: Tensor<4>, arithmetic: &mut impl Arithmetic) -> Tensor<2> {
    let outputs = embedder.outputs_with(images, without_dead_columns(TABLE_1), arithmetic);
    let [batch, _] = outputs.dims();
    outputs.slice([0..batch, 0..2])
}

/// What is asked of a trained network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The embedding, `EMBEDDING` numbers of length 1.
    Embedding,
    /// The two logits of the cross-entropy baseline.
    Logits,
}

/// Outputs of plain weights for some cells, one row each, computed as in training; `input` makes a
/// cell's input.
///
/// # Errors
/// When the device fails.
pub fn infer(
    weights: &Weights,
    output: Output,
    cells: &[usize],
    input: impl Fn(usize) -> Vec<f32> + Sync,
    device: &Device,
) -> Result<Vec<Vec<f32>>> {
    const BATCH: usize = 32;
    let embedder = Embedder::new(weights, false, device);
    let mut plain = Training { norms: [].iter(), statistics: None };
    let mut rows = Vec::with_capacity(cells.len());
    for cells in cells.chunks(BATCH) {
        let inputs: Vec<Vec<f32>> = cells.par_iter().map(|cell| input(*cell)).collect();
        let images = images(&inputs, device);
        let outputs = match output {
            Output::Logits => logits(&embedder, images, &mut plain),
            Output::Embedding => {
                embedder.forward_with(images, without_dead_columns(TABLE_1), &mut plain)
            }
        };
        let width = outputs.dims()[1];
        rows.extend(numbers(outputs)?.chunks(width).map(<[f32]>::to_vec));
    }
    Ok(rows)
}

/// A tensor's numbers on the host, row-major.
///
/// # Errors
/// When the device fails.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor.into_data().try_to_vec::<f32>().map_err(|e| anyhow::anyhow!("{e:?}"))
}

/// A batch of inputs as a tensor `[batch, 3, 128, 128]`.
pub fn images(inputs: &[Vec<f32>], device: &Device) -> Tensor<4> {
    use mitoscope::preprocess::{CHANNELS, SIDE};
    let data = TensorData::new(inputs.concat(), [inputs.len(), CHANNELS, SIDE, SIDE]);
    Tensor::from_data(data, device)
}

/// The trainer's convolution and, where the preset has it, batch normalisation.
struct Training<'a> {
    norms: std::slice::Iter<'a, Norm>,
    statistics: Option<&'a mut Statistics>,
}

impl Training<'_> {
    fn record<const D: usize>(&mut self, x: &Tensor<D>, norm: &Norm) {
        if let Some(statistics) = &mut self.statistics {
            let parts = batch_norm_train(x.clone(), norm.gamma.val(), norm.beta.val(), EPSILON);
            statistics.push((parts.mean, parts.variance));
        }
    }
}

impl Arithmetic for Training<'_> {
    fn convolution(&mut self, x: Tensor<4>, layer: &Convolution, geometry: Geometry) -> Tensor<4> {
        let norm = self.norms.next();
        let activation = if norm.is_some() { Activation::Identity } else { Activation::Relu };
        let x = fast_convolution(x, layer.weight.val(), layer.bias.val(), geometry, activation);
        let Some(norm) = norm else { return x };
        self.record(&x, norm);
        normalised_relu(x, norm.gamma.val(), norm.beta.val())
    }

    fn dense(&mut self, x: Tensor<2>, layer: &Dense) -> Tensor<2> {
        let x = Stock.dense(x, layer);
        let Some(norm) = self.norms.next() else { return x };
        self.record(&x, norm);
        batch_norm_train(x, norm.gamma.val(), norm.beta.val(), EPSILON).output
    }
}
