//! Cells ready to be cut: each knows its image, its window and its field's grey levels.

use std::sync::Arc;

use anyhow::Result;
use mitoscope::GreyImage;
use mitoscope::cells::CellBox;
use mitoscope::preprocess::{FieldLevels, Patch, Preprocess, Window, cut};

use crate::table::{Group, Table};

/// One cell of a table.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Row of the table.
    pub row: usize,
    image: Arc<GreyImage>,
    /// The square to cut.
    pub window: Window,
    /// Grey levels typical of the cells it lies among.
    pub levels: FieldLevels,
}

impl Sample {
    /// The network's input as it is at inference.
    pub fn input(&self, preprocess: &Preprocess) -> Vec<f32> {
        preprocess.input(&self.patch(&self.window), &self.levels)
    }

    /// Raw grey values under a window of this sample's image.
    pub fn patch(&self, window: &Window) -> Patch {
        cut(&self.image, window)
    }
}

/// Reads the images of one group and places a window on each of its cells.
pub fn prepare(table: &Table, group: &Group, preprocess: &Preprocess) -> Result<Vec<Sample>> {
    let boxes: Vec<CellBox> = group.rows.iter().filter_map(|row| table.rows[*row].cell).collect();
    let first = table.rows[group.rows[0]].image;
    let (images, windows, levels) = if boxes.is_empty() {
        let read = |row: &usize| Ok(Arc::new(table.image(table.rows[*row].image)?));
        let images: Vec<Arc<GreyImage>> = group.rows.iter().map(read).collect::<Result<_>>()?;
        let levels = preprocess.cut_crops(images.iter().map(Arc::as_ref)).levels;
        let whole = |image: &Arc<GreyImage>| preprocess.windows(image, &[CellBox::whole(image)]);
        let windows = images.iter().flat_map(whole).collect();
        (images, windows, levels)
    } else {
        let image = Arc::new(table.image(first)?);
        let levels = preprocess.cut_field(&image, &boxes)?.levels;
        let windows = preprocess.windows(&image, &boxes);
        (vec![image; boxes.len()], windows, levels)
    };
    let placed = group.rows.iter().zip(images).zip(windows);
    Ok(placed.map(|((row, image), window)| Sample { row: *row, image, window, levels }).collect())
}

/// All cells of a table, in the order of its rows.
pub fn prepare_all(table: &Table, preprocess: &Preprocess) -> Result<Vec<Sample>> {
    let groups = table.groups();
    let mut samples = Vec::with_capacity(table.rows.len());
    for group in &groups {
        samples.extend(prepare(table, group, preprocess)?);
    }
    samples.sort_by_key(|sample| sample.row);
    Ok(samples)
}
