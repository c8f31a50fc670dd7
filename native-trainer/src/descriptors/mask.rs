//! Thresholded masks: the bright part of a cell, and the pieces it consists of.
//!
//! Invariant: a mask lies inside the pixels it was made from; a flat plane has no bright part.

use std::cmp::Reverse;

use imageproc::contrast::otsu_level;
use imageproc::image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};
use mitoscope::preprocess::SIDE;

/// Those of `pixels` that are brighter than Otsu's threshold of them; the plane lies within 0 to 1.
pub fn bright(plane: &[f32], pixels: &[usize]) -> Vec<usize> {
    let eight_bit = |pixel: usize| (plane[pixel].clamp(0.0, 1.0) * 255.0).round() as u8;
    let strip = |x: u32, _| Luma([eight_bit(pixels[x as usize])]);
    let level = otsu_level(&GrayImage::from_fn(pixels.len() as u32, 1, strip));
    // Of a single grey Otsu's threshold is 0, below all of it.
    let darkest = pixels.iter().map(|pixel| eight_bit(*pixel)).min().unwrap_or(0);
    let level = level.max(darkest);
    pixels.iter().copied().filter(|pixel| eight_bit(*pixel) > level).collect()
}

/// The largest connected piece of a mask, corners included; empty when the mask is.
pub fn largest_piece(mask: &[usize]) -> Vec<usize> {
    let mut picture = GrayImage::new(SIDE as u32, SIDE as u32);
    for &pixel in mask {
        picture.put_pixel((pixel % SIDE) as u32, (pixel / SIDE) as u32, Luma([1]));
    }
    let labels = connected_components(&picture, Connectivity::Eight, Luma([0]));
    let mut pieces: Vec<Vec<usize>> = Vec::new();
    for (pixel, label) in labels.pixels().map(|p| p.0[0] as usize).enumerate() {
        pieces.resize_with(pieces.len().max(label), Vec::new);
        if label > 0 {
            pieces[label - 1].push(pixel);
        }
    }
    pieces.into_iter().min_by_key(|piece| Reverse(piece.len())).unwrap_or_default()
}
