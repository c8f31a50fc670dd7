//! Blocks of tiles: the inputs' and outputs' transforms of Winograd's filtering, and their transposes.
//!
//! A block's arrays hold a plane per point; an input row is split into one phase per horizontal
//! stride, so that what a horizontal tap reads is contiguous.
//!
//! Invariant: rows and columns outside the image read as zero and are never written.

use std::ops::Range;

use super::super::activation::Activation;
use super::super::lines::{Terms, combine, pick, place, terms, vectorised};
use super::{GAP, Scratch, TILE, Winograd};

impl Winograd {
    /// Bᵀ of a block's inputs, as columns.
    pub(super) fn gather(&self, x: &[f32], block: &Range<usize>, scratch: &mut Scratch) {
        let (points, count) = (self.transform.points(), self.positions(block));
        let (row, width, taps) = (self.row(), self.shape.output[1], self.shape.geometry.kernel[1]);
        let (pitch, plane) = (block.len() * row, self.depth() * count + GAP);
        let Scratch { rows, points: transformed, columns, .. } = scratch;
        self.resize(columns, self.depth() * count);
        // Padding is written once; every channel reads the same places.
        rows.clear();
        rows.resize(points * pitch, 0.0);
        transformed.resize(pitch, 0.0);
        let sums: Vec<Terms> =
            self.transform.input.iter().map(|r| terms(r.iter().copied(), pitch)).collect();
        vectorised(|| {
            for channel in 0..self.shape.channels_in {
                self.for_each_phase(block, |source, phase, target| {
                    let source = &x[channel * self.shape.input[0] * self.shape.input[1] + source..];
                    pick(source, self.shape.geometry.stride[1], &mut rows[target..target + phase]);
                });
                for (point, sum) in sums.iter().enumerate() {
                    combine(sum, 0.0, rows, transformed);
                    let start = point * plane + channel * taps * count;
                    for (tap, line) in columns[start..].chunks_mut(count).take(taps).enumerate() {
                        let tiles = line.chunks_mut(width).zip(transformed.chunks(row));
                        let window = self.window(tap);
                        tiles.for_each(|(target, tile)| {
                            target.copy_from_slice(&tile[window.clone()])
                        });
                    }
                }
            }
        });
    }

    /// The transpose of [`Winograd::gather`]: adds to the inputs.
    pub(super) fn scatter(&self, x: &mut [f32], block: &Range<usize>, scratch: &mut Scratch) {
        let (points, count) = (self.transform.points(), self.positions(block));
        let (row, width, taps) = (self.row(), self.shape.output[1], self.shape.geometry.kernel[1]);
        let (pitch, plane) = (block.len() * row, self.depth() * count + GAP);
        let Scratch { rows, points: transformed, columns, .. } = scratch;
        rows.resize(points * pitch, 0.0);
        transformed.resize(points * pitch, 0.0);
        let sums: Vec<Terms> = (0..points)
            .map(|i| terms(self.transform.input.iter().map(|row| row[i]), pitch))
            .collect();
        vectorised(|| {
            for channel in 0..self.shape.channels_in {
                transformed.fill(0.0);
                for (point, transformed) in transformed.chunks_mut(pitch).enumerate() {
                    let start = point * plane + channel * taps * count;
                    for (tap, line) in columns[start..].chunks(count).take(taps).enumerate() {
                        let tiles = line.chunks(width).zip(transformed.chunks_mut(row));
                        let window = self.window(tap);
                        tiles
                            .for_each(|(source, tile)| place(source, 1, &mut tile[window.clone()]));
                    }
                }
                for (sum, rows) in sums.iter().zip(rows.chunks_mut(pitch)) {
                    combine(sum, 0.0, transformed, rows);
                }
                self.for_each_phase(block, |target, phase, source| {
                    let target =
                        &mut x[channel * self.shape.input[0] * self.shape.input[1] + target..];
                    place(&rows[source..source + phase], self.shape.geometry.stride[1], target);
                });
            }
        });
    }

    /// Aᵀ of a block's products, plus bias, activated.
    pub(super) fn write_output(
        &self,
        output: &mut [f32],
        bias: &[f32],
        activation: Activation,
        block: &Range<usize>,
        scratch: &mut Scratch,
    ) {
        let count = self.positions(block);
        let plane = self.shape.channels_out * count + GAP;
        let Scratch { rows, products, .. } = scratch;
        rows.resize(TILE * count, 0.0);
        let sums: Vec<Terms> =
            self.transform.output.iter().map(|r| terms(r.iter().copied(), plane)).collect();
        vectorised(|| {
            for (channel, bias) in bias.iter().enumerate() {
                for (sum, rows) in sums.iter().zip(rows.chunks_mut(count)) {
                    combine(sum, *bias, &products[channel * count..], rows);
                }
                activation.apply(rows);
                self.for_each_output(block, channel, |target, source| {
                    output[target].copy_from_slice(&rows[source]);
                });
            }
        });
    }

    /// The transpose of [`Winograd::write_output`]: A of the gradient by a block's outputs.
    pub(super) fn read_gradient(
        &self,
        gradient: &[f32],
        block: &Range<usize>,
        scratch: &mut Scratch,
    ) {
        let count = self.positions(block);
        let plane = self.shape.channels_out * count + GAP;
        let Scratch { rows, products, .. } = scratch;
        self.resize(products, self.shape.channels_out * count);
        // Rows below the output stay zero.
        rows.clear();
        rows.resize(TILE * count, 0.0);
        let sums: Vec<Terms> = (0..self.transform.points())
            .map(|point| terms(self.transform.output.iter().map(|row| row[point]), count))
            .collect();
        vectorised(|| {
            for channel in 0..self.shape.channels_out {
                self.for_each_output(block, channel, |source, target| {
                    rows[target].copy_from_slice(&gradient[source]);
                });
                for (point, sum) in sums.iter().enumerate() {
                    let start = point * plane + channel * count;
                    combine(sum, 0.0, rows, &mut products[start..start + count]);
                }
            }
        });
    }

    /// Numbers of an input row split into phases, one per horizontal stride.
    fn row(&self) -> usize {
        self.shape.geometry.stride[1] * self.span
    }

    /// Where a split row holds the inputs of a horizontal tap, one for each output column.
    fn window(&self, tap: usize) -> Range<usize> {
        let stride = self.shape.geometry.stride[1];
        let start = tap % stride * self.span + tap / stride;
        start..start + self.shape.output[1]
    }

    /// Visits the phases of a block's input rows in one channel: where the
    /// numbers inside the image start in the chunk (as of channel 0), how many they are, and their
    /// place in the block's rows (`[point, tile, phase, column]`).
    #[inline(always)]
    fn for_each_phase(&self, block: &Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        let [height, width] = self.shape.input;
        let ([_, stride], padding) = (self.shape.geometry.stride, self.shape.geometry.padding);
        for phase in 0..stride {
            let first = padding[1].saturating_sub(phase).div_ceil(stride);
            let last = (width + padding[1]).saturating_sub(phase).div_ceil(stride).min(self.span);
            if first >= last {
                continue;
            }
            for (place, tile) in block.clone().enumerate() {
                let (image, top) = (tile / self.tiles, tile % self.tiles * TILE);
                for point in 0..self.transform.points() {
                    let y = (top + point).wrapping_sub(padding[0]);
                    if y < height {
                        let start = image * self.shape.input_size() + y * width;
                        let from = start + first * stride + phase - padding[1];
                        let row = (point * block.len() + place) * self.row();
                        visit(from, last - first, row + phase * self.span + first);
                    }
                }
            }
        }
    }

    /// Visits the output rows of a block in one channel: their place in the chunk's outputs and in
    /// the block's rows (`[row of the tile, tile, column]`).
    #[inline(always)]
    fn for_each_output(
        &self,
        block: &Range<usize>,
        channel: usize,
        mut visit: impl FnMut(Range<usize>, Range<usize>),
    ) {
        let [height, width] = self.shape.output;
        for (place, tile) in block.clone().enumerate() {
            let (image, top) = (tile / self.tiles, tile % self.tiles * TILE);
            let start = image * self.shape.output_size() + channel * height * width;
            for row in 0..TILE.min(height - top) {
                let (outer, inner) =
                    (start + (top + row) * width, (row * block.len() + place) * width);
                visit(outer..outer + width, inner..inner + width);
            }
        }
    }
}
