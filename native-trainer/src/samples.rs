//! Cells ready to be cut: each knows its image, its window and its field's grey levels.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use anyhow::Result;
use mitoscope::GreyImage;
use mitoscope::cells::CellBox;
use mitoscope::preprocess::{FieldLevels, Patch, Preprocess, Window, cut};
use mitoscope::quality::Quality;

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

    /// How well it is imaged.
    pub fn quality(&self, preprocess: &Preprocess) -> Quality {
        preprocess.quality(&self.patch(&self.window), &self.levels)
    }

    /// Whether its square lies wholly in its image.
    pub fn is_whole(&self) -> bool {
        let Window { cx, cy, side, .. } = self.window;
        let (width, height) = (self.image.width() as f32, self.image.height() as f32);
        let half = side / 2.0;
        cx >= half && cy >= half && cx + half <= width && cy + half <= height
    }

    /// The cell for the eye: its patch between its darkest and its brightest grey, 8 bits a pixel.
    pub fn picture(&self) -> Vec<u8> {
        let values = self.patch(&self.window).0;
        let low = values.iter().copied().fold(f32::INFINITY, f32::min);
        let range = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - low;
        let shade = |v: &f32| ((v - low) / range.max(f32::EPSILON) * 255.0).round() as u8;
        values.iter().map(shade).collect()
    }

    /// Raw grey values under a window of this sample's image.
    pub fn patch(&self, window: &Window) -> Patch {
        cut(&self.image, window)
    }
}

/// Reads the images of one group and places a window on each of its cells.
///
/// # Errors
/// When an image cannot be read or a box lies outside of it; names the row.
pub fn prepare(table: &Table, group: &Group, preprocess: &Preprocess) -> Result<Vec<Sample>> {
    let boxes: Vec<CellBox> = group.rows.iter().filter_map(|row| table.rows[*row].cell).collect();
    let (images, windows, levels) = if boxes.is_empty() || table.is_montage() {
        let images = crops(table, group)?;
        let levels = preprocess.cut_crops(images.iter().map(Arc::as_ref)).levels;
        let whole = |image: &Arc<GreyImage>| preprocess.windows(image, &[CellBox::whole(image)]);
        let windows: Vec<Window> = images.iter().flat_map(whole).collect();
        (images, windows, levels)
    } else {
        let image = table.image(table.rows[group.rows[0]].image)?;
        return of_field(image, &boxes, &group.rows, preprocess);
    };
    let placed = group.rows.iter().zip(images).zip(windows);
    Ok(placed.map(|((row, image), window)| Sample { row: *row, image, window, levels }).collect())
}

/// The cells of one field, in the order of their boxes; `rows` numbers them.
///
/// # Errors
/// When a box lies outside of the image.
pub fn of_field(
    image: GreyImage,
    boxes: &[CellBox],
    rows: &[usize],
    preprocess: &Preprocess,
) -> Result<Vec<Sample>> {
    let levels = preprocess.cut_field(&image, boxes)?.levels;
    let windows = preprocess.windows(&image, boxes);
    let image = Arc::new(image);
    let sample = |(row, window): (&usize, Window)| Sample {
        row: *row,
        image: image.clone(),
        window,
        levels,
    };
    Ok(rows.iter().zip(windows).map(sample).collect())
}

/// The cells of a group as images of their own; each file is read once.
fn crops(table: &Table, group: &Group) -> Result<Vec<Arc<GreyImage>>> {
    let mut files: BTreeMap<usize, Arc<GreyImage>> = BTreeMap::new();
    let mut crops = Vec::with_capacity(group.rows.len());
    for row in &group.rows {
        let row = &table.rows[*row];
        let file = match files.entry(row.image) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Arc::new(table.image(row.image)?)),
        };
        crops.push(match row.cell {
            None => file.clone(),
            Some(CellBox { x, y, w, h }) => {
                let start = [x, y].map(|v| v.round() as usize);
                let end = [x + w, y + h].map(|v| v.round() as usize);
                Arc::new(file.part(start, [end[0] - start[0], end[1] - start[1]])?)
            }
        });
    }
    Ok(crops)
}

/// All cells of a table, in the order of its rows.
///
/// # Errors
/// Those of [`prepare`].
pub fn prepare_all(table: &Table, preprocess: &Preprocess) -> Result<Vec<Sample>> {
    let groups = table.groups();
    let mut samples = Vec::with_capacity(table.rows.len());
    for group in &groups {
        samples.extend(prepare(table, group, preprocess)?);
    }
    samples.sort_by_key(|sample| sample.row);
    Ok(samples)
}
