//! The first convolution: a row of numbers for each position, then one product. An image has too few
//! channels for the transforms of the others to pay.

use cubecl::client::Client;
use cubecl::prelude::*;

use super::super::kernel::{Activation, Kernel};
use super::super::table::Geometry;
use super::buffer::Buffer;
use super::map::Map;
use super::product::{Inputs, Product};

/// Units of a cube.
const UNITS: u32 = 128;

/// A convolution with its ReLU for images whose channels are planes.
#[derive(Debug)]
pub struct Columns {
    geometry: Geometry,
    /// Channels: in, out.
    channels: [usize; 2],
    /// Numbers of a position: a kernel's taps, filled up to a multiple of 4.
    depth: usize,
    product: Product,
}

impl Columns {
    /// Packs a kernel; the number of outputs is a multiple of 128.
    pub fn new(client: &Client, kernel: Kernel) -> Self {
        let [channels, out] = kernel.channels();
        let taps = kernel.geometry.kernel[0] * kernel.geometry.kernel[1];
        let depth = (channels * taps).next_multiple_of(4);
        let weight = |d: usize, o| {
            if d < channels * taps { kernel.taps([d / taps, o])[d % taps] } else { 0.0 }
        };
        let product = Product::new(client, [1, depth], weight, kernel.bias, Activation::Relu);
        Self { geometry: kernel.geometry, channels: [channels, out], depth, product }
    }

    /// Convolves `[images, channels, height, width]`.
    pub fn apply(&self, client: &Client, x: &Buffer, [height, width]: [usize; 2]) -> Map {
        let Self { geometry, channels: [channels, out], depth, ref product } = *self;
        let images = x.len() / (channels * height * width);
        let size = geometry.output_size([height, width]);
        let positions = images * size[0] * size[1];
        let columns = Buffer::new(client, positions * depth);
        // SAFETY: the kernel checks its position and the images' edges.
        unsafe {
            to_columns::launch_unchecked(
                client,
                CubeCount::Static(columns.len().div_ceil(UNITS as usize) as u32, 1, 1),
                CubeDim::new_1d(UNITS),
                x.argument(1),
                columns.argument(1),
                images,
                ImageLaunch::new(channels, height, width),
                size[0],
                size[1],
                depth,
                geometry,
            );
        }
        let inputs = Inputs { columns: positions, line: 0, column: depth, run: 0 };
        let values = product.apply(client, positions, &columns, inputs);
        Map { values, images, size, channels: out }
    }
}

/// Planes of an image and their size.
#[derive(CubeLaunch, CubeType)]
struct Image {
    channels: usize,
    height: usize,
    width: usize,
}

/// What each position reads: `[images, height, width, depth]`, a unit for each number.
#[cube(launch_unchecked)]
fn to_columns(
    x: &[f32],
    columns: &mut [f32],
    images: usize,
    image: Image,
    height: usize,
    width: usize,
    depth: usize,
    #[comptime] geometry: Geometry,
) {
    let unit = ABSOLUTE_POS;
    let d = unit % depth;
    let position = unit / depth;
    if position >= images * height * width {
        terminate!();
    }
    let [tall, wide] = comptime!(geometry.kernel);
    let [down, across] = comptime!(geometry.stride);
    let [above, left] = comptime!(geometry.padding);
    let channel = d / comptime!(tall * wide);
    let row = position / width % height * down + d / wide % tall;
    let column = position % width * across + d % wide;
    let within = channel < image.channels
        && row >= above
        && row < image.height + above
        && column >= left
        && column < image.width + left;
    let plane = position / (height * width) * image.channels + channel;
    let at = (plane * image.height + row - above) * image.width + column - left;
    let value = x[select(within, at, 0)];
    columns[unit] = select(within, value, 0.0);
}
