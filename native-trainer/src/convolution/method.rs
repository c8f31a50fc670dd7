//! The choice between the two methods of convolution.
//!
//! Invariant: both compute the same function up to rounding, and neither's result depends on the
//! number of threads.

use super::activation::Activation;
use super::columns::Columns;
use super::shape::Shape;
use super::winograd::Winograd;
use mitoscope::embedder::Geometry;

/// Input channels from which Winograd's fewer multiplications outweigh its additions.
const MANY_CHANNELS: usize = 16;

/// One convolution and its gradients; all arrays are row-major f32.
pub struct Convolution {
    shape: Shape,
    method: Method,
}

enum Method {
    Columns(Columns),
    Winograd(Winograd),
}

impl Convolution {
    /// From the shapes `[batch, in, h, w]` and `[out, in, kh, kw]`.
    pub fn new(x: [usize; 4], weight: [usize; 4], geometry: Geometry) -> Self {
        let shape = Shape::new(x, weight, geometry);
        let method = match Winograd::new(shape) {
            Some(winograd) if shape.channels_in >= MANY_CHANNELS => Method::Winograd(winograd),
            _ => Method::Columns(Columns::new(shape)),
        };
        Self { shape, method }
    }

    /// `[batch, out, h, w]` of the result.
    pub fn output_shape(&self) -> [usize; 4] {
        let Shape { batch, channels_out, output: [height, width], .. } = self.shape;
        [batch, channels_out, height, width]
    }

    /// The convolution plus bias, activated.
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> Vec<f32> {
        match &self.method {
            Method::Columns(method) => method.forward(x, weight, bias, activation),
            Method::Winograd(method) => method.forward(x, weight, bias, activation),
        }
    }

    /// The loss's gradient by the input, from its gradient by the output.
    pub fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        match &self.method {
            Method::Columns(method) => method.input_gradient(weight, gradient),
            Method::Winograd(method) => method.input_gradient(weight, gradient),
        }
    }

    /// The loss's gradient by the weights, from its gradient by the output.
    pub fn weight_gradient(&self, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        match &self.method {
            Method::Columns(method) => method.weight_gradient(x, gradient),
            Method::Winograd(method) => method.weight_gradient(x, gradient),
        }
    }
}
