//! The network in burn: on any device, and in training.
//!
//! Invariant: the result is that of Table 1 as printed, up to rounding, without its dead columns.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

use super::table::{DENSE, Geometry, TABLE_1, without_dead_columns};
use super::weights::Weights;

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
                (weights.folded_first_kernel(), vec![shape[0], 1, shape[2], shape[3]])
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
        unit_rows(self.outputs_with(images, table, arithmetic))
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

/// Rows scaled to length 1.
pub fn unit_rows(x: Tensor<2>) -> Tensor<2> {
    let length = x.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    x / length
}

fn parameter<const D: usize>(
    (values, shape): (Vec<f32>, Vec<usize>),
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}
