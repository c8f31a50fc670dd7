//! The sampler: which cells make the mini-batch of a step.
//!
//! Invariant: a batch depends only on the seed and the step, so a resumed training draws the same
//! batches, and every batch holds the promised number of each class.

use std::collections::HashMap;

use mitoscope::Error;
use mitoscope::classifier::Label;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a training draws its batches from.
pub trait Batches: Sync {
    /// Cell indices of a step's batch.
    fn batch(&self, step: usize) -> Vec<usize>;
}

/// Cells of each class in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSize {
    /// Mitotic cells: anchors and positives.
    pub mitotic: usize,
    /// Interphase cells: negatives.
    pub interphase: usize,
    /// How many of these come from the specimens of the batch's mitotic cells, so that telling
    /// specimens apart does not help; 0 in the paper.
    pub neighbours: usize,
}

impl BatchSize {
    /// Cells of both classes.
    pub fn total(&self) -> usize {
        self.mitotic + self.interphase
    }
}

/// Draws stratified batches: each class is shuffled anew each time it is used up.
#[derive(Debug, Clone)]
pub struct StratifiedSampler {
    mitotic: Vec<usize>,
    interphase: Vec<usize>,
    neighbours: HashMap<usize, Vec<usize>>,
    size: BatchSize,
    seed: u64,
}

impl StratifiedSampler {
    /// Samples the cells whose label is known; `specimens` names each cell's.
    ///
    /// # Errors
    /// [`Error::Fit`] when there are fewer than two mitotic cells (no pair of anchor and positive)
    /// or fewer than two interphase cells.
    pub fn new(
        labels: &[Option<Label>],
        specimens: &[&str],
        size: BatchSize,
        seed: u64,
    ) -> Result<Self, Error> {
        let of = |class| -> Vec<usize> {
            let members = labels.iter().enumerate().filter(|(_, label)| **label == Some(class));
            members.map(|(i, _)| i).collect()
        };
        let (mitotic, interphase) = (of(Label::Mitotic), of(Label::Interphase));
        for (name, cells) in [("mitotic", &mitotic), ("interphase", &interphase)] {
            if cells.len() < 2 {
                return Err(Error::Fit(format!(
                    "{} {name} cell(s) to train on: at least 2 of each class are needed, add \
                     labelled cells",
                    cells.len()
                )));
            }
        }
        let near = |cell: &usize| {
            let others = interphase.iter().filter(|other| specimens[**other] == specimens[*cell]);
            (*cell, others.copied().collect())
        };
        let neighbours = mitotic.iter().map(near).collect();
        Ok(Self { mitotic, interphase, neighbours, size, seed })
    }
}

impl Batches for StratifiedSampler {
    /// Mitotic cells first.
    fn batch(&self, step: usize) -> Vec<usize> {
        let BatchSize { mitotic, interphase, neighbours } = self.size;
        let mut batch = draw(&self.mitotic, mitotic, step, self.seed);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed.rotate_left(32));
        rng.set_stream(step as u64);
        let near: Vec<usize> = (0..neighbours)
            .filter_map(|i| self.neighbours[&batch[i % mitotic]].choose(&mut rng).copied())
            .collect();
        batch.extend(draw(&self.interphase, interphase - near.len(), step, !self.seed));
        batch.extend(near);
        batch
    }
}

fn draw(cells: &[usize], count: usize, step: usize, seed: u64) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(count);
    let mut position = step * count;
    while drawn.len() < count {
        let (round, offset) = (position / cells.len(), position % cells.len());
        let mut shuffled = cells.to_vec();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(round as u64);
        shuffled.shuffle(&mut rng);
        let taken = (count - drawn.len()).min(cells.len() - offset);
        drawn.extend(&shuffled[offset..offset + taken]);
        position += taken;
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: BatchSize = BatchSize { mitotic: 3, interphase: 4, neighbours: 0 };
    const SPECIMENS: [&str; 20] = {
        let mut names = ["a"; 20];
        let mut i = 10;
        while i < 20 {
            names[i] = "b";
            i += 1;
        }
        names
    };

    fn labels() -> Vec<Option<Label>> {
        let kinds = [Some(Label::Mitotic), Some(Label::Interphase), None, Some(Label::Interphase)];
        (0..20).map(|i| kinds[i % 4]).collect()
    }

    #[test]
    fn every_batch_holds_the_promised_number_of_each_class() {
        let labels = labels();
        let sampler = StratifiedSampler::new(&labels, &SPECIMENS, SIZE, 7).expect("enough cells");
        for step in 0..50 {
            let batch = sampler.batch(step);
            assert!(batch[..3].iter().all(|i| labels[*i] == Some(Label::Mitotic)));
            assert!(batch[3..].iter().all(|i| labels[*i] == Some(Label::Interphase)));
            assert_eq!(batch.len(), SIZE.total());
        }
    }

    #[test]
    fn every_cell_is_drawn_equally_often() {
        let sampler = StratifiedSampler::new(&labels(), &SPECIMENS, SIZE, 7).expect("enough cells");
        let mut counts = [0; 20];
        (0..5).flat_map(|step| sampler.batch(step)).for_each(|i| counts[i] += 1);
        assert!((0..20).step_by(4).all(|i| counts[i] == 3), "{counts:?}");
        assert!((1..20).step_by(2).all(|i| counts[i] == 2), "{counts:?}");
        assert!((2..20).step_by(4).all(|i| counts[i] == 0), "unlabelled cells are never drawn");
    }

    #[test]
    fn a_batch_depends_on_seed_and_step_alone() {
        let of =
            |seed| StratifiedSampler::new(&labels(), &SPECIMENS, SIZE, seed).expect("enough cells");
        assert_eq!(of(7).batch(31), of(7).batch(31));
        assert_ne!(of(7).batch(31), of(8).batch(31));
    }

    #[test]
    fn neighbours_come_from_the_specimens_of_the_mitotic_cells() {
        let size = BatchSize { mitotic: 1, interphase: 4, neighbours: 3 };
        let sampler = StratifiedSampler::new(&labels(), &SPECIMENS, size, 7).expect("enough cells");
        for step in 0..50 {
            let batch = sampler.batch(step);
            assert_eq!(batch.len(), 5);
            assert!(batch[2..].iter().all(|i| SPECIMENS[*i] == SPECIMENS[batch[0]]), "{batch:?}");
        }
    }

    #[test]
    fn one_mitotic_cell_is_refused() {
        let labels = [Some(Label::Mitotic), Some(Label::Interphase), Some(Label::Interphase)];
        let error = StratifiedSampler::new(&labels, &SPECIMENS[..3], SIZE, 7)
            .expect_err("one mitotic cell");
        assert!(error.to_string().starts_with("1 mitotic cell(s)"), "{error}");
    }
}
