//! The convolution the network trains with, and the ReLU that may follow it: Winograd's filtering or
//! image to columns, both with matrix products, on the CPU; burn's own on a GPU.
//!
//! burn-flex's backward convolution is generic and several times slower than this network allows, and
//! its element-wise operations run on one thread, so both are added to burn as one backend extension
//! with its own backward pass.

mod activation;
mod columns;
mod lines;
mod matrix;
mod method;
mod shape;
mod transform;
mod winograd;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Shape, Tensor, TensorData};
use mitoscope::embedder::Geometry;

pub use activation::Activation;
use method::Convolution;

/// `[batch, in, h, w]` convolved with `[out, in, kh, kw]`, plus bias, activated; with a fast backward
/// pass.
pub fn fast_convolution(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    geometry: Geometry,
    activation: Activation,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::convolve(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        geometry,
        activation,
    ))
}

#[backend_extension(Flex, Cube, Autodiff)]
trait Convolve: Backend {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let output = Self::conv2d(x, weight, Some(bias), options(geometry));
        match activation {
            Activation::Identity => output,
            Activation::Relu => Self::relu(output),
        }
    }

    /// The gradient before the ReLU, from its output and the gradient after it.
    fn rectify_gradient(
        output: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::relu_backward(output, gradient)
    }

    fn convolve_input_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        Self::conv2d_x_backward(x, weight, gradient, options(geometry))
    }

    fn convolve_weight_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(x, weight, gradient, options(geometry))
    }

    fn convolve_bias_gradient(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::conv2d_bias_backward(x, bias, gradient)
    }
}

fn options(geometry: Geometry) -> ConvOptions<2> {
    ConvOptions::new(geometry.stride, geometry.padding, [1, 1], 1)
}

impl Convolve for Cube {}

impl Convolve for Flex {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let shape = Convolution::new(x.shape().dims(), weight.shape().dims(), geometry);
        let [x, weight, bias] = [x, weight, bias].map(|t| values(&t));
        let output = shape.forward(x.storage(), weight.storage(), bias.storage(), activation);
        tensor(output, shape.output_shape())
    }

    fn rectify_gradient(
        output: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let mut gradient = values(&gradient);
        activation::rectify_gradient(values(&output).storage(), gradient.storage_mut());
        gradient
    }

    fn convolve_input_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let shape = Convolution::new(x.shape().dims(), weight.shape().dims(), geometry);
        let dims = x.shape();
        tensor(shape.input_gradient(values(&weight).storage(), values(&gradient).storage()), dims)
    }

    fn convolve_weight_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let shape = Convolution::new(x.shape().dims(), weight.shape().dims(), geometry);
        let dims = weight.shape();
        tensor(shape.weight_gradient(values(&x).storage(), values(&gradient).storage()), dims)
    }

    fn convolve_bias_gradient(
        _: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [_, channels, height, width] = gradient.shape().dims();
        let sums = activation::sums(values(&gradient).storage(), channels, height * width);
        tensor(sums, bias.shape())
    }
}

impl<B: Convolve, C: CheckpointStrategy> Convolve for Autodiff<B, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let parents = [x.node(), weight.node(), bias.node()];
        let run = || {
            let [x, weight, bias] = [&x, &weight, &bias].map(|t| t.primitive().clone());
            B::convolve(x, weight, bias, geometry, activation)
        };
        match ConvolveBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&x), prep.checkpoint(&weight), prep.checkpoint(&bias)];
                let output = run();
                let rectified = (activation == Activation::Relu).then(|| output.clone());
                prep.finish((saved, geometry, rectified), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(run()),
        }
    }
}

#[derive(Debug)]
struct ConvolveBackward;

impl<B: Convolve> Backward<B, 3> for ConvolveBackward {
    /// Nodes of input, weight and bias; the output where a ReLU made it.
    type State = ([NodeId; 3], Geometry, Option<FloatTensor<B>>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let mut gradient = grads.consume::<B>(&ops.node);
        let (saved, geometry, rectified) = ops.state;
        if let Some(output) = rectified {
            gradient = B::rectify_gradient(output, gradient);
        }
        let [x, weight, bias] =
            saved.map(|id| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(id));
        if let Some(node) = x_node {
            let input =
                B::convolve_input_gradient(x.clone(), weight.clone(), gradient.clone(), geometry);
            grads.register::<B>(node.id, input);
        }
        if let Some(node) = weight_node {
            let kernel = B::convolve_weight_gradient(x.clone(), weight, gradient.clone(), geometry);
            grads.register::<B>(node.id, kernel);
        }
        if let Some(node) = bias_node {
            grads.register::<B>(node.id, B::convolve_bias_gradient(x, bias, gradient));
        }
    }
}

/// The tensor with its numbers in row-major order; free where they already are.
fn values(tensor: &FloatTensor<Flex>) -> FloatTensor<Flex> {
    tensor.to_contiguous()
}

/// A flex tensor of numbers in row-major order.
pub(crate) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FloatTensor<Flex> {
    FloatTensor::<Flex>::from_data(TensorData::new(values, shape))
}

#[cfg(test)]
mod tests;
