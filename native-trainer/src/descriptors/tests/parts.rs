//! The parts of the descriptors against plain loops and known figures.

use mitoscope::preprocess::{Patch, SIDE};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::intensity::{mean_deviation, percentiles};
use super::super::mixture::fit_two;
use super::super::planes::Planes;
use super::super::regions::{cell_radius, disc, offset, rings};
use super::super::shape::Shape;
use super::super::{cooccurrence, hog, lbp, mask, radial};
use super::{LEVELS, assert_near, noise, plane};

/// Pixels at whose offset from the centre `inside(right, down)` holds.
fn region(inside: impl Fn(f32, f32) -> bool) -> Vec<usize> {
    (0..SIDE * SIDE)
        .filter(|pixel| {
            let (right, down) = offset(*pixel);
            inside(right, down)
        })
        .collect()
}

#[test]
fn rings_partition_the_disc() {
    let mut joined = rings(5, 1.2).concat();
    joined.sort_unstable();
    assert_eq!(joined, disc(1.2));
    let area = std::f32::consts::PI * cell_radius().powi(2);
    assert!((disc(1.0).len() as f32 / area - 1.0).abs() < 0.01);
    assert_eq!(disc(3.0).len(), SIDE * SIDE);
}

#[test]
fn planes_are_the_two_scalings() {
    let planes = Planes::of(&Patch(vec![0.4; SIDE * SIDE]), &LEVELS);
    assert!(planes.cell_scaled.iter().all(|v| *v == 0.0));
    assert!(planes.field_scaled.iter().all(|v| (v - 0.5).abs() < 1e-6));
    assert_eq!((planes.cell_scaled.len(), planes.field_scaled.len()), (SIDE * SIDE, SIDE * SIDE));
}

#[test]
fn intensity_of_known_values() {
    let values = [1.0, 9.0, 3.0, 5.0];
    let (mean, deviation) = mean_deviation(&values, &[0, 2, 3]);
    assert!((mean - 3.0).abs() < 1e-6 && (deviation - (8.0f32 / 3.0).sqrt()).abs() < 1e-6);
    assert_eq!(percentiles(&values, &[0, 2, 3], [100.0, 50.0, 0.0]), [5.0, 3.0, 1.0]);
    assert_eq!(mean_deviation(&values, &[]), (0.0, 0.0));
    assert_eq!(percentiles(&values, &[], [50.0]), [0.0]);
}

#[test]
fn radial_profile_follows_a_cone() {
    let cone = plane(|x, y| 1.0 - x.hypot(y) / 100.0);
    let (means, deviations) = radial::profile(&cone, &rings(6, 1.5));
    assert!(means.windows(2).all(|pair| pair[0] > pair[1]), "{means:?}");
    assert!(deviations.iter().all(|d| *d > 0.0));
}

/// Equation 9 written out for whole radii without a tolerance, on the four axes and diagonals.
#[test]
fn lbp_agrees_with_a_plain_loop() {
    let plane = noise(1);
    let pixels = disc(0.9);
    let mut expected = [0.0; lbp::BINS];
    for &pixel in &pixels {
        let (x, y) = (pixel % SIDE, pixel / SIDE);
        let r = 3.0 / 2.0f32.sqrt();
        let ring =
            [(3.0, 0.0), (r, r), (0.0, 3.0), (-r, r), (-3.0, 0.0), (-r, -r), (0.0, -3.0), (r, -r)];
        let bits = ring.map(|(dx, dy)| {
            let (u, v) = (x as f32 + dx, y as f32 + dy);
            let mut sum = 0.0;
            for row in 0..SIDE {
                for column in 0..SIDE {
                    let wx = (1.0 - (u - column as f32).abs()).max(0.0);
                    let wy = (1.0 - (v - row as f32).abs()).max(0.0);
                    if wx * wy > 0.0 {
                        sum += wx * wy * plane[row * SIDE + column];
                    }
                }
                if row as f32 > v + 1.0 {
                    break;
                }
            }
            sum > plane[pixel]
        });
        let changes = (0..8).filter(|k| bits[*k] != bits[(k + 1) % 8]).count();
        let ones = bits.iter().filter(|b| **b).count();
        expected[if changes <= 2 { ones } else { 9 }] += 1.0 / pixels.len() as f32;
    }
    let found = lbp::histogram(&plane, &pixels, 3.0, 0.0);
    assert_near(&found, &expected, 2.0 / pixels.len() as f32);
    assert!(expected.iter().all(|share| *share > 0.0));
}

#[test]
fn lbp_of_simple_grounds() {
    let pixels = disc(1.0);
    let flat = lbp::histogram(&vec![0.3; SIDE * SIDE], &pixels, 2.0, 0.01);
    assert_eq!(flat[0], 1.0);
    let slope = plane(|x, _| 0.5 + x / 200.0);
    let steep = lbp::histogram(&slope, &pixels, 2.0, 0.001);
    assert!((steep[3] - 1.0).abs() < 1e-5, "three of eight neighbours lie to the right: {steep:?}");
    assert_eq!(lbp::histogram(&slope, &[], 2.0, 0.0), [0.0; lbp::BINS]);
}

#[test]
fn gradients_of_bars_and_discs() {
    let pixels = disc(1.3);
    let bar = hog::sorted_orientations(&plane(|x, _| (-x * x / 50.0).exp()), &pixels);
    assert!((bar[0] - 1.0).abs() < 1e-4, "{bar:?}");
    let round = hog::sorted_orientations(&plane(|x, y| (-(x * x + y * y) / 200.0).exp()), &pixels);
    assert!(round[0] - round[7] < 0.01, "{round:?}");
    let flat = vec![0.5; SIDE * SIDE];
    assert_eq!(hog::sorted_orientations(&flat, &pixels), [0.0; hog::ORIENTATIONS]);

    let shells = rings(2, 1.0);
    let radial = hog::by_ring(&plane(|x, y| x.hypot(y) / 100.0), &shells);
    assert!((radial[hog::ANGLES] - 0.01).abs() < 1e-4, "gradient per pixel: {radial:?}");
    assert!(radial[hog::ANGLES + 2] < 1e-6, "no tangential energy: {radial:?}");
    let fan = hog::by_ring(&plane(|x, y| (4.0 * y.atan2(x)).sin()), &shells);
    assert!(fan[hog::ANGLES] < 0.2 * fan[hog::ANGLES + 2], "mostly tangential: {fan:?}");
    assert!(hog::by_ring(&flat, &shells).iter().all(|v| *v == 0.0));
}

#[test]
fn masks_find_the_bright_part_and_its_largest_piece() {
    let large = region(|x, y| (x - 10.0).hypot(y) < 12.0);
    let small = region(|x, y| (x + 20.0).hypot(y) < 5.0);
    let mut plane = vec![0.2; SIDE * SIDE];
    large.iter().chain(&small).for_each(|pixel| plane[*pixel] = 0.8);
    let bright = mask::bright(&plane, &disc(1.0));
    let mut expected = [large.clone(), small].concat();
    expected.sort_unstable();
    assert_eq!(bright, expected);
    assert_eq!(mask::largest_piece(&bright), large);
    assert!(mask::bright(&vec![0.4; SIDE * SIDE], &disc(1.0)).is_empty());
    assert!(mask::bright(&plane, &[]).is_empty());
    assert!(mask::largest_piece(&[]).is_empty());
}

#[test]
fn shapes_of_known_figures() {
    let round = Shape::of(&disc(1.0));
    assert!(round.area.abs() < 0.01 && round.offset < 1e-4, "{round:?}");
    assert!(round.axis_ratio > 0.995 && round.solidity > 0.95, "{round:?}");
    assert!((round.circularity - 1.0).abs() < 0.05, "{round:?}");
    assert!((round.spread - 0.5f32.sqrt()).abs() < 0.01, "{round:?}");

    let bar = Shape::of(&region(|x, y| (x - 20.0).abs() < 15.0 && y.abs() < 5.0));
    assert!((bar.axis_ratio - 1.0 / 3.0).abs() < 1e-4 && bar.solidity == 1.0, "{bar:?}");
    assert!((bar.offset - 20.0 / cell_radius()).abs() < 1e-4, "{bar:?}");

    let cross =
        Shape::of(&region(|x, y| x.abs().min(y.abs()) < 5.0 && x.abs().max(y.abs()) < 20.0));
    let hull = 1600.0 - 4.0 * 0.5 * 15.0 * 15.0;
    assert!((cross.solidity - 700.0 / hull).abs() < 1e-4, "{cross:?}");

    let dot = Shape::of(&[SIDE * 64 + 64]);
    assert!((dot.axis_ratio - 1.0).abs() < 1e-5 && dot.solidity == 1.0, "{dot:?}");
    for shape in [Shape::of(&[]), Shape::of(&(0..SIDE * SIDE).collect::<Vec<_>>()), dot] {
        assert!(shape.numbers().iter().all(|v| v.is_finite()), "{shape:?}");
    }
}

#[test]
fn cooccurrence_agrees_with_a_plain_loop() {
    let plane = noise(2);
    let pixels = disc(0.5);
    let level = |pixel: usize| (plane[pixel] * 16.0).floor().min(15.0);
    let mut pairs = Vec::new();
    for &a in &pixels {
        for &b in &pixels {
            let dx = (a % SIDE).abs_diff(b % SIDE);
            let dy = (a / SIDE).abs_diff(b / SIDE);
            if dx.max(dy) == 2 && (dx == dy || dx.min(dy) == 0) {
                pairs.push((level(a), level(b)));
            }
        }
    }
    let mean_of = |value: &dyn Fn(f32, f32) -> f32| {
        pairs.iter().map(|(a, b)| f64::from(value(*a, *b))).sum::<f64>() as f32 / pairs.len() as f32
    };
    let mean = mean_of(&|a, _| a);
    let share = |of: (f32, f32)| {
        pairs.iter().filter(|pair| **pair == of).count() as f32 / pairs.len() as f32
    };
    let expected = [
        mean_of(&|a, b| (a - b).powi(2)).sqrt(),
        mean_of(&|a, b| (a - mean) * (b - mean)) / mean_of(&|a, _| (a - mean).powi(2)),
        mean_of(&|a, b| share((a, b))).sqrt(),
        mean_of(&|a, b| 1.0 / (1.0 + (a - b).abs())),
        mean_of(&|a, b| -share((a, b)).ln()),
    ];
    assert_near(&cooccurrence::haralick(&plane, &pixels, 2), &expected, 2e-3);
    let flat = [0.0, 1.0, 1.0, 1.0, 0.0];
    assert_eq!(cooccurrence::haralick(&vec![0.4; SIDE * SIDE], &pixels, 2), flat);
    assert_eq!(cooccurrence::haralick(&plane, &[], 2), flat);
}

/// Two clouds whose density is known: the fit finds them and its densities have the closed form.
#[test]
fn mixture_finds_two_clouds() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut gauss = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let rows: Vec<Vec<f64>> = (0..1000)
        .map(|i| {
            let (a, b) = (gauss(), gauss());
            if i % 5 == 0 {
                vec![6.0 + 0.5 * a, -4.0 + 0.5 * b]
            } else {
                vec![a, 0.8 * a + 0.6 * b]
            }
        })
        .collect();
    let [near, far] = fit_two(&rows);
    let centre = |g: &[f64], x: f64, y: f64| (g[0] - x).abs() < 0.15 && (g[1] - y).abs() < 0.15;
    assert!(centre(&near.mean, 0.0, 0.0) && centre(&far.mean, 6.0, -4.0), "{near:?} {far:?}");
    let wrong = rows
        .iter()
        .enumerate()
        .filter(|(i, row)| (far.log_density(row) > near.log_density(row)) != (i % 5 == 0));
    assert!(wrong.count() < 5);
    // Against the density with covariance [[1, .8], [.8, 1]] plus the least variance.
    let (v, c) = (1.1, 0.8);
    let determinant: f64 = v * v - c * c;
    let exact = |x: f64, y: f64| {
        0.8f64.ln()
            - 0.5 * determinant.ln()
            - 0.5 * (v * x * x - 2.0 * c * x * y + v * y * y) / determinant
    };
    for (x, y) in [(0.0, 0.0), (1.0, -1.0), (2.0, 1.5)] {
        let found = near.log_density(&[x, y]);
        assert!((found - exact(x, y)).abs() < 0.5, "{found} and {}", exact(x, y));
    }
    let same = fit_two(&vec![vec![1.0, 2.0]; 50]);
    assert!(same.iter().all(|g| g.log_density(&[5.0, 5.0]).is_finite()));
}
