//! Augmentation: what another lab's microscope could have made of the same cell.
//!
//! Geometry is changed on the window, so that the pixels are resampled once; grey values are changed on
//! the raw patch, before the one scaling rule of [`mitoscope::preprocess`].

use std::f32::consts::TAU;

use mitoscope::grey::gaussian_blur;
use mitoscope::preprocess::{FieldLevels, Patch, SIDE, Window};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::contrast::bend;
use crate::samples::Sample;

/// Ranges of the random changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augmentation {
    /// Largest change of the window's side, as the logarithm of a factor.
    pub scale: f32,
    /// Largest shift of the window's centre, in window sides.
    pub shift: f32,
    /// Largest change of the transfer curve, as the logarithm of an exponent.
    pub gamma: f32,
    /// Standard deviation of the typical cell's brightness, as the logarithm of a factor.
    pub gain: f32,
    /// Standard deviation of the background level, in heights of the typical cell.
    pub background: f32,
    /// How often a patch is blurred.
    pub blur_share: f32,
    /// Least and largest blur, in standard deviations of patch pixels.
    pub blur: (f32, f32),
    /// Largest standard deviation of the noise, in heights of the typical cell.
    pub noise: f32,
    /// How often a patch is grained: cytoplasm and chromatin are seldom as smooth as in a simulation.
    pub grain_share: f32,
    /// Largest standard deviation of the grain, as a share of the height over the background.
    pub grain: f32,
    /// Least and largest size of the grain, in standard deviations of patch pixels.
    pub grain_size: (f32, f32),
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            scale: 0.15,
            shift: 0.05,
            gamma: 0.25,
            gain: 0.15,
            background: 0.02,
            blur_share: 0.3,
            blur: (0.7, 1.7),
            noise: 0.03,
            grain_share: 0.0,
            grain: 0.0,
            grain_size: (1.0, 1.0),
        }
    }
}

impl Augmentation {
    /// Wider ranges and grain, for simulated cells beside real ones.
    pub fn wide() -> Self {
        Self {
            scale: 0.2,
            shift: 0.06,
            gamma: 0.4,
            gain: 0.25,
            background: 0.03,
            blur_share: 0.4,
            blur: (0.7, 2.2),
            noise: 0.06,
            grain_share: 0.5,
            grain: 0.35,
            grain_size: (0.8, 3.0),
        }
    }

    /// A changed cell, not yet scaled, and the levels it lies among.
    pub fn change(&self, sample: &Sample, rng: &mut impl Rng) -> (Patch, FieldLevels) {
        let mut patch = sample.patch(&self.window(&sample.window, rng));
        let levels = self.grey(&mut patch, sample.levels, rng);
        (patch, levels)
    }

    fn window(&self, window: &Window, rng: &mut impl Rng) -> Window {
        let mut shift = || rng.random_range(-self.shift..=self.shift) * window.side;
        let (dx, dy) = (shift(), shift());
        Window {
            cx: window.cx + dx,
            cy: window.cy + dy,
            side: window.side * rng.random_range(-self.scale..=self.scale).exp(),
            angle: rng.random_range(0.0..TAU),
            mirror: rng.random(),
        }
    }

    fn grey(&self, patch: &mut Patch, levels: FieldLevels, rng: &mut impl Rng) -> FieldLevels {
        if rng.random::<f32>() < self.blur_share {
            patch.0 = gaussian_blur(&patch.0, SIDE, rng.random_range(self.blur.0..=self.blur.1));
        }
        if rng.random::<f32>() < self.grain_share {
            self.roughen(patch, levels.background, rng);
        }
        let exponent = rng.random_range(-self.gamma..=self.gamma).exp();
        // A curve bends the typical levels as it bends the pixels.
        let bend = |v: f32| bend(v, exponent);
        let (background, cell) = (bend(levels.background), bend(levels.cell));
        let height = (cell - background).max(0.0);
        let deviation = rng.random_range(0.0..=self.noise) * height;
        for value in &mut patch.0 {
            let noise: f32 = StandardNormal.sample(rng);
            *value = (bend(*value) + deviation * noise).clamp(0.0, 1.0);
        }
        let (gain, offset): (f32, f32) = (StandardNormal.sample(rng), StandardNormal.sample(rng));
        let background = background + self.background * height * offset;
        FieldLevels { background, cell: background + height * (self.gain * gain).exp() }
    }

    /// Brightens and darkens grains of the light over the background.
    fn roughen(&self, patch: &mut Patch, background: f32, rng: &mut impl Rng) {
        let white: Vec<f32> = (0..SIDE * SIDE).map(|_| StandardNormal.sample(rng)).collect();
        let size = rng.random_range(self.grain_size.0..=self.grain_size.1);
        let grain = gaussian_blur(&white, SIDE, size);
        let square = grain.iter().map(|v| v * v).sum::<f32>() / grain.len() as f32;
        let strength = rng.random_range(0.0..=self.grain) / square.sqrt().max(f32::EPSILON);
        for (value, grain) in patch.0.iter_mut().zip(grain) {
            let factor = (1.0 + strength * grain).max(0.0);
            *value = (background + (*value - background) * factor).clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn grain_roughens_the_cell_and_leaves_the_background() {
        let background = 0.2;
        let cell = |i: usize| if i % SIDE < SIDE / 2 { background } else { 0.6 };
        let mut patch = Patch((0..SIDE * SIDE).map(cell).collect());
        let augmentation = Augmentation { grain_size: (1.5, 1.5), ..Augmentation::wide() };
        augmentation.roughen(&mut patch, background, &mut ChaCha8Rng::seed_from_u64(3));
        let half = |right: bool| -> Vec<f32> {
            let pixels = patch.0.iter().enumerate();
            pixels.filter(|(i, _)| (i % SIDE >= SIDE / 2) == right).map(|(_, v)| *v).collect()
        };
        assert!(half(false).iter().all(|v| *v == background));
        let cell = half(true);
        let mean = cell.iter().sum::<f32>() / cell.len() as f32;
        let deviation = cell.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / cell.len() as f32;
        let relative = deviation.sqrt() / 0.4;
        assert!((mean - 0.6).abs() < 0.02, "the mean is {mean}");
        assert!((0.01..=0.36).contains(&relative), "the grain's deviation is {relative}");
    }
}
