//! Where the chromosomes of a mitotic cell lie: bent rods by phase, with their centromeres.
//!
//! Invariant: geometry only, in nuclear radii around the cell's centre; the spindle of every
//! arrangement points along `axis`.

use std::f32::consts::{PI, TAU};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::noise::normal;
use super::pattern::{Phase, View, direction};

/// One chromosome: places along its rod, and its centromere.
#[derive(Debug, Clone, PartialEq)]
pub struct Chromosome {
    /// Places along the rod.
    pub rod: Vec<(f32, f32)>,
    /// Place of the centromere.
    pub centromere: (f32, f32),
}

/// The chromosomes of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrangement {
    /// All of them.
    pub chromosomes: Vec<Chromosome>,
    /// Half the distance of two separated sets from the centre; 0 while they are one.
    pub separation: f32,
}

/// Thickness of a rod (radius), in nuclear radii.
pub const ROD: f32 = 0.095;
const STEP: f32 = 0.075;

/// Arranges the chromosomes of a cell of relative size `size`.
pub fn arrange(rng: &mut ChaCha8Rng, phase: Phase, size: f32, axis: f32) -> Arrangement {
    let count = rng.random_range(48..70);
    let mut separation = 0.0;
    let chromosomes = match phase {
        Phase::Prophase => prophase(rng, count, size),
        Phase::Prometaphase => prometaphase(rng, count, size),
        Phase::Metaphase(View::Side) => side(rng, count, size),
        Phase::Metaphase(View::Polar) => {
            let radius = size * between(rng, 0.38, 0.62);
            ring(rng, count, radius, 0.12)
        }
        Phase::Anaphase => {
            separation = size * between(rng, 0.3, 0.85);
            plates(rng, count, size, separation, Daughter::anaphase)
        }
        Phase::Telophase => {
            separation = size * between(rng, 0.85, 1.5);
            plates(rng, count, size, separation, Daughter::telophase)
        }
    };
    let mut arrangement = Arrangement { chromosomes, separation };
    arrangement.turn(axis);
    arrangement
}

impl Arrangement {
    /// Turns everything: from a spindle along the first coordinate to one along `axis`.
    fn turn(&mut self, axis: f32) {
        let (cos, sin) = direction(axis);
        let turned = |(u, v): (f32, f32)| (cos * u - sin * v, sin * u + cos * v);
        for chromosome in &mut self.chromosomes {
            chromosome.centromere = turned(chromosome.centromere);
            for place in &mut chromosome.rod {
                *place = turned(*place);
            }
        }
    }

    /// The greatest distance from the centre.
    pub fn reach(&self) -> f32 {
        let places = self.chromosomes.iter().flat_map(|c| &c.rod);
        places.map(|(u, v)| u.hypot(*v)).fold(0.0, f32::max) + 3.0 * ROD
    }
}

fn between(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    rng.random_range(low..high)
}

/// A rod of `length` from `start` towards `angle`, bending at random; its centromere is `share` of
/// the way along.
fn rod(
    rng: &mut ChaCha8Rng,
    start: (f32, f32),
    angle: f32,
    length: f32,
    share: f32,
    bend: f32,
) -> Chromosome {
    let steps = (length / STEP).round().max(1.0) as usize;
    let (mut place, mut angle) = (start, angle);
    let mut rod = Vec::with_capacity(steps + 1);
    rod.push(place);
    for _ in 0..steps {
        angle += normal(rng, bend);
        let (u, v) = direction(angle);
        place = (place.0 + STEP * u, place.1 + STEP * v);
        rod.push(place);
    }
    let centromere = rod[((rod.len() - 1) as f32 * share) as usize];
    Chromosome { rod, centromere }
}

fn prophase(rng: &mut ChaCha8Rng, count: usize, size: f32) -> Vec<Chromosome> {
    let mut thread = |_| {
        let (u, v) = direction(rng.random_range(0.0..TAU));
        let far = size * rng.random_range(0.0..0.75f32).sqrt();
        let angle = v.atan2(u) + PI * 0.5 + normal(rng, 0.8);
        let length = rng.random_range(0.35..0.8);
        let mut thread = rod(rng, (far * u, far * v), angle, length, 0.5, 0.55);
        for (u, v) in &mut thread.rod {
            let inside = (0.9 * size / u.hypot(*v).max(1e-6)).min(1.0);
            (*u, *v) = (*u * inside, *v * inside);
        }
        thread
    };
    (0..count).map(&mut thread).collect()
}

fn prometaphase(rng: &mut ChaCha8Rng, count: usize, size: f32) -> Vec<Chromosome> {
    if rng.random_bool(0.45) {
        let radius = size * rng.random_range(0.45..0.75);
        return ring(rng, count, radius, 0.22);
    }
    let (a, b) = (size * rng.random_range(0.55..0.9), size * rng.random_range(0.35..0.65));
    let mut loose = |_| {
        let (u, v) = direction(rng.random_range(0.0..TAU));
        let far = rng.random_range(0.0..1.0f32).sqrt();
        let stray = if rng.random_bool(0.03) { 1.4 } else { 1.0 };
        let place = (b * far * u * stray, a * far * v * stray);
        let angle = place.1.atan2(place.0) + normal(rng, 1.4);
        let length = rng.random_range(0.1..0.28);
        rod(rng, place, angle, length, 0.2, 0.25)
    };
    (0..count).map(&mut loose).collect()
}

/// Chromosomes around a pole, arms outwards.
fn ring(rng: &mut ChaCha8Rng, count: usize, radius: f32, unrest: f32) -> Vec<Chromosome> {
    let (open, flat) = (rng.random_range(0.1..0.8), rng.random_range(0.75..1.0));
    let start = rng.random_range(0.0..TAU);
    let mut arm = |i: usize| {
        let angle = i as f32 / count as f32 * TAU + start + normal(rng, 0.15);
        let (u, v) = direction(angle);
        let inner = rng.random_range(open..1.1f32);
        let far = radius * (inner + normal(rng, unrest));
        let length = rng.random_range(0.1..0.26) * (0.6 + inner * 0.6);
        let angle = angle + normal(rng, 0.6);
        rod(rng, (far * u * flat, far * v), angle, length, 0.1, 0.2)
    };
    (0..count).map(&mut arm).collect()
}

/// A plate seen from the side; in one of 14 the spindle has three poles and the plate three arms.
fn side(rng: &mut ChaCha8Rng, count: usize, size: f32) -> Vec<Chromosome> {
    let half = size * rng.random_range(0.65..1.05);
    let thick = size * rng.random_range(0.07..0.26);
    let (bow, tilt) = (normal(rng, 0.12), normal(rng, 0.05));
    let tripolar = rng.random_bool(1.0 / 14.0);
    let stray = rng.random_bool(0.15);
    let mut one = |i: usize| {
        let along =
            if tripolar { rng.random_range(0.0..1.0) } else { rng.random_range(-1.0..1.0f32) };
        let across = thick * normal(rng, 1.0) + bow * (along * along - 0.4) * size + tilt * along;
        let far = if stray && i == 0 { 0.55 * size } else { 0.0 };
        let outwards = if rng.random_bool(0.5) { 0.0 } else { PI };
        let angle = outwards + normal(rng, 0.55);
        let length = rng.random_range(0.1..0.3) * size;
        let centromere = (across + far, along * half);
        let mut one = rod(rng, centromere, angle, length, 0.0, 0.3);
        if tripolar {
            let (cos, sin) = direction(i as f32 % 3.0 / 3.0 * TAU);
            let turn = |(u, v): (f32, f32)| (cos * u - sin * v, sin * u + cos * v);
            one.rod.iter_mut().for_each(|place| *place = turn(*place));
            one.centromere = turn(one.centromere);
        }
        one
    };
    (0..count).map(&mut one).collect()
}

/// Shape of one daughter plate.
struct Daughter {
    half: f32,
    thick: f32,
    bow: f32,
    arms: (f32, f32),
}

impl Daughter {
    fn anaphase(rng: &mut ChaCha8Rng) -> Self {
        let (half, bow) = (between(rng, 0.5, 0.8), between(rng, -0.05, 0.3));
        Self { half, thick: 0.05, bow, arms: (0.1, 0.32) }
    }

    fn telophase(rng: &mut ChaCha8Rng) -> Self {
        let (half, bow) = (between(rng, 0.38, 0.62), between(rng, -0.05, 0.2));
        Self { half, thick: 0.07, bow, arms: (0.05, 0.18) }
    }
}

/// Two plates at `separation` to each side; centromeres lead, arms trail to the middle.
fn plates(
    rng: &mut ChaCha8Rng,
    count: usize,
    size: f32,
    separation: f32,
    shape: fn(&mut ChaCha8Rng) -> Daughter,
) -> Vec<Chromosome> {
    let daughter = shape(rng);
    let tilts = [normal(rng, 0.12), normal(rng, 0.12)];
    let mut one = |i: usize| {
        let side = if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let along = rng.random_range(-1.0..1.0f32);
        let bowed = -daughter.bow * size * (along * along - 0.35);
        let far = separation + bowed + daughter.thick * size * normal(rng, 1.0);
        let v = along * daughter.half * size;
        let u = side * far + tilts[i % 2] * v;
        let back = if side > 0.0 { PI } else { 0.0 };
        let length = size * rng.random_range(daughter.arms.0..daughter.arms.1);
        let angle = back + normal(rng, 0.45);
        rod(rng, (u, v), angle, length, 0.0, 0.25)
    };
    (0..count).map(&mut one).collect()
}
