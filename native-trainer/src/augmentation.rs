//! Augmentation: what another lab's microscope could have made of the same cell.
//!
//! Geometry is changed on the window, so that the pixels are resampled once; grey values are changed on
//! the raw patch, before the one scaling rule of [`mitoscope::preprocess`].

use std::f32::consts::TAU;

use mitoscope::grey::gaussian_blur;
use mitoscope::preprocess::{FieldLevels, Patch, Preprocess, SIDE, Window};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

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
        }
    }
}

impl Augmentation {
    /// A changed cell as the network's input.
    pub fn input(&self, sample: &Sample, preprocess: &Preprocess, rng: &mut impl Rng) -> Vec<f32> {
        let mut patch = sample.patch(&self.window(&sample.window, rng));
        let levels = self.grey(&mut patch, sample.levels, rng);
        preprocess.input(&patch, &levels)
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
        let exponent = rng.random_range(-self.gamma..=self.gamma).exp();
        // A curve bends the typical levels as it bends the pixels.
        let bend = |v: f32| v.max(0.0).powf(exponent);
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
}
