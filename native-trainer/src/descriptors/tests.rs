//! The two baselines on synthetic cells.

mod parts;

use mitoscope::preprocess::{FieldLevels, Patch, SIDE};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::miros::NUMBERS;
use super::regions::{cell_radius, offset};
use super::{miros, tonti};

const LEVELS: FieldLevels = FieldLevels { background: 0.1, cell: 0.4 };

/// A plane with the value of `value(right, down)` at every offset from the centre.
fn plane(value: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    (0..SIDE * SIDE).map(offset).map(|(right, down)| value(right, down)).collect()
}

fn noise(seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..SIDE * SIDE).map(|_| rng.random::<f32>()).collect()
}

/// A lopsided cell with a bright bar and some noise.
fn cell_patch(seed: u64, bar: f32) -> Patch {
    let noise = noise(seed);
    let smooth = plane(|x, y| {
        let body = if x.hypot(1.3 * y) < cell_radius() { 0.3 } else { 0.0 };
        let bar_here = (x - 4.0).abs() < 6.0 && (y + 2.0 + 0.3 * x).abs() < 15.0;
        0.1 + body + if bar_here { bar } else { 0.0 }
    });
    Patch(smooth.iter().zip(noise).map(|(v, n)| (v + 0.02 * n).clamp(0.0, 1.0)).collect())
}

fn quarter_turn(plane: &[f32]) -> Vec<f32> {
    (0..SIDE * SIDE).map(|i| plane[(SIDE - 1 - i % SIDE) * SIDE + i / SIDE]).collect()
}

fn mirrored(plane: &[f32]) -> Vec<f32> {
    (0..SIDE * SIDE).map(|i| plane[i / SIDE * SIDE + SIDE - 1 - i % SIDE]).collect()
}

fn assert_near(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance, "number {i}: {a} and {b}");
    }
}

#[test]
fn miros_has_one_length_and_is_finite() {
    let spike = {
        let mut pixels = vec![0.0; SIDE * SIDE];
        pixels[SIDE * 64 + 64] = 1.0;
        pixels
    };
    let noisy = noise(4);
    for pixels in
        [vec![0.0; SIDE * SIDE], vec![1.0; SIDE * SIDE], vec![0.4; SIDE * SIDE], spike, noisy]
    {
        for levels in [
            LEVELS,
            FieldLevels { background: 0.3, cell: 0.3 },
            FieldLevels { background: 0.9, cell: 0.1 },
        ] {
            let numbers = miros(&Patch(pixels.clone()), &levels);
            assert_eq!(numbers.len(), NUMBERS);
            assert!(numbers.iter().all(|v| v.is_finite()), "{numbers:?}");
            let value = tonti(&[(&Patch(pixels.clone()), &levels)], &[7]);
            assert!(value[0].is_finite());
        }
    }
}

#[test]
fn miros_ignores_quarter_turns_and_mirrors() {
    let patch = cell_patch(5, 0.3);
    let expected = miros(&patch, &LEVELS);
    for turned in
        [quarter_turn(&patch.0), mirrored(&patch.0), quarter_turn(&quarter_turn(&patch.0))]
    {
        assert_near(&miros(&Patch(turned), &LEVELS), &expected, 2e-3);
    }
    let other = miros(&cell_patch(5, 0.0), &LEVELS);
    assert!(expected.iter().zip(&other).any(|(a, b)| (a - b).abs() > 0.1));
}

#[test]
fn tonti_finds_the_bright_bars_without_labels() {
    let bars: Vec<bool> = (0..240).map(|i| i % 12 == 0).collect();
    let brightness = |i: u64| (i * 37 % 11) as f32 / 200.0;
    let patches: Vec<Patch> = (0..240u64)
        .map(|i| cell_patch(i, if bars[i as usize] { 0.4 } else { brightness(i) }))
        .collect();
    let cells: Vec<(&Patch, &FieldLevels)> = patches.iter().map(|p| (p, &LEVELS)).collect();
    let specimens: Vec<usize> = (0..240).map(|i| i / 80).collect();
    let values = tonti(&cells, &specimens);
    let right = values.iter().zip(&bars).filter(|(value, bar)| (**value > 0.0) == **bar).count();
    assert!(right >= 230, "{right} of 240: {values:?}");
    assert_eq!(values, tonti(&cells, &specimens));

    // The name and order of specimens carry nothing.
    let renamed: Vec<usize> = specimens.iter().map(|s| 90 - 7 * s).collect();
    assert_eq!(values, tonti(&cells, &renamed));
}

#[test]
fn tonti_is_finite_for_few_cells() {
    assert!(tonti(&[], &[]).is_empty());
    let patches: Vec<Patch> =
        (0..12).map(|i| cell_patch(i, if i == 3 { 0.5 } else { 0.0 })).collect();
    for count in [1, 2, 5, 12] {
        let cells: Vec<_> = patches[..count].iter().map(|p| (p, &LEVELS)).collect();
        let values = tonti(&cells, &vec![0; count]);
        assert!(values.len() == count && values.iter().all(|v| v.is_finite()));
        if count >= 5 {
            assert!(values[3] > 0.0, "the outlier is told: {values:?}");
        }
    }
}
