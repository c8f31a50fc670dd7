//! Randomness of textures and sensors: value noise and tabulated normal deviates.
//!
//! Invariant: the same generator gives the same tables, and a table is never changed.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const SIDE: usize = 256;
const DEVIATES: usize = 1 << 14;

/// Value noise on a periodic lattice of 256 x 256 random numbers.
#[derive(Debug, Clone)]
pub struct Noise {
    lattice: Box<[f32; SIDE * SIDE]>,
}

impl Noise {
    /// Draws the lattice.
    pub fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut lattice = Box::new([0.0; SIDE * SIDE]);
        lattice.iter_mut().for_each(|value| *value = rng.random_range(-1.0..1.0));
        Self { lattice }
    }

    /// The noise at a place in lattice units, in -1..1; grains are about one unit wide.
    #[inline]
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let ((left, s), (top, t)) = (split(x), split(y));
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (s, t) = (ease(s), ease(t));
        // The period of 256 is that of a byte.
        let (x0, y0) = (left as u8, top as u8);
        let (x1, y1) = (x0.wrapping_add(1), y0.wrapping_add(1));
        let value = |x: u8, y: u8| self.lattice[usize::from(y) << 8 | usize::from(x)];
        let upper = value(x0, y0) + s * (value(x1, y0) - value(x0, y0));
        let lower = value(x0, y1) + s * (value(x1, y1) - value(x0, y1));
        upper + t * (lower - upper)
    }

    /// A view of the noise with its own place and direction, so that no two cells share a texture.
    pub fn texture(&self, rng: &mut ChaCha8Rng) -> Texture<'_> {
        let (sin, cos) = rng.random_range(0.0..std::f32::consts::TAU).sin_cos();
        let mut place = || rng.random_range(0.0..SIDE as f32);
        Texture { noise: self, cos, sin, place: (place(), place()) }
    }
}

/// The low bits of the whole part of `x`, and the rest in 0..=1, for |x| below 2²¹.
///
/// Adding 1.5 · 2²³ leaves a whole number in the low bits of the mantissa: much faster than a
/// rounding function and a cast, and this runs a million times a field.
#[inline]
pub(super) fn split(x: f32) -> (u32, f32) {
    const SHIFT: f32 = 12_582_912.0;
    let shifted = (x - 0.5) + SHIFT;
    (shifted.to_bits(), x - (shifted - SHIFT))
}

/// Value noise seen from one cell.
#[derive(Debug, Clone, Copy)]
pub struct Texture<'a> {
    noise: &'a Noise,
    cos: f32,
    sin: f32,
    place: (f32, f32),
}

impl Texture<'_> {
    /// Grains of the given size, in -1..1.
    #[inline]
    pub fn grain(&self, u: f32, v: f32, size: f32) -> f32 {
        let scale = size.recip();
        let x = (self.cos * u - self.sin * v) * scale + self.place.0;
        let y = (self.sin * u + self.cos * v) * scale + self.place.1;
        self.noise.at(x, y)
    }

    /// Two octaves turned against each other, about -1..1: hides the lattice.
    #[inline]
    pub fn mottle(&self, u: f32, v: f32, size: f32) -> f32 {
        let (p, q) = (0.8 * u - 0.6 * v, 0.6 * u + 0.8 * v);
        0.7 * self.grain(u, v, size) + 0.55 * self.grain(q + 7.3, 3.1 - p, 0.57 * size)
    }

    /// Ridges in the direction of the noise's own axes, 0..1: threads of a network.
    #[inline]
    pub fn threads(&self, u: f32, v: f32, size: f32) -> f32 {
        let ridge = |n: f32| 1.0 - (2.2 * n.abs()).min(1.0);
        let (p, q) = (0.8 * u - 0.6 * v, 0.6 * u + 0.8 * v);
        let sum = ridge(self.grain(u, v, size)) + ridge(self.grain(q, p + 5.7, 0.7 * size));
        0.5 * sum * sum.min(1.0)
    }
}

/// Standard normal deviates from a table, for millions of pixels.
#[derive(Debug, Clone)]
pub struct Deviates {
    table: Vec<f32>,
}

impl Deviates {
    /// Draws the table.
    pub fn new(rng: &mut ChaCha8Rng) -> Self {
        Self { table: (0..DEVIATES).map(|_| rng.sample(StandardNormal)).collect() }
    }

    /// The deviate that a random number stands for.
    #[inline]
    pub fn of(&self, number: u16) -> f32 {
        self.table[usize::from(number) % DEVIATES]
    }
}

/// A number between `low` and `high`, evenly distributed in its logarithm.
pub fn log_uniform(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    rng.random_range(low.ln()..=high.ln()).exp()
}

/// A normal deviate of the given standard deviation, kept within 2.5 of them.
pub fn normal(rng: &mut ChaCha8Rng, deviation: f32) -> f32 {
    let sample: f32 = rng.sample(StandardNormal);
    sample.clamp(-2.5, 2.5) * deviation
}
