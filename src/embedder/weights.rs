//! The network's numbers as plain arrays, whatever computes with them.

use std::collections::BTreeMap;

use super::table::{DENSE, TABLE_1, WIDTH};
use crate::Error;
use crate::preprocess::CHANNELS;

/// The network's numbers as plain arrays, by tensor name.
///
/// `convN.weight` is `[out, in, height, width]`, `denseN.weight` is `[out, in]`, biases `[out]`.
/// Invariant: every tensor of [`Weights::layers`] is there, of that shape and finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(BTreeMap<String, Vec<f32>>);

impl Weights {
    /// Name and shape of every tensor, in the order of Table 1.
    pub fn layers() -> impl Iterator<Item = (String, Vec<usize>)> {
        let convolutions = TABLE_1.into_iter().enumerate().flat_map(|(i, g)| {
            let channels = if i == 0 { CHANNELS } else { WIDTH };
            named("conv", i, vec![WIDTH, channels, g.kernel[0], g.kernel[1]])
        });
        let dense = DENSE.windows(2).enumerate();
        convolutions.chain(dense.flat_map(|(i, size)| named("dense", i, vec![size[1], size[0]])))
    }

    /// Takes the tensors of [`Weights::layers`], row-major.
    ///
    /// # Errors
    /// [`Error::Model`] when one is missing, unknown, of another length or not finite.
    pub fn from_tensors(tensors: BTreeMap<String, Vec<f32>>) -> Result<Self, Error> {
        for (name, shape) in Self::layers() {
            let values = tensors
                .get(&name)
                .ok_or_else(|| Error::Model(format!("the network's tensor {name} is missing")))?;
            if values.len() != shape.iter().product::<usize>() {
                return Err(Error::Model(format!(
                    "the network's tensor {name} holds {} values where its shape {shape:?} is due",
                    values.len()
                )));
            }
            if values.iter().any(|v| !v.is_finite()) {
                return Err(Error::Model(format!("the network's tensor {name} is not finite")));
            }
        }
        if let Some(extra) = tensors.keys().find(|name| !Self::layers().any(|(n, _)| n == **name)) {
            return Err(Error::Model(format!("the network has no tensor {extra}")));
        }
        Ok(Self(tensors))
    }

    /// All tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, Vec<f32>> {
        &self.0
    }

    /// The nearest weights that half precision holds, so that a half-precision file is exact.
    pub fn rounded_to_half(mut self) -> Self {
        for value in self.0.values_mut().flatten() {
            *value = half::f16::from_f32(*value).to_f32();
        }
        self
    }

    /// One tensor by its name, one of [`Weights::layers`].
    pub(super) fn get(&self, name: &str) -> &[f32] {
        &self.0[name]
    }

    /// conv1's kernel summed over its input channels, `[out, 1, height, width]`: the same function
    /// where the channels are copies.
    pub(super) fn folded_first_kernel(&self) -> Vec<f32> {
        let taps = TABLE_1[0].kernel.iter().product();
        let kernels = self.get("conv1.weight").chunks(CHANNELS * taps);
        kernels
            .flat_map(|kernel| {
                (0..taps).map(move |tap| kernel[tap..].iter().step_by(taps).sum::<f32>())
            })
            .collect()
    }
}

fn named(kind: &str, index: usize, shape: Vec<usize>) -> [(String, Vec<usize>); 2] {
    let bias = vec![shape[0]];
    let layer = format!("{kind}{}", index + 1);
    [(format!("{layer}.weight"), shape), (format!("{layer}.bias"), bias)]
}
