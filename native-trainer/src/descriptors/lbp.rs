//! Local binary patterns: histogram of which neighbours on a circle are brighter than a pixel.
//!
//! Invariant: the bins add up to 1, or to 0 where there is no pixel; a constant added to the plane
//! changes nothing. Ojala, Pietikäinen and Mäenpää 2002 (IEEE PAMI 24:971), the rotation-invariant
//! uniform patterns of equation 9, with 8 neighbours. imageproc's patterns know the 3 x 3 neighbours of
//! 8-bit images only; its count of transitions is used here.

use std::array;
use std::f32::consts::TAU;

use imageproc::local_binary_patterns::count_transitions;
use mitoscope::grey::bilinear;
use mitoscope::preprocess::SIDE;

const NEIGHBOURS: usize = 8;
/// Bins of the histogram: 0 to 8 brighter neighbours in one arc, and every other pattern.
pub const BINS: usize = NEIGHBOURS + 2;

/// Histogram over `pixels` of the patterns at `radius` patch pixels; a neighbour counts as brighter
/// when it exceeds the pixel by more than `tolerance`, so that noise on even ground makes no pattern.
pub fn histogram(plane: &[f32], pixels: &[usize], radius: f32, tolerance: f32) -> [f32; BINS] {
    let circle: [(f32, f32); NEIGHBOURS] = array::from_fn(|k| {
        let (sin, cos) = (TAU * k as f32 / NEIGHBOURS as f32).sin_cos();
        (radius * cos, radius * sin)
    });
    let mut histogram = [0.0; BINS];
    for &pixel in pixels {
        let (x, y) = ((pixel % SIDE) as f32, (pixel / SIDE) as f32);
        let threshold = plane[pixel] + tolerance;
        let pattern = circle.iter().fold(0u8, |pattern, (right, down)| {
            pattern << 1 | u8::from(bilinear(plane, (SIDE, SIDE), x + right, y + down) > threshold)
        });
        let uniform = count_transitions(pattern) <= 2;
        histogram[if uniform { pattern.count_ones() as usize } else { BINS - 1 }] += 1.0;
    }
    histogram.map(|count| count / pixels.len().max(1) as f32)
}
