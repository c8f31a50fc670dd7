//! Draws a mitotic cell: round body, condensed chromatin, dots, all as its serum stains them.
//!
//! Invariant: the mask is what a reader outlines: the nucleus in prophase; later the chromatin where
//! it shows bright or dotted, else the whole rounded body that its dark plate lies in.

use std::f32::consts::{PI, TAU};

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::chromosomes::{Arrangement, ROD, arrange};
use super::interphase::{Interphase, speckles};
use super::noise::{Noise, normal};
use super::outline::{Outline, bearing};
use super::pattern::{Chromatin, Pattern, Phase, direction};
use super::staining::{Staining, Web};
use super::tile::{Blob, Frame, Tile, smoothstep};

/// Shape and brightness of one mitotic cell; lengths in nuclear radii.
#[derive(Debug, Clone)]
pub struct Mitosis {
    /// The phase.
    pub phase: Phase,
    /// Mean radius that its nucleus had.
    pub size: f32,
    /// Direction of the spindle, in radians.
    pub axis: f32,
    /// Factor on all its light.
    pub brightness: f32,
}

impl Mitosis {
    /// Draws the cell.
    pub fn draw(
        &self,
        staining: &Staining,
        noise: &Noise,
        rng: &mut ChaCha8Rng,
        frame: &Frame,
    ) -> Tile {
        let arrangement = arrange(rng, self.phase, self.size, self.axis);
        let body = self.body(rng, &arrangement);
        let prophase = self.phase == Phase::Prophase;
        let nucleus =
            prophase.then(|| Interphase::nucleus_outline(rng, self.size * 1.05, self.axis, 1.2));
        let mut extent = body.clone();
        extent.contain(&Outline::circle(arrangement.reach()), 1.0);
        let mut tile = Tile::new(frame, extent.reach() + 0.1);
        let mut chromatin = tile.plane();
        // Threads of prophase are thin: swollen, they would fill the nucleus.
        let stoutness = if prophase { staining.stoutness.min(0.8) } else { staining.stoutness };
        tile.splat(&mut chromatin, &rods(&arrangement, stoutness, rng));
        for dense in chromatin.iter_mut().filter(|dense| **dense > 0.0) {
            *dense = 1.0 - (-1.9 * *dense).exp();
        }

        let (fine, coarse) = (noise.texture(rng), noise.texture(rng));
        let edge = (0.07f32).max(0.7 / frame.scale);
        let spindle = Spindle::new(self, &arrangement, staining);
        let light_of_body = staining.body * self.brightness;
        let plate = staining.plate * self.brightness * (1.0 + normal(rng, 0.12)).max(0.5);
        tile.paint(&extent, edge, |i, u, v, light, mask| {
            let distance = (u * u + v * v).sqrt();
            let bearing = bearing(u, v);
            let reach = body.radius(bearing);
            let dense = chromatin[i];
            let within = smoothstep(-edge, edge, reach - distance);
            if within == 0.0 && dense == 0.0 {
                return;
            }
            let depth = (distance / reach).min(1.0);
            let dome = 0.3 + 0.7 * (1.0 - depth * depth).sqrt();
            let grains = 1.0
                + staining.body_contrast * fine.mottle(u, v, staining.body_grain)
                + 0.2 * coarse.grain(u, v, 0.6);
            let shadow = 1.0 - staining.shadow * dense;
            let granted = light_of_body * within * dome * grains.max(0.0);
            let bright = match plate * dense {
                0.0 => 0.0,
                even => {
                    even * (1.0 + staining.coat * fine.mottle(u, v, staining.body_grain)).max(0.0)
                }
            };
            let mut sum = match &nucleus {
                None => granted * shadow * spindle.clearance(u, v) + bright,
                Some(nucleus) => {
                    let nucleus = nucleus.radius(bearing);
                    let cover = smoothstep(-edge, edge, nucleus - distance);
                    *mask = cover > 0.5;
                    let off = (nucleus - 0.08 - distance) / 0.08;
                    let rim = staining.membrane.max(0.0) * (-off * off).exp();
                    let speckle = speckles(&coarse, u, v, staining.grain, staining.contrast);
                    let sap = staining.nucleoplasm * speckle * (1.0 - 0.55 * dense) + rim;
                    let flat = (1.0 - cover) * (1.0 - 0.7 * depth) * grains.max(0.0) * within;
                    let over = 1.8 * staining.cytoplasm * (flat + 0.3 * cover);
                    self.brightness * (over + cover * sap) + cover * 0.6 * bright
                }
            };
            if nucleus.is_none() {
                *mask = match staining.chromatin {
                    Chromatin::Dark => within > 0.5,
                    Chromatin::Bright | Chromatin::Dots => dense > 0.5,
                };
            }
            if staining.chromatin == Chromatin::Dots {
                sum += 0.05 * self.brightness * dense;
            }
            *light = sum;
        });
        let mut plane = std::mem::take(&mut tile.light);
        tile.splat(&mut plane, &self.dots(staining, &arrangement, &body, rng));
        tile.light = plane;
        tile
    }

    /// The body: round, longer as the poles part, pinched in telophase; at times with a tail left
    /// from the spread cell.
    fn body(&self, rng: &mut ChaCha8Rng, arrangement: &Arrangement) -> Outline {
        let round = self.size * rng.random_range(0.95..1.55);
        let long = arrangement.separation + self.size * rng.random_range(0.75..1.0);
        let mut body = match self.phase {
            Phase::Prophase => {
                Outline::superellipse(round * 1.35, round * 1.1, 1.8, rng.random_range(0.0..TAU))
            }
            Phase::Prometaphase | Phase::Metaphase(_) => {
                let stretch = 1.0 + normal(rng, 0.06);
                Outline::ellipse(round * stretch, round / stretch, self.axis)
            }
            Phase::Anaphase => Outline::superellipse(long.max(round), round * 0.95, 2.3, self.axis),
            Phase::Telophase => {
                let waist = self.size * rng.random_range(0.15..0.75);
                Outline::pinched(long, waist, self.axis)
            }
        };
        let roughness = rng.random_range(0.015..0.06);
        body.roughen(rng, roughness, 6);
        let tails = if rng.random_bool(0.25) { rng.random_range(1..=3) } else { 0 };
        for _ in 0..tails {
            let length = self.size * rng.random_range(0.2..0.8);
            body.extend(rng.random_range(0.0..TAU), length, rng.random_range(0.08..0.22));
        }
        body
    }

    fn dots(
        &self,
        staining: &Staining,
        arrangement: &Arrangement,
        body: &Outline,
        rng: &mut ChaCha8Rng,
    ) -> Vec<Blob> {
        let chromosomes = &arrangement.chromosomes;
        match (staining.pattern, staining.dots) {
            (Pattern::Centromere, Some(dots)) => {
                let sisters = if arrangement.separation > 0.0 { 1 } else { 2 };
                let of = |&(u, v): &(f32, f32)| -> Vec<Blob> {
                    let gap = 0.06 * self.size;
                    let (along, across) = direction(self.axis);
                    (0..sisters)
                        .map(|sister| {
                            let off = gap * (2 * sister + 1 - sisters) as f32 + normal(rng, 0.03);
                            let light = rng.random_range(0.5..1.3) * dots.light * self.brightness;
                            Blob {
                                u: u + off * along + normal(rng, 0.02),
                                v: v + off * across + normal(rng, 0.02),
                                radius: dots.radius * 1.25,
                                amount: light,
                            }
                        })
                        .collect()
                };
                chromosomes.iter().map(|c| &c.centromere).flat_map(of).collect()
            }
            // Nucleolus organisers: a few chromosomes carry one dot a sister.
            (Pattern::Nucleolar, _) if staining.chromatin == Chromatin::Dots => {
                let count = rng.random_range(5..=10);
                let chosen: Vec<_> = chromosomes.choose_multiple(rng, count).collect();
                let light = 0.9 * staining.nucleoli * self.brightness;
                let blob = |&(u, v): &(f32, f32)| Blob { u, v, radius: 0.13, amount: light };
                chosen.iter().map(|c| blob(&c.centromere)).collect()
            }
            (Pattern::NuclearDots, Some(dots)) => {
                let count = rng.random_range(0..=dots.count.1 / 2);
                self.scattered(body, rng, count, dots.radius, 0.7 * dots.light)
            }
            _ if staining.web == Web::Ribbon => {
                let count = rng.random_range(8..40);
                self.scattered(body, rng, count, 0.09, 0.6 * staining.cytoplasm)
            }
            _ => Vec::new(),
        }
    }

    fn scattered(
        &self,
        body: &Outline,
        rng: &mut ChaCha8Rng,
        count: usize,
        radius: f32,
        light: f32,
    ) -> Vec<Blob> {
        let mut of = |_| {
            let angle = rng.random_range(0.0..TAU);
            let far = rng.random_range(0.1..0.85f32).sqrt() * body.radius_at(angle);
            let (u, v) = direction(angle);
            let amount = light * self.brightness * rng.random_range(0.4..1.2);
            Blob { u: u * far, v: v * far, radius: radius * rng.random_range(0.8..1.4), amount }
        };
        (0..count).map(&mut of).collect()
    }
}

/// Blobs of chromatin along every rod.
fn rods(arrangement: &Arrangement, stoutness: f32, rng: &mut ChaCha8Rng) -> Vec<Blob> {
    let mut of = |places: &Vec<(f32, f32)>| -> Vec<Blob> {
        let amount = rng.random_range(0.5..0.9);
        let (u, v) = places[places.len() / 2];
        // Other chromosomes lie above and below: light of theirs fills the gaps.
        let deep = Blob { u, v, radius: 0.27, amount: 0.2 };
        let rod =
            places.iter().map(|&(u, v)| Blob { u, v, radius: ROD * 1.35 * stoutness, amount });
        rod.chain([deep]).collect()
    };
    arrangement.chromosomes.iter().flat_map(|c| of(&c.rod)).collect()
}

/// Organelles keep out of the spindle: a spindle-shaped zone around the plate is darker.
struct Spindle {
    along: (f32, f32),
    half: (f32, f32),
    depth: f32,
}

impl Spindle {
    fn new(cell: &Mitosis, arrangement: &Arrangement, staining: &Staining) -> Self {
        let organelles = staining.web != Web::Diffuse;
        let seen_from_the_side = !matches!(cell.phase, Phase::Prophase);
        let depth =
            if organelles && seen_from_the_side { 0.5 * staining.web_contrast } else { 0.0 };
        let length = cell.size * 0.8 + arrangement.separation;
        let along = direction(cell.axis.rem_euclid(PI));
        Self { along, half: (length, cell.size * 0.75), depth }
    }

    #[inline]
    fn clearance(&self, u: f32, v: f32) -> f32 {
        if self.depth == 0.0 {
            return 1.0;
        }
        let p = (u * self.along.0 + v * self.along.1) / self.half.0;
        let q = (v * self.along.0 - u * self.along.1) / self.half.1;
        1.0 - self.depth * smoothstep(1.15, 0.7, (p * p + q * q).sqrt())
    }
}
