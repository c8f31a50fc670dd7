//! Embeds many cells with a classifier: in batches on a GPU, on all threads of the CPU.
//!
//! Invariant: the result does not depend on the number of threads.

use anyhow::Result;
use mitoscope::classifier::Classifier;
use rayon::prelude::*;

/// Cells embedded at once.
const BATCH: usize = 32;

/// Embeds `count` cells, given how to make the input of each.
///
/// # Shapes
/// - `input`: `[CHANNELS, SIDE, SIDE]` of the cell of an index
/// - output: [`EMBEDDING`](mitoscope::embedder::EMBEDDING) values a cell, in order
///
/// # Errors
/// Those of [`Classifier::embed`].
pub fn embed_all(
    classifier: &Classifier,
    count: usize,
    input: impl Fn(usize) -> Vec<f32> + Sync,
) -> Result<Vec<Vec<f32>>> {
    if classifier.on_gpu() {
        let mut embeddings = Vec::with_capacity(count);
        for from in (0..count).step_by(BATCH) {
            let cells = from..count.min(from + BATCH);
            let inputs: Vec<Vec<f32>> = cells.into_par_iter().map(&input).collect();
            embeddings.extend(pollster::block_on(classifier.embed(&inputs))?);
        }
        return Ok(embeddings);
    }
    let one = |cell| Ok(pollster::block_on(classifier.embed(&[input(cell)]))?.swap_remove(0));
    (0..count).into_par_iter().map(one).collect()
}
