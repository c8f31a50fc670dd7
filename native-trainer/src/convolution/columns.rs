//! Convolution by columns: each output position's inputs become a column, and the convolution and
//! its two gradients become matrix products.
//!
//! The columns are made for a few output rows at a time, so that they stay in the cache. Results do
//! not depend on the number of threads: images are summed in chunks of fixed size.

use gemm::Parallelism;
use mitoscope::embedder::Geometry;
use rayon::prelude::*;

/// Output positions whose columns are held at once.
const TILE: usize = 256;

/// Images whose weight gradients are summed before the chunks are.
const CHUNK: usize = 4;

/// Shapes of one convolution; all arrays are row-major f32.
pub struct Convolution {
    batch: usize,
    channels_in: usize,
    channels_out: usize,
    input: [usize; 2],
    output: [usize; 2],
    geometry: Geometry,
}

/// A row-major matrix at the start of a slice; `stride` numbers from row to row.
struct Matrix<T> {
    values: T,
    stride: usize,
    transposed: bool,
}

fn matrix<T>(values: T, stride: usize) -> Matrix<T> {
    Matrix { values, stride, transposed: false }
}

fn transposed<T>(values: T, stride: usize) -> Matrix<T> {
    Matrix { values, stride, transposed: true }
}

impl<T> Matrix<T> {
    /// Column stride and row stride of the matrix as it is to be read.
    fn strides(&self) -> (isize, isize) {
        let (along, across) = (1, self.stride as isize);
        if self.transposed { (across, along) } else { (along, across) }
    }

    /// Length of the slice that `rows x columns` of this matrix reach.
    fn reach(&self, rows: usize, columns: usize) -> usize {
        let (column, row) = self.strides();
        (rows - 1) * row as usize + (columns - 1) * column as usize + 1
    }
}

/// `target (rows x columns) = left (rows x depth) · right (depth x columns)`, added to it if `add`.
fn multiply(
    [rows, depth, columns]: [usize; 3],
    target: Matrix<&mut [f32]>,
    left: Matrix<&[f32]>,
    right: Matrix<&[f32]>,
    add: bool,
) {
    assert!(target.reach(rows, columns) <= target.values.len());
    assert!(left.reach(rows, depth) <= left.values.len());
    assert!(right.reach(depth, columns) <= right.values.len());
    let ((tc, tr), (lc, lr), (rc, rr)) = (target.strides(), left.strides(), right.strides());
    // SAFETY: the asserts above hold every index within its slice; f32 has no invalid values and the
    // target is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            target.values.as_mut_ptr(),
            tc,
            tr,
            add,
            left.values.as_ptr(),
            lc,
            lr,
            right.values.as_ptr(),
            rc,
            rr,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

impl Convolution {
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

    /// `[batch, out, h, w]` of the result.
    pub fn output_shape(&self) -> [usize; 4] {
        [self.batch, self.channels_out, self.output[0], self.output[1]]
    }

    fn depth(&self) -> usize {
        self.channels_in * self.geometry.kernel[0] * self.geometry.kernel[1]
    }

    fn input_size(&self) -> usize {
        self.channels_in * self.input[0] * self.input[1]
    }

    fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// The output rows of each tile.
    fn tiles(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (height, step) = (self.output[0], (TILE / self.output[1]).max(1));
        (0..height).step_by(step).map(move |first| first..(first + step).min(height))
    }

    /// The convolution plus bias.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let (depth, positions) = (self.depth(), self.positions());
        let mut output = vec![0.0; self.batch * self.channels_out * positions];
        output
            .par_chunks_mut(self.channels_out * positions)
            .zip(x.par_chunks(self.input_size()))
            .for_each_init(Vec::new, |columns, (output, x)| {
                for (channel, value) in output.chunks_mut(positions).zip(bias) {
                    channel.fill(*value);
                }
                for rows in self.tiles() {
                    let (start, count) = self.span(&rows);
                    self.gather(x, rows, columns);
                    multiply(
                        [self.channels_out, depth, count],
                        matrix(&mut output[start..], positions),
                        matrix(weight, depth),
                        matrix(columns, count),
                        true,
                    );
                }
            });
        output
    }

    /// The loss's gradient by the input, from its gradient by the output.
    pub fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (depth, positions) = (self.depth(), self.positions());
        let mut result = vec![0.0; self.batch * self.input_size()];
        result
            .par_chunks_mut(self.input_size())
            .zip(gradient.par_chunks(self.channels_out * positions))
            .for_each_init(Vec::new, |columns: &mut Vec<f32>, (result, gradient)| {
                for rows in self.tiles() {
                    let (start, count) = self.span(&rows);
                    columns.resize(depth * count, 0.0);
                    multiply(
                        [depth, self.channels_out, count],
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
        let (depth, positions) = (self.depth(), self.positions());
        let partial: Vec<Vec<f32>> = x
            .par_chunks(CHUNK * self.input_size())
            .zip(gradient.par_chunks(CHUNK * self.channels_out * positions))
            .map_init(Vec::new, |columns, (xs, gradients)| {
                let mut sum = vec![0.0; self.channels_out * depth];
                let images = xs.chunks(self.input_size());
                for (x, gradient) in images.zip(gradients.chunks(self.channels_out * positions)) {
                    for rows in self.tiles() {
                        let (start, count) = self.span(&rows);
                        self.gather(x, rows, columns);
                        multiply(
                            [self.channels_out, count, depth],
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
        let mut total = vec![0.0; self.channels_out * depth];
        for sum in partial {
            total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
        }
        total
    }

    /// First output position and count of positions of some rows.
    fn span(&self, rows: &std::ops::Range<usize>) -> (usize, usize) {
        (rows.start * self.output[1], rows.len() * self.output[1])
    }

    /// Fills `columns` (depth x positions of `rows`) with the inputs each output position reads.
    fn gather(&self, x: &[f32], rows: std::ops::Range<usize>, columns: &mut Vec<f32>) {
        let width = self.output[1];
        columns.resize(self.depth() * rows.len() * width, 0.0);
        let mut lines = columns.chunks_mut(width);
        self.for_each_line(rows, |line| {
            let Some(target) = lines.next() else { return };
            let Some(line) = line else { return target.fill(0.0) };
            target[..line.columns.start].fill(0.0);
            target[line.columns.end..].fill(0.0);
            let source = &x[line.start..];
            let target = &mut target[line.columns];
            if line.step == 1 {
                target.copy_from_slice(&source[..target.len()]);
            } else {
                target.iter_mut().zip(source.iter().step_by(line.step)).for_each(|(t, s)| *t = *s);
            }
        });
    }

    /// The transpose of [`Convolution::gather`]: adds each column's numbers to the inputs they came from.
    fn scatter(&self, columns: &[f32], rows: std::ops::Range<usize>, result: &mut [f32]) {
        let mut lines = columns.chunks(self.output[1]);
        self.for_each_line(rows, |line| {
            let (Some(source), Some(line)) = (lines.next(), line) else { return };
            let target = result[line.start..].iter_mut().step_by(line.step);
            target.zip(&source[line.columns]).for_each(|(t, s)| *t += s);
        });
    }

    /// Visits the lines of the column matrix in order: for each kernel tap of each input channel and
    /// each output row, which input numbers it reads; `None` where all of it is padding.
    fn for_each_line(&self, rows: std::ops::Range<usize>, mut visit: impl FnMut(Option<Line>)) {
        let Geometry { kernel, stride, padding } = self.geometry;
        let [height, width] = self.input;
        for channel in 0..self.channels_in {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    // Output columns whose input column lies inside the image.
                    let first = padding[1].saturating_sub(kx).div_ceil(stride[1]);
                    let last = (width + padding[1] - kx).div_ceil(stride[1]).min(self.output[1]);
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
    columns: std::ops::Range<usize>,
}
