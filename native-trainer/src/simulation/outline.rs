//! Outlines of nuclei and cell bodies as distance from the centre by direction.
//!
//! Invariant: every radius is finite and positive; the outline is star-shaped around its centre.

use std::f32::consts::{PI, TAU};
use std::sync::LazyLock;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::noise::{normal, split};

const DIRECTIONS: usize = 128;

/// Cosine and sine of every direction: outlines are drawn by the hundred.
static CIRCLE: LazyLock<[(f32, f32); DIRECTIONS]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let (sin, cos) = (i as f32 * TAU / DIRECTIONS as f32).sin_cos();
        (cos, sin)
    })
});

/// A star-shaped outline; radii in any one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    radii: [f32; DIRECTIONS],
}

impl Outline {
    /// The outline whose radius is a function of the angle in radians.
    pub fn new(radius: impl Fn(f32) -> f32) -> Self {
        let step = TAU / DIRECTIONS as f32;
        Self { radii: std::array::from_fn(|i| radius(i as f32 * step).max(1e-3)) }
    }

    /// A circle.
    pub fn circle(radius: f32) -> Self {
        Self { radii: [radius.max(1e-3); DIRECTIONS] }
    }

    /// An ellipse with half axes `a` and `b`, `a` along `axis`.
    pub fn ellipse(a: f32, b: f32, axis: f32) -> Self {
        let (sin, cos) = axis.sin_cos();
        Self {
            radii: CIRCLE.map(|(x, y)| {
                let (along, across) = ((x * cos + y * sin) / a, (y * cos - x * sin) / b);
                (along * along + across * across).sqrt().recip().max(1e-3)
            }),
        }
    }

    /// A superellipse with half axes `a` and `b`, `a` along `axis`: power 2 is an ellipse, lower
    /// powers have pointed ends like a spread cell.
    pub fn superellipse(a: f32, b: f32, power: f32, axis: f32) -> Self {
        Self::new(|angle| {
            let (sin, cos) = (angle - axis).sin_cos();
            ((cos.abs() / a).powf(power) + (sin.abs() / b).powf(power)).powf(-1.0 / power)
        })
    }

    /// A body pinched at its waist (hippopede): half length `a` along `axis`, half waist `b`.
    pub fn pinched(a: f32, b: f32, axis: f32) -> Self {
        Self::new(|angle| {
            let (sin, cos) = (angle - axis).sin_cos();
            (a * a * cos * cos + b * b * sin * sin).sqrt()
        })
    }

    /// Waves of 2 to `highest` periods, each of about `amount` of the radius over its number.
    pub fn roughen(&mut self, rng: &mut ChaCha8Rng, amount: f32, highest: usize) {
        let mut sums = [1.0f32; DIRECTIONS];
        for n in 2..=highest {
            let size = normal(rng, amount * 2.0 / n as f32);
            let (sin, cos) = rng.random_range(0.0..TAU).sin_cos();
            for (i, sum) in sums.iter_mut().enumerate() {
                let (x, y) = CIRCLE[n * i % DIRECTIONS];
                *sum += size * (x * cos + y * sin);
            }
        }
        for (radius, sum) in self.radii.iter_mut().zip(&sums) {
            *radius *= sum.clamp(0.4, 1.8);
        }
    }

    /// A tail towards `angle`: `length` beyond the outline, `width` radians wide.
    pub fn extend(&mut self, angle: f32, length: f32, width: f32) {
        for (i, radius) in self.radii.iter_mut().enumerate() {
            let mut off = (i as f32 * TAU / DIRECTIONS as f32 - angle).rem_euclid(TAU);
            if off > PI {
                off = TAU - off;
            }
            *radius += length * (-(off / width) * (off / width)).exp();
        }
    }

    /// Keeps the outline behind a straight line at `distance` towards `angle`, corners rounded.
    pub fn limit(&mut self, angle: f32, distance: f32) {
        let (sin, cos) = angle.sin_cos();
        for (radius, (x, y)) in self.radii.iter_mut().zip(CIRCLE.iter()) {
            let towards = x * cos + y * sin;
            if towards > 0.05 {
                *radius = soft_minimum(*radius, distance / towards);
            }
        }
    }

    /// No radius below the other outline's times `factor`.
    pub fn contain(&mut self, other: &Self, factor: f32) {
        for (radius, least) in self.radii.iter_mut().zip(&other.radii) {
            *radius = radius.max(least * factor);
        }
    }

    /// Its corners in order, around the centre.
    pub fn corners(&self) -> impl Iterator<Item = (f32, f32)> {
        self.radii.iter().zip(CIRCLE.iter()).map(|(radius, (x, y))| (radius * x, radius * y))
    }

    /// The greatest radius.
    pub fn reach(&self) -> f32 {
        self.radii.iter().copied().fold(0.0, f32::max)
    }

    /// The radius in a direction given as [`bearing`].
    #[inline]
    pub fn radius(&self, bearing: f32) -> f32 {
        let (i, rest) = split(bearing);
        let i = i as usize;
        let (a, b) = (self.radii[i % DIRECTIONS], self.radii[(i + 1) % DIRECTIONS]);
        a + rest * (b - a)
    }

    /// The radius at an angle in radians.
    pub fn radius_at(&self, angle: f32) -> f32 {
        self.radius(angle.rem_euclid(TAU) / TAU * DIRECTIONS as f32)
    }
}

/// Close to the smaller of both, at most a twentieth less.
fn soft_minimum(a: f32, b: f32) -> f32 {
    let (low, high) = (a.min(b), a.max(b));
    low * (1.0 - 0.05 * (1.0 - ((high - low) / (0.3 * low)).min(1.0)))
}

/// The direction of a place in table units, 0..128; right to 0.003 radians.
#[inline]
pub fn bearing(u: f32, v: f32) -> f32 {
    let (x, y) = (u.abs(), v.abs());
    let z = x.min(y) / x.max(y).max(1e-9);
    let mut angle = z * (PI / 4.0 + (1.0 - z) * (0.2447 + 0.0663 * z));
    if y > x {
        angle = PI / 2.0 - angle;
    }
    if u < 0.0 {
        angle = PI - angle;
    }
    if v < 0.0 {
        angle = TAU - angle;
    }
    angle * (DIRECTIONS as f32 / TAU)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearing_is_the_angle() {
        for i in 0..1000 {
            let angle = i as f32 * TAU / 1000.0;
            let off = (bearing(angle.cos(), angle.sin()) * TAU / 128.0 - angle).abs();
            assert!(off.min(TAU - off) < 0.003, "{angle}: {off}");
        }
    }

    #[test]
    fn an_ellipse_is_the_superellipse_of_power_2() {
        let (one, other) =
            (Outline::ellipse(1.4, 0.8, 0.7), Outline::superellipse(1.4, 0.8, 2.0, 0.7));
        for (a, b) in one.radii.iter().zip(&other.radii) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn a_limit_is_a_wall_and_no_more() {
        let mut outline = Outline::superellipse(2.0, 1.0, 2.0, 0.3);
        let free = outline.clone();
        outline.limit(0.3, 1.2);
        for i in 0..360 {
            let angle = (i as f32).to_radians();
            let (radius, before) = (outline.radius_at(angle), free.radius_at(angle));
            assert!(radius <= before + 1e-3);
            assert!(radius * (angle - 0.3).cos() < 1.205, "{i}: {radius}");
        }
        assert!((outline.radius_at(0.3 + PI) - 2.0).abs() < 0.02, "the far side stays");
    }

    #[test]
    fn a_pinched_outline_has_a_waist() {
        let outline = Outline::pinched(2.0, 0.6, 1.0);
        assert!((outline.radius_at(1.0) - 2.0).abs() < 0.01);
        assert!((outline.radius_at(1.0 + PI / 2.0) - 0.6).abs() < 0.01);
    }
}
