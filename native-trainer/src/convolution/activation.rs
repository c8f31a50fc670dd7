//! What follows a convolution's bias, element by element, and the sums its gradients need.
//!
//! Invariant: no number that is not finite is hidden, or a training that diverges would go on; sums do
//! not depend on the number of threads.

use rayon::prelude::*;

/// Numbers that one thread takes at a time.
const CHUNK: usize = 1 << 16;

/// Numbers summed side by side, so that the compiler can use vector registers.
const LANES: usize = 16;

/// What follows the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// Activates numbers in place.
    #[inline(always)]
    pub fn apply(self, values: &mut [f32]) {
        if self == Self::Relu {
            // Unlike `f32::max`, this lets NaN through.
            values.iter_mut().for_each(|v| *v = if *v < 0.0 { 0.0 } else { *v });
        }
    }
}

/// Leaves of a gradient what belongs to outputs that a ReLU let through.
pub fn rectify_gradient(output: &[f32], gradient: &mut [f32]) {
    let chunks = gradient.par_chunks_mut(CHUNK).zip(output.par_chunks(CHUNK));
    chunks.for_each(|(gradient, output)| {
        let pairs = gradient.iter_mut().zip(output);
        pairs.for_each(|(g, o)| *g = if *o <= 0.0 { 0.0 } else { *g });
    });
}

/// Sum of each channel of maps `[batch, channels, positions]` over batch and positions.
pub fn sums(maps: &[f32], channels: usize, positions: usize) -> Vec<f32> {
    let planes: Vec<f64> = maps.par_chunks(positions).map(sum).collect();
    let mut sums = vec![0.0; channels];
    for image in planes.chunks(channels) {
        sums.iter_mut().zip(image).for_each(|(sum, plane)| *sum += plane);
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

fn sum(values: &[f32]) -> f64 {
    let mut lanes = [0.0; LANES];
    let groups = values.chunks_exact(LANES);
    let rest: f32 = groups.remainder().iter().sum();
    groups.for_each(|group| lanes.iter_mut().zip(group).for_each(|(lane, v)| *lane += v));
    lanes.into_iter().chain([rest]).map(f64::from).sum()
}
