//! Draws what is no cell of either class: apoptotic and pyknotic nuclei, debris.
//!
//! Invariant: the mask is the visible object; balls are smooth and round, unlike chromosomes.

use std::f32::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::noise::{Noise, log_uniform};
use super::outline::{Outline, bearing};
use super::pattern::{Chromatin, LookAlike, direction};
use super::staining::Staining;
use super::tile::{Blob, Frame, Tile, smoothstep};

/// Draws the object.
pub fn draw(
    kind: LookAlike,
    staining: &Staining,
    noise: &Noise,
    rng: &mut ChaCha8Rng,
    frame: &Frame,
) -> Tile {
    match kind {
        LookAlike::Debris => debris(staining, noise, rng, frame),
        _ => dead_cell(kind, staining, noise, rng, frame),
    }
}

/// A shrunken body with one ball of condensed chromatin, or several.
fn dead_cell(
    kind: LookAlike,
    staining: &Staining,
    noise: &Noise,
    rng: &mut ChaCha8Rng,
    frame: &Frame,
) -> Tile {
    let several = kind == LookAlike::Apoptotic;
    let mut body = Outline::circle(1.0);
    body.roughen(rng, if several { 0.06 } else { 0.03 }, 7);
    let size = rng.random_range(0.65..1.0);
    let stuck = matches!(staining.chromatin, Chromatin::Bright);
    let brightness = rng.random_range(0.7..1.5);
    let main = staining.nucleoplasm.max(staining.nucleoli).max(staining.body);
    let ball = brightness * if stuck { staining.plate } else { main * rng.random_range(0.4..1.6) };
    let around =
        brightness * staining.body.max(0.5 * staining.cytoplasm) * rng.random_range(0.8..2.0);
    let count = if several { rng.random_range(3..=9) } else { 1 };
    let balls: Vec<Blob> = (0..count)
        .map(|_| {
            let (u, v) = direction(rng.random_range(0.0..TAU));
            let far = if several { size * rng.random_range(0.1..0.85) } else { 0.08 };
            let radius =
                if several { rng.random_range(0.12..0.36) } else { rng.random_range(0.35..0.6) };
            Blob { u: u * far, v: v * far, radius, amount: rng.random_range(0.6..1.2) }
        })
        .collect();
    let reach = body.reach() * size + 0.4;
    let mut tile = Tile::new(frame, reach);
    let texture = noise.texture(rng);
    let edge = (0.05f32).max(0.7 / frame.scale);
    tile.paint(&Outline::circle(reach), 0.0, |_, u, v, light, mask| {
        let distance = (u * u + v * v).sqrt();
        let reach = size * body.radius(bearing(u, v));
        let within = smoothstep(-edge, edge, reach - distance);
        let grains = 1.0 + 0.25 * texture.mottle(u, v, 0.12);
        let dome = 0.4 + 0.6 * (1.0 - (distance / reach).min(1.0).powi(2)).sqrt();
        let mut condensed = 0.0f32;
        for ball in &balls {
            let square = (u - ball.u).powi(2) + (v - ball.v).powi(2);
            let off = square / (ball.radius * ball.radius);
            condensed = condensed.max(ball.amount * smoothstep(1.25, 0.56, off));
        }
        *light = around * within * dome * grains + ball * condensed;
        *mask = within > 0.5 || condensed > 0.3;
    });
    tile
}

/// Dirt: a lump, a cluster of grains, or a fibre; brightness has nothing to do with the serum.
fn debris(staining: &Staining, noise: &Noise, rng: &mut ChaCha8Rng, frame: &Frame) -> Tile {
    let mut blobs = Vec::new();
    let light = log_uniform(rng, 0.3, 3.0) * staining.body.max(staining.nucleoplasm).min(1.0);
    match rng.random_range(0..3) {
        0 => {
            let radius = rng.random_range(0.15..0.5);
            for _ in 0..rng.random_range(3..9) {
                let (u, v) = direction(rng.random_range(0.0..TAU));
                let far = radius * rng.random_range(0.0..0.9);
                blobs.push(Blob { u: u * far, v: v * far, radius, amount: 0.4 });
            }
        }
        1 => {
            for _ in 0..rng.random_range(4..30) {
                let (u, v) = direction(rng.random_range(0.0..TAU));
                let far = rng.random_range(0.0..0.9f32);
                let radius = rng.random_range(0.05..0.16);
                blobs.push(Blob { u: u * far, v: v * far, radius, amount: 1.0 });
            }
        }
        _ => {
            let (mut angle, thick) = (rng.random_range(0.0..TAU), rng.random_range(0.05..0.15f32));
            let (mut u, mut v) = (0.0f32, 0.0f32);
            for _ in 0..rng.random_range(8..40) {
                blobs.push(Blob { u, v, radius: thick, amount: 0.7 });
                angle += rng.random_range(-0.3..0.3);
                let (along, down) = direction(angle);
                (u, v) = (u + 0.6 * thick * along, v + 0.6 * thick * down);
            }
        }
    }
    let reach = blobs.iter().map(|b| b.u.hypot(b.v) + b.radius).fold(0.1, f32::max);
    let mut tile = Tile::new(frame, reach);
    let mut plane = tile.plane();
    tile.splat(&mut plane, &blobs);
    let texture = noise.texture(rng);
    tile.paint(&Outline::circle(reach), 0.0, |i, u, v, pixel, mask| {
        let dense = 1.0 - (-1.5 * plane[i]).exp();
        *pixel = light * dense * (1.0 + 0.3 * texture.mottle(u, v, 0.1));
        *mask = dense > 0.3;
    });
    tile
}
