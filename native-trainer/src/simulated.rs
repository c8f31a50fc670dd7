//! Simulated cells to train on, made in memory, and batches that hold them.
//!
//! Invariant: a simulated cell is numbered after every row of the table it stands beside, so that it
//! can be in no split and is never tested on; cells and batches depend on numbers and seed alone.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Result;
use mitoscope::GreyImage;
use mitoscope::cells::CellBox;
use mitoscope::classifier::Label;
use mitoscope::preprocess::Preprocess;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::sampler::{Batches, StratifiedSampler};
use crate::samples::{Sample, of_field};
use crate::simulation::PixelBox;
use crate::simulation::pattern::{Kind, Pattern};
use crate::simulation::writer::{Options, specimen};

/// Least and greatest factor on a specimen's boxes: some readers and detectors outline the nucleus,
/// others half of the cell around it, and the window follows them.
const ZOOM: (f32, f32) = (0.9, 1.45);

/// One simulated cell.
#[derive(Debug, Clone)]
pub struct SimulatedCell {
    /// How it is cut.
    pub sample: Sample,
    /// What it is.
    pub kind: Kind,
    /// The staining of its specimen.
    pub pattern: Pattern,
    /// Number of its specimen.
    pub specimen: usize,
}

impl SimulatedCell {
    /// Mitotic or not: what is neither, such as debris, is learned as not mitotic.
    pub fn label(&self) -> Label {
        match self.kind {
            Kind::Mitotic(_) => Label::Mitotic,
            Kind::Interphase(_) | Kind::Remains(_) => Label::Interphase,
        }
    }
}

/// All whole cells of one field of each of the specimens; the first is numbered `first_row`.
///
/// # Errors
/// Never with boxes that the simulator draws; those outside of their field are refused.
pub fn simulate(
    specimens: Range<usize>,
    seed: u64,
    preprocess: &Preprocess,
    first_row: usize,
) -> Result<Vec<SimulatedCell>> {
    let options =
        Options { specimens: specimens.end, fields: 1, seed, any_size: true, ..Options::default() };
    let of_specimen = |number: usize| -> Result<Vec<SimulatedCell>> {
        let field = specimen(&options, number as u64).field(0);
        let white = f32::from(field.white);
        let pixels = field.pixels.iter().map(|level| f32::from(*level) / white).collect();
        let image = GreyImage::new(field.width, field.height, pixels)?;
        let whole: Vec<_> = field.cells.iter().filter(|cell| cell.whole).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(!seed);
        rng.set_stream(number as u64);
        let zoom = rng.random_range(ZOOM.0..ZOOM.1);
        let boxes: Vec<CellBox> =
            whole.iter().map(|cell| zoomed(cell.bounds, zoom, &image)).collect();
        let rows = vec![0; boxes.len()];
        let samples = of_field(image, &boxes, &rows, preprocess)?;
        let cell = |(sample, cell): (Sample, &&crate::simulation::DrawnCell)| SimulatedCell {
            sample,
            kind: cell.kind,
            pattern: field.pattern,
            specimen: number,
        };
        Ok(samples.into_iter().zip(&whole).map(cell).collect())
    };
    let cells = specimens.into_par_iter().map(of_specimen).collect::<Result<Vec<_>>>()?;
    let mut cells: Vec<SimulatedCell> = cells.into_iter().flatten().collect();
    cells.iter_mut().zip(first_row..).for_each(|(cell, row)| cell.sample.row = row);
    Ok(cells)
}

/// A box about the same centre, cut at the image's edge.
fn zoomed(bounds: PixelBox, zoom: f32, image: &GreyImage) -> CellBox {
    let along = |start: usize, length: usize, end: usize| {
        let centre = start as f32 + 0.5 * length as f32;
        let low = (centre - 0.5 * zoom * length as f32).max(0.0);
        let high = (centre + 0.5 * zoom * length as f32).min(end as f32);
        (low, (high - low).max(1.0))
    };
    let (x, w) = along(bounds.x, bounds.width, image.width());
    let (y, h) = along(bounds.y, bounds.height, image.height());
    CellBox { x, y, w, h }
}

/// Simulated cells of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulatedBatch {
    /// Mitotic cells.
    pub mitotic: usize,
    /// Interphase cells that look like it.
    pub interphase: usize,
    /// Cells and remains that are not mitotic and may be taken for it.
    pub look_alikes: usize,
}

impl SimulatedBatch {
    /// Cells of all kinds.
    pub fn total(&self) -> usize {
        self.mitotic + self.interphase + self.look_alikes
    }
}

/// Batches of real cells, if there are any, and of simulated cells whose patterns are equally frequent.
#[derive(Debug, Clone)]
pub struct MixedSampler {
    real: Option<StratifiedSampler>,
    /// Mitotic, interphase and look-alikes; by pattern; rows.
    simulated: [Vec<Vec<usize>>; 3],
    size: SimulatedBatch,
    seed: u64,
}

impl MixedSampler {
    /// Draws from all of the simulated cells.
    pub fn new(
        real: Option<StratifiedSampler>,
        cells: &[SimulatedCell],
        size: SimulatedBatch,
        seed: u64,
    ) -> Self {
        let mut simulated = [const { BTreeMap::<&str, Vec<usize>>::new() }; 3];
        for cell in cells {
            let kind = match (cell.kind, cell.kind.look_alike()) {
                (Kind::Mitotic(_), _) => 0,
                (_, None) => 1,
                (_, Some(_)) => 2,
            };
            simulated[kind].entry(cell.pattern.name()).or_default().push(cell.sample.row);
        }
        let simulated = simulated.map(|by_pattern| by_pattern.into_values().collect());
        Self { real, simulated, size, seed }
    }
}

impl Batches for MixedSampler {
    fn batch(&self, step: usize) -> Vec<usize> {
        let mut batch = self.real.as_ref().map_or(Vec::new(), |real| real.batch(step));
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed.rotate_left(16));
        rng.set_stream(step as u64);
        let SimulatedBatch { mitotic, interphase, look_alikes } = self.size;
        for (by_pattern, count) in self.simulated.iter().zip([mitotic, interphase, look_alikes]) {
            for _ in 0..count {
                let of_one = by_pattern.choose(&mut rng);
                batch.extend(of_one.and_then(|rows| rows.choose(&mut rng)));
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::BatchSize;

    const FIRST_ROW: usize = 100;
    const SIZE: SimulatedBatch = SimulatedBatch { mitotic: 3, interphase: 4, look_alikes: 2 };

    fn some() -> Vec<SimulatedCell> {
        simulate(0..6, 5, &Preprocess::modern(), FIRST_ROW).expect("cells")
    }

    #[test]
    fn cells_are_numbered_after_the_table_and_depend_on_the_seed_alone() {
        let cells = some();
        assert!(cells.iter().zip(FIRST_ROW..).all(|(cell, row)| cell.sample.row == row));
        let windows = |cells: &[SimulatedCell]| -> Vec<_> {
            cells.iter().map(|cell| (cell.sample.window, cell.kind)).collect()
        };
        assert_eq!(windows(&cells), windows(&some()));
        let fewer = simulate(0..3, 5, &Preprocess::modern(), FIRST_ROW).expect("cells");
        assert_eq!(windows(&fewer), windows(&cells)[..fewer.len()]);
    }

    #[test]
    fn batches_hold_the_promised_cells_of_each_kind() {
        let simulated = some();
        let labels = [Label::Mitotic, Label::Interphase].map(Some).repeat(4);
        let real = BatchSize { mitotic: 2, interphase: 2, neighbours: 0 };
        let real = StratifiedSampler::new(&labels, &["a"; 8], real, 1).expect("enough cells");
        let sampler = MixedSampler::new(Some(real.clone()), &simulated, SIZE, 1);
        for step in 0..20 {
            let batch = sampler.batch(step);
            assert_eq!(batch[..4], real.batch(step));
            let cells: Vec<_> = batch[4..].iter().map(|row| &simulated[row - FIRST_ROW]).collect();
            assert_eq!(cells.len(), SIZE.total());
            assert!(cells[..3].iter().all(|cell| cell.label() == Label::Mitotic));
            assert!(cells[3..].iter().all(|cell| cell.label() == Label::Interphase));
            assert!(cells[3..7].iter().all(|cell| cell.kind.look_alike().is_none()));
            assert!(cells[7..].iter().all(|cell| cell.kind.look_alike().is_some()));
            assert_eq!(batch, sampler.batch(step));
        }
    }
}
