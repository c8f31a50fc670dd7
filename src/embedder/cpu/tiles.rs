//! Convolution with 5-row kernels by minimal filtering in both directions, tile by tile.
//!
//! The weights are those of [`points`](super::super::points), where the algebra is.

use pulp::{Simd, WithSimd};

use super::super::filter::{self, TILE};
use super::super::kernel::{Activation, Kernel};
use super::super::points::{DOWN, phases, transform};
use super::map::{Map, Scratch, apart};
use super::product::{Inputs, Outputs, Product};
use super::transform::{Lines, from_points, to_points};
use super::vectors::Vectors;

/// Tiles of a block, unless a row of tiles is longer: about as many as the caches hold.
const BLOCK: usize = 64;

/// A convolution with its ReLU, with a vertical stride of 1.
#[derive(Debug)]
pub struct Tiles {
    vectors: Vectors,
    /// Horizontal stride.
    stride: usize,
    /// Channels: in, out.
    channels: [usize; 2],
    /// Taps of each phase, not increasing.
    taps: Vec<usize>,
    /// Of each vertical and horizontal point: `[phases, in]` to `[out]`.
    products: Vec<Product>,
}

/// How an output is divided, and distances in the scratch memory in numbers.
struct Layout {
    /// Tiles side by side.
    across: usize,
    /// Rows of tiles in a block.
    down: usize,
    /// A padded input row.
    row: usize,
    /// A point's `[tiles, phases, in]`.
    inputs: usize,
    /// A point's `[tiles, out]`.
    products: usize,
}

impl Tiles {
    /// Transforms a kernel of height 5; both numbers of channels are multiples of 32.
    pub fn new(vectors: Vectors, kernel: Kernel) -> Self {
        let [channels, out] = kernel.channels();
        let [width, stride] = [kernel.geometry.kernel[1], kernel.geometry.stride[1]];
        let taps = phases(width, stride);
        let mut products = Vec::with_capacity(DOWN * filter::points(taps[0]));
        transform(kernel, |phases, weight, bias| {
            let runs = [1, phases * channels];
            products.push(Product::new(vectors, runs, weight, bias, Activation::Linear));
        });
        Self { vectors, stride, channels: [channels, out], taps, products }
    }

    /// Horizontal points.
    fn points(&self) -> usize {
        self.products.len() / DOWN
    }

    fn layout(&self, x: &Map, y: &Map) -> Layout {
        let [channels, out] = self.channels;
        let across = y.size[1] / TILE;
        let down = (BLOCK / across).clamp(1, y.size[0] / TILE);
        let [inputs, products] =
            [self.taps.len() * channels, out].map(|n| apart(across * down * n));
        Layout { across, down, row: x.pitch, inputs, products }
    }

    /// Sizes of the [`Scratch`] memory.
    pub fn scratch(&self, x: &Map, y: &Map) -> [usize; 4] {
        let Layout { row, inputs, products, .. } = self.layout(x, y);
        let points = self.products.len();
        [DOWN * row, points * inputs, points * products, DOWN * TILE * self.channels[1]]
    }

    /// Convolves `x`, padded as the convolution is, into `y`, whose height and width are multiples of 4.
    pub fn apply(&self, x: &Map, y: &mut Map, scratch: &mut Scratch) {
        let layout = &self.layout(x, y);
        let [channels, out] = self.channels;
        let rows = y.size[0] / TILE;
        let pitch = y.pitch;
        let inputs = Inputs { line: 0, column: self.taps.len() * channels, run: 0 };
        let outputs = Outputs { line: 0, column: out };
        for first in (0..rows).step_by(layout.down) {
            let block = layout.down.min(rows - first);
            for row in 0..block {
                let x =
                    Lines { values: &x.padded()[(first + row) * TILE * x.pitch..], pitch: x.pitch };
                self.vectors.dispatch(Gather { tiles: self, layout, row, x, scratch });
            }
            let planes = scratch.inputs.chunks_exact(layout.inputs);
            let results = scratch.products.chunks_exact_mut(layout.products);
            for ((product, x), y) in self.products.iter().zip(planes).zip(results) {
                product.apply([1, block * layout.across], x, inputs, y, outputs);
            }
            for row in 0..block {
                let y = Lines { values: &mut y.inside()[(first + row) * TILE * pitch..], pitch };
                self.vectors.dispatch(Scatter { tiles: self, layout, row, y, scratch });
            }
        }
    }
}

/// A row of tiles from the input to its points.
struct Gather<'a> {
    tiles: &'a Tiles,
    layout: &'a Layout,
    /// Index in the block.
    row: usize,
    /// Padded rows.
    x: Lines<&'a [f32]>,
    scratch: &'a mut Scratch,
}

impl WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiles, layout, row, x, scratch: Scratch { rows, inputs, .. } } = self;
        let &Layout { across, row: pitch, inputs: plane, .. } = layout;
        to_points::<S, DOWN>(simd, pitch, x, Lines { values: &mut *rows, pitch });
        let channels = tiles.channels[0];
        let phases = tiles.taps.len();
        for v in 0..DOWN {
            for tile in 0..across {
                for (phase, taps) in tiles.taps.iter().enumerate() {
                    let column = tile * TILE * tiles.stride + phase;
                    let x = &rows[v * pitch + column * channels..];
                    let x = Lines { values: x, pitch: tiles.stride * channels };
                    let place = ((row * across + tile) * phases + phase) * channels;
                    let y = &mut inputs[v * tiles.points() * plane + place..];
                    let y = Lines { values: y, pitch: plane };
                    match taps {
                        1 => to_points::<S, { filter::points(1) }>(simd, channels, x, y),
                        2 => to_points::<S, { filter::points(2) }>(simd, channels, x, y),
                        3 => to_points::<S, { filter::points(3) }>(simd, channels, x, y),
                        _ => to_points::<S, { filter::points(5) }>(simd, channels, x, y),
                    }
                }
            }
        }
    }
}

/// A row of tiles from its points to the output.
struct Scatter<'a> {
    tiles: &'a Tiles,
    layout: &'a Layout,
    /// Index in the block.
    row: usize,
    /// Output rows.
    y: Lines<&'a mut [f32]>,
    scratch: &'a mut Scratch,
}

impl WithSimd for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        const LINEAR: Activation = Activation::Linear;
        let Self { tiles, layout, row, y, scratch: Scratch { products, tile: columns, .. } } = self;
        let &Layout { across, products: plane, .. } = layout;
        let out = tiles.channels[1];
        for tile in 0..across {
            for v in 0..DOWN {
                let x = &products[v * tiles.points() * plane + (row * across + tile) * out..];
                let x = Lines { values: x, pitch: plane };
                let y = Lines { values: &mut columns[v * TILE * out..], pitch: out };
                match tiles.taps[0] {
                    2 => from_points::<S, { filter::points(2) }>(simd, out, x, y, LINEAR),
                    3 => from_points::<S, { filter::points(3) }>(simd, out, x, y, LINEAR),
                    _ => from_points::<S, { filter::points(5) }>(simd, out, x, y, LINEAR),
                }
            }
            let x = Lines { values: &**columns, pitch: TILE * out };
            let y = Lines { values: &mut y.values[tile * TILE * out..], pitch: y.pitch };
            from_points::<S, DOWN>(simd, TILE * out, x, y, Activation::Relu);
        }
    }
}
