//! Histograms of oriented gradients in two forms that do not depend on how a cell lies.
//!
//! Invariant: a quarter turn or a mirroring of the patch changes nothing. After Dalal and Triggs 2005
//! (unsigned orientation, votes weighted by the gradient's magnitude, shared between neighbouring
//! bins). imageproc's histograms are anchored to a grid of squares on an 8-bit image, which a turned
//! cell does not respect.

use std::f32::consts::{FRAC_PI_2, PI};

use mitoscope::preprocess::SIDE;

use super::regions::offset;

/// Orientation bins over half a turn.
pub const ORIENTATIONS: usize = 8;
/// Bins for the angle between gradient and radius, from radial to tangential.
pub const ANGLES: usize = 3;

/// Shares of the gradient's energy by orientation, largest first; 0 where the plane is flat.
///
/// One large share: a bar, such as a metaphase plate from the side. Equal shares: a round thing.
pub fn sorted_orientations(plane: &[f32], pixels: &[usize]) -> [f32; ORIENTATIONS] {
    let mut energies = [0.0; ORIENTATIONS];
    for &pixel in pixels {
        let (right, down) = gradient(plane, pixel);
        let magnitude = right.hypot(down);
        let position = down.atan2(right).rem_euclid(PI) / PI * ORIENTATIONS as f32;
        let (bin, share) = (position as usize, position.fract());
        energies[bin % ORIENTATIONS] += magnitude * (1.0 - share);
        energies[(bin + 1) % ORIENTATIONS] += magnitude * share;
    }
    let total: f32 = energies.iter().sum();
    if total > 0.0 {
        energies.iter_mut().for_each(|energy| *energy /= total);
    }
    energies.sort_unstable_by(|a, b| b.total_cmp(a));
    energies
}

/// Mean gradient energy a pixel in each ring, by the angle between gradient and radius: [`ANGLES`]
/// numbers a ring, from the inside out.
pub fn by_ring(plane: &[f32], rings: &[Vec<usize>]) -> Vec<f32> {
    let ring_energies = |ring: &Vec<usize>| {
        let mut energies = [0.0; ANGLES];
        for &pixel in ring {
            let (gradient, radius) = (gradient(plane, pixel), offset(pixel));
            let dot = gradient.0 * radius.0 + gradient.1 * radius.1;
            let cross = gradient.0 * radius.1 - gradient.1 * radius.0;
            let angle = cross.abs().atan2(dot.abs()) / FRAC_PI_2 * ANGLES as f32;
            energies[(angle as usize).min(ANGLES - 1)] += gradient.0.hypot(gradient.1);
        }
        energies.map(|energy| energy / ring.len().max(1) as f32)
    };
    rings.iter().flat_map(ring_energies).collect()
}

/// Central differences to the right and down; the border is repeated.
fn gradient(plane: &[f32], pixel: usize) -> (f32, f32) {
    let (x, y) = (pixel % SIDE, pixel / SIDE);
    let at = |x: usize, y: usize| plane[y.min(SIDE - 1) * SIDE + x.min(SIDE - 1)];
    let right = at(x + 1, y) - at(x.saturating_sub(1), y);
    let down = at(x, y + 1) - at(x, y.saturating_sub(1));
    (0.5 * right, 0.5 * down)
}
