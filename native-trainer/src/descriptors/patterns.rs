//! Rotation-invariant uniform local binary patterns (Ojala, Pietikäinen and Mäenpää 2002, eq. 9).

use std::f32::consts::TAU;

use imageproc::local_binary_patterns::count_transitions;
use mitoscope::preprocess::SIDE;

/// Bins: 0 to 8 brighter neighbours in one arc, and all others.
pub const BINS: usize = 10;

const NEIGHBOURS: usize = 8;

/// Share of the pixels with each pattern at `radius`; a neighbour is brighter by more than `tolerance`.
pub fn histogram(plane: &[f32], pixels: &[usize], radius: f32, tolerance: f32) -> [f32; BINS] {
    let circle: [[f32; 2]; NEIGHBOURS] = std::array::from_fn(|neighbour| {
        let angle = TAU * neighbour as f32 / NEIGHBOURS as f32;
        [radius * angle.cos(), radius * angle.sin()]
    });
    let mut counts = [0.0; BINS];
    for pixel in pixels {
        let (x, y) = ((pixel % SIDE) as f32, (pixel / SIDE) as f32);
        let code = circle.iter().enumerate().fold(0_u8, |code, (bit, [right, down])| {
            let brighter = bilinear(plane, x + right, y + down) > plane[*pixel] + tolerance;
            code | u8::from(brighter) << bit
        });
        let uniform = count_transitions(code) <= 2;
        counts[if uniform { code.count_ones() as usize } else { BINS - 1 }] += 1.0;
    }
    counts.map(|count| count / pixels.len().max(1) as f32)
}

/// The plane between pixel centres; the border repeats.
fn bilinear(plane: &[f32], x: f32, y: f32) -> f32 {
    let last = (SIDE - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (left, top) = (x as usize, y as usize);
    let (right, below) = ((left + 1).min(SIDE - 1), (top + 1).min(SIDE - 1));
    let along = |row: usize| {
        let (a, b) = (plane[row * SIDE + left], plane[row * SIDE + right]);
        a + (b - a) * x.fract()
    };
    along(top) + (along(below) - along(top)) * y.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptors::geometry::{offset, ring};

    #[test]
    fn dots_edges_and_flats_have_their_bins() {
        let centre = SIDE / 2 * SIDE + SIDE / 2;
        let dot: Vec<f32> = (0..SIDE * SIDE).map(|p| f32::from(u8::from(p == centre))).collect();
        assert_eq!(histogram(&dot, &[centre], 2.0, 0.1)[0], 1.0, "no neighbour is brighter");
        let hole: Vec<f32> = dot.iter().map(|v| 1.0 - v).collect();
        assert_eq!(histogram(&hole, &[centre], 2.0, 0.1)[8], 1.0, "all neighbours are brighter");
        let edge: Vec<f32> = (0..SIDE * SIDE).map(|p| offset(p)[0].clamp(0.0, 1.0)).collect();
        let at_edge = centre - 1;
        let bins = histogram(&edge, &[at_edge], 3.0, 0.1);
        assert_eq!(bins[3] + bins[4], 1.0, "one side is brighter: {bins:?}");
    }

    #[test]
    fn a_quarter_turn_changes_nothing() {
        let wave = |x: f32, y: f32| (x / 3.0).sin() * (y / 5.0).cos();
        let plane = |turned: bool| -> Vec<f32> {
            let at = |p: usize| match offset(p) {
                [x, y] if turned => wave(y, -x),
                [x, y] => wave(x, y),
            };
            (0..SIDE * SIDE).map(at).collect()
        };
        let disc = ring(0.0, 1.0);
        let [a, b] = [plane(false), plane(true)].map(|plane| histogram(&plane, &disc, 3.0, 0.01));
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 5e-3), "{a:?} {b:?}");
    }
}
