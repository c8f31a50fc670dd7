//! Simulated HEp-2 fields: cells, stain, microscope and camera, with exact labels and masks.
//!
//! From biology to pixels: [`pattern`] (the names), [`staining`] (what a serum lights up), [`layout`]
//! (where cells stand), [`interphase`], [`chromosomes`], [`mitosis`], [`remains`] (one cell's light
//! and mask), [`scene`], [`optics`], [`camera`], [`compression`], [`scale_bar`] (how it is pictured),
//! [`writer`] (fields and cell table as files). Lengths are in radii of the typical interphase
//! nucleus until a cell is drawn.
//!
//! Invariant: a field depends on its specification and seed alone; every cell's mask lies in its box
//! and every box in the field; where two cells overlap, the mask shows the upper one.

pub mod camera;
pub mod chromosomes;
pub mod compression;
pub mod interphase;
pub mod layout;
pub mod mitosis;
pub mod noise;
pub mod optics;
pub mod outline;
pub mod pattern;
pub mod remains;
pub mod scale_bar;
pub mod scene;
pub mod staining;
pub mod tile;
pub mod writer;

#[cfg(test)]
mod tests;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use camera::Camera;
use interphase::Interphase;
use layout::{Crowd, Site};
use mitosis::Mitosis;
use noise::{Deviates, Noise, normal};
use optics::Optics;
use pattern::{Chromatin, Kind, LookAlike, Pattern};
use scene::Scene;
use staining::Staining;
use tile::{Frame, Tile};

/// What a field is asked to be; `None` is drawn from the seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldSpec {
    /// Width and height in pixels, at least 1.
    pub side: (usize, usize),
    /// The staining pattern.
    pub pattern: Option<Pattern>,
    /// Radius of the typical interphase nucleus in pixels; at least 6; drawn from 15 to 150.
    pub nuclear_radius: Option<f32>,
    /// Share of mitotic cells; drawn from 0.03 to 0.25.
    pub mitotic: Option<f32>,
    /// The greatest grey level: 255, 4095 or 65535; drawn, mostly 255.
    pub white: Option<u16>,
    /// Whether a scale bar is burnt in.
    pub scale_bar: Option<bool>,
}

impl Default for FieldSpec {
    fn default() -> Self {
        Self {
            side: (1000, 1000),
            pattern: None,
            nuclear_radius: None,
            mitotic: None,
            white: None,
            scale_bar: None,
        }
    }
}

/// A rectangle of whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBox {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns, at least 1.
    pub width: usize,
    /// Rows, at least 1.
    pub height: usize,
}

/// One labelled object of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawnCell {
    /// The rectangle around its mask, cut at the field's edge.
    pub bounds: PixelBox,
    /// What it is.
    pub kind: Kind,
    /// How its chromatin shows, if it is mitotic.
    pub chromatin: Option<Chromatin>,
    /// Its number in [`SimulatedField::masks`].
    pub mask: u16,
    /// Whether its centre lies inside the field; others carry no label in a cell table.
    pub whole: bool,
}

impl DrawnCell {
    /// The class in a cell table: `mitotic`, `interphase`, or empty for neither or hardly in view.
    pub fn label(&self) -> &'static str {
        if self.whole { self.kind.label() } else { "" }
    }
}

/// A field with all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedField {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Grey levels by row, 0 to `white`.
    pub pixels: Vec<u16>,
    /// The greatest grey level: 255 (8 bits), 4095 or 65535 (16 bits).
    pub white: u16,
    /// The staining pattern.
    pub pattern: Pattern,
    /// The objects, from the lowest to the uppermost.
    pub cells: Vec<DrawnCell>,
    /// By row, the number of the uppermost object at each pixel; 0 is none.
    pub masks: Vec<u16>,
    /// The burnt-in scale bar.
    pub ignore_box: Option<PixelBox>,
}

impl SimulatedField {
    /// Bits a pixel in a file: 8 or 16.
    pub fn bit_depth(&self) -> u8 {
        if self.white == 255 { 8 } else { 16 }
    }
}

/// What the fields of one specimen share: serum, slide, microscope and camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Specimen {
    side: (usize, usize),
    radius: f32,
    staining: Staining,
    crowd: Crowd,
    optics: Optics,
    camera: Camera,
    scale_bar: bool,
    seed: u64,
}

impl Specimen {
    /// Draws a specimen.
    pub fn draw(spec: &FieldSpec, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let drawn = Pattern::ALL[rng.random_range(0..Pattern::ALL.len())];
        let skewed = rng.random_range(0.0..1.0f32).powf(1.6);
        let staining = Staining::draw(spec.pattern.unwrap_or(drawn), &mut rng);
        let dim = if staining.pattern == Pattern::Negative { 2.0 * staining.body } else { 1.0 };
        Self {
            side: (spec.side.0.max(1), spec.side.1.max(1)),
            radius: spec.nuclear_radius.unwrap_or(15.0 * 10f32.powf(skewed)).max(6.0),
            crowd: Crowd::draw(&mut rng, spec.mitotic),
            optics: Optics::draw(&mut rng, dim),
            camera: Camera::draw(&mut rng, dim, spec.white),
            scale_bar: spec.scale_bar.unwrap_or_else(|| rng.random_bool(0.25)),
            staining,
            seed,
        }
    }

    /// The staining pattern.
    pub fn pattern(&self) -> Pattern {
        self.staining.pattern
    }

    /// Draws one of its fields.
    pub fn field(&self, number: u64) -> SimulatedField {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(number + 1);
        let (noise, deviates) = (Noise::new(&mut rng), Deviates::new(&mut rng));
        let (width, height) = self.side;
        let size = (width as f32 / self.radius, height as f32 / self.radius);
        let mut sites = layout::sites(&self.crowd, &noise, &mut rng, size);
        // Rounded cells stand on the spread ones and cover them.
        sites.sort_by_key(|site| !matches!(site.kind, Kind::Interphase(_)));

        let mut scene = Scene::new(width, height);
        for index in 0..sites.len() {
            let tile = self.cell(&sites, index, &noise, &mut rng);
            let kind = sites[index].kind;
            let uneven = match kind {
                Kind::Interphase(_) => self.optics.uneven,
                _ => 2.0 * self.optics.uneven,
            };
            let chromatin = kind.phase().map(|_| self.staining.chromatin);
            let out_of_focus = rng.random_bool(uneven.min(1.0).into());
            let Site { u, v, .. } = sites[index];
            let whole = (0.0..size.0).contains(&u) && (0.0..size.1).contains(&v);
            scene.add(&tile, kind, chromatin, out_of_focus, whole);
        }
        let Scene { sharp, soft, masks, cells } = scene;
        let mut image = self.optics.image(sharp, soft, &noise, &mut rng, self.radius);
        self.camera.expose(&mut image, &deviates, &mut rng);
        let ignore_box = self.scale_bar.then(|| scale_bar::burn(&mut image, &mut rng)).flatten();
        if let Some(quality) = self.camera.compression {
            compression::compress(&mut image, quality);
        }
        SimulatedField {
            width,
            height,
            pixels: self.camera.quantise(&image),
            white: self.camera.white,
            pattern: self.pattern(),
            cells,
            masks,
            ignore_box,
        }
    }

    fn cell(&self, sites: &[Site], index: usize, noise: &Noise, rng: &mut ChaCha8Rng) -> Tile {
        let site = &sites[index];
        let centre = (site.u * self.radius, site.v * self.radius);
        let frame = Frame { centre, scale: self.radius, field: self.side };
        let brightness = normal(rng, self.staining.spread).exp();
        match site.kind {
            Kind::Remains(look_alike) => {
                remains::draw(look_alike, &self.staining, noise, rng, &frame)
            }
            Kind::Mitotic(phase) => {
                let cell = Mitosis { phase, size: site.size, axis: site.axis, brightness };
                cell.draw(&self.staining, noise, rng, &frame)
            }
            Kind::Interphase(look_alike) => {
                let (factor, height) = match look_alike {
                    Some(LookAlike::SmallBright) => (rng.random_range(1.2..2.0), 1.3),
                    Some(LookAlike::EarlyG1) => (rng.random_range(0.9..1.5), 1.6),
                    Some(LookAlike::Rounded) => (rng.random_range(0.8..1.4), 2.5),
                    _ => (1.0, 1.0),
                };
                let nucleus =
                    Interphase::nucleus_outline(rng, site.size, site.axis, self.crowd.stretch);
                let body = layout::body(sites, index, &nucleus, rng);
                let brightness = brightness * factor;
                let (size, axis) = (site.size, site.axis);
                let cell = Interphase { nucleus, body, size, axis, brightness, height };
                cell.draw(&self.staining, noise, rng, &frame)
            }
        }
    }
}

/// Draws one field of its own specimen.
pub fn field(spec: &FieldSpec, seed: u64) -> SimulatedField {
    Specimen::draw(spec, seed).field(0)
}
