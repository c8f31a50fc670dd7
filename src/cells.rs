//! Where the cells of a field are: boxes given by a person or found by segmentation.
//!
//! Invariant: a box that passed [`CellBox::check`] lies inside its image and is at least one pixel
//! wide and high. A box carries no label and its size is no feature.

mod candidates;
mod component_tree;
mod field;
mod outline;
mod scale_bar;

use serde::{Deserialize, Serialize};

use crate::grey::median;
use crate::{Error, GreyImage};
use field::Field;

/// A cell's bounding box in image pixels; `x`, `y` is the top left corner, pixel (0, 0) covers 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl CellBox {
    /// The box that holds the whole image: for pictures that show one cell each.
    pub fn whole(image: &GreyImage) -> Self {
        Self { x: 0.0, y: 0.0, w: image.width() as f32, h: image.height() as f32 }
    }

    /// Centre of the box.
    pub fn center(&self) -> (f32, f32) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Side of the square of the same area, in pixels.
    pub fn size(&self) -> f32 {
        (self.w * self.h).sqrt()
    }

    /// Checks that the box lies inside the image.
    ///
    /// # Errors
    /// [`Error::Cell`] when a number is not finite, a side is below one pixel or an edge is outside.
    pub fn check(&self, image: &GreyImage) -> Result<(), Error> {
        let (width, height) = (image.width() as f32, image.height() as f32);
        let Self { x, y, w, h } = *self;
        if ![x, y, w, h].iter().all(|v| v.is_finite()) || w < 1.0 || h < 1.0 {
            return Err(Error::Cell(format!(
                "the cell box x {x}, y {y}, w {w}, h {h} is no box of at least one pixel"
            )));
        }
        if x < 0.0 || y < 0.0 || x + w > width || y + h > height {
            return Err(Error::Cell(format!(
                "the cell box x {x}, y {y}, w {w}, h {h} is outside its image of {width} x {height} \
                 pixels"
            )));
        }
        Ok(())
    }
}

/// Longest side of an image that is taken for a crop of one cell, in pixels.
pub const CROP_MAX_SIDE: usize = 256;

/// Whether an image is small enough to be the crop of one cell rather than a field.
pub fn is_crop(image: &GreyImage) -> bool {
    image.width().max(image.height()) <= CROP_MAX_SIDE
}

/// Median of the boxes' sizes in pixels; 0 when there is no box.
pub fn typical_size(boxes: &[CellBox]) -> f32 {
    median(&mut boxes.iter().map(CellBox::size).collect::<Vec<_>>())
}

/// Margin on each side of a found box, relative to that side: readers draw boxes a little wider than the
/// cell, and the classifier's crops are relative to their boxes.
const BOX_MARGIN: f32 = 0.045;

/// Finds the cells of a field, in reading order.
///
/// The typical radius is that at which blobs of one size explain most of the field. Candidates are the
/// parts that stand out at some level of a logarithmic stretch (the nodes of a component tree), so
/// neither the background nor the cells need be equally bright; those that are most like a nucleus in
/// size, form and contrast and do not overlap are the cells. Bright nuclei that touch are also
/// parted at the necks of their common outline. Where the cytoplasm is stained, nuclei are
/// dark and found by the closed lines across which the field brightens most. A burnt-in scale bar is no cell.
///
/// # Errors
/// [`Error::Cell`] when no cell stands out from the background.
pub fn find_cells(image: &GreyImage) -> Result<Vec<CellBox>, Error> {
    let found = Field::new(image).map(|field| field.cells()).unwrap_or_default();
    let (width, height) = (image.width() as f32, image.height() as f32);
    let mut boxes: Vec<CellBox> = found
        .iter()
        .map(|cell| {
            let [x, y, right, bottom] = cell.edges.map(|edge| edge as f32);
            let [beside, above] = [right - x, bottom - y].map(|side| BOX_MARGIN * side);
            let (x, y) = ((x - beside).max(0.0), (y - above).max(0.0));
            CellBox {
                x,
                y,
                w: (right + beside).min(width) - x,
                h: (bottom + above).min(height) - y,
            }
        })
        .filter(|cell| cell.check(image).is_ok())
        .collect();
    if boxes.is_empty() {
        return Err(no_cell());
    }
    boxes.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    Ok(boxes)
}

fn no_cell() -> Error {
    Error::Cell(
        "no cell stands out from the background of this image: check exposure and focus, or give the \
         cells as boxes"
            .into(),
    )
}

#[cfg(test)]
mod tests;
