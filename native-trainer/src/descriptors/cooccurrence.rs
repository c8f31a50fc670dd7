//! Grey-level co-occurrence: texture by how often two grey levels are neighbours.
//!
//! Invariant: pairs are counted both ways in four directions, so a quarter turn or a mirroring of the
//! patch changes nothing. Haralick, Shanmugam and Dinstein 1973.

use mitoscope::preprocess::SIDE;

/// Grey levels that are told apart.
const LEVELS: usize = 16;

/// Contrast (its root, in levels), correlation, energy (root of the angular second moment),
/// homogeneity and entropy (nats) of the pairs `step` pixels apart whose both ends are in `pixels`.
///
/// The plane lies within 0 to 1. A flat plane correlates fully; where there is no pair it counts as
/// flat.
pub fn haralick(plane: &[f32], pixels: &[usize], step: usize) -> [f32; 5] {
    let mut level = [None; SIDE * SIDE];
    for &pixel in pixels {
        level[pixel] = Some(((plane[pixel] * LEVELS as f32) as usize).min(LEVELS - 1));
    }
    let mut counts = [[0.0f32; LEVELS]; LEVELS];
    for &pixel in pixels {
        let (x, y) = (pixel % SIDE, pixel / SIDE);
        let right = (x + step < SIDE).then_some(pixel + step);
        let below = |pixel: usize| (y + step < SIDE).then_some(pixel + step * SIDE);
        let neighbours = [
            right,
            below(pixel),
            right.and_then(below),
            x.checked_sub(step).and_then(|_| below(pixel - step)),
        ];
        for neighbour in neighbours.into_iter().flatten() {
            if let (Some(a), Some(b)) = (level[pixel], level[neighbour]) {
                counts[a][b] += 1.0;
                counts[b][a] += 1.0;
            }
        }
    }
    let total: f32 = counts.iter().flatten().sum();
    if total == 0.0 {
        return [0.0, 1.0, 1.0, 1.0, 0.0];
    }
    let sum = |value: &dyn Fn(f32, f32, f32) -> f32| {
        let cells = (0..LEVELS * LEVELS).map(|k| (k / LEVELS, k % LEVELS));
        cells.map(|(i, j)| value(i as f32, j as f32, counts[i][j] / total)).sum::<f32>()
    };
    let mean = sum(&|i, _, p| i * p);
    let variance = sum(&|i, _, p| (i - mean).powi(2) * p);
    let covariance = sum(&|i, j, p| (i - mean) * (j - mean) * p);
    [
        sum(&|i, j, p| (i - j).powi(2) * p).sqrt(),
        if variance > 0.0 { covariance / variance } else { 1.0 },
        sum(&|_, _, p| p * p).sqrt(),
        sum(&|i, j, p| p / (1.0 + (i - j).abs())),
        sum(&|_, _, p| if p > 0.0 { -p * p.ln() } else { 0.0 }),
    ]
}
