//! Where the cells of a field are: boxes given by a person or found by segmentation.
//!
//! Invariant: a box that passed [`CellBox::check`] lies inside its image and is at least one pixel
//! wide and high. A box carries no label and its size is no feature.

mod watershed;

use image::{GrayImage, Luma};
use imageproc::contrast::otsu_level;
use imageproc::distance_transform::euclidean_squared_distance_transform;
use imageproc::region_labelling::{Connectivity, connected_components};
use serde::{Deserialize, Serialize};

use crate::grey::{gaussian_blur, median, percentile, shrink, shrunk_size};
use crate::{Error, GreyImage};

/// Long side of the working copy that is segmented, in pixels.
const WORKING_SIDE: usize = 1400;
/// Blur before the threshold, in working pixels: joins speckles and drops noise.
const BLUR: f32 = 2.0;
/// Percentiles of the working copy that become black and white before the threshold.
const STRETCH: (f32, f32) = (0.5, 99.8);
/// Softening of the logarithmic stretch, relative to its range: a mitotic plate is many times brighter
/// than a dim nucleus, and both must pass one threshold.
const LOG_SOFTENING: f32 = 0.05;
/// Standard deviation of the wide surroundings that a nucleus must outshine, in working pixels: tells
/// nuclei from stained cytoplasm and from each other where cells lie dense.
const SURROUNDINGS: f32 = 60.0;
/// How much a nucleus must outshine its surroundings, in 8-bit steps of the stretched grey.
const SURPLUS: f32 = 8.0;
/// Side of the blocks on which the wide surroundings are averaged, in working pixels.
const COARSE: usize = 8;
/// Smallest grey range that can hold a cell.
const LEAST_RANGE: f32 = 1e-4;
/// Largest hole that is filled, relative to the disc of a typical half-width.
const HOLE: f32 = 0.6;
/// Blur of the distance before the split, relative to the typical half-width: keeps a ragged outline
/// from splitting a cell.
const SMOOTHING: f32 = 0.15;
/// Regions below this part of the median area are debris.
const DEBRIS: f32 = 0.25;
/// Smallest half-width of a cell in working pixels.
const LEAST_RADIUS: f32 = 3.0;

/// A cell's bounding box in image pixels; `x`, `y` is the top left corner, pixel (0, 0) covers 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl CellBox {
    /// The box that holds the whole image: for pictures that show one cell each.
    pub fn whole(image: &GreyImage) -> Self {
        Self { x: 0.0, y: 0.0, w: image.width() as f32, h: image.height() as f32 }
    }

    /// Centre of the box.
    pub fn center(&self) -> (f32, f32) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Side of the square of the same area, in pixels.
    pub fn size(&self) -> f32 {
        (self.w * self.h).sqrt()
    }

    /// Checks that the box lies inside the image.
    ///
    /// # Errors
    /// [`Error::Cell`] when a number is not finite, a side is below one pixel or an edge is outside.
    pub fn check(&self, image: &GreyImage) -> Result<(), Error> {
        let (width, height) = (image.width() as f32, image.height() as f32);
        let Self { x, y, w, h } = *self;
        if ![x, y, w, h].iter().all(|v| v.is_finite()) || w < 1.0 || h < 1.0 {
            return Err(Error::Cell(format!(
                "the cell box x {x}, y {y}, w {w}, h {h} is no box of at least one pixel"
            )));
        }
        if x < 0.0 || y < 0.0 || x + w > width || y + h > height {
            return Err(Error::Cell(format!(
                "the cell box x {x}, y {y}, w {w}, h {h} is outside its image of {width} x {height} \
                 pixels"
            )));
        }
        Ok(())
    }
}

/// Longest side of an image that is taken for a crop of one cell, in pixels.
pub const CROP_MAX_SIDE: usize = 256;

/// Whether an image is small enough to be the crop of one cell rather than a field.
pub fn is_crop(image: &GreyImage) -> bool {
    image.width().max(image.height()) <= CROP_MAX_SIDE
}

/// Median of the boxes' sizes in pixels; 0 when there is no box.
pub fn typical_size(boxes: &[CellBox]) -> f32 {
    median(&mut boxes.iter().map(CellBox::size).collect::<Vec<_>>())
}

/// Finds the cells of a field: threshold (Otsu on a logarithmic stretch, and brighter than the wide
/// surroundings), hole filling, distance
/// transform, watershed; debris and a burnt-in scale bar are dropped. Boxes come in reading order.
///
/// # Errors
/// [`Error::Cell`] when no cell stands out from the background.
pub fn find_cells(image: &GreyImage) -> Result<Vec<CellBox>, Error> {
    let full = (image.width(), image.height());
    let (width, height) = shrunk_size(full.0, full.1, WORKING_SIDE);
    let small = shrink(image.pixels(), full, (width, height));
    let scale = (full.0 as f32 / width as f32, full.1 as f32 / height as f32);

    let mut mask = bright_parts(&small, width).ok_or_else(no_cell)?;
    if let Some(bar) = scale_bar(image) {
        let column = |x: f32| (x / scale.0) as usize;
        let row = |y: f32| (y / scale.1) as usize;
        for y in row(bar.y)..=row(bar.y + bar.h).min(height - 1) {
            for x in column(bar.x)..=column(bar.x + bar.w).min(width - 1) {
                mask.put_pixel(x as u32, y as u32, Luma([0]));
            }
        }
    }
    let radius = typical_radius(&mask, &inner_distance(&mask));
    if radius < LEAST_RADIUS {
        return Err(no_cell());
    }
    fill_holes(&mut mask, HOLE * std::f32::consts::PI * radius * radius);

    let distance = gaussian_blur(&inner_distance(&mask), width, (SMOOTHING * radius).max(1.0));
    let inside: Vec<bool> = mask.pixels().map(|p| p.0[0] > 0).collect();
    let mut regions = watershed::split(&distance, &inside, width);
    let mut areas: Vec<f32> = regions.iter().map(|r| r.area as f32).collect();
    areas.retain(|area| *area > radius * radius);
    let least = DEBRIS * median(&mut areas);
    regions.retain(|r| r.area as f32 >= least && r.area as f32 > LEAST_RADIUS * LEAST_RADIUS);
    if regions.is_empty() {
        return Err(no_cell());
    }
    let to_box = |r: &watershed::Region| {
        let (x, y) = (r.left as f32 * scale.0, r.top as f32 * scale.1);
        let right = ((r.right + 1) as f32 * scale.0).min(full.0 as f32);
        let bottom = ((r.bottom + 1) as f32 * scale.1).min(full.1 as f32);
        CellBox { x, y, w: right - x, h: bottom - y }
    };
    let mut boxes: Vec<CellBox> = regions.iter().map(to_box).collect();
    boxes.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    Ok(boxes)
}

fn no_cell() -> Error {
    Error::Cell(
        "no cell stands out from the background of this image: check exposure and focus, or give the \
         cells as boxes"
            .into(),
    )
}

/// Foreground (255) of a grey image, or `None` when it has no contrast.
fn bright_parts(pixels: &[f32], width: usize) -> Option<GrayImage> {
    let blurred = gaussian_blur(pixels, width, BLUR);
    let mut ranked = blurred.clone();
    let black = percentile(&mut ranked, STRETCH.0);
    let range = percentile(&mut ranked, STRETCH.1) - black;
    if range < LEAST_RANGE {
        return None;
    }
    let white = (1.0 / LOG_SOFTENING).ln_1p();
    let stretch = |v: &f32| {
        let level = ((v - black) / range).clamp(0.0, 1.0);
        ((level / LOG_SOFTENING).ln_1p() / white * 255.0).round() as u8
    };
    let stretched: Vec<u8> = blurred.iter().map(stretch).collect();
    let height = pixels.len() / width;
    let levels: Vec<f32> = stretched.iter().map(|v| f32::from(*v)).collect();
    let around = wide_mean(&levels, (width, height));
    let mut grey = GrayImage::from_raw(width as u32, height as u32, stretched)?;
    let level = otsu_level(&grey);
    let level = f32::from(level);
    for (pixel, mean) in grey.pixels_mut().zip(&around) {
        let v = f32::from(pixel.0[0]);
        pixel.0[0] = if v > level && v > mean + SURPLUS { 255 } else { 0 };
    }
    Some(grey)
}

/// Gaussian mean of every pixel's wide surroundings, computed on a coarse copy: it varies slowly.
fn wide_mean(pixels: &[f32], size: (usize, usize)) -> Vec<f32> {
    let coarse = (size.0.div_ceil(COARSE), size.1.div_ceil(COARSE));
    let small =
        gaussian_blur(&shrink(pixels, size, coarse), coarse.0, SURROUNDINGS / COARSE as f32);
    let at = |i: usize| {
        let (x, y) = (i % size.0 * coarse.0 / size.0, i / size.0 * coarse.1 / size.1);
        small[y * coarse.0 + x]
    };
    (0..pixels.len()).map(at).collect()
}

/// Distance of every foreground pixel to the background, in pixels; 0 in the background.
fn inner_distance(mask: &GrayImage) -> Vec<f32> {
    let mut background = mask.clone();
    background.pixels_mut().for_each(|p| p.0[0] = 255 - p.0[0]);
    // Without any background every distance would be infinite.
    if background.pixels().all(|p| p.0[0] == 0) {
        return vec![0.0; mask.pixels().len()];
    }
    euclidean_squared_distance_transform(&background)
        .pixels()
        .map(|p| p.0[0].sqrt() as f32)
        .collect()
}

/// Half-width of the component to which the middle foreground pixel belongs (components by half-width).
fn typical_radius(mask: &GrayImage, distance: &[f32]) -> f32 {
    let labels = connected_components(mask, Connectivity::Four, Luma([0]));
    let mut components: Vec<(f32, usize)> = Vec::new();
    for (label, distance) in labels.pixels().map(|p| p.0[0] as usize).zip(distance) {
        if label > components.len() {
            components.resize(label, (0.0, 0));
        }
        if let Some((half_width, area)) = label.checked_sub(1).and_then(|i| components.get_mut(i)) {
            *half_width = half_width.max(*distance);
            *area += 1;
        }
    }
    components.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = components.iter().map(|c| c.1).sum::<usize>() / 2;
    let mut counted = 0;
    let middle = components.iter().find(|c| {
        counted += c.1;
        counted > half
    });
    middle.map_or(0.0, |c| c.0)
}

/// Fills background parts of at most `largest` pixels that are enclosed by foreground.
fn fill_holes(mask: &mut GrayImage, largest: f32) {
    let (width, height) = mask.dimensions();
    let labels = connected_components(mask, Connectivity::Four, Luma([255]));
    let most = labels.pixels().map(|p| p.0[0]).max().unwrap_or(0) as usize;
    let mut areas = vec![0usize; most + 1];
    let mut open = vec![false; most + 1];
    for (x, y, label) in labels.enumerate_pixels() {
        let label = label.0[0] as usize;
        areas[label] += 1;
        open[label] |= x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    }
    for (pixel, label) in mask.pixels_mut().zip(labels.pixels()) {
        let label = label.0[0] as usize;
        if label > 0 && !open[label] && areas[label] as f32 <= largest {
            pixel.0[0] = 255;
        }
    }
}

/// The place of a burnt-in scale bar with its caption: a thin horizontal line of one and the same bright
/// value, longer than a twentieth of the image; the caption is taken to stand above it.
fn scale_bar(image: &GreyImage) -> Option<CellBox> {
    let (width, height) = (image.width(), image.height());
    let brightest = image.pixels().iter().copied().fold(0.0, f32::max);
    let least = (width / 20).max(20);
    let margin = (height / 150).max(4);
    let rows: Vec<&[f32]> = image.pixels().chunks_exact(width).collect();
    for (y, row) in rows.iter().enumerate() {
        let mut start = 0;
        for run in row.chunk_by(|a, b| a == b) {
            let (from, to) = (start, start + run.len());
            start = to;
            if run.len() < least || run[0] < 0.9 * brightest || brightest == 0.0 {
                continue;
            }
            let differs = |row: Option<&&[f32]>| {
                row.is_none_or(|r| {
                    r[from..to].iter().filter(|v| **v == run[0]).count() * 4 < run.len()
                })
            };
            let above = y.checked_sub(margin).and_then(|y| rows.get(y));
            if differs(above) && differs(rows.get(y + margin)) {
                let length = run.len() as f32;
                let top = (y as f32 - 0.16 * length).max(0.0);
                let bottom = (y + margin).min(height) as f32;
                return Some(CellBox { x: from as f32, y: top, w: length, h: bottom - top });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
