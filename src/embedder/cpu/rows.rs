//! Convolution with 5-row kernels by minimal filtering down the rows only.
//!
//! The transformed rows serve as they lie, with a matrix product over kernel columns and channels for
//! each vertical point: eight products for four outputs where direct convolution needs twenty.

use pulp::{Simd, WithSimd};

use super::super::filter::{self, POINT_ONE, TILE};
use super::super::kernel::{Activation, Kernel};
use super::super::points::{DOWN, HEIGHT};
use super::map::{Map, Scratch, apart};
use super::product::{Inputs, Outputs, Product};
use super::transform::{Lines, from_points, to_points};
use super::vectors::Vectors;

/// Positions of a block, unless a row is longer, so that weights are read for many at once.
const BLOCK: usize = 64;

/// A convolution with its ReLU, with a vertical stride of 1.
#[derive(Debug)]
pub struct Rows {
    vectors: Vectors,
    /// Horizontal stride.
    stride: usize,
    /// Numbers of an input pixel.
    channels: usize,
    /// Of each point: `[width, in]` to `[out]`.
    products: Vec<Product>,
}

/// How an output is divided, and distances in the scratch memory in numbers.
struct Layout {
    /// Tiles, of four rows each, in a block.
    down: usize,
    /// A padded input row in whole vectors.
    row: usize,
    /// A point's rows.
    rows: usize,
    /// A row of products.
    product: usize,
    /// A point's products.
    products: usize,
}

impl Rows {
    /// Transforms a kernel of height 5; the number of outputs is a multiple of 32.
    pub fn new(vectors: Vectors, kernel: Kernel) -> Self {
        let [channels, out] = kernel.channels();
        let width = kernel.geometry.kernel[1];
        let zeros = vec![0.0; out];
        let down = filter::kernel(HEIGHT).into_iter().enumerate();
        let products = down.map(|(point, factors)| {
            let weight = |depth: usize, o| {
                let taps = &kernel.taps([depth % channels, o])[depth / channels..];
                let column = taps.iter().step_by(width).zip(&factors);
                column.map(|(tap, factor)| f64::from(*tap) * factor).sum::<f64>() as f32
            };
            // What the point 1 gives goes to every output of a tile.
            let bias = if point == POINT_ONE { kernel.bias } else { &zeros };
            Product::new(vectors, [1, width * channels], weight, bias, Activation::Linear)
        });
        let products = products.collect();
        Self { vectors, stride: kernel.geometry.stride[1], channels, products }
    }

    fn layout(x: &Map, y: &Map) -> Layout {
        let [height, width] = y.size;
        let down = (BLOCK / width).clamp(1, height / TILE);
        let (row, product) = (x.pitch, width * y.channels);
        Layout { down, row, rows: down * row, product, products: apart(down * product) }
    }

    /// Sizes of the [`Scratch`] memory.
    pub fn scratch(&self, x: &Map, y: &Map) -> [usize; 4] {
        let Layout { rows, products, .. } = Self::layout(x, y);
        [DOWN * rows, 0, DOWN * products, 0]
    }

    /// Convolves `x`, padded as the convolution is, into `y`, whose height is a multiple of 4.
    pub fn apply(&self, x: &Map, y: &mut Map, scratch: &mut Scratch) {
        let Layout { down, row, rows, product: length, products } = Self::layout(x, y);
        let ([height, width], pitch) = (y.size, y.pitch);
        let inputs = Inputs { line: row, column: self.stride * self.channels, run: 0 };
        let outputs = Outputs { line: length, column: y.channels };
        for first in (0..height / TILE).step_by(down) {
            let block = down.min(height / TILE - first);
            for tile in 0..block {
                let from = &x.padded()[(first + tile) * TILE * x.pitch..];
                let from = Lines { values: from, pitch: x.pitch };
                let to = Lines { values: &mut scratch.rows[tile * row..], pitch: rows };
                self.vectors.dispatch(ToPoints { length: row, from, to });
            }
            let planes = scratch.rows.chunks_exact(rows);
            let results = scratch.products.chunks_exact_mut(products);
            for ((product, x), y) in self.products.iter().zip(planes).zip(results) {
                product.apply([block, width], x, inputs, y, outputs);
            }
            for tile in 0..block {
                let from = Lines { values: &scratch.products[tile * length..], pitch: products };
                let to = &mut y.inside()[(first + tile) * TILE * pitch..];
                let to = Lines { values: to, pitch };
                self.vectors.dispatch(FromPoints { length, from, to });
            }
        }
    }
}

struct ToPoints<'a> {
    length: usize,
    from: Lines<&'a [f32]>,
    to: Lines<&'a mut [f32]>,
}

impl WithSimd for ToPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        to_points::<S, DOWN>(simd, self.length, self.from, self.to);
    }
}

struct FromPoints<'a> {
    length: usize,
    from: Lines<&'a [f32]>,
    to: Lines<&'a mut [f32]>,
}

impl WithSimd for FromPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        from_points::<S, DOWN>(simd, self.length, self.from, self.to, Activation::Relu);
    }
}
