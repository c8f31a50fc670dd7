//! The network of Table 1 on the CPU, natively and in a browser, with vector instructions.
//!
//! Dead columns are left out, the 5-row convolutions are computed by Winograd's minimal filtering, and
//! everything that depends on the weights alone is computed once.
//!
//! Invariant: [`CpuEmbedder`] never changes, so threads share one; each embeds in its own [`Arena`],
//! where an image allocates nothing.

mod direct;
mod map;
mod product;
mod rows;
mod tiles;
mod transform;
mod vectors;

use std::array::from_fn;
use std::mem::swap;

use self::direct::Direct;
use self::map::{Buffer, Map, Scratch};
use self::product::{Inputs, Outputs, Product};
use self::rows::Rows;
use self::tiles::Tiles;
use self::vectors::Vectors;
use super::kernel::{Activation, Kernel};
use super::table::{DENSE, EMBEDDING, Geometry, TABLE_1, WIDTH, without_dead_columns};
use super::weights::Weights;
use crate::preprocess::{CHANNELS, SIDE};

/// The network with its weights packed for this machine.
#[derive(Debug)]
pub struct CpuEmbedder {
    /// Channels of an image.
    channels: usize,
    convolutions: Vec<(Geometry, Convolution)>,
    dense: Vec<Product>,
}

/// The memory that one image at a time is embedded in.
#[derive(Debug)]
pub struct Arena {
    /// The image, then the output of each convolution.
    maps: Vec<Map>,
    scratch: Scratch,
    /// Input and output of a dense layer.
    dense: [Buffer; 2],
}

/// Pixels of the smallest output that is computed in tiles.
const LEAST_PIXELS: usize = 256;

/// The ways to compute a convolution with its ReLU.
#[derive(Debug)]
enum Convolution {
    Direct(Direct),
    Rows(Rows),
    Tiles(Tiles),
}

impl Convolution {
    /// Packs a kernel in the way that is fastest for an output of this height and width.
    ///
    /// Transforms across the rows do not pay for few channels, nor for few tiles: they more than double
    /// the weights, which few tiles do not keep busy.
    fn new(vectors: Vectors, kernel: Kernel, [height, width]: [usize; 2]) -> Self {
        if kernel.geometry.stride[0] > 1 {
            Self::Direct(Direct::new(vectors, kernel))
        } else if kernel.channels()[0] < WIDTH || height * width < LEAST_PIXELS {
            Self::Rows(Rows::new(vectors, kernel))
        } else {
            Self::Tiles(Tiles::new(vectors, kernel))
        }
    }

    /// Sizes of the [`Scratch`] memory.
    fn scratch(&self, x: &Map, y: &Map) -> [usize; 4] {
        match self {
            Self::Direct(_) => [0; 4],
            Self::Rows(rows) => rows.scratch(x, y),
            Self::Tiles(tiles) => tiles.scratch(x, y),
        }
    }

    fn apply(&self, x: &Map, y: &mut Map, scratch: &mut Scratch) {
        match self {
            Self::Direct(direct) => direct.apply(x, y),
            Self::Rows(rows) => rows.apply(x, y, scratch),
            Self::Tiles(tiles) => tiles.apply(x, y, scratch),
        }
    }
}

impl CpuEmbedder {
    /// Packs and transforms the weights.
    ///
    /// With `equal_channels` only an image's first channel is read: conv1's kernel is summed over its
    /// input channels, which is the same function where the three channels are copies.
    pub fn new(weights: &Weights, equal_channels: bool) -> Self {
        Self::with_vectors(weights, equal_channels, Vectors::new())
    }

    fn with_vectors(weights: &Weights, equal_channels: bool, vectors: Vectors) -> Self {
        let tensor = |kind, i, part| weights.get(&format!("{kind}{}.{part}", i + 1));
        let folded = if equal_channels { Some(weights.folded_first_kernel()) } else { None };
        let table = without_dead_columns(TABLE_1).into_iter().enumerate();
        let mut size = [SIDE; 2];
        let convolutions = table.map(|(i, geometry)| {
            let weight = match &folded {
                Some(folded) if i == 0 => folded,
                _ => tensor("conv", i, "weight"),
            };
            let kernel = Kernel { weight, bias: tensor("conv", i, "bias"), geometry };
            size = geometry.output_size(size);
            (geometry, Convolution::new(vectors, kernel, size))
        });
        let dense = DENSE.windows(2).enumerate().map(|(i, sizes)| {
            let weight = tensor("dense", i, "weight");
            let last = i + 2 == DENSE.len();
            let activation = if last { Activation::Linear } else { Activation::Relu };
            let weight = |depth, o| weight[o * sizes[0] + depth];
            Product::new(vectors, [1, sizes[0]], weight, tensor("dense", i, "bias"), activation)
        });
        let channels = if equal_channels { 1 } else { CHANNELS };
        Self { channels, convolutions: convolutions.collect(), dense: dense.collect() }
    }

    /// Memory for [`CpuEmbedder::embed`].
    pub fn arena(&self) -> Arena {
        let mut maps = Vec::with_capacity(self.convolutions.len() + 1);
        let (mut size, mut channels) = ([SIDE; 2], self.channels);
        for (geometry, _) in &self.convolutions {
            maps.push(Map::new(size, channels, geometry.padding));
            (size, channels) = (geometry.output_size(size), WIDTH);
        }
        maps.push(Map::new(size, channels, [0, 0]));
        let mut scratch = [0; 4];
        for ((_, convolution), maps) in self.convolutions.iter().zip(maps.windows(2)) {
            let needed = convolution.scratch(&maps[0], &maps[1]);
            scratch = from_fn(|i| needed[i].max(scratch[i]));
        }
        let widest = DENSE.into_iter().fold(0, usize::max);
        let dense = from_fn(|_| Buffer::new(widest));
        Arena { maps, scratch: Scratch::new(scratch), dense }
    }

    /// Embeds one image; an embedding that is not finite came from numbers that are not.
    ///
    /// # Shapes
    /// - `image`: `[channels, 128, 128]`, one channel or more with equal channels, else three; a
    ///   shorter one panics
    /// - output: `[128]`, of length 1
    pub fn embed(&self, image: &[f32], arena: &mut Arena) -> [f32; EMBEDDING] {
        let Arena { maps, scratch, dense: [x, y] } = arena;
        self.read(image, &mut maps[0]);
        for (i, (_, convolution)) in self.convolutions.iter().enumerate() {
            let (before, after) = maps.split_at_mut(i + 1);
            convolution.apply(&before[i], &mut after[0], scratch);
        }
        mean(&maps[self.convolutions.len()], x);
        for product in &self.dense {
            let inputs = Inputs { line: 0, column: 0, run: 0 };
            product.apply([1, 1], x, inputs, y, Outputs { line: 0, column: 0 });
            swap(x, y);
        }
        let length = x[..EMBEDDING].iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
        from_fn(|i| x[i] / length)
    }

    /// Brings the channels of an image together.
    fn read(&self, image: &[f32], map: &mut Map) {
        let (channels, pitch) = (map.channels, map.pitch);
        let inside = map.inside();
        for channel in 0..channels {
            let plane = &image[channel * SIDE * SIDE..][..SIDE * SIDE];
            for (row, values) in plane.chunks_exact(SIDE).enumerate() {
                let pixels = inside[row * pitch + channel..].iter_mut().step_by(channels);
                pixels.zip(values).for_each(|(pixel, value)| *pixel = *value);
            }
        }
    }
}

/// Mean over the pixels of a map without padding.
fn mean(map: &Map, result: &mut [f32]) {
    let [height, width] = map.size;
    let result = &mut result[..map.channels];
    result.fill(0.0);
    for row in map.padded().chunks(map.pitch).take(height) {
        for pixel in row.chunks_exact(map.channels).take(width) {
            result.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
    }
    result.iter_mut().for_each(|sum| *sum /= (height * width) as f32);
}

#[cfg(test)]
mod tests;
