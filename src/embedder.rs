//! The embedding network of Table 1: a 128 x 128 cell becomes a unit vector of 128 numbers.
//!
//! Invariant: the network runs without its dead columns ([`without_dead_columns`]); the result is
//! that of the table as printed, up to rounding.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

use crate::Error;

/// Length of an embedding.
pub const EMBEDDING: usize = 128;

/// Trainable parameters of the network.
pub const PARAMETERS: usize = 2_338_560;

/// Channels of every convolution's output.
const WIDTH: usize = 128;

/// One convolution: kernel, stride and padding as height x width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Zero padding above and below, left and right.
    pub padding: [usize; 2],
}

const fn layer(kernel: [usize; 2], stride: usize, padding: [usize; 2]) -> Geometry {
    Geometry { kernel, stride: [stride, stride], padding }
}

/// The eleven convolutions of Table 1 as printed.
pub const TABLE_1: [Geometry; 11] = [
    layer([5, 5], 1, [2, 2]),
    layer([2, 1], 2, [0, 0]),
    layer([5, 5], 1, [2, 2]),
    layer([2, 1], 2, [0, 0]),
    layer([5, 5], 1, [2, 2]),
    layer([2, 1], 2, [0, 0]),
    layer([5, 3], 1, [2, 1]),
    layer([2, 1], 2, [0, 0]),
    layer([5, 5], 1, [2, 2]),
    layer([2, 2], 2, [0, 0]),
    layer([5, 5], 1, [2, 2]),
];

/// Sizes of the dense layers, input first.
const DENSE: [usize; 5] = [WIDTH, 512, 256, 128, EMBEDDING];

/// The same function with about half the work.
///
/// A kernel one column wide with stride 2 reads only even columns, so the layer before it need
/// compute no others: it takes the horizontal stride over.
pub fn without_dead_columns(mut table: [Geometry; 11]) -> [Geometry; 11] {
    for i in 1..table.len() {
        let reader = table[i];
        if reader.kernel[1] == 1 && reader.padding[1] == 0 {
            table[i - 1].stride[1] *= reader.stride[1];
            table[i].stride[1] = 1;
        }
    }
    table
}

/// The network's numbers as plain arrays, by tensor name.
///
/// `convN.weight` is `[out, in, height, width]`, `denseN.weight` is `[out, in]`, biases `[out]`.
/// Invariant: every tensor of [`Weights::layers`] is there, of that shape and finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(BTreeMap<String, Vec<f32>>);

impl Weights {
    /// Name and shape of every tensor, in the order of Table 1.
    pub fn layers() -> impl Iterator<Item = (String, Vec<usize>)> {
        let convolutions = TABLE_1.into_iter().enumerate().flat_map(|(i, g)| {
            let channels = if i == 0 { crate::preprocess::CHANNELS } else { WIDTH };
            named("conv", i, vec![WIDTH, channels, g.kernel[0], g.kernel[1]])
        });
        let dense = DENSE.windows(2).enumerate();
        convolutions.chain(dense.flat_map(|(i, size)| named("dense", i, vec![size[1], size[0]])))
    }

    /// Takes the tensors of [`Weights::layers`], row-major.
    ///
    /// # Errors
    /// [`Error::Model`] when one is missing, unknown, of another length or not finite.
    pub fn from_tensors(tensors: BTreeMap<String, Vec<f32>>) -> Result<Self, Error> {
        for (name, shape) in Self::layers() {
            let values = tensors
                .get(&name)
                .ok_or_else(|| Error::Model(format!("the network's tensor {name} is missing")))?;
            if values.len() != shape.iter().product::<usize>() {
                return Err(Error::Model(format!(
                    "the network's tensor {name} holds {} values where its shape {shape:?} is due",
                    values.len()
                )));
            }
            if values.iter().any(|v| !v.is_finite()) {
                return Err(Error::Model(format!("the network's tensor {name} is not finite")));
            }
        }
        if let Some(extra) = tensors.keys().find(|name| !Self::layers().any(|(n, _)| n == **name)) {
            return Err(Error::Model(format!("the network has no tensor {extra}")));
        }
        Ok(Self(tensors))
    }

    /// All tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, Vec<f32>> {
        &self.0
    }

    /// The nearest weights that half precision holds, so that a half-precision file is exact.
    pub fn rounded_to_half(mut self) -> Self {
        for value in self.0.values_mut().flatten() {
            *value = half::f16::from_f32(*value).to_f32();
        }
        self
    }

    fn get(&self, name: &str) -> &[f32] {
        &self.0[name]
    }
}

fn named(kind: &str, index: usize, shape: Vec<usize>) -> [(String, Vec<usize>); 2] {
    let bias = vec![shape[0]];
    let layer = format!("{kind}{}", index + 1);
    [(format!("{layer}.weight"), shape), (format!("{layer}.bias"), bias)]
}

/// One convolution.
#[derive(Module, Debug)]
pub struct Convolution {
    /// `[out, in, height, width]`.
    pub weight: Param<Tensor<4>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
}

/// One dense layer.
#[derive(Module, Debug)]
pub struct Dense {
    /// `[out, in]`.
    pub weight: Param<Tensor<2>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
}

/// The network of Table 1 on one device.
#[derive(Module, Debug)]
pub struct Embedder {
    /// conv1 to conv11.
    pub convolutions: Vec<Convolution>,
    /// Dense-512, Dense-256, Dense-128 and the linear Dense-128.
    pub dense: Vec<Dense>,
}

/// How the layers compute.
///
/// The one seam between inference (burn's own operations, [`Stock`]) and training (the trainer's).
pub trait Arithmetic {
    /// A convolution with its ReLU: `[batch, in, height, width]` to `[batch, out, height, width]`.
    fn convolution(&mut self, x: Tensor<4>, layer: &Convolution, geometry: Geometry) -> Tensor<4>;

    /// A dense layer without its ReLU: `[batch, in]` to `[batch, out]`.
    fn dense(&mut self, x: Tensor<2>, layer: &Dense) -> Tensor<2> {
        x.matmul(layer.weight.val().transpose()) + layer.bias.val().unsqueeze()
    }
}

/// burn's own operations.
#[derive(Debug, Clone, Copy)]
pub struct Stock;

impl Arithmetic for Stock {
    fn convolution(&mut self, x: Tensor<4>, layer: &Convolution, geometry: Geometry) -> Tensor<4> {
        let Geometry { stride, padding, .. } = geometry;
        let options = ConvOptions::new(stride, padding, [1, 1], 1);
        relu(conv2d(x, layer.weight.val(), Some(layer.bias.val()), options))
    }
}

impl Embedder {
    /// Puts the weights on a device.
    ///
    /// With `equal_channels` the network takes one-channel images: conv1's kernel is summed over its
    /// input channels, which is the same function where the three channels are copies.
    pub fn new(weights: &Weights, equal_channels: bool, device: &Device) -> Self {
        let mut tensors = Weights::layers().map(|(name, shape)| {
            let values = weights.get(&name);
            if equal_channels && name == "conv1.weight" {
                let folded = [shape[0], 1, shape[2], shape[3]];
                (fold_channels(values, shape[1], shape[2] * shape[3]), folded.to_vec())
            } else {
                (values.to_vec(), shape)
            }
        });
        let mut pair = || tensors.next().zip(tensors.next());
        let mut convolutions = Vec::with_capacity(TABLE_1.len());
        let mut dense = Vec::with_capacity(DENSE.len() - 1);
        while let Some((weight, bias)) = pair() {
            let (rank, bias) = (weight.1.len(), parameter(bias, device));
            if rank == 4 {
                convolutions.push(Convolution { weight: parameter(weight, device), bias });
            } else {
                dense.push(Dense { weight: parameter(weight, device), bias });
            }
        }
        Self { convolutions, dense }
    }

    /// Embeds images.
    ///
    /// # Shapes
    /// - `images`: `[batch, 3, 128, 128]` (`[batch, 1, 128, 128]` when folded)
    /// - output: `[batch, 128]`, rows of length 1
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward_with(images, without_dead_columns(TABLE_1), &mut Stock)
    }

    /// [`Embedder::forward`] with another form of the table and other arithmetic.
    pub fn forward_with(
        &self,
        images: Tensor<4>,
        table: [Geometry; 11],
        arithmetic: &mut impl Arithmetic,
    ) -> Tensor<2> {
        let x = self.outputs_with(images, table, arithmetic);
        let length = x.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
        x / length
    }

    /// The last layer's outputs, not yet scaled to length 1.
    ///
    /// # Shapes
    /// As [`Embedder::forward`].
    pub fn outputs_with(
        &self,
        images: Tensor<4>,
        table: [Geometry; 11],
        arithmetic: &mut impl Arithmetic,
    ) -> Tensor<2> {
        let mut x = images;
        for (layer, geometry) in self.convolutions.iter().zip(table) {
            x = arithmetic.convolution(x, layer, geometry);
        }
        let [batch, channels, height, width] = x.dims();
        let pooled = x.reshape([batch, channels, height * width]).mean_dim(2);
        let mut x = pooled.reshape([batch, channels]);
        for (i, layer) in self.dense.iter().enumerate() {
            x = arithmetic.dense(x, layer);
            if i + 1 < self.dense.len() {
                x = relu(x);
            }
        }
        x
    }
}

fn parameter<const D: usize>(
    (values, shape): (Vec<f32>, Vec<usize>),
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

fn fold_channels(values: &[f32], channels: usize, taps: usize) -> Vec<f32> {
    values
        .chunks(channels * taps)
        .flat_map(|kernel| {
            (0..taps).map(move |tap| kernel[tap..].iter().step_by(taps).sum::<f32>())
        })
        .collect()
}
