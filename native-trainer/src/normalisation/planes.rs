//! The arithmetic of batch normalisation over planes: one channel of one image each.
//!
//! Sums are taken per plane and added in order, so results do not depend on the number of threads.

use rayon::prelude::*;

use super::EPSILON;
use crate::convolution::Activation;

/// Numbers summed side by side, so that the compiler can use vector registers.
const LANES: usize = 16;

/// Shape of a batch of maps.
pub struct Planes {
    batch: usize,
    channels: usize,
    positions: usize,
}

/// What normalises one channel: `output = scale · x + shift`.
struct Channel {
    mean: f64,
    root: f64,
    scale: f32,
    shift: f32,
}

impl Planes {
    /// From `[batch, channels, height, width]`.
    pub fn new([batch, channels, height, width]: [usize; 4]) -> Self {
        Self { batch, channels, positions: height * width }
    }

    /// The normalised maps after ReLU.
    pub fn forward(&self, x: &[f32], gamma: &[f32], beta: &[f32]) -> Vec<f32> {
        let channels = self.channels(x, gamma, beta);
        let mut output = vec![0.0; x.len()];
        let planes = output.par_chunks_mut(self.positions).zip(x.par_chunks(self.positions));
        planes.enumerate().for_each(|(i, (output, x))| {
            let Channel { scale, shift, .. } = channels[i % self.channels];
            output.iter_mut().zip(x).for_each(|(o, x)| *o = scale * x + shift);
            Activation::Relu.apply(output);
        });
        output
    }

    /// Gradients by x, gamma and beta.
    pub fn gradients(
        &self,
        x: &[f32],
        gamma: &[f32],
        beta: &[f32],
        gradient: &[f32],
    ) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let channels = self.channels(x, gamma, beta);
        let gated = |channel: &Channel, x: f32, g: f32| {
            if channel.scale * x + channel.shift > 0.0 { g } else { 0.0 }
        };
        let sums = self.sums(x, gradient, |i, x, g| {
            let g = gated(&channels[i], x, g);
            [g, g * x]
        });
        let count = (self.batch * self.positions) as f64;
        let by_beta: Vec<f64> = sums.iter().map(|[g, _]| *g).collect();
        let by_gamma: Vec<f64> = sums
            .iter()
            .zip(&channels)
            .map(|([g, gx], channel)| (gx - channel.mean * g) / channel.root)
            .collect();
        let mut by_x = vec![0.0; x.len()];
        by_x.par_chunks_mut(self.positions)
            .zip(x.par_chunks(self.positions).zip(gradient.par_chunks(self.positions)))
            .enumerate()
            .for_each(|(i, (by_x, (x, gradient)))| {
                let i = i % self.channels;
                let channel = &channels[i];
                // scale · (g − Σg/n − x̂ · Σ(g x̂)/n), with x̂ written out in x.
                let slope = by_gamma[i] / (count * channel.root);
                let offset = (by_beta[i] / count - channel.mean * slope) as f32;
                let slope = slope as f32;
                for ((by_x, x), g) in by_x.iter_mut().zip(x).zip(gradient) {
                    *by_x = channel.scale * (gated(channel, *x, *g) - offset - slope * x);
                }
            });
        let narrow = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect();
        (by_x, narrow(by_gamma), narrow(by_beta))
    }

    fn channels(&self, x: &[f32], gamma: &[f32], beta: &[f32]) -> Vec<Channel> {
        let count = (self.batch * self.positions) as f64;
        let sums = self.sums(x, x, |_, x, _| [x, x * x]);
        let channel = |(i, [sum, squares]): (usize, [f64; 2])| {
            let mean = sum / count;
            let root = ((squares / count - mean * mean).max(0.0) + EPSILON).sqrt();
            let scale = f64::from(gamma[i]) / root;
            let shift = f64::from(beta[i]) - mean * scale;
            Channel { mean, root, scale: scale as f32, shift: shift as f32 }
        };
        sums.into_iter().enumerate().map(channel).collect()
    }

    /// Two sums per channel over all its positions in the batch.
    fn sums(
        &self,
        a: &[f32],
        b: &[f32],
        terms: impl Fn(usize, f32, f32) -> [f32; 2] + Sync,
    ) -> Vec<[f64; 2]> {
        let planes = a.par_chunks(self.positions).zip(b.par_chunks(self.positions));
        let planes: Vec<[f64; 2]> = planes
            .enumerate()
            .map(|(i, (a, b))| {
                let mut total = [0.0; 2];
                for (a, b) in a.chunks(64 * LANES).zip(b.chunks(64 * LANES)) {
                    let mut lanes = [[0.0_f32; LANES]; 2];
                    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
                        for (lane, (a, b)) in a.iter().zip(b).enumerate() {
                            let [first, second] = terms(i % self.channels, *a, *b);
                            lanes[0][lane] += first;
                            lanes[1][lane] += second;
                        }
                    }
                    for (total, lanes) in total.iter_mut().zip(lanes) {
                        *total += lanes.iter().map(|v| f64::from(*v)).sum::<f64>();
                    }
                }
                total
            })
            .collect();
        let mut sums = vec![[0.0; 2]; self.channels];
        for (i, [first, second]) in planes.into_iter().enumerate() {
            sums[i % self.channels][0] += first;
            sums[i % self.channels][1] += second;
        }
        sums
    }
}
