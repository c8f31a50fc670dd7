//! Convolution by Winograd's minimal filtering down the rows and by columns across them.
//!
//! With a vertical stride of 1, F(m, r) makes `m` output rows from `m + r - 1` input rows ("a tile")
//! with one matrix product for each of `m + r - 1` points, where plain columns need `m · r`. The
//! gradients are the transposes of the same three linear maps.
//!
//! Invariant: results do not depend on the number of threads; images are taken and summed in chunks
//! whose size follows from the shape alone.

mod tiles;

use std::ops::Range;

use rayon::prelude::*;

use super::activation::Activation;
use super::lines::{combine, terms, vectorised};
use super::matrix::{matrix, multiply, transpose, transposed};
use super::shape::Shape;
use super::transform::Transform;

/// Kernel height that is transformed.
const TAPS: usize = 5;

/// Output rows of a tile.
const TILE: usize = 4;

/// Columns of the matrix products, about: their factors stay in the cache.
const COLUMNS: usize = 128;

/// Images whose weight gradients are summed before the chunks are, at least.
const CHUNK: usize = 4;

/// Most images in a chunk.
const MOST: usize = 8;

/// Distance between planes beyond their size: planes a power of two apart would share cache sets.
const GAP: usize = 16;

/// Convolution with 5-row kernels and vertical stride 1.
pub struct Winograd {
    shape: Shape,
    transform: Transform,
    /// Tiles of an image, from top to bottom.
    tiles: usize,
    /// Numbers of one phase of an input row.
    span: usize,
}

/// What a thread computes with; kept from block to block.
#[derive(Default)]
struct Scratch {
    /// Rows of one channel of the block, before or after the transform.
    rows: Vec<f32>,
    /// The same in transformed form.
    points: Vec<f32>,
    /// The columns: a plane of `depth x positions` per point.
    columns: Vec<f32>,
    /// The products: a plane of `channels_out x positions` per point.
    products: Vec<f32>,
}

impl Winograd {
    /// For one convolution's shapes; `None` where the geometry is another.
    pub fn new(shape: Shape) -> Option<Self> {
        let [kernel, stride] = [shape.geometry.kernel, shape.geometry.stride];
        (kernel[0] == TAPS && stride[0] == 1).then(|| Self {
            shape,
            transform: Transform::new(TILE, TAPS),
            tiles: shape.output[0].div_ceil(TILE),
            span: shape.output[1] + (kernel[1] - 1) / stride[1],
        })
    }

    /// The convolution plus bias, activated.
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> Vec<f32> {
        let (out, depth) = (self.shape.channels_out, self.depth());
        let (weight, images) = (self.weight_points(weight), self.images());
        let mut output = vec![0.0; self.shape.batch * self.shape.output_size()];
        output
            .par_chunks_mut(images * self.shape.output_size())
            .zip(x.par_chunks(images * self.shape.input_size()))
            .for_each_init(Scratch::default, |scratch, (output, x)| {
                for block in self.blocks(x.len() / self.shape.input_size()) {
                    let count = self.positions(&block);
                    self.gather(x, &block, scratch);
                    let Scratch { columns, products, .. } = scratch;
                    self.resize(products, out * count);
                    let planes = products.chunks_mut(out * count + GAP);
                    let factors =
                        weight.chunks(depth * out).zip(columns.chunks(depth * count + GAP));
                    for (product, (weight, columns)) in planes.zip(factors) {
                        multiply(
                            [out, depth, count],
                            matrix(product, count),
                            transposed(weight, out),
                            matrix(columns, count),
                            false,
                        );
                    }
                    self.write_output(output, bias, activation, &block, scratch);
                }
            });
        output
    }

    /// The loss's gradient by the input, from its gradient by the output.
    pub fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (out, depth) = (self.shape.channels_out, self.depth());
        let (weight, images) = (self.weight_points(weight), self.images());
        let mut result = vec![0.0; self.shape.batch * self.shape.input_size()];
        result
            .par_chunks_mut(images * self.shape.input_size())
            .zip(gradient.par_chunks(images * self.shape.output_size()))
            .for_each_init(Scratch::default, |scratch, (result, gradient)| {
                for block in self.blocks(result.len() / self.shape.input_size()) {
                    let count = self.positions(&block);
                    self.read_gradient(gradient, &block, scratch);
                    let Scratch { columns, products, .. } = scratch;
                    self.resize(columns, depth * count);
                    let planes = columns.chunks_mut(depth * count + GAP);
                    let factors =
                        weight.chunks(depth * out).zip(products.chunks(out * count + GAP));
                    for (columns, (weight, product)) in planes.zip(factors) {
                        multiply(
                            [depth, out, count],
                            matrix(columns, count),
                            matrix(weight, out),
                            matrix(product, count),
                            false,
                        );
                    }
                    self.scatter(result, &block, scratch);
                }
            });
        result
    }

    /// The loss's gradient by the weights, from its gradient by the output.
    pub fn weight_gradient(&self, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (out, depth) = (self.shape.channels_out, self.depth());
        let images = self.images().max(CHUNK);
        let partial: Vec<Vec<f32>> = x
            .par_chunks(images * self.shape.input_size())
            .zip(gradient.par_chunks(images * self.shape.output_size()))
            .map_init(Scratch::default, |scratch, (x, gradient)| {
                let mut sums = vec![0.0; self.transform.points() * depth * out];
                for block in self.blocks(x.len() / self.shape.input_size()) {
                    let count = self.positions(&block);
                    self.gather(x, &block, scratch);
                    self.read_gradient(gradient, &block, scratch);
                    let columns = scratch.columns.chunks(depth * count + GAP);
                    let factors = columns.zip(scratch.products.chunks(out * count + GAP));
                    for (sum, (columns, product)) in sums.chunks_mut(depth * out).zip(factors) {
                        multiply(
                            [depth, count, out],
                            matrix(sum, out),
                            matrix(columns, count),
                            transposed(product, count),
                            true,
                        );
                    }
                }
                self.weight_taps(&sums)
            })
            .collect();
        let mut total = vec![0.0; self.shape.depth() * out];
        for sum in partial {
            total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
        }
        transpose(&total, out)
    }

    /// Rows of one point's columns: each input channel's horizontal taps.
    fn depth(&self) -> usize {
        self.shape.channels_in * self.shape.geometry.kernel[1]
    }

    /// Images computed together, so that small ones fill a block.
    fn images(&self) -> usize {
        COLUMNS.div_ceil(self.tiles * self.shape.output[1]).min(MOST)
    }

    /// The tiles of each block, counted through a chunk's images.
    fn blocks(&self, images: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (all, step) = (images * self.tiles, (COLUMNS / self.shape.output[1]).max(1));
        (0..all).step_by(step).map(move |first| first..(first + step).min(all))
    }

    /// Columns of a block's matrix products.
    fn positions(&self, block: &Range<usize>) -> usize {
        block.len() * self.shape.output[1]
    }

    /// Makes room for a plane of `size` numbers per point.
    fn resize(&self, planes: &mut Vec<f32>, size: usize) {
        planes.resize(self.transform.points() * (size + GAP), 0.0);
    }

    /// G of the weights: per point `[in, kw, out]` from `[out, in, kh, kw]`.
    fn weight_points(&self, weight: &[f32]) -> Vec<f32> {
        let line = self.shape.geometry.kernel[1] * self.shape.channels_out;
        let weight = transpose(weight, self.shape.depth());
        let mut result =
            Vec::with_capacity(self.transform.points() * self.depth() * self.shape.channels_out);
        result.resize(result.capacity(), 0.0);
        vectorised(|| {
            let planes = result.chunks_mut(self.depth() * self.shape.channels_out);
            for (plane, row) in planes.zip(&self.transform.kernel) {
                let terms = terms(row.iter().copied(), line);
                let channels = plane.chunks_mut(line).zip(weight.chunks(TAPS * line));
                channels.for_each(|(target, source)| combine(&terms, 0.0, source, target));
            }
        });
        result
    }

    /// The transpose of [`Winograd::weight_points`], up to order: `[in, kh, kw, out]`.
    fn weight_taps(&self, points: &[f32]) -> Vec<f32> {
        let out = self.shape.channels_out;
        let line = self.shape.geometry.kernel[1] * out;
        let mut result = vec![0.0; self.shape.depth() * out];
        vectorised(|| {
            for tap in 0..TAPS {
                let column = self.transform.kernel.iter().map(|row| row[tap]);
                let terms = terms(column, self.depth() * out);
                let lines = result.chunks_mut(line).skip(tap).step_by(TAPS);
                for (channel, target) in lines.enumerate() {
                    combine(&terms, 0.0, &points[channel * line..], target);
                }
            }
        });
        result
    }
}
