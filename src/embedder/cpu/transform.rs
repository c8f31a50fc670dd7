//! The transforms of minimal filtering, applied to lines of numbers with vector instructions.

use std::array::from_fn;

use pulp::Simd;

use super::super::filter;
use super::super::kernel::Activation;
use super::vectors::unrolled;

/// Lines of numbers, `pitch` apart.
pub struct Lines<T> {
    /// From the first line on.
    pub values: T,
    /// Distance between lines.
    pub pitch: usize,
}

/// Bᵀ: `N` lines of inputs to `N` lines of points, `length` numbers each.
#[inline(always)]
pub fn to_points<S: Simd, const N: usize>(
    simd: S,
    length: usize,
    x: Lines<&[f32]>,
    y: Lines<&mut [f32]>,
) {
    transform(simd, const { &filter::input::<N>() }, length, x, y, Activation::Linear);
}

/// Aᵀ: `N` lines of points to the lines of a tile.
#[inline(always)]
pub fn from_points<S: Simd, const N: usize>(
    simd: S,
    length: usize,
    x: Lines<&[f32]>,
    y: Lines<&mut [f32]>,
    activation: Activation,
) {
    transform(simd, const { &filter::output::<N>() }, length, x, y, activation);
}

/// Replaces `IN` lines by `OUT` linear combinations of them.
///
/// Inlined with a constant matrix, whose zeros then cost nothing. Plain loops, because the compiler
/// does not inline vector instructions into closures.
#[inline(always)]
fn transform<S: Simd, const IN: usize, const OUT: usize>(
    simd: S,
    matrix: &[[f32; IN]; OUT],
    length: usize,
    x: Lines<&[f32]>,
    y: Lines<&mut [f32]>,
    activation: Activation,
) {
    let x: [&[S::f32s]; IN] = from_fn(|i| S::as_simd_f32s(&x.values[i * x.pitch..][..length]).0);
    let mut lines = y.values.chunks_mut(y.pitch);
    let y: [&mut [S::f32s]; OUT] =
        from_fn(|_| S::as_mut_simd_f32s(&mut lines.next().unwrap_or_default()[..length]).0);
    let zero = simd.splat_f32s(0.0);
    for i in 0..length / S::F32_LANES {
        let mut values = [zero; IN];
        for (value, x) in values.iter_mut().zip(&x) {
            *value = x[i];
        }
        unrolled!(row < OUT => {
            let mut sum = zero;
            for (&factor, &value) in matrix[row].iter().zip(&values) {
                if factor != 0.0 {
                    sum = simd.mul_add_e_f32s(simd.splat_f32s(factor), value, sum);
                }
            }
            y[row][i] = activation.apply(simd, sum);
        });
    }
}
