//! Shape of a region: size, elongation, solidity, roundness, place and spread.

use std::f32::consts::{FRAC_PI_4, PI};

use imageproc::geometry::{contour_area, convex_hull};
use imageproc::point::Point;
use mitoscope::preprocess::SIDE;

use super::geometry::{cell_radius, offset};

/// Logarithm that stands for no area.
const NOTHING: f32 = -5.0;

/// Numbers that [`shape`] gives.
pub const LENGTH: usize = 6;

/// Logarithm of the area over a cell's, ratio of the axes, area over that of the convex hull,
/// 4 π area / perimeter², distance of the centroid and root mean square radius in cell radii.
pub fn shape(region: &[usize]) -> [f32; LENGTH] {
    if region.is_empty() {
        return [NOTHING, 1.0, 1.0, 1.0, 0.0, 0.0];
    }
    let area = region.len() as f32;
    let sum =
        |of: &dyn Fn([f32; 2]) -> f32| region.iter().map(|p| of(offset(*p))).sum::<f32>() / area;
    let (cx, cy) = (sum(&|[x, _]| x), sum(&|[_, y]| y));
    // A pixel is a unit square, whose second moment is 1/12.
    let xx = sum(&|[x, _]| (x - cx).powi(2)) + 1.0 / 12.0;
    let yy = sum(&|[_, y]| (y - cy).powi(2)) + 1.0 / 12.0;
    let xy = sum(&|[x, y]| (x - cx) * (y - cy));
    let (mean, root) = (0.5 * (xx + yy), (0.25 * (xx - yy).powi(2) + xy * xy).sqrt());
    let (perimeter, hull) = outline(region);
    [
        (area / (PI * cell_radius().powi(2))).ln(),
        ((mean - root).max(0.0) / (mean + root)).sqrt(),
        area / hull.max(area),
        4.0 * PI * area / (perimeter * perimeter),
        cx.hypot(cy) / cell_radius(),
        (xx + yy).sqrt() / cell_radius(),
    ]
}

/// Perimeter (of a digital outline, whose edges are on average 4/π too long) and area of the hull.
fn outline(region: &[usize]) -> (f32, f32) {
    let mut inside = vec![false; SIDE * SIDE];
    region.iter().for_each(|pixel| inside[*pixel] = true);
    let (mut edges, mut corners) = (0, Vec::new());
    for pixel in region {
        let (x, y) = (pixel % SIDE, pixel / SIDE);
        let open = [
            x == 0 || !inside[pixel - 1],
            x + 1 == SIDE || !inside[pixel + 1],
            y == 0 || !inside[pixel - SIDE],
            y + 1 == SIDE || !inside[pixel + SIDE],
        ];
        let count = open.into_iter().filter(|open| *open).count();
        edges += count;
        if count > 0 {
            let (x, y) = (x as i32, y as i32);
            corners.extend(
                [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)].map(|(x, y)| Point { x, y }),
            );
        }
    }
    corners.sort_by_key(|corner| (corner.y, corner.x));
    corners.dedup();
    (edges as f32 * FRAC_PI_4, contour_area(&convex_hull(corners)) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptors::geometry::ring;

    #[test]
    fn a_disc_is_round_and_a_bar_is_long() {
        let [area, axes, solidity, roundness, place, spread] = shape(&ring(0.0, 1.0));
        assert!(area.abs() < 0.02 && (axes - 1.0).abs() < 1e-3, "{area} {axes}");
        assert!(solidity > 0.95 && (roundness - 1.0).abs() < 0.05, "{solidity} {roundness}");
        assert!(place < 1e-3 && (spread - 0.5_f32.sqrt()).abs() < 0.01, "{place} {spread}");
        let bar: Vec<usize> = (0..SIDE * SIDE)
            .filter(|p| (30..90).contains(&(p % SIDE)) && (60..66).contains(&(p / SIDE)))
            .collect();
        let [_, axes, solidity, ..] = shape(&bar);
        assert!((axes - 0.1).abs() < 1e-3 && (solidity - 1.0).abs() < 1e-6, "{axes} {solidity}");
    }

    #[test]
    fn no_region_and_one_pixel_are_finite() {
        for region in [vec![], vec![5 * SIDE + 7]] {
            assert!(shape(&region).iter().all(|v| v.is_finite()));
        }
    }
}
