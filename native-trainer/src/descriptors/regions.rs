//! Which pixels of a patch belong to a disc or a ring about its centre.
//!
//! Invariant: a disc and a ring hold the same pixels after a quarter turn or a mirroring of the patch.

use mitoscope::preprocess::{Preprocess, SIDE};

/// Radius of a typical cell in patch pixels.
pub fn cell_radius() -> f32 {
    Preprocess::modern().cell_radius()
}

/// Offset of a pixel's centre from the patch's centre: right and down, in patch pixels.
pub fn offset(pixel: usize) -> (f32, f32) {
    let from_centre = |p: usize| p as f32 + 0.5 - SIDE as f32 / 2.0;
    (from_centre(pixel % SIDE), from_centre(pixel / SIDE))
}

/// Pixels whose centres are nearer to the patch's centre than `radius` cell radii, in reading order.
pub fn disc(radius: f32) -> Vec<usize> {
    rings(1, radius).swap_remove(0)
}

/// The disc of `radius` cell radii in `count` rings of equal width, from the inside out.
pub fn rings(count: usize, radius: f32) -> Vec<Vec<usize>> {
    let width = radius * cell_radius() / count as f32;
    let mut rings = vec![Vec::new(); count];
    for pixel in 0..SIDE * SIDE {
        let (right, down) = offset(pixel);
        if let Some(ring) = rings.get_mut((right.hypot(down) / width) as usize) {
            ring.push(pixel);
        }
    }
    rings
}
