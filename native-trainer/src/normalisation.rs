//! Batch normalisation and ReLU as one operation, in training.
//!
//! As separate operations of burn-flex they make a dozen passes over maps of hundreds of megabytes, and
//! cost as much as the convolutions; fused they make two.

mod planes;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use crate::convolution::tensor;
use planes::Planes;

/// Added to a variance before its root is taken.
pub const EPSILON: f64 = 1e-5;

/// `max(gamma · (x − mean) / √(variance + ε) + beta, 0)` with the batch's mean and variance per channel.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`; `gamma`, `beta`: `[channels]`
pub fn normalised_relu(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::normalised_relu(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
    ))
}

#[backend_extension(Flex, Cube, Autodiff)]
trait Normalise: Backend {
    fn normalised_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::relu(Self::batch_norm_train(x, gamma, beta, EPSILON).output)
    }

    /// Gradients by `x`, `gamma` and `beta`.
    fn normalised_relu_gradients(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let forward = Self::batch_norm_train(x.clone(), gamma.clone(), beta, EPSILON);
        let gradient = Self::relu_backward(forward.output, gradient);
        let back = Self::batch_norm_train_backward(
            x,
            gamma,
            forward.mean,
            forward.variance,
            EPSILON,
            gradient,
        );
        (back.x_grad, back.gamma_grad, back.beta_grad)
    }
}

impl Normalise for Cube {}

impl Normalise for Flex {
    fn normalised_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [x, gamma, beta] = [x, gamma, beta].map(|t| t.to_contiguous());
        let output =
            Planes::new(x.shape().dims()).forward(x.storage(), gamma.storage(), beta.storage());
        tensor(output, x.shape())
    }

    fn normalised_relu_gradients(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [x, gamma, beta, gradient] = [x, gamma, beta, gradient].map(|t| t.to_contiguous());
        let (by_x, by_gamma, by_beta) = Planes::new(x.shape().dims()).gradients(
            x.storage(),
            gamma.storage(),
            beta.storage(),
            gradient.storage(),
        );
        let channels = [by_gamma.len()];
        (tensor(by_x, x.shape()), tensor(by_gamma, channels), tensor(by_beta, channels))
    }
}

impl<B: Normalise, C: CheckpointStrategy> Normalise for Autodiff<B, C> {
    fn normalised_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let parents = [x.node(), gamma.node(), beta.node()];
        let run = || {
            let [x, gamma, beta] = [&x, &gamma, &beta].map(|t| t.primitive().clone());
            B::normalised_relu(x, gamma, beta)
        };
        match NormaliseBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&x), prep.checkpoint(&gamma), prep.checkpoint(&beta)];
                prep.finish(saved, run())
            }
            OpsKind::UnTracked(prep) => prep.finish(run()),
        }
    }
}

#[derive(Debug)]
struct NormaliseBackward;

impl<B: Normalise> Backward<B, 3> for NormaliseBackward {
    type State = [NodeId; 3];

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let [x, gamma, beta] =
            ops.state.map(|id| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(id));
        let (by_x, by_gamma, by_beta) = B::normalised_relu_gradients(x, gamma, beta, gradient);
        for (node, gradient) in ops.parents.into_iter().zip([by_x, by_gamma, by_beta]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}
