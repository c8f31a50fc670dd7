//! Products of positions and weights: the one loop where nearly all multiplications happen.
//!
//! A convolution in a map with the channels side by side is a matrix product whose rows overlap in
//! memory: what an output reads is one run of numbers for each row of the kernel.

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::super::kernel::Activation;
use super::map::Buffer;
use super::vectors::{Vectors, unrolled};

/// Vectors of outputs that are computed together. More of them make fewer steps from input to input,
/// which the compilers of WebAssembly do not simplify.
const VECTORS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 2 };

impl Activation {
    /// The value that follows a sum.
    #[inline(always)]
    pub fn apply<S: Simd>(self, simd: S, sum: S::f32s) -> S::f32s {
        match self {
            Self::Linear => sum,
            Self::Relu => {
                let zero = simd.splat_f32s(0.0);
                simd.select_f32s(simd.less_than_f32s(sum, zero), zero, sum)
            }
        }
    }
}

/// Where the positions' inputs lie: distances in numbers.
#[derive(Debug, Clone, Copy)]
pub struct Inputs {
    /// From line to line of positions.
    pub line: usize,
    /// From position to position on a line.
    pub column: usize,
    /// From run to run of one position.
    pub run: usize,
}

/// Where the positions' outputs lie.
#[derive(Debug, Clone, Copy)]
pub struct Outputs {
    /// From line to line of positions.
    pub line: usize,
    /// From position to position on a line.
    pub column: usize,
}

/// Packed weights `[depth, out]` with bias; depth is `runs x length`.
#[derive(Debug)]
pub struct Product {
    vectors: Vectors,
    runs: usize,
    length: usize,
    activation: Activation,
    /// Of each `panel` outputs: `[depth, panel]`.
    weights: Buffer,
    bias: Buffer,
    panel: usize,
}

impl Product {
    /// Packs `weight(depth, out)`; the number of outputs is a multiple of 32.
    pub fn new(
        vectors: Vectors,
        [runs, length]: [usize; 2],
        weight: impl Fn(usize, usize) -> f32,
        bias: &[f32],
        activation: Activation,
    ) -> Self {
        let panel = VECTORS * vectors.dispatch(Lanes);
        let depth = runs * length;
        let mut weights = Buffer::new(depth * bias.len());
        for (i, panels) in weights.chunks_exact_mut(depth * panel).enumerate() {
            for (d, outputs) in panels.chunks_exact_mut(panel).enumerate() {
                for (o, value) in outputs.iter_mut().enumerate() {
                    *value = weight(d, i * panel + o);
                }
            }
        }
        let mut own = Buffer::new(bias.len());
        own.copy_from_slice(bias);
        Self { vectors, runs, length, activation, weights, bias: own, panel }
    }

    /// Computes `lines x columns` positions: `x` begins at the first one's inputs, `y` at its outputs.
    pub fn apply(
        &self,
        grid: [usize; 2],
        x: &[f32],
        inputs: Inputs,
        y: &mut [f32],
        outputs: Outputs,
    ) {
        self.vectors.dispatch(Apply { product: self, grid, x, inputs, y, outputs });
    }
}

/// Numbers of a vector.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

struct Apply<'a> {
    product: &'a Product,
    grid: [usize; 2],
    x: &'a [f32],
    inputs: Inputs,
    y: &'a mut [f32],
    outputs: Outputs,
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many positions as there are registers for their sums; an engine of WebAssembly may have
        // 16 and needs some itself.
        if cfg!(target_arch = "wasm32") {
            self.in_blocks::<S, 2, 1>(simd);
        } else if S::REGISTER_COUNT < 32 {
            self.in_blocks::<S, 6, 4>(simd);
        } else {
            self.in_blocks::<S, 12, 4>(simd);
        }
    }
}

impl Apply<'_> {
    /// Takes `WIDE` positions at a time, then `FEW`, then one.
    #[inline(always)]
    fn in_blocks<S: Simd, const WIDE: usize, const FEW: usize>(self, simd: S) {
        let Self { product, grid: [lines, columns], x, inputs, y, outputs } = self;
        let Product { panel, runs, length, .. } = *product;
        let panels = product.weights.chunks_exact(runs * length * panel);
        for ((weights, bias), o) in
            panels.zip(product.bias.chunks_exact(panel)).zip((0..).step_by(panel))
        {
            let block = Block { weights, bias, product, inputs, outputs };
            for line in 0..lines {
                let x = &x[line * inputs.line..];
                let y = &mut y[line * outputs.line + o..];
                let mut column = 0;
                while column < columns {
                    let x = &x[column * inputs.column..];
                    let y = &mut y[column * outputs.column..];
                    column += match columns - column {
                        left if left >= WIDE => block.apply::<S, WIDE>(simd, x, y),
                        left if left >= FEW => block.apply::<S, FEW>(simd, x, y),
                        _ => block.apply::<S, 1>(simd, x, y),
                    };
                }
            }
        }
    }
}

/// One panel of the weights.
struct Block<'a> {
    weights: &'a [f32],
    bias: &'a [f32],
    product: &'a Product,
    inputs: Inputs,
    outputs: Outputs,
}

impl Block<'_> {
    /// Computes and counts `WIDTH` positions, whose sums stay in registers.
    #[inline(always)]
    fn apply<S: Simd, const WIDTH: usize>(&self, simd: S, x: &[f32], y: &mut [f32]) -> usize {
        let Self { product: &Product { length, panel, activation, .. }, inputs, outputs, .. } =
            *self;
        let bias = S::as_simd_f32s(self.bias).0;
        let mut sums = [from_fn::<_, VECTORS, _>(|v| bias[v]); WIDTH];
        for (run, weights) in self.weights.chunks_exact(length * panel).enumerate() {
            let x = &x[run * inputs.run..];
            let x: [&[f32]; WIDTH] = from_fn(|i| &x[i * inputs.column..][..length]);
            let weights = S::as_simd_f32s(weights).0.as_chunks::<VECTORS>().0;
            for (k, weights) in weights[..length].iter().enumerate() {
                unrolled!(i < WIDTH => {
                    let x = simd.splat_f32s(x[i][k]);
                    unrolled!(v < VECTORS => {
                        sums[i][v] = simd.mul_add_e_f32s(x, weights[v], sums[i][v]);
                    });
                });
            }
        }
        unrolled!(i < WIDTH => {
            let y = S::as_mut_simd_f32s(&mut y[i * outputs.column..][..panel]).0;
            unrolled!(v < VECTORS => { y[v] = activation.apply(simd, sums[i][v]); });
        });
        WIDTH
    }
}
