//! Kernels of five rows at the points of minimal filtering in both directions.
//!
//! Down the rows F(4, 5). Across, a stride s splits the columns into s phases: phase f takes every s-th
//! column and every s-th tap from f on, which is a convolution of stride 1, and the outputs of the
//! phases are summed. Each phase is an F(4, r) of its own taps; because a point has the same column in
//! every Aᵀ, its products are summed over the phases before one common Aᵀ. So a point costs one
//! matrix product over phases and channels. Five taps with stride 2: F(4, 3) and F(4, 2), eleven
//! products in six sums for four outputs, where direct convolution needs twenty.
//!
//! Invariant: later phases have no more taps than earlier ones, so the phases that have a point are
//! the first ones.

use super::filter::{self, POINT_ONE};
use super::kernel::Kernel;

/// Height of the kernels.
pub const HEIGHT: usize = 5;

/// Vertical points.
pub const DOWN: usize = filter::points(HEIGHT);

/// Taps of each phase of a kernel of this width, not increasing.
pub fn phases(width: usize, stride: usize) -> Vec<usize> {
    (0..stride.min(width)).map(|phase| (width - phase).div_ceil(stride)).collect()
}

/// Transforms a kernel of height 5: calls `point` for every vertical and, within it, horizontal point
/// with the number of phases that have it, the weights by depth (`[phases, in]`) and output, and the
/// bias.
pub fn transform(
    kernel: Kernel,
    mut point: impl FnMut(usize, &dyn Fn(usize, usize) -> f32, &[f32]),
) {
    let [channels, out] = kernel.channels();
    let [width, stride] = [kernel.geometry.kernel[1], kernel.geometry.stride[1]];
    let across: Vec<_> = phases(width, stride).into_iter().map(filter::kernel).collect();
    let zeros = vec![0.0; out];
    let mut rows = vec![0.0; out * channels * width];
    for (v, down) in filter::kernel(HEIGHT).iter().enumerate() {
        let kernels = kernel.weight.chunks_exact(HEIGHT * width);
        for (row, kernel) in rows.chunks_exact_mut(width).zip(kernels) {
            row.fill(0.0);
            for (taps, factor) in kernel.chunks_exact(width).zip(down) {
                row.iter_mut().zip(taps).for_each(|(sum, tap)| *sum += f64::from(*tap) * factor);
            }
        }
        for h in 0..across[0].len() {
            let phases = across.iter().filter(|points| points.len() > h).count();
            let weight = |depth: usize, o: usize| {
                let (phase, input) = (depth / channels, depth % channels);
                let row = &rows[(o * channels + input) * width..][..width];
                let taps = row[phase..].iter().step_by(stride).zip(&across[phase][h]);
                taps.map(|(tap, factor)| tap * factor).sum::<f64>() as f32
            };
            // What the point (1, 1) gives goes to every output of a tile.
            let bias = if [v, h] == [POINT_ONE; 2] { kernel.bias } else { &zeros };
            point(phases, &weight, bias);
        }
    }
}
