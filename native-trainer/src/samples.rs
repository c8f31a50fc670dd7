//! Cells ready to be cut: each knows its image, its window and its field's grey levels.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use mitoscope::GreyImage;
use mitoscope::cells::CellBox;
use mitoscope::preprocess::{FieldLevels, Patch, Preprocess, Window, cut};
use rayon::prelude::*;

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
    let mut images: HashMap<usize, Arc<GreyImage>> = HashMap::new();
    for row in &group.rows {
        let image = table.rows[*row].image;
        if !images.contains_key(&image) {
            images.insert(image, Arc::new(table.image(image)?));
        }
    }
    let place = |row: usize| (row, images[&table.rows[row].image].clone());
    let windows: Vec<Window> = if group.rows.iter().all(|row| table.rows[*row].cell.is_some()) {
        let boxes: Vec<CellBox> = group.rows.iter().filter_map(|r| table.rows[*r].cell).collect();
        let (_, image) = group.rows.first().map(|r| place(*r)).context("an empty group")?;
        preprocess.windows(&image, &boxes)
    } else {
        let whole = |row: &usize| {
            let (_, image) = place(*row);
            preprocess.windows(&image, &[CellBox::whole(&image)]).remove(0)
        };
        group.rows.iter().map(whole).collect()
    };
    let placed: Vec<_> = group.rows.iter().map(|row| place(*row)).zip(windows).collect();
    let patches: Vec<Patch> =
        placed.par_iter().map(|((_, image), window)| cut(image, window)).collect();
    let levels = preprocess.levels(&patches);
    Ok(placed
        .into_iter()
        .map(|((row, image), window)| Sample { row, image, window, levels })
        .collect())
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
