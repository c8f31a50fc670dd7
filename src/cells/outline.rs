//! Dark nuclei by their outlines: around each dark place, the closed line across which the picture
//! brightens most.
//!
//! A nucleus in a stained cytoplasm is rarely closed in by brighter pixels: fibres cross it and on one
//! side it may touch the background. Its outline is therefore looked for as a whole. On rays from the
//! darkest place, `rise(ray, step)` is how much brighter the picture is beyond a step than before it;
//! of all closed lines whose neighbouring rays differ by at most one step, the one with the largest sum
//! of rises is found exactly, ray by ray (dynamic programming).
//!
//! Invariant: an outline goes once around its centre, so it has no holes and no granules of its own.

use std::f64::consts::TAU;

use super::candidates::{Blob, Candidate};
use crate::grey::gaussian_blur;

/// Rays of an outline.
const RAYS: usize = 32;
/// Nearest step and distance between steps, relative to the expected radius, and number of steps.
const NEAREST: f64 = 0.4;
const STEP: f64 = 0.1;
const STEPS: usize = 16;
/// Steps inside and outside whose means a rise compares: cytoplasm is wide, the bright rim of a nucleus
/// is not.
const INSIDE: usize = 2;
const OUTSIDE: usize = 4;
/// Blur of the picture whose minima are the centres, relative to the expected radius.
const CENTER_BLUR: f32 = 0.4;
/// Share of the rays that may rise less than the outline's contrast.
const WEAK: f64 = 0.25;

/// Distances at which the cytoplasm and what is beyond it are looked at, relative to those of the outline.
const NEAR: [f64; 3] = [1.3, 1.4, 1.5];
const FAR: [f64; 3] = [1.65, 1.8, 1.95];
/// How much brighter than inside it is there, far over near. Up to the first of `RIM` there is but the rim
/// of a bright nucleus, from the second on a cytoplasm; from the first of `GAP` on it may be a gap between
/// bright nuclei, from the second on it is one.
const RIM: (f64, f64) = (0.0, 0.25);
const GAP: (f64, f64) = (1.0, 1.4);

/// A logarithmic grey picture of `width` in which dark nuclei of about `radius` pixels are looked for.
pub(super) struct Outlines<'a> {
    pub grey: &'a [f32],
    pub width: usize,
    pub radius: f64,
}

impl Outlines<'_> {
    /// The outline around every dark place; their levels and contrasts are those of the grey.
    pub fn candidates(&self) -> Vec<Candidate> {
        self.minima().into_iter().filter_map(|center| self.around(center)).collect()
    }

    /// Middles of the pixels that are darker than those around them.
    fn minima(&self) -> Vec<[f64; 2]> {
        let smooth = gaussian_blur(self.grey, self.width, CENTER_BLUR * self.radius as f32);
        let width = self.width;
        let height = smooth.len() / width;
        let mut minima = Vec::new();
        for (i, v) in smooth.iter().enumerate() {
            let (x, y) = (i % width, i / width);
            let rows = y.saturating_sub(1)..(y + 2).min(height);
            let columns = x.saturating_sub(1)..(x + 2).min(width);
            let mut around = rows.flat_map(|y| columns.clone().map(move |x| y * width + x));
            if around.all(|j| j == i || smooth[j] > *v || (smooth[j] == *v && j > i)) {
                minima.push([x as f64 + 0.5, y as f64 + 0.5]);
            }
        }
        minima
    }

    /// The outline around a place, looked for again around its own centre.
    fn around(&self, center: [f64; 2]) -> Option<Candidate> {
        let first = self.outline(center)?;
        let outline = self.outline(first.blob.center)?;
        let Outline { level, contrast, .. } = outline;
        let ratio = self.surplus(&outline, FAR) / self.surplus(&outline, NEAR);
        let within = |from: f64, to: f64| ((ratio - from) / (to - from)).clamp(0.0, 1.0);
        let mut found = outline.blob.judged(self.radius, level, contrast, 1.0)?;
        found.cytoplasm = within(RIM.0, RIM.1) * within(GAP.1, GAP.0);
        Some(found)
    }

    /// How much brighter than inside an outline it is at these distances.
    fn surplus(&self, outline: &Outline, sizes: [f64; 3]) -> f64 {
        let places = outline.points.iter().flat_map(|point| sizes.map(|size| (point, size)));
        let place = |([x, y], size): (&[f64; 2], f64)| {
            self.at(outline.center[0] + size * x, outline.center[1] + size * y)
        };
        places.map(place).sum::<f64>() / (sizes.len() * RAYS) as f64 - outline.level
    }

    /// The outline around a centre.
    fn outline(&self, center: [f64; 2]) -> Option<Outline> {
        let rays: Vec<Ray> = (0..RAYS).map(|ray| self.ray(center, ray)).collect();
        let steps = best_line(&rays);
        let points: Vec<[f64; 2]> = (0..RAYS)
            .map(|ray| {
                let (sin, cos) = angle(ray).sin_cos();
                let distance = self.radius * (NEAREST + STEP * steps[ray] as f64);
                [distance * cos, distance * sin]
            })
            .collect();
        let blob = Blob::within_outline(center, &points)?;
        let mut rises: Vec<f64> =
            rays.iter().zip(&steps).map(|(ray, step)| ray.rises[*step]).collect();
        rises.sort_by(f64::total_cmp);
        let inside = rays.iter().zip(&steps).map(|(ray, step)| ray.means[*step]).sum::<f64>();
        let contrast = rises[(WEAK * RAYS as f64) as usize];
        Some(Outline { center, points, blob, level: inside / RAYS as f64, contrast })
    }

    fn ray(&self, center: [f64; 2], ray: usize) -> Ray {
        let (sin, cos) = angle(ray).sin_cos();
        // Samples lie half a step beside the steps.
        let sample = |i: usize| {
            let distance = self.radius * (NEAREST + STEP * (i as f64 - INSIDE as f64 + 0.5));
            self.at(center[0] + distance * cos, center[1] + distance * sin)
        };
        let samples: Vec<f64> = (0..STEPS + INSIDE + OUTSIDE).map(sample).collect();
        let mean =
            |from: usize, to: usize| samples[from..to].iter().sum::<f64>() / (to - from) as f64;
        let rises = std::array::from_fn(|step| {
            let edge = step + INSIDE;
            mean(edge, edge + OUTSIDE) - mean(step, edge)
        });
        let means = std::array::from_fn(|step| mean(0, step + INSIDE));
        Ray { rises, means }
    }

    /// The grey of a place, that of the nearest pixel outside of the picture.
    fn at(&self, x: f64, y: f64) -> f64 {
        let height = self.grey.len() / self.width;
        let split = |v: f64, end: usize| {
            let v = (v - 0.5).clamp(0.0, (end - 1) as f64);
            (v as usize, (v as usize + 1).min(end - 1), v.fract())
        };
        let (left, right, fx) = split(x, self.width);
        let (top, bottom, fy) = split(y, height);
        let row = |y: usize| {
            let at = |x: usize| f64::from(self.grey[y * self.width + x]);
            at(left) * (1.0 - fx) + at(right) * fx
        };
        row(top) * (1.0 - fy) + row(bottom) * fy
    }
}

/// A closed line around a dark place.
struct Outline {
    center: [f64; 2],
    /// Its points, relative to the centre.
    points: Vec<[f64; 2]>,
    blob: Blob,
    /// Mean grey inside.
    level: f64,
    /// Rise that most of its points exceed.
    contrast: f64,
}

/// What a ray crosses: the rise at each step and the mean up to it.
struct Ray {
    rises: [f64; STEPS],
    means: [f64; STEPS],
}

fn angle(ray: usize) -> f64 {
    TAU * ray as f64 / RAYS as f64
}

/// The step of each ray on the line with the largest sum of rises. The line is followed around twice,
/// and its middle turn is closed.
fn best_line(rays: &[Ray]) -> Vec<usize> {
    let mut sums = rays[0].rises;
    let mut from: Vec<[usize; STEPS]> = Vec::with_capacity(2 * RAYS);
    for i in 1..2 * RAYS {
        let before = sums;
        let origin: [usize; STEPS] = std::array::from_fn(|step| {
            let near = step.saturating_sub(1)..(step + 2).min(STEPS);
            near.max_by(|a, b| before[*a].total_cmp(&before[*b])).unwrap_or(step)
        });
        sums = std::array::from_fn(|step| before[origin[step]] + rays[i % RAYS].rises[step]);
        from.push(origin);
    }
    let mut step = (0..STEPS).max_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap_or(0);
    let mut steps = vec![0; RAYS];
    for i in (1..2 * RAYS).rev() {
        if (RAYS / 2..RAYS / 2 + RAYS).contains(&i) {
            steps[i % RAYS] = step;
        }
        step = from[i - 1][step];
    }
    steps
}
