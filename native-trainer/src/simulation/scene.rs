//! Cells put down one by one: light adds up in and out of focus, masks and boxes are kept.
//!
//! Invariant: a cell's box holds its whole mask inside the field, covered or not.

use super::optics::Plane;
use super::pattern::{Chromatin, Kind};
use super::tile::Tile;
use super::{DrawnCell, PixelBox};

/// The light and masks of a field while its cells are put down one by one.
pub struct Scene {
    /// Light in focus.
    pub sharp: Plane,
    /// Light out of focus, if there is any.
    pub soft: Option<Plane>,
    /// By row, the number of the uppermost object; 0 is none.
    pub masks: Vec<u16>,
    /// The objects so far; an object's number is its place here and one.
    pub cells: Vec<DrawnCell>,
}

impl Scene {
    /// An empty field.
    pub fn new(width: usize, height: usize) -> Self {
        let (sharp, masks) = (Plane::new(width, height), vec![0; width * height]);
        Self { sharp, soft: None, masks, cells: Vec::new() }
    }

    /// Puts an object on top of the others; one that is not in view, or has no number left, is no
    /// cell of the field.
    pub fn add(
        &mut self,
        tile: &Tile,
        kind: Kind,
        chromatin: Option<Chromatin>,
        out_of_focus: bool,
        whole: bool,
    ) {
        let (width, height) = (self.sharp.width, self.sharp.height);
        let plane = match out_of_focus {
            false => &mut self.sharp,
            true => self.soft.get_or_insert_with(|| Plane::new(width, height)),
        };
        let Ok(number) = u16::try_from(self.cells.len() + 1) else { return };
        let (mut low, mut high) = ((usize::MAX, usize::MAX), (0, 0));
        for row in 0..tile.height {
            let y = tile.top + row;
            let from = row * tile.width..(row + 1) * tile.width;
            let to = y * width + tile.left..y * width + tile.left + tile.width;
            for (lit, new) in plane.light[to.clone()].iter_mut().zip(&tile.light[from.clone()]) {
                // Cells press against each other rather than fill the same room.
                *lit = lit.max(*new) + 0.4 * lit.min(*new);
            }
            let inside = &tile.mask[from];
            let Some(first) = inside.iter().position(|inside| *inside) else { continue };
            let last = inside.iter().rposition(|inside| *inside).unwrap_or(first);
            for (mask, inside) in self.masks[to].iter_mut().zip(inside) {
                *mask = if *inside { number } else { *mask };
            }
            low = (low.0.min(tile.left + first), low.1.min(y));
            high = (high.0.max(tile.left + last), y);
        }
        if high.0 >= low.0 {
            let (width, height) = (high.0 - low.0 + 1, high.1 - low.1 + 1);
            let bounds = PixelBox { x: low.0, y: low.1, width, height };
            self.cells.push(DrawnCell { bounds, kind, chromatin, mask: number, whole });
        }
    }
}
