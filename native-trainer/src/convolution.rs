//! The convolution the network trains with: Winograd's filtering or image to columns, both with matrix
//! products, on the CPU; burn's own on a GPU.
//!
//! burn-flex's backward convolution is generic and several times slower than this network allows, so
//! the operation is added to burn as a backend extension with its own backward pass.

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

use method::Convolution;

/// `[batch, in, h, w]` convolved with `[out, in, kh, kw]` plus bias, with a fast backward pass.
pub fn fast_convolution(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    geometry: Geometry,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::convolve(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        geometry,
    ))
}

#[backend_extension(Flex, Cube, Autodiff)]
trait Convolve: Backend {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        Self::conv2d(x, weight, Some(bias), options(geometry))
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
    ) -> FloatTensor<Self> {
        let shape = Convolution::new(x.shape().dims(), weight.shape().dims(), geometry);
        let output =
            shape.forward(values(&x).storage(), values(&weight).storage(), values(&bias).storage());
        tensor(output, shape.output_shape())
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
}

impl<B: Convolve, C: CheckpointStrategy> Convolve for Autodiff<B, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let parents = [x.node(), weight.node(), bias.node()];
        let run = || {
            let [x, weight, bias] = [&x, &weight, &bias].map(|t| t.primitive().clone());
            B::convolve(x, weight, bias, geometry)
        };
        match ConvolveBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&x), prep.checkpoint(&weight), prep.checkpoint(&bias)];
                prep.finish((saved, geometry), run())
            }
            OpsKind::UnTracked(prep) => prep.finish(run()),
        }
    }
}

#[derive(Debug)]
struct ConvolveBackward;

impl<B: Convolve> Backward<B, 3> for ConvolveBackward {
    type State = ([NodeId; 3], Geometry);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let (saved, geometry) = ops.state;
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
            grads.register::<B>(node.id, B::conv2d_bias_backward(x, bias, gradient));
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
