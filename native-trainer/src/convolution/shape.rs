//! Shapes of one convolution; all arrays are row-major f32.
//!
//! Invariant: `output` follows from `input` and `geometry`.

use mitoscope::embedder::Geometry;

/// The sizes every method works with; heights come before widths.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Kernel, stride and padding.
    pub geometry: Geometry,
}

impl Shape {
    /// From the shapes `[batch, in, h, w]` and `[out, in, kh, kw]`.
    pub fn new(x: [usize; 4], weight: [usize; 4], geometry: Geometry) -> Self {
        let output = [0, 1].map(|axis| {
            let span = x[2 + axis] + 2 * geometry.padding[axis] - geometry.kernel[axis];
            span / geometry.stride[axis] + 1
        });
        Self {
            batch: x[0],
            channels_in: x[1],
            channels_out: weight[0],
            input: [x[2], x[3]],
            output,
            geometry,
        }
    }

    /// Numbers of one output channel's kernel.
    pub fn depth(&self) -> usize {
        self.channels_in * self.geometry.kernel[0] * self.geometry.kernel[1]
    }

    /// Numbers of one image.
    pub fn input_size(&self) -> usize {
        self.channels_in * self.input[0] * self.input[1]
    }

    /// Numbers of one image's output.
    pub fn output_size(&self) -> usize {
        self.channels_out * self.positions()
    }

    /// Output positions of one image.
    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }
}
