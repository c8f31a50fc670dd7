//! The microscope: point-spread blur, defocus, haze of light from other planes, uneven illumination.
//!
//! Invariant: a blur keeps the mean of a picture whose border is dark, and never makes light negative.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::noise::{Noise, log_uniform};
use super::tile::smoothstep;

/// A plane of light.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Light by row.
    pub light: Vec<f32>,
}

/// Settings of one microscope and slide; lengths in nuclear radii.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optics {
    /// Standard deviation of the point-spread function in focus.
    pub blur: f32,
    /// Standard deviation for what lies out of focus.
    pub defocus: f32,
    /// Chance of a spread cell to lie out of focus; rounded ones stand higher and do twice as
    /// often.
    pub uneven: f32,
    /// Share of the light that haze adds.
    pub haze: f32,
    /// Standard deviation of the haze.
    pub haze_reach: f32,
    /// Light of the empty slide.
    pub background: f32,
    /// Loss of light in the corners.
    pub vignetting: f32,
    /// Centre of the illumination, relative to the field.
    pub centre: (f32, f32),
}

impl Optics {
    /// Draws the settings of a specimen whose light is `dim` times that of a positive one.
    pub fn draw(rng: &mut ChaCha8Rng, dim: f32) -> Self {
        let soft = rng.random_bool(0.2);
        Self {
            blur: if soft { rng.random_range(0.05..0.12) } else { rng.random_range(0.015..0.05) },
            defocus: rng.random_range(0.06..0.22),
            uneven: rng.random_range(0.0..0.12),
            haze: rng.random_range(0.02..0.4),
            haze_reach: rng.random_range(0.6..2.5),
            background: log_uniform(rng, 0.003, 0.12) * dim.max(0.3),
            vignetting: rng.random_range(0.0..0.5),
            centre: (rng.random_range(0.3..0.7), rng.random_range(0.3..0.7)),
        }
    }

    /// The picture on the camera, from what is in focus and what is not; `scale` pixels a radius.
    pub fn image(
        &self,
        mut sharp: Plane,
        soft: Option<Plane>,
        noise: &Noise,
        rng: &mut ChaCha8Rng,
        scale: f32,
    ) -> Plane {
        sharp.blur((self.blur * scale).hypot(0.35));
        if let Some(mut soft) = soft {
            soft.blur((self.defocus * scale).max(0.5));
            sharp.light.iter_mut().zip(&soft.light).for_each(|(a, b)| *a += b);
        }
        let step = 8usize.min(sharp.width.min(sharp.height).max(1));
        let mut haze = sharp.shrunk(step);
        haze.blur(self.haze_reach * scale / step as f32);
        let mut gain = haze.clone();
        let cloud = noise.texture(rng);
        let (width, height) = (haze.width as f32, haze.height as f32);
        let size = rng.random_range(0.4..1.5) * width;
        for y in 0..haze.height {
            for x in 0..haze.width {
                let (u, v) = (x as f32 / width - self.centre.0, y as f32 / height - self.centre.1);
                let i = y * haze.width + x;
                let fog = smoothstep(-0.8, 1.2, cloud.mottle(x as f32, y as f32, size));
                haze.light[i] = self.haze * haze.light[i] + self.background * (0.5 + fog);
                gain.light[i] = 1.0 - self.vignetting * smoothstep(0.0, 1.2, 2.0 * (u * u + v * v));
            }
        }
        sharp.overlay(&haze, &gain, step);
        sharp
    }
}

impl Plane {
    /// A dark plane.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, light: vec![0.0; width * height] }
    }

    /// Convolves with a Gaussian of `sigma` pixels, border repeated; a wide one on a smaller plane.
    ///
    /// Below 0.7 pixels the sampled Gaussian is narrower than asked, below 0.2 nothing is done.
    pub fn blur(&mut self, sigma: f32) {
        if sigma < 0.2 || self.light.is_empty() {
            return;
        }
        if sigma > 3.5 && self.width.min(self.height) >= 16 {
            // Shrinking and growing by two blur by themselves: variance 1/4 + 2/3 of a pixel.
            let mut small = self.shrunk(2);
            small.blur((sigma * sigma - 0.9).sqrt() / 2.0);
            small.grow_into(self, 2);
            return;
        }
        let kernel = gaussian(sigma);
        let radius = kernel.len() - 1;
        let (width, height) = (self.width, self.height);
        let mut padded = vec![0.0; width + 2 * radius];
        for row in self.light.chunks_exact_mut(width) {
            padded[..radius].fill(row[0]);
            padded[radius..radius + width].copy_from_slice(row);
            padded[radius + width..].fill(row[width - 1]);
            row.fill(0.0);
            accumulate(row, &kernel, |shift| &padded[(radius as i32 + shift) as usize..]);
        }
        let source = std::mem::replace(&mut self.light, vec![0.0; width * height]);
        for (y, row) in self.light.chunks_exact_mut(width).enumerate() {
            accumulate(row, &kernel, |shift| {
                let from = (y as i32 + shift).clamp(0, height as i32 - 1) as usize;
                &source[from * width..(from + 1) * width]
            });
        }
    }

    /// Means of squares of `step` pixels; the last ones may be smaller.
    fn shrunk(&self, step: usize) -> Self {
        let (width, height) = (self.width.div_ceil(step), self.height.div_ceil(step));
        let mut small = Self::new(width, height);
        for (y, row) in self.light.chunks_exact(self.width).enumerate() {
            let target = &mut small.light[y / step * width..][..width];
            for (sum, part) in target.iter_mut().zip(row.chunks(step)) {
                *sum += part.iter().sum::<f32>();
            }
        }
        for (y, row) in small.light.chunks_exact_mut(width).enumerate() {
            let rows = step.min(self.height - y * step);
            for (x, sum) in row.iter_mut().enumerate() {
                *sum /= (rows * step.min(self.width - x * step)) as f32;
            }
        }
        small
    }

    fn grow_into(&self, target: &mut Self, step: usize) {
        let columns = ramp(target.width, self.width, step);
        let mut line = vec![0.0; self.width];
        let rows = ramp(target.height, self.height, step);
        for (row, &(above, below, t)) in target.light.chunks_exact_mut(target.width).zip(&rows) {
            self.between(&mut line, above, below, t);
            for (pixel, &(left, right, s)) in row.iter_mut().zip(&columns) {
                *pixel = line[left] + s * (line[right] - line[left]);
            }
        }
    }

    /// `self = (self + added) * gain`, both planes `step` times smaller.
    fn overlay(&mut self, added: &Self, gain: &Self, step: usize) {
        let columns = ramp(self.width, added.width, step);
        let rows = ramp(self.height, added.height, step);
        let (mut sum, mut factor) = (vec![0.0; added.width], vec![0.0; added.width]);
        for (row, &(above, below, t)) in self.light.chunks_exact_mut(self.width).zip(&rows) {
            added.between(&mut sum, above, below, t);
            gain.between(&mut factor, above, below, t);
            for (pixel, &(left, right, s)) in row.iter_mut().zip(&columns) {
                let more = sum[left] + s * (sum[right] - sum[left]);
                *pixel = (*pixel + more) * (factor[left] + s * (factor[right] - factor[left]));
            }
        }
    }

    fn between(&self, line: &mut [f32], above: usize, below: usize, t: f32) {
        let (upper, lower) = (&self.light[above * self.width..], &self.light[below * self.width..]);
        for ((out, a), b) in line.iter_mut().zip(upper).zip(lower) {
            *out = a + t * (b - a);
        }
    }
}

/// For each of `count` pixels the two of `small` it lies between, and how far along.
fn ramp(count: usize, small: usize, step: usize) -> Vec<(usize, usize, f32)> {
    let last = small as f32 - 1.0;
    (0..count)
        .map(|i| {
            let place = ((i as f32 + 0.5) / step as f32 - 0.5).clamp(0.0, last);
            let low = place as usize;
            (low, (low + 1).min(small - 1), place - low as f32)
        })
        .collect()
}

/// The right half of a normalised Gaussian, from its middle.
fn gaussian(sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as usize;
    let half: Vec<f32> = (0..=radius).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let sum = 2.0 * half.iter().sum::<f32>() - half[0];
    half.iter().map(|weight| weight / sum).collect()
}

fn accumulate<'a>(row: &mut [f32], kernel: &[f32], line: impl Fn(i32) -> &'a [f32]) {
    for (out, value) in row.iter_mut().zip(line(0)) {
        *out += kernel[0] * value;
    }
    for (shift, weight) in kernel.iter().enumerate().skip(1) {
        let (before, after) = (line(-(shift as i32)), line(shift as i32));
        for ((out, a), b) in row.iter_mut().zip(before).zip(after) {
            *out += weight * (a + b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blurred_point_is_a_gaussian_of_the_asked_width() {
        for sigma in [0.8f32, 1.0, 2.0, 3.4, 4.0, 9.0] {
            let mut plane = Plane::new(128, 120);
            plane.light[60 * 128 + 64] = 1.0;
            plane.blur(sigma);
            let sum: f32 = plane.light.iter().sum();
            let spread: f32 =
                (0..128 * 120).map(|i| plane.light[i] * ((i % 128) as f32 - 64.0).powi(2)).sum();
            assert!((sum - 1.0).abs() < 1e-3, "{sigma}: sum {sum}");
            assert!((spread.sqrt() / sigma - 1.0).abs() < 0.06, "{sigma}: {}", spread.sqrt());
        }
    }

    #[test]
    fn an_even_plane_stays_even() {
        let mut plane = Plane::new(61, 47);
        plane.light.fill(0.7);
        plane.blur(1.3);
        plane.blur(8.0);
        assert!(plane.light.iter().all(|light| (light - 0.7).abs() < 1e-4));
    }
}
