//! Draws an interphase cell: flat body, nucleus, nucleoli, rim, dots and what its serum stains.
//!
//! Invariant: the mask is the nucleus, in every pattern; the nucleus lies inside the body.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::noise::{Noise, Texture, normal};
use super::outline::{Outline, bearing};
use super::pattern::direction;
use super::staining::{Staining, Web};
use super::tile::{Blob, Frame, Tile, smoothstep};

/// Shape and brightness of one interphase cell; lengths in nuclear radii.
#[derive(Debug, Clone)]
pub struct Interphase {
    /// Outline of the nucleus.
    pub nucleus: Outline,
    /// Outline of the body, around the same centre.
    pub body: Outline,
    /// Mean radius of the nucleus.
    pub size: f32,
    /// Direction of the long axis, in radians.
    pub axis: f32,
    /// Factor on all its light.
    pub brightness: f32,
    /// How high the body is: 1 spread flat, up to 4 for a rounded one.
    pub height: f32,
}

struct Nucleolus {
    u: f32,
    v: f32,
    radius: f32,
}

impl Interphase {
    /// Draws the shape of a nucleus `size` radii wide, about `stretch` times longer than wide, long
    /// along `axis`: mostly a plain oval, at times dented or lobed.
    pub fn nucleus_outline(rng: &mut ChaCha8Rng, size: f32, axis: f32, stretch: f32) -> Outline {
        let stretch = (stretch + normal(rng, 0.15)).max(1.02);
        let (a, b) = (size * stretch.sqrt(), size / stretch.sqrt());
        let mut outline = Outline::ellipse(a, b, axis);
        let amount = if rng.random_bool(0.12) { 0.11 } else { 0.022 };
        outline.roughen(rng, amount, 5);
        outline
    }

    /// Draws the cell.
    pub fn draw(
        &self,
        staining: &Staining,
        noise: &Noise,
        rng: &mut ChaCha8Rng,
        frame: &Frame,
    ) -> Tile {
        let mut extent = self.body.clone();
        extent.contain(&self.nucleus, 1.0);
        let mut tile = Tile::new(frame, extent.reach() + 0.1);
        let (fine, coarse) = (noise.texture(rng), noise.texture(rng));
        let nucleoli = self.nucleoli(rng);
        let web = WebPainter::new(self, staining, coarse, rng);
        let edge = (0.06f32).max(0.7 / frame.scale);
        let rim = (0.09f32).max(1.0 / frame.scale);
        let tilt = direction(rng.random_range(0.0..TAU));
        tile.paint(&extent, edge, |_, u, v, light, mask| {
            let distance = (u * u + v * v).sqrt();
            let bearing = bearing(u, v);
            let body = self.body.radius(bearing);
            let nucleus = self.nucleus.radius(bearing);
            if distance > body.max(nucleus) + edge {
                return;
            }
            let cover = smoothstep(-edge, edge, nucleus - distance);
            let mut sum = if cover == 1.0 && staining.web == Web::Diffuse {
                0.3 * staining.cytoplasm * self.height
            } else if distance < body + edge {
                web.light(u, v, distance, nucleus, body) * (1.0 - 0.7 * cover)
            } else {
                0.0
            };
            if cover > 0.0 {
                *mask = cover > 0.5;
                let depth = (distance / nucleus).min(1.0).powi(2);
                let lens = (1.0 + 0.12 * (u * tilt.0 + v * tilt.1)) * (1.0 - 0.25 * depth * depth);
                let speckle = speckles(&fine, u, v, staining.grain, staining.contrast);
                let mut inner = staining.nucleoplasm * speckle;
                if staining.nucleoli != staining.nucleoplasm {
                    let share = nucleolar_share(&nucleoli, &coarse, u, v, staining.clumpy);
                    inner += share * (staining.nucleoli - inner);
                }
                let off = ((nucleus - rim - distance) / (2.0 * rim)).clamp(-1.0, 1.0);
                let membrane = staining.membrane * (1.0 - off * off).powi(3);
                sum += cover * (inner * lens + membrane).max(0.0);
            }
            *light = sum * self.brightness;
        });
        let mut plane = std::mem::take(&mut tile.light);
        tile.splat(&mut plane, &self.dots(staining, rng));
        tile.splat(&mut plane, &self.fibres(staining, rng));
        tile.light = plane;
        tile
    }

    fn nucleoli(&self, rng: &mut ChaCha8Rng) -> Vec<Nucleolus> {
        let count = rng.random_range(1..=8);
        let mean = 0.42 / (count as f32).sqrt();
        let mut of = |_| {
            let angle = rng.random_range(0.0..TAU);
            let far = rng.random_range(0.0..0.65) * self.nucleus.radius_at(angle);
            let (u, v) = direction(angle);
            let radius = self.size * mean * rng.random_range(0.6..1.3);
            Nucleolus { u: u * far, v: v * far, radius }
        };
        (0..count).map(&mut of).collect()
    }

    /// Fibres of the cytoplasm: from the nucleus outwards or along the cell, as far as it reaches.
    fn fibres(&self, staining: &Staining, rng: &mut ChaCha8Rng) -> Vec<Blob> {
        const THICK: f32 = 0.04;
        if staining.web != Web::Fibres {
            return Vec::new();
        }
        let mut blobs = Vec::new();
        for _ in 0..rng.random_range(70..140) {
            let start = rng.random_range(0.0..TAU);
            let (u, v) = direction(start);
            let far = self.nucleus.radius_at(start) * rng.random_range(0.9..1.4);
            let (mut u, mut v) = (u * far, v * far);
            let back = if rng.random_bool(0.5) { 0.0 } else { PI };
            let mut angle = match rng.random_range(0..3) {
                0 => start + FRAC_PI_2 + back,
                1 => self.axis + back,
                _ => start,
            } + normal(rng, 0.35);
            let light = staining.cytoplasm * staining.web_contrast * self.brightness;
            let light = light * self.height * rng.random_range(0.12..0.5);
            for _ in 0..rng.random_range(15..60) {
                let (bearing, distance) = (bearing(u, v), u.hypot(v));
                let rest = 1.0 - distance / self.body.radius(bearing);
                let over = if distance < self.nucleus.radius(bearing) { 0.3 } else { 1.0 };
                if rest < 0.06 {
                    break;
                }
                blobs.push(Blob {
                    u,
                    v,
                    radius: THICK,
                    amount: light * over * (2.5 * rest).min(1.0),
                });
                angle += normal(rng, 0.09);
                let (along, down) = direction(angle);
                (u, v) = (u + THICK * along, v + THICK * down);
            }
        }
        blobs
    }

    fn dots(&self, staining: &Staining, rng: &mut ChaCha8Rng) -> Vec<Blob> {
        let Some(dots) = staining.dots else { return Vec::new() };
        let count = rng.random_range(dots.count.0..=dots.count.1);
        let mut of = |_| {
            let angle = rng.random_range(0.0..TAU);
            let far = rng.random_range(0.0..0.8f32).sqrt() * self.nucleus.radius_at(angle);
            let (u, v) = direction(angle);
            let amount = dots.light * self.brightness * rng.random_range(0.35..1.2);
            let radius = dots.radius * rng.random_range(0.7..1.25) * 1.3;
            Blob { u: u * far, v: v * far, radius, amount }
        };
        (0..count).map(&mut of).collect()
    }
}

/// Factor on the nucleoplasm; its mean stays near 1.
#[inline]
pub(super) fn speckles(texture: &Texture, u: f32, v: f32, grain: f32, contrast: f32) -> f32 {
    let grains = smoothstep(-0.55, 1.05, texture.mottle(u, v, grain * 1.15));
    (1.0 + contrast * (2.6 * grains - 1.0)).max(0.0)
}

fn nucleolar_share(nucleoli: &[Nucleolus], texture: &Texture, u: f32, v: f32, clumpy: f32) -> f32 {
    let mut share = 0.0f32;
    for nucleolus in nucleoli {
        let (du, dv) = (u - nucleolus.u, v - nucleolus.v);
        let square = du * du + dv * dv;
        let reach = 1.5 * nucleolus.radius;
        if square < reach * reach {
            let wave = 1.0 + 0.35 * texture.grain(u, v, nucleolus.radius);
            share = share.max(smoothstep(1.1, 0.75, square.sqrt() / (nucleolus.radius * wave)));
        }
    }
    if share > 0.0 && clumpy > 0.0 {
        share *= 1.0 - clumpy * smoothstep(0.25, -0.2, texture.mottle(u, v, 0.11));
    }
    share
}

/// Light of the cytoplasm.
struct WebPainter<'a> {
    staining: &'a Staining,
    texture: Texture<'a>,
    size: f32,
    height: f32,
    cap: (f32, f32),
    plain: bool,
    fade: f32,
}

impl<'a> WebPainter<'a> {
    fn new(
        cell: &Interphase,
        staining: &'a Staining,
        texture: Texture<'a>,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let cap = direction(rng.random_range(0.0..TAU));
        let fade = rng.random_range(0.0..1.0);
        let main = staining.nucleoplasm + staining.nucleoli + staining.membrane;
        let plain = staining.cytoplasm * staining.web_contrast < 0.05 * main;
        Self { plain, staining, texture, size: cell.size, height: cell.height, cap, fade }
    }

    /// Light at a place `distance` from the centre, where nucleus and body end as given.
    #[inline]
    fn light(&self, u: f32, v: f32, distance: f32, nucleus: f32, body: f32) -> f32 {
        let staining = self.staining;
        let relative = (distance / body).min(1.0);
        let edge = if relative < 0.76 {
            1.0
        } else if self.plain {
            smoothstep(1.0, 0.86, relative)
        } else {
            smoothstep(1.0, 0.86, relative * (1.0 + 0.12 * self.texture.grain(u, v, 0.9)))
        };
        let out = ((distance - nucleus) / (body - nucleus).max(0.1)).clamp(0.0, 1.0);
        let slope = out * (2.0 - out) * (1.0 - self.fade) + out * self.fade;
        let thickness = edge * self.height * (1.0 - 0.9 * slope);
        let arranged = match staining.web {
            // Grains too faint to be seen beside the nucleus are not worth their time.
            Web::Diffuse if self.plain => 1.0,
            Web::Diffuse => 1.0 + 0.8 * self.texture.grain(u, v, 0.08),
            Web::Network => 2.2 * self.texture.threads(u, v, 0.15) + 0.35,
            // The fibres themselves are laid over it.
            Web::Fibres => 0.7 + 0.8 * self.texture.grain(u, v, 0.3) * (1.0 - out),
            Web::Ribbon => self.ribbon(u, v, distance, nucleus),
        };
        let contrast = staining.web_contrast;
        staining.cytoplasm * thickness * (1.0 - contrast + contrast * arranged.max(0.0))
    }

    fn ribbon(&self, u: f32, v: f32, distance: f32, nucleus: f32) -> f32 {
        let facing = (u * self.cap.0 + v * self.cap.1) / distance.max(1e-3);
        let far = (distance - nucleus - 0.22 * self.size) / (0.3 * self.size);
        let near = smoothstep(0.1, 0.75, facing) * (-far * far).exp();
        if near < 0.01 {
            return 0.0;
        }
        4.5 * near * smoothstep(0.15, 0.6, self.texture.threads(u, v, 0.2))
    }
}
