//! Convolution without padding as one matrix product, without a transform, and the mean.

use cubecl::client::Client;
use cubecl::prelude::*;

use super::super::kernel::{Activation, Kernel};
use super::super::table::Geometry;
use super::buffer::Buffer;
use super::map::Map;
use super::product::{Inputs, Product};

/// A convolution with its ReLU, without padding.
#[derive(Debug)]
pub struct Runs {
    geometry: Geometry,
    outputs: usize,
    product: Product,
}

impl Runs {
    /// Packs a kernel; the number of inputs is a multiple of 4, that of outputs of 128.
    pub fn new(client: &Client, kernel: Kernel) -> Self {
        let [height, width] = kernel.geometry.kernel;
        let [channels, outputs] = kernel.channels();
        // Depth counts kernel rows, columns and channels, as they lie in a map.
        let weight = |depth, o| kernel.taps([depth % channels, o])[depth / channels];
        let runs = [height, width * channels];
        let product = Product::new(client, runs, weight, kernel.bias, Activation::Relu);
        Self { geometry: kernel.geometry, outputs, product }
    }

    /// Convolves a map whose height is a multiple of the vertical stride.
    pub fn apply(&self, client: &Client, x: &Map) -> Map {
        let [down, across] = self.geometry.stride;
        let size = self.geometry.output_size(x.size);
        let pitch = x.size[1] * x.channels;
        // Lines go on from image to image.
        let inputs = Inputs {
            columns: size[1],
            line: down * pitch,
            column: across * x.channels,
            run: pitch,
        };
        let positions = x.images * size[0] * size[1];
        let values = self.product.apply(client, positions, &x.values, inputs);
        Map { values, images: x.images, size, channels: self.outputs }
    }
}

/// Mean over the pixels: `[images, channels]`.
pub fn mean(client: &Client, x: &Map) -> Buffer {
    const UNITS: u32 = 128;
    let y = Buffer::new(client, x.images * x.channels);
    // SAFETY: the kernel checks its image.
    unsafe {
        mean_kernel::launch_unchecked(
            client,
            CubeCount::Static(y.len().div_ceil(UNITS as usize) as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            x.values.argument(1),
            y.argument(1),
            x.images,
            x.size[0] * x.size[1],
            x.channels,
        );
    }
    y
}

#[cube(launch_unchecked)]
fn mean_kernel(x: &[f32], y: &mut [f32], images: usize, pixels: usize, channels: usize) {
    let unit = ABSOLUTE_POS;
    let image = unit / channels;
    if image >= images {
        terminate!();
    }
    let mut sum = 0.0f32;
    for pixel in 0..pixels {
        sum += x[(image * pixels + pixel) * channels + unit % channels];
    }
    y[unit] = sum / f32::cast_from(pixels);
}
