//! Turns the cells of one field into the network's input: the one place where pixels are cut and scaled.
//!
//! Invariant: training and prediction call exactly these functions; every input value is finite and
//! within 0 to 1, for any image. The width and height of a single box never enter (they leak the
//! label): every window of a field has the same side, set by the field's typical cell.

use serde::{Deserialize, Serialize};

use crate::cells::{CellBox, typical_size};
use crate::grey::{bilinear, gaussian_blur, median, percentile};
use crate::quality::Quality;
use crate::{Error, GreyImage};

/// Side of a patch and of the network's input, in pixels (the paper's section 3 and table 1).
pub const SIDE: usize = 128;
/// Channels of the network's input (the paper's table 1).
pub const CHANNELS: usize = 3;

/// Smallest grey range that counts as contrast: an eighth of a step of a 16-bit image.
pub(crate) const LEAST_RANGE: f32 = 2e-6;
/// Softening of the field-scaled logarithm, relative to the typical cell's height over the background.
const FIELD_SOFTENING: f32 = 0.05;
/// Largest logarithm of the field-scaled ratio that is told apart (a factor of 20).
const FIELD_LIMIT: f32 = 3.0;
/// Standard deviation of the local surroundings in patch pixels.
const LOCAL_SIGMA: f32 = SIDE as f32 / 16.0;
/// Softening of the local standard deviation, relative to the cell's scaled range: keeps noise small.
const LOCAL_SOFTENING: f32 = 0.05;
/// Largest local deviation that is told apart, in local standard deviations.
const LOCAL_LIMIT: f32 = 3.0;
/// Most samples a side that one patch pixel averages.
const MOST_SAMPLES: f32 = 128.0;

/// A square of the image that is cut out; units are image pixels, pixel (0, 0) covers 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Horizontal centre.
    pub cx: f32,
    /// Vertical centre.
    pub cy: f32,
    /// Side length.
    pub side: f32,
    /// Clockwise turn of the square about its centre, in radians (augmentation; else 0).
    pub angle: f32,
    /// Whether the square is mirrored left to right before it is turned (augmentation; else false).
    pub mirror: bool,
}

/// `SIDE * SIDE` grey values in `[0, 1]`, row by row, not yet scaled.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch(pub Vec<f32>);

/// Cuts a window out and resamples it to `SIDE * SIDE`.
///
/// The one resampling rule: a patch pixel is the mean of `n * n` bilinear samples spread evenly over
/// the area it covers, `n = ceil(side / SIDE)`; beyond the border the nearest pixel is repeated.
pub fn cut(image: &GreyImage, window: &Window) -> Patch {
    let per_pixel = (window.side / SIDE as f32).ceil().clamp(1.0, MOST_SAMPLES) as usize;
    let count = SIDE * per_pixel;
    let step = window.side / count as f32;
    let (sin, cos) = window.angle.sin_cos();
    let flip = if window.mirror { -1.0 } else { 1.0 };
    let along: Vec<f32> =
        (0..count).map(|i| (i as f32 + 0.5 - count as f32 * 0.5) * step).collect();

    let size = (image.width(), image.height());
    let mut patch = vec![0.0f32; SIDE * SIDE];
    for (row, v) in along.iter().enumerate() {
        let out = &mut patch[row / per_pixel * SIDE..][..SIDE];
        let (x0, y0) = (window.cx - v * sin, window.cy + v * cos);
        for (pixel, columns) in out.iter_mut().zip(along.chunks_exact(per_pixel)) {
            for u in columns {
                let u = u * flip;
                // A pixel's centre lies half a pixel from its corner, the window's origin.
                let (x, y) = (x0 + u * cos - 0.5, y0 + u * sin - 0.5);
                *pixel += bilinear(image.pixels(), size, x, y);
            }
        }
    }
    let share = 1.0 / (per_pixel * per_pixel) as f32;
    patch.iter_mut().for_each(|v| *v = (*v * share).clamp(0.0, 1.0));
    Patch(patch)
}

/// What the three channels of the input hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    /// The grey scaled per cell, three times: the preset of the paper.
    CellScaled,
    /// Scaled per cell, scaled to the field's typical cell, and locally normalised: the modern preset.
    ThreeScales,
}

/// Pixels of a square of this side within a radius of its centre, in order.
pub(crate) fn disc(side: usize, radius: f32) -> Vec<usize> {
    let square = |p: usize| (p as f32 + 0.5 - side as f32 / 2.0).powi(2);
    let within = |i: &usize| square(i % side) + square(i / side) <= radius * radius;
    (0..side * side).filter(within).collect()
}

/// Grey levels that are typical of the cells of one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldLevels {
    /// Grey beside the cells: median over the cells of the patch's low percentile.
    pub background: f32,
    /// Grey of a cell: median over the cells of the mean of the patch's central disc.
    pub cell: f32,
}

/// Cells that belong together, cut: those of one field, or crops of one specimen.
#[derive(Clone, Debug, PartialEq)]
pub struct CutCells {
    /// One a cell, not yet scaled.
    pub patches: Vec<Patch>,
    /// Grey levels they share.
    pub levels: FieldLevels,
}

/// How a cell becomes an input; part of the model's manifest, so that both always match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Side of the window over the typical cell size of the field.
    pub crop_factor: f32,
    /// Percentile of the patch that becomes 0.
    pub low_percentile: f32,
    /// Percentile of the patch that becomes 1.
    pub high_percentile: f32,
    /// What the three channels hold.
    pub channels: Channels,
}

impl Preprocess {
    /// The faithful preset: grey scaled per cell, replicated to three channels.
    pub fn paper() -> Self {
        let channels = Channels::CellScaled;
        Self { crop_factor: 1.9, low_percentile: 1.0, high_percentile: 99.5, channels }
    }

    /// The modern preset: the same windows, three scales of intensity.
    pub fn modern() -> Self {
        Self { channels: Channels::ThreeScales, ..Self::paper() }
    }

    /// Checks settings that came from a model file.
    ///
    /// # Errors
    /// [`Error::Model`] when the crop factor is not within 0.5 to 10 or the percentiles are not
    /// ascending within 0 to 100.
    pub fn check(&self) -> Result<(), Error> {
        if !(0.5..=10.0).contains(&self.crop_factor) {
            return Err(Error::Model(format!(
                "crop factor {} of the model is outside 0.5 to 10",
                self.crop_factor
            )));
        }
        let (low, high) = (self.low_percentile, self.high_percentile);
        if !(0.0 <= low && low < high && high <= 100.0) {
            return Err(Error::Model(format!(
                "percentiles {low} and {high} of the model are not ascending within 0 to 100"
            )));
        }
        Ok(())
    }

    /// One window a box, all of the same side: the crop factor times the boxes' typical size.
    ///
    /// A single box that holds the whole image is a crop made elsewhere: its window is the whole image,
    /// with the longest image side.
    pub fn windows(&self, image: &GreyImage, boxes: &[CellBox]) -> Vec<Window> {
        let side = if boxes == [CellBox::whole(image)] {
            image.width().max(image.height()) as f32
        } else {
            self.crop_factor * typical_size(boxes)
        };
        let window = |cell: &CellBox| {
            let (cx, cy) = cell.center();
            Window { cx, cy, side, angle: 0.0, mirror: false }
        };
        boxes.iter().map(window).collect()
    }

    /// Radius of the field's typical cell, in patch pixels.
    pub fn cell_radius(&self) -> f32 {
        SIDE as f32 / (2.0 * self.crop_factor)
    }

    /// Typical grey levels of the patches of one field; 0 and 1 when there is none.
    pub fn levels(&self, patches: &[Patch]) -> FieldLevels {
        if patches.is_empty() {
            return FieldLevels { background: 0.0, cell: 1.0 };
        }
        let radius = self.cell_radius();
        let disc = disc(SIDE, radius);
        let low = |p: &Patch| percentile(&mut p.0.clone(), self.low_percentile);
        let mean = |p: &Patch| disc.iter().map(|i| p.0[*i]).sum::<f32>() / disc.len().max(1) as f32;
        FieldLevels {
            background: median(&mut patches.iter().map(low).collect::<Vec<_>>()),
            cell: median(&mut patches.iter().map(mean).collect::<Vec<_>>()),
        }
    }

    /// The network's input of one cell.
    ///
    /// # Shapes
    /// - patch: `[SIDE, SIDE]`
    /// - output: `[CHANNELS, SIDE, SIDE]`, channel by channel, values within 0 to 1
    pub fn input(&self, patch: &Patch, levels: &FieldLevels) -> Vec<f32> {
        let scaled = self.cell_scaled(patch);
        match self.channels {
            Channels::CellScaled => scaled.repeat(CHANNELS),
            Channels::ThreeScales => {
                let mut input = scaled.clone();
                input.extend(field_scaled(patch, levels));
                input.extend(locally_normalised(&scaled));
                input
            }
        }
    }

    /// How well the cell of a patch is imaged.
    pub fn quality(&self, patch: &Patch, levels: &FieldLevels) -> Quality {
        Quality::of(patch, levels, self.cell_radius())
    }

    /// Cuts the cells of one field, in the order of the boxes.
    ///
    /// # Errors
    /// [`Error::Cell`] when a box is not inside the image.
    pub fn cut_field(&self, image: &GreyImage, boxes: &[CellBox]) -> Result<CutCells, Error> {
        boxes.iter().try_for_each(|cell| cell.check(image))?;
        let windows = self.windows(image, boxes);
        Ok(self.with_levels(windows.iter().map(|window| cut(image, window)).collect()))
    }

    /// Cuts images that each are one cell and belong together.
    pub fn cut_crops<'a>(&self, images: impl IntoIterator<Item = &'a GreyImage>) -> CutCells {
        let whole = |image| cut(image, &self.windows(image, &[CellBox::whole(image)])[0]);
        self.with_levels(images.into_iter().map(whole).collect())
    }

    fn with_levels(&self, patches: Vec<Patch>) -> CutCells {
        let levels = self.levels(&patches);
        CutCells { patches, levels }
    }

    /// The patch with its low percentile at 0 and its high percentile at 1, clamped; 0 when it is flat.
    fn cell_scaled(&self, patch: &Patch) -> Vec<f32> {
        let mut ranked = patch.0.clone();
        let low = percentile(&mut ranked, self.low_percentile);
        let range = percentile(&mut ranked, self.high_percentile) - low;
        if range < LEAST_RANGE {
            return vec![0.0; patch.0.len()];
        }
        patch.0.iter().map(|v| ((v - low) / range).clamp(0.0, 1.0)).collect()
    }
}

/// Logarithm of the height over the field's background against that of its typical cell; a pixel as
/// bright as the typical cell becomes 0.5.
fn field_scaled(patch: &Patch, levels: &FieldLevels) -> impl Iterator<Item = f32> {
    let background = levels.background;
    let height = (levels.cell - background).max(LEAST_RANGE);
    let softening = FIELD_SOFTENING * height;
    patch.0.iter().map(move |v| {
        let ratio = ((v - background).max(0.0) + softening) / (height + softening);
        0.5 + ratio.ln().clamp(-FIELD_LIMIT, FIELD_LIMIT) / (2.0 * FIELD_LIMIT)
    })
}

/// Deviation from the local mean in local standard deviations; a pixel like its surroundings becomes
/// 0.5.
fn locally_normalised(scaled: &[f32]) -> impl Iterator<Item = f32> {
    let squares: Vec<f32> = scaled.iter().map(|v| v * v).collect();
    let mean = gaussian_blur(scaled, SIDE, LOCAL_SIGMA);
    let mean_square = gaussian_blur(&squares, SIDE, LOCAL_SIGMA);
    scaled.iter().zip(mean).zip(mean_square).map(|((v, mean), mean_square)| {
        let deviation = (mean_square - mean * mean).max(0.0).sqrt();
        let local = (v - mean) / (deviation + LOCAL_SOFTENING);
        0.5 + local.clamp(-LOCAL_LIMIT, LOCAL_LIMIT) / (2.0 * LOCAL_LIMIT)
    })
}

#[cfg(test)]
mod tests;
