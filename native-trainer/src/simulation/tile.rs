//! A small picture of one cell: its light and its mask, before optics.
//!
//! Invariant: light is finite and never negative; the mask covers exactly what the cell's box holds.

use super::outline::Outline;

/// Light and mask around a centre; lengths in nuclear radii, `scale` pixels a radius.
#[derive(Debug, Clone)]
pub struct Tile {
    /// Column of the field that the tile's first column lies on.
    pub left: usize,
    /// Row of the field that the tile's first row lies on.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Light by row.
    pub light: Vec<f32>,
    /// Which pixels are the cell.
    pub mask: Vec<bool>,
    centre: (f32, f32),
    scale: f32,
}

/// Where a cell is drawn: its centre in the field, the magnification, and the field that cuts it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Column and row of the centre.
    pub centre: (f32, f32),
    /// Pixels a nuclear radius.
    pub scale: f32,
    /// Columns and rows of the field.
    pub field: (usize, usize),
}

impl Tile {
    /// An empty tile, `reach` radii to each side of the frame's centre, cut at the field's edge.
    pub fn new(frame: &Frame, reach: f32) -> Self {
        let half = reach * frame.scale + 2.0;
        // Casts saturate: what lies before the edge starts at it.
        let cut = |middle: f32, size: usize| {
            let from = ((middle - half) as usize).min(size);
            (from, ((middle + half).ceil() as usize).clamp(from, size) - from)
        };
        let (left, width) = cut(frame.centre.0, frame.field.0);
        let (top, height) = cut(frame.centre.1, frame.field.1);
        let centre = (frame.centre.0 - left as f32, frame.centre.1 - top as f32);
        let (light, mask) = (vec![0.0; width * height], vec![false; width * height]);
        Self { left, top, width, height, light, mask, centre, scale: frame.scale }
    }

    /// Calls `paint` for each pixel that may lie in the outline around the centre or `margin` radii
    /// from it: its index, place in radii, light and mask.
    pub fn paint(
        &mut self,
        outline: &Outline,
        margin: f32,
        mut paint: impl FnMut(usize, f32, f32, &mut f32, &mut bool),
    ) {
        let scale = self.scale.recip();
        let pad = margin * self.scale + 1.0;
        for (y, (low, high)) in self.spans(outline, pad).into_iter().enumerate() {
            let v = (y as f32 + 0.5 - self.centre.1) * scale;
            let first = ((low - pad) as usize).min(self.width);
            let end = ((high + pad).ceil() as usize).clamp(first, self.width);
            for x in first..end {
                let u = (x as f32 + 0.5 - self.centre.0) * scale;
                let i = y * self.width + x;
                paint(i, u, v, &mut self.light[i], &mut self.mask[i]);
            }
        }
    }

    /// For each row the first and last column that the outline reaches within `pad` rows.
    fn spans(&self, outline: &Outline, pad: f32) -> Vec<(f32, f32)> {
        let mut spans = vec![(f32::MAX, f32::MIN); self.height];
        let corners: Vec<(f32, f32)> = outline
            .corners()
            .map(|(u, v)| (self.centre.0 + u * self.scale, self.centre.1 + v * self.scale))
            .collect();
        for (i, &(x, y)) in corners.iter().enumerate() {
            let (next_x, next_y) = corners[(i + 1) % corners.len()];
            let first = ((y.min(next_y) - pad) as usize).min(self.height);
            let end = ((y.max(next_y) + pad).ceil() as usize).clamp(first, self.height);
            for span in &mut spans[first..end] {
                *span = (span.0.min(x).min(next_x), span.1.max(x).max(next_x));
            }
        }
        spans
    }

    /// Adds round blobs to a plane of the tile's size: centre and radius in radii, and amount.
    ///
    /// A blob is `(1 - d²)²` of the relative distance `d`; one smaller than a pixel is spread over
    /// a pixel with its amount of light kept.
    pub fn splat(&self, plane: &mut [f32], blobs: &[Blob]) {
        for blob in blobs {
            let wanted = blob.radius * self.scale;
            let radius = wanted.max(1.2);
            let amount = blob.amount * (wanted / radius).powi(2);
            let (x, y) = (self.centre.0 + blob.u * self.scale, self.centre.1 + blob.v * self.scale);
            let range = |middle: f32, size: usize| {
                let first = (middle - radius).floor().clamp(0.0, size as f32) as usize;
                first..((middle + radius).ceil().clamp(0.0, size as f32) as usize)
            };
            let inverse = (radius * radius).recip();
            for row in range(y, self.height) {
                let dy = row as f32 + 0.5 - y;
                for column in range(x, self.width) {
                    let dx = column as f32 + 0.5 - x;
                    let rest = 1.0 - (dx * dx + dy * dy) * inverse;
                    if rest > 0.0 {
                        plane[row * self.width + column] += amount * rest * rest;
                    }
                }
            }
        }
    }

    /// A plane of zeros of the tile's size.
    pub fn plane(&self) -> Vec<f32> {
        vec![0.0; self.width * self.height]
    }
}

/// A round spot of light or matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blob {
    /// Place to the right of the centre, in radii.
    pub u: f32,
    /// Place below the centre, in radii.
    pub v: f32,
    /// Radius, in radii of the nucleus.
    pub radius: f32,
    /// Value at its centre.
    pub amount: f32,
}

/// 0 below `low`, 1 above `high`, smooth between.
#[inline]
pub fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_smaller_than_a_pixel_keeps_its_light() {
        let sum = |radius: f32| -> f32 {
            let tile =
                Tile::new(&Frame { centre: (20.3, 20.8), scale: 15.0, field: (50, 50) }, 1.0);
            let mut plane = tile.plane();
            tile.splat(&mut plane, &[Blob { u: 0.1, v: -0.2, radius, amount: 1.0 }]);
            plane.iter().sum()
        };
        // The integral of (1 - d²)² over the disc is π r² / 3.
        for radius in [0.02f32, 0.05, 0.3] {
            let wanted = std::f32::consts::PI * (radius * 15.0).powi(2) / 3.0;
            assert!(
                (sum(radius) / wanted - 1.0).abs() < 0.15,
                "{radius}: {} {wanted}",
                sum(radius)
            );
        }
    }
}
