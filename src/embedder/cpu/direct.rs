//! Convolution as one matrix product, without a transform.

use super::super::kernel::{Activation, Kernel};
use super::map::Map;
use super::product::{Inputs, Outputs, Product};
use super::vectors::Vectors;

/// A convolution with its ReLU, for any geometry.
#[derive(Debug)]
pub struct Direct {
    stride: [usize; 2],
    product: Product,
}

impl Direct {
    /// Packs a kernel; the number of outputs is a multiple of 32.
    pub fn new(vectors: Vectors, kernel: Kernel) -> Self {
        let [height, width] = kernel.geometry.kernel;
        let channels = kernel.channels()[0];
        // Depth counts kernel rows, columns and channels, as they lie in a map.
        let weight = |depth, o| kernel.taps([depth % channels, o])[depth / channels];
        let runs = [height, width * channels];
        let product = Product::new(vectors, runs, weight, kernel.bias, Activation::Relu);
        Self { stride: kernel.geometry.stride, product }
    }

    /// Convolves `x`, padded as the convolution is, into `y`.
    pub fn apply(&self, x: &Map, y: &mut Map) {
        let [down, across] = self.stride;
        let inputs = Inputs { line: down * x.pitch, column: across * x.channels, run: x.pitch };
        let outputs = Outputs { line: y.pitch, column: y.channels };
        self.product.apply(y.size, x.padded(), inputs, y.inside(), outputs);
    }
}
