//! Convolution by columns: each output position's inputs become a column, and the convolution and
//! its two gradients become matrix products.
//!
//! The columns are made for a few output rows at a time, so that they stay in the cache. Results do
//! not depend on the number of threads: images are summed in chunks of fixed size.

use std::ops::Range;

use rayon::prelude::*;

use super::activation::Activation;
use super::lines::{pick, place, vectorised};
use super::matrix::{matrix, multiply, transposed};
use super::shape::Shape;
use mitoscope::embedder::Geometry;

/// Output positions whose columns are held at once.
const TILE: usize = 256;

/// Images whose weight gradients are summed before the chunks are.
const CHUNK: usize = 4;

/// Convolution of any geometry.
pub struct Columns(Shape);

impl Columns {
    /// For one convolution's shapes.
    pub fn new(shape: Shape) -> Self {
        Self(shape)
    }

    /// The output rows of each tile.
    fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (height, step) = (self.0.output[0], (TILE / self.0.output[1]).max(1));
        (0..height).step_by(step).map(move |first| first..(first + step).min(height))
    }

    /// The convolution plus bias, activated.
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> Vec<f32> {
        let (depth, positions) = (self.0.depth(), self.0.positions());
        let mut output = vec![0.0; self.0.batch * self.0.channels_out * positions];
        output
            .par_chunks_mut(self.0.channels_out * positions)
            .zip(x.par_chunks(self.0.input_size()))
            .for_each_init(Vec::new, |columns, (output, x)| {
                for (channel, value) in output.chunks_mut(positions).zip(bias) {
                    channel.fill(*value);
                }
                for rows in self.tiles() {
                    let (start, count) = self.span(&rows);
                    self.gather(x, rows, columns);
                    multiply(
                        [self.0.channels_out, depth, count],
                        matrix(&mut output[start..], positions),
                        matrix(weight, depth),
                        matrix(columns, count),
                        true,
                    );
                    let lines = output.chunks_mut(positions);
                    vectorised(|| {
                        lines.for_each(|line| activation.apply(&mut line[start..start + count]))
                    });
                }
            });
        output
    }

    /// The loss's gradient by the input, from its gradient by the output.
    pub fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (depth, positions) = (self.0.depth(), self.0.positions());
        let mut result = vec![0.0; self.0.batch * self.0.input_size()];
        result
            .par_chunks_mut(self.0.input_size())
            .zip(gradient.par_chunks(self.0.channels_out * positions))
            .for_each_init(Vec::new, |columns: &mut Vec<f32>, (result, gradient)| {
                for rows in self.tiles() {
                    let (start, count) = self.span(&rows);
                    columns.resize(depth * count, 0.0);
                    multiply(
                        [depth, self.0.channels_out, count],
                        matrix(&mut columns[..], count),
                        transposed(weight, depth),
                        matrix(&gradient[start..], positions),
                        false,
                    );
                    self.scatter(columns, rows, result);
                }
            });
        result
    }

    /// The loss's gradient by the weights, from its gradient by the output.
    pub fn weight_gradient(&self, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (depth, positions) = (self.0.depth(), self.0.positions());
        let partial: Vec<Vec<f32>> = x
            .par_chunks(CHUNK * self.0.input_size())
            .zip(gradient.par_chunks(CHUNK * self.0.channels_out * positions))
            .map_init(Vec::new, |columns, (xs, gradients)| {
                let mut sum = vec![0.0; self.0.channels_out * depth];
                let images = xs.chunks(self.0.input_size());
                for (x, gradient) in images.zip(gradients.chunks(self.0.channels_out * positions)) {
                    for rows in self.tiles() {
                        let (start, count) = self.span(&rows);
                        self.gather(x, rows, columns);
                        multiply(
                            [self.0.channels_out, count, depth],
                            matrix(&mut sum[..], depth),
                            matrix(&gradient[start..], positions),
                            transposed(columns, count),
                            true,
                        );
                    }
                }
                sum
            })
            .collect();
        let mut total = vec![0.0; self.0.channels_out * depth];
        for sum in partial {
            total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
        }
        total
    }

    /// First output position and count of positions of some rows.
    fn span(&self, rows: &Range<usize>) -> (usize, usize) {
        (rows.start * self.0.output[1], rows.len() * self.0.output[1])
    }

    /// Fills `columns` (depth x positions of `rows`) with the inputs each output position reads.
    fn gather(&self, x: &[f32], rows: Range<usize>, columns: &mut Vec<f32>) {
        let width = self.0.output[1];
        columns.resize(self.0.depth() * rows.len() * width, 0.0);
        let mut lines = columns.chunks_mut(width);
        vectorised(|| {
            self.for_each_line(rows, |line| {
                let Some(target) = lines.next() else { return };
                let Some(line) = line else { return target.fill(0.0) };
                target[..line.columns.start].fill(0.0);
                target[line.columns.end..].fill(0.0);
                pick(&x[line.start..], line.step, &mut target[line.columns]);
            })
        });
    }

    /// The transpose of [`Columns::gather`]: adds each column's numbers to the inputs they came from.
    fn scatter(&self, columns: &[f32], rows: Range<usize>, result: &mut [f32]) {
        let mut lines = columns.chunks(self.0.output[1]);
        vectorised(|| {
            self.for_each_line(rows, |line| {
                let (Some(source), Some(line)) = (lines.next(), line) else { return };
                place(&source[line.columns], line.step, &mut result[line.start..]);
            })
        });
    }

    /// Visits the lines of the column matrix in order: for each kernel tap of each input channel and
    /// each output row, which input numbers it reads; `None` where all of it is padding.
    #[inline(always)]
    fn for_each_line(&self, rows: Range<usize>, mut visit: impl FnMut(Option<Line>)) {
        let Geometry { kernel, stride, padding } = self.0.geometry;
        let [height, width] = self.0.input;
        for channel in 0..self.0.channels_in {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    // Output columns whose input column lies inside the image.
                    let first = padding[1].saturating_sub(kx).div_ceil(stride[1]);
                    let last = (width + padding[1] - kx).div_ceil(stride[1]).min(self.0.output[1]);
                    for row in rows.clone() {
                        let y = (row * stride[0] + ky).checked_sub(padding[0]);
                        visit(y.filter(|y| *y < height && first < last).map(|y| Line {
                            start: (channel * height + y) * width + first * stride[1] + kx
                                - padding[1],
                            step: stride[1],
                            columns: first..last,
                        }));
                    }
                }
            }
        }
    }
}

/// Where one line of the column matrix comes from.
struct Line {
    /// Index of its first number in the image.
    start: usize,
    /// Distance to the next.
    step: usize,
    /// Output columns that the numbers belong to.
    columns: Range<usize>,
}
