//! The bright part of a cell and its connected regions.

use imageproc::contrast::otsu_level;
use imageproc::image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};
use mitoscope::preprocess::SIDE;

/// Which of `pixels` are brighter than their Otsu threshold, over the whole patch; none where all are
/// alike. Values are in 0 to 1.
pub fn bright(plane: &[f32], pixels: &[usize]) -> Vec<bool> {
    let shade = |pixel: usize| (plane[pixel].clamp(0.0, 1.0) * 255.0).round() as u8;
    let strip =
        GrayImage::from_fn(pixels.len() as u32, 1, |x, _| Luma([shade(pixels[x as usize])]));
    let level = otsu_level(&strip);
    let mut mask = vec![false; SIDE * SIDE];
    if pixels.iter().any(|pixel| shade(*pixel) <= level) {
        pixels.iter().for_each(|pixel| mask[*pixel] = shade(*pixel) > level);
    }
    mask
}

/// The mask's 8-connected regions as pixels, largest first.
pub fn regions(mask: &[bool]) -> Vec<Vec<usize>> {
    let side = SIDE as u32;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        Luma([u8::from(mask[y as usize * SIDE + x as usize])])
    });
    let labels = connected_components(&picture, Connectivity::Eight, Luma([0]));
    let count = labels.pixels().map(|label| label.0[0]).max().unwrap_or(0) as usize;
    let mut regions = vec![Vec::new(); count];
    for (pixel, label) in labels.pixels().enumerate() {
        if let Some(region) = (label.0[0] as usize).checked_sub(1) {
            regions[region].push(pixel);
        }
    }
    regions.sort_by_key(|region| std::cmp::Reverse(region.len()));
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bright_squares_are_two_regions() {
        let inside = |p: usize, left: usize, side: usize| {
            (left..left + side).contains(&(p % SIDE)) && (40..40 + side).contains(&(p / SIDE))
        };
        let value = |p| if inside(p, 20, 10) || inside(p, 60, 20) { 0.9 } else { 0.1 };
        let plane: Vec<f32> = (0..SIDE * SIDE).map(value).collect();
        let all: Vec<usize> = (0..SIDE * SIDE).collect();
        let sizes: Vec<usize> = regions(&bright(&plane, &all)).iter().map(Vec::len).collect();
        assert_eq!(sizes, [400, 100]);
    }

    #[test]
    fn a_flat_patch_has_no_bright_part() {
        let all: Vec<usize> = (0..SIDE * SIDE).collect();
        assert!(regions(&bright(&vec![0.5; SIDE * SIDE], &all)).is_empty());
    }
}
