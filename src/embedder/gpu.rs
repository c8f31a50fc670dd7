//! The network of Table 1 on a GPU, for inference: our own kernels, in CubeCL's Rust, so that one source
//! serves WebGPU and the native graphics APIs.
//!
//! As on the CPU, dead columns are left out, the 5-row convolutions are computed by Winograd's minimal
//! filtering, and everything that depends on the weights alone is computed once and stays on the GPU.
//!
//! Invariant: a batch costs one transfer there and one back for each group of images, and waits once.

mod buffer;
mod columns;
mod map;
mod product;
mod runs;
mod tiles;

use cubecl::Device;
use cubecl::client::Client;

use self::buffer::Buffer;
use self::columns::Columns;
use self::map::Map;
use self::product::{Inputs, Product};
use self::runs::{Runs, mean};
use self::tiles::Tiles;
use super::filter;
use super::kernel::{Activation, Kernel};
use super::points;
use super::table::{DENSE, EMBEDDING, TABLE_1, WIDTH, without_dead_columns};
use super::weights::Weights;
use crate::Error;
use crate::preprocess::{CHANNELS, SIDE};

/// Most images that go through the network together: they keep a GPU busy with 20 MB of memory each.
const GROUP: usize = 8;

/// The network with its weights on a GPU.
pub struct GpuEmbedder {
    client: Client,
    /// Channels of an image.
    channels: usize,
    first: Columns,
    convolutions: Vec<Convolution>,
    dense: Vec<(usize, Product)>,
    /// Images that go through the network together.
    group: usize,
}

/// The ways to compute a convolution with its ReLU.
#[derive(Debug)]
enum Convolution {
    Runs(Runs),
    Tiles(Tiles),
}

impl Convolution {
    fn new(client: &Client, kernel: Kernel) -> Self {
        if kernel.geometry.kernel[0] == points::HEIGHT {
            Self::Tiles(Tiles::new(client, kernel))
        } else {
            Self::Runs(Runs::new(client, kernel))
        }
    }

    fn apply(&self, client: &Client, x: &Map) -> Map {
        match self {
            Self::Runs(runs) => runs.apply(client, x),
            Self::Tiles(tiles) => tiles.apply(client, x),
        }
    }
}

impl GpuEmbedder {
    /// Transforms the weights and puts them on the GPU.
    ///
    /// With `equal_channels` only an image's first channel is read: conv1's kernel is summed over its
    /// input channels, which is the same function where the three channels are copies.
    pub fn new(weights: &Weights, equal_channels: bool, device: &Device) -> Self {
        let client = device.client();
        let tensor = |kind, i, part| weights.get(&format!("{kind}{}.{part}", i + 1));
        let table = without_dead_columns(TABLE_1);
        let kernel = |i: usize| {
            let (weight, bias) = (tensor("conv", i, "weight"), tensor("conv", i, "bias"));
            Kernel { weight, bias, geometry: table[i] }
        };
        let folded = if equal_channels { Some(weights.folded_first_kernel()) } else { None };
        let first = match &folded {
            Some(folded) => Columns::new(&client, Kernel { weight: folded, ..kernel(0) }),
            None => Columns::new(&client, kernel(0)),
        };
        let convolutions = (1..table.len()).map(|i| Convolution::new(&client, kernel(i))).collect();
        let dense = DENSE.windows(2).enumerate().map(|(i, sizes)| {
            let weight = tensor("dense", i, "weight");
            let last = i + 2 == DENSE.len();
            let activation = if last { Activation::Linear } else { Activation::Relu };
            let weight = |depth, o| weight[o * sizes[0] + depth];
            let bias = tensor("dense", i, "bias");
            (sizes[0], Product::new(&client, [1, sizes[0]], weight, bias, activation))
        });
        let dense = dense.collect();
        let largest = client.properties().memory.max_page_size / size_of::<f32>() as u64;
        let group = (largest as usize / largest_buffer()).clamp(1, GROUP);
        let channels = if equal_channels { 1 } else { CHANNELS };
        Self { client, channels, first, convolutions, dense, group }
    }

    /// Embeds images.
    ///
    /// # Shapes
    /// - `images`: each `[channels, 128, 128]`, one channel or more with equal channels, else three; a
    ///   shorter one panics
    /// - output: `[128]` each, of length 1; one that is not finite came from numbers that are not
    ///
    /// # Errors
    /// [`Error::Device`] when the GPU fails.
    pub async fn embed(&self, images: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, Error> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let outputs = images.chunks(self.group).map(|group| self.forward(group).into_handle());
        let bytes = self.client.read_async(outputs.collect()).await.map_err(|error| {
            // Below the first line it tells where in CubeCL it arose.
            let words = error.to_string();
            let reason = words.lines().next().unwrap_or_default();
            Error::Device(format!("the GPU gave no result: {reason}"))
        })?;
        let outputs =
            bytes.iter().flat_map(|group| group.chunks_exact(EMBEDDING * size_of::<f32>()));
        Ok(outputs.map(unit).collect())
    }

    /// Has the GPU's driver compile every kernel, which takes longer than embedding an image.
    ///
    /// # Errors
    /// [`Error::Device`] when the GPU fails.
    pub async fn warm_up(&self) -> Result<(), Error> {
        self.embed(&[vec![0.0; self.channels * SIDE * SIDE]]).await.map(|_| ())
    }

    /// The last layer's outputs: `[images, 128]`.
    fn forward(&self, images: &[Vec<f32>]) -> Buffer {
        let client = &self.client;
        let planes = images.iter().map(|image| &image[..self.channels * SIDE * SIDE]);
        let images = Buffer::from(client, &planes.collect::<Vec<_>>().concat());
        let mut map = self.first.apply(client, &images, [SIDE; 2]);
        for convolution in &self.convolutions {
            map = convolution.apply(client, &map);
        }
        let mut x = mean(client, &map);
        for (inputs, product) in &self.dense {
            let column = Inputs { columns: map.images, line: 0, column: *inputs, run: 0 };
            x = product.apply(client, map.images, &x, column);
        }
        x
    }
}

/// Numbers of the largest buffer for one image: a layer's output or its inputs at all points.
fn largest_buffer() -> usize {
    let mut input = [SIDE; 2];
    let layers = without_dead_columns(TABLE_1).map(|geometry| {
        let size = geometry.output_size(input);
        input = size;
        if geometry.kernel[0] < points::HEIGHT {
            return size[0] * size[1] * WIDTH;
        }
        let taps = points::phases(geometry.kernel[1], geometry.stride[1]);
        let points = points::DOWN * filter::points(taps[0]) * taps.len();
        let tiles = size[0] * size[1] / (filter::TILE * filter::TILE);
        tiles * points * WIDTH
    });
    layers.into_iter().fold(0, usize::max)
}

/// An embedding scaled to length 1, from its bytes.
fn unit(bytes: &[u8]) -> Vec<f32> {
    let numbers = bytes.chunks_exact(size_of::<f32>());
    let numbers = numbers.map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
    let mut values: Vec<f32> = numbers.collect();
    let length = values.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
    values.iter_mut().for_each(|v| *v /= length);
    values
}

#[cfg(test)]
mod tests;
