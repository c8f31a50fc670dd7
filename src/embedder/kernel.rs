//! A layer's convolution as the model holds it.

use super::table::Geometry;

/// Kernel and bias with their geometry.
#[derive(Debug, Clone, Copy)]
pub struct Kernel<'a> {
    /// `[out, in, height, width]`.
    pub weight: &'a [f32],
    /// `[out]`.
    pub bias: &'a [f32],
    /// Kernel size, stride and padding.
    pub geometry: Geometry,
}

impl Kernel<'_> {
    /// Numbers of channels: in, out.
    pub fn channels(&self) -> [usize; 2] {
        let [height, width] = self.geometry.kernel;
        [self.weight.len() / (self.bias.len() * height * width), self.bias.len()]
    }

    /// The weights from one channel to another: `[height, width]`.
    pub fn taps(&self, [input, output]: [usize; 2]) -> &[f32] {
        let taps = self.geometry.kernel[0] * self.geometry.kernel[1];
        &self.weight[(output * self.channels()[0] + input) * taps..][..taps]
    }
}

/// What follows a layer's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// max(0, sum), where NaN stays NaN.
    Relu,
}
