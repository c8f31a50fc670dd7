//! Shape of a set of pixels: size, elongation, outline and place.
//!
//! Invariant: a quarter turn or a mirroring of the patch changes nothing; every number is finite, also
//! of an empty set.

use std::f32::consts::{FRAC_PI_4, PI};

use imageproc::geometry::{contour_area, convex_hull};
use imageproc::point::Point;
use mitoscope::preprocess::SIDE;

use super::regions::{cell_radius, offset};

/// Measures of one set of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Logarithm of the area over that of a typical cell, both plus one pixel.
    pub area: f32,
    /// Short over long axis of the ellipse with the same second moments: 1 is round.
    pub axis_ratio: f32,
    /// Area over that of the convex hull.
    pub solidity: f32,
    /// 4π area over the squared perimeter: 1 is a disc.
    pub circularity: f32,
    /// Distance of the centroid from the patch's centre, in cell radii.
    pub offset: f32,
    /// Root mean square distance from the centroid, in cell radii.
    pub spread: f32,
}

impl Shape {
    /// Measures `region`, which names no pixel twice; nothing is round, convex and central.
    pub fn of(region: &[usize]) -> Self {
        let count = region.len() as f32;
        let cell_area = PI * cell_radius().powi(2);
        let area = ((count + 1.0) / (cell_area + 1.0)).ln();
        if region.is_empty() {
            let (axis_ratio, solidity, circularity) = (1.0, 1.0, 1.0);
            return Self { area, axis_ratio, solidity, circularity, offset: 0.0, spread: 0.0 };
        }
        let mean = |value: &dyn Fn(f32, f32) -> f32| {
            region.iter().map(|pixel| offset(*pixel)).map(|(x, y)| value(x, y)).sum::<f32>() / count
        };
        let (cx, cy) = (mean(&|x, _| x), mean(&|_, y| y));
        // A pixel is a square with a second moment of its own, so a line of pixels has a width.
        let xx = mean(&|x, _| (x - cx).powi(2)) + 1.0 / 12.0;
        let yy = mean(&|_, y| (y - cy).powi(2)) + 1.0 / 12.0;
        let xy = mean(&|x, y| (x - cx) * (y - cy));
        let (middle, difference) = (0.5 * (xx + yy), (0.5 * (xx - yy)).hypot(xy));
        let ratio = (middle - difference) / (middle + difference);

        let (perimeter, hull) = outline(region);
        Self {
            area,
            axis_ratio: ratio.clamp(0.0, 1.0).sqrt(),
            solidity: (count / hull).min(1.0),
            circularity: 4.0 * PI * count / perimeter.powi(2),
            offset: cx.hypot(cy) / cell_radius(),
            spread: (xx + yy).sqrt() / cell_radius(),
        }
    }

    /// The measures in the order of their declaration.
    pub fn numbers(&self) -> [f32; 6] {
        [self.area, self.axis_ratio, self.solidity, self.circularity, self.offset, self.spread]
    }
}

/// Perimeter (Crofton's formula with two directions) and area of the convex hull of the pixels' squares.
fn outline(region: &[usize]) -> (f32, f32) {
    let mut inside = [false; SIDE * SIDE];
    region.iter().for_each(|pixel| inside[*pixel] = true);
    let mut sides = 0;
    let mut corners = Vec::new();
    for &pixel in region {
        let (x, y) = (pixel % SIDE, pixel / SIDE);
        let open = usize::from(x == 0 || !inside[pixel - 1])
            + usize::from(x + 1 == SIDE || !inside[pixel + 1])
            + usize::from(y == 0 || !inside[pixel - SIDE])
            + usize::from(y + 1 == SIDE || !inside[pixel + SIDE]);
        sides += open;
        if open > 0 {
            let (x, y) = (x as i32, y as i32);
            corners.extend([(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)]);
        }
    }
    corners.sort_unstable();
    corners.dedup();
    let corners: Vec<Point<i32>> = corners.into_iter().map(|(x, y)| Point::new(x, y)).collect();
    (sides as f32 * FRAC_PI_4, contour_area(&convex_hull(corners)) as f32)
}
