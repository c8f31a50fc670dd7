//! Where the cells of a field stand, of which kind and how their bodies share the room.
//!
//! Invariant: two sites keep the distance their crowding asks for, unless they are a pair on
//! purpose (early G1, overlap); a body does not reach past the line it shares with a neighbour.

use std::f32::consts::TAU;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::noise::{Noise, normal};
use super::outline::Outline;
use super::pattern::{Kind, LookAlike, Phase, direction};

/// How the cells of a specimen are spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowd {
    /// Sites tried for in an area of one squared nuclear radius.
    pub density: f32,
    /// Factor on the distance that two cells keep.
    pub spacing: f32,
    /// Share of the slide without cells.
    pub bare: f32,
    /// Share of mitotic cells.
    pub mitotic: f32,
    /// Share of look-alikes.
    pub look_alike: f32,
    /// Standard deviation of the logarithm of nuclear size.
    pub size_spread: f32,
    /// Length of the mean nucleus over its width.
    pub stretch: f32,
}

impl Crowd {
    /// Draws the crowding of a specimen.
    pub fn draw(rng: &mut ChaCha8Rng, mitotic: Option<f32>) -> Self {
        Self {
            density: rng.random_range(0.03..0.12),
            spacing: rng.random_range(0.8..1.2),
            bare: if rng.random_bool(0.5) { rng.random_range(0.0..0.45) } else { 0.0 },
            mitotic: mitotic.unwrap_or_else(|| rng.random_range(0.03..0.25)),
            look_alike: rng.random_range(0.02..0.2),
            size_spread: rng.random_range(0.09..0.2),
            stretch: rng.random_range(1.15..1.6),
        }
    }
}

/// One place of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    /// Column, in nuclear radii from the field's left edge.
    pub u: f32,
    /// Row, in nuclear radii from the field's top edge.
    pub v: f32,
    /// What stands there.
    pub kind: Kind,
    /// Mean radius of its nucleus, in radii of the typical one.
    pub size: f32,
    /// Direction of its long axis or spindle, in radians.
    pub axis: f32,
    room: f32,
}

/// Places the cells of a field of `width` x `height` nuclear radii.
pub fn sites(
    crowd: &Crowd,
    noise: &Noise,
    rng: &mut ChaCha8Rng,
    (width, height): (f32, f32),
) -> Vec<Site> {
    const MARGIN: f32 = 1.5;
    let (islands, flow) = (noise.texture(rng), noise.texture(rng));
    let grain = rng.random_range(5.0..12.0);
    let course = rng.random_range(0.0..TAU);
    let area = (width + 2.0 * MARGIN) * (height + 2.0 * MARGIN);
    let wanted = ((crowd.density * area) as usize).max(1);
    let mut sites: Vec<Site> = Vec::with_capacity(wanted + 8);
    for _ in 0..8 * wanted {
        if sites.len() >= wanted {
            break;
        }
        let u = rng.random_range(-MARGIN..width + MARGIN);
        let v = rng.random_range(-MARGIN..height + MARGIN);
        let bare = 0.5 * (1.0 + 1.3 * islands.mottle(u, v, grain)) < crowd.bare;
        if bare && !rng.random_bool(0.04) {
            continue;
        }
        let axis = course + 1.6 * flow.grain(u, v, 14.0) + normal(rng, 0.4);
        let kind = kind(crowd, rng);
        let giant = if rng.random_bool(0.02) { 1.4 } else { 1.0 };
        let size = giant * normal(rng, crowd.size_spread).exp();
        let (size, axis, room) = shape(kind, size, axis, rng);
        let site = Site { u, v, kind, size, axis, room };
        let gap = crowd.spacing * rng.random_range(0.75..1.35);
        let free = |other: &Site| {
            let distance = gap * (room + other.room);
            (other.u - u).powi(2) + (other.v - v).powi(2) >= distance * distance
        };
        if sites.iter().all(free) {
            pair_up(site, rng, &mut sites);
        }
    }
    sites
}

fn kind(crowd: &Crowd, rng: &mut ChaCha8Rng) -> Kind {
    let share: f32 = rng.random_range(0.0..1.0);
    if share < crowd.mitotic {
        let phase = Phase::ALL.choose_weighted(rng, |phase| phase.weight());
        Kind::Mitotic(phase.copied().unwrap_or(Phase::Prometaphase))
    } else if share < crowd.mitotic + crowd.look_alike {
        let look_alike = LookAlike::ALL[rng.random_range(0..LookAlike::ALL.len())];
        if look_alike.is_interphase() {
            Kind::Interphase(Some(look_alike))
        } else {
            Kind::Remains(look_alike)
        }
    } else {
        Kind::Interphase(None)
    }
}

/// Size, axis and the radius of the room that a kind takes.
fn shape(kind: Kind, size: f32, axis: f32, rng: &mut ChaCha8Rng) -> (f32, f32, f32) {
    match kind {
        Kind::Interphase(Some(LookAlike::SmallBright)) => {
            let size = size * rng.random_range(0.6..0.8);
            (size, axis, size * 1.1)
        }
        Kind::Interphase(Some(LookAlike::EarlyG1)) => {
            let size = size * rng.random_range(0.6..0.75);
            (size, rng.random_range(0.0..TAU), size * 2.0)
        }
        Kind::Interphase(Some(LookAlike::Overlap)) => (size, axis, size * 1.5),
        Kind::Interphase(Some(LookAlike::Rounded)) => {
            let size = size * rng.random_range(0.8..1.0);
            (size, axis, size * 1.3)
        }
        Kind::Interphase(_) => (size, axis, size * 1.1),
        Kind::Mitotic(phase) => {
            let room = match phase {
                Phase::Prophase => 1.2,
                Phase::Telophase => 1.7,
                _ => 1.4,
            };
            (size, rng.random_range(0.0..TAU), size * room)
        }
        Kind::Remains(_) => (size, axis, 0.7),
    }
}

/// Adds the site; daughters of early G1 and overlapping nuclei as two.
fn pair_up(site: Site, rng: &mut ChaCha8Rng, sites: &mut Vec<Site>) {
    let apart = match site.kind.look_alike() {
        Some(LookAlike::EarlyG1) => site.size * rng.random_range(1.05..1.6),
        Some(LookAlike::Overlap) => site.size * rng.random_range(0.35..0.75),
        _ => return sites.push(site),
    };
    let (u, v) = direction(if site.kind.look_alike() == Some(LookAlike::EarlyG1) {
        site.axis
    } else {
        rng.random_range(0.0..TAU)
    });
    for side in [-1.0, 1.0] {
        let size = site.size * (1.0 + normal(rng, 0.05));
        let axis = site.axis + TAU / 4.0 + normal(rng, 0.3);
        let (u, v) = (site.u + side * apart * u, site.v + side * apart * v);
        sites.push(Site { u, v, size, axis, room: size, ..site });
    }
}

/// The body of an interphase cell around its nucleus, kept off its neighbours.
pub fn body(sites: &[Site], index: usize, nucleus: &Outline, rng: &mut ChaCha8Rng) -> Outline {
    let site = &sites[index];
    let look_alike = site.kind.look_alike();
    if matches!(look_alike, Some(LookAlike::Rounded | LookAlike::EarlyG1)) {
        let mut body = Outline::circle(site.size * 1.35);
        body.roughen(rng, 0.03, 6);
        body.contain(nucleus, 1.06);
        return body;
    }
    let (long, wide) = (rng.random_range(2.0..4.6), rng.random_range(1.2..2.1));
    let power = rng.random_range(0.95..1.6);
    let mut body = Outline::superellipse(site.size * long, site.size * wide, power, site.axis);
    body.roughen(rng, 0.07, 7);
    for _ in 0..rng.random_range(0..4) {
        let length = site.size * rng.random_range(0.3..2.0);
        body.extend(rng.random_range(0.0..TAU), length, rng.random_range(0.1..0.35));
    }
    for (other, neighbour) in sites.iter().enumerate() {
        let (du, dv) = (neighbour.u - site.u, neighbour.v - site.v);
        let distance = du.hypot(dv);
        if other == index || !(0.5..6.0).contains(&distance) {
            continue;
        }
        let line = 0.5 * (distance + (site.room.powi(2) - neighbour.room.powi(2)) / distance);
        body.limit(dv.atan2(du), (line * rng.random_range(0.97..1.12)).max(0.3 * site.size));
    }
    body.contain(nucleus, 1.06);
    body
}
