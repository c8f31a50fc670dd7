//! Cells from being found to being classified, and their way to another thread.

use wasm_bindgen::prelude::*;

use super::{picture, to_js};
use crate::cells::CellBox;
use crate::preprocess::{CutCells, FieldLevels, Patch, SIDE};
use crate::{Error, GreyImage, decode};

/// Cells of one field, or images of single cells that belong together, ready to classify.
///
/// `patches` and `levels` carry them to another thread's instance, where `ofPatches` takes them up.
#[wasm_bindgen]
pub struct CellSet {
    /// One a cell; none where they came as patches.
    pub(super) boxes: Vec<CellBox>,
    pub(super) cells: CutCells,
    /// Of the cells that are compared, the first ones.
    pub(super) embeddings: Vec<Vec<f32>>,
    /// What these are judged by.
    pub(super) features: Vec<Vec<f32>>,
}

#[wasm_bindgen]
impl CellSet {
    /// Number of cells.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.cells.patches.len()
    }

    /// `count` patches from index `from` on, of 128 x 128 values each, in one array.
    pub fn patches(&self, from: usize, count: usize) -> Vec<f32> {
        let chosen = self.cells.patches.iter().skip(from).take(count);
        chosen.flat_map(|patch| patch.0.iter().copied()).collect()
    }

    /// The grey levels that the cells share: background, cell.
    pub fn levels(&self) -> Vec<f32> {
        vec![self.cells.levels.background, self.cells.levels.cell]
    }

    /// The cells of `patches` and `levels`; they know no boxes.
    ///
    /// # Errors
    /// [`Error::Cell`] when the numbers are not whole patches and two levels.
    #[wasm_bindgen(js_name = ofPatches)]
    pub fn of_patches(patches: &[f32], levels: &[f32]) -> Result<CellSet, Error> {
        let (patches, rest) = patches.as_chunks::<{ SIDE * SIDE }>();
        let &[background, cell] = levels else {
            return Err(Error::Cell(format!("two levels are due, not {}", levels.len())));
        };
        if !rest.is_empty() {
            return Err(Error::Cell(format!(
                "{} values are left over from the patches",
                rest.len()
            )));
        }
        let patches = patches.iter().map(|patch| Patch(patch.to_vec())).collect();
        let levels = FieldLevels { background, cell };
        Ok(CellSet::new(Vec::new(), CutCells { patches, levels }))
    }

    /// `{x, y, w, h}[]` in pixels of the image, one a cell.
    ///
    /// # Errors
    /// None in practice: every box has a JavaScript form.
    pub fn boxes(&self) -> Result<JsValue, Error> {
        to_js(&self.boxes)
    }

    /// `{width, height, rgba}` of one cell as the network's window cuts it, stretched for the eye.
    ///
    /// # Errors
    /// [`Error::Cell`] when there is no such cell.
    pub fn thumbnail(&self, index: usize) -> Result<JsValue, Error> {
        let image = GreyImage::new(SIDE, SIDE, self.patch(index)?.0.clone())?;
        Ok(picture(&decode::preview(&image, SIDE)))
    }
}

impl CellSet {
    /// Cells that are not yet compared.
    pub(super) fn new(boxes: Vec<CellBox>, cells: CutCells) -> Self {
        Self { boxes, cells, embeddings: Vec::new(), features: Vec::new() }
    }

    /// # Errors
    /// [`Error::Cell`] when there is no such cell.
    pub(super) fn patch(&self, index: usize) -> Result<&Patch, Error> {
        let patch = self.cells.patches.get(index);
        patch.ok_or_else(|| Error::Cell(format!("there is no cell {index}")))
    }
}
