//! What the support vector machine sees of a cell: its embedding, alone or among those of its field.
//!
//! Invariant: the features of a cell depend on the cells of its own field only, not on their order.

use serde::{Deserialize, Serialize};

use crate::grey::median;

/// Which numbers of a cell the machine decides on; part of the model's manifest.
///
/// Serum and slide shift all embeddings of a field alike, and interphase cells are its majority: so a
/// mitotic cell is told best by what it is and by how it differs from its field's typical cell, as
/// readers compare cells of one field. Either alone is worth less (RESULTS.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Features {
    /// The embedding, as in the paper.
    #[default]
    Embedding,
    /// The embedding, then its deviation from the field's typical embedding.
    EmbeddingAndDeviation,
}

impl Features {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "the embedding",
            Self::EmbeddingAndDeviation => "the embedding and its deviation",
        }
    }

    /// Numbers of one cell whose embedding has so many.
    pub const fn length(self, embedding: usize) -> usize {
        match self {
            Self::Embedding => embedding,
            Self::EmbeddingAndDeviation => 2 * embedding,
        }
    }

    /// Features of cells from their embeddings: all cells of one field, or crops of one specimen. A cell
    /// that comes alone is its own typical cell.
    ///
    /// # Shapes
    /// - `embeddings`: [`EMBEDDING`](crate::embedder::EMBEDDING) values a cell
    /// - output: [`Features::length`] values a cell, in the same order
    pub fn of(self, embeddings: &[Vec<f32>]) -> Vec<Vec<f32>> {
        match self {
            Self::Embedding => embeddings.to_vec(),
            Self::EmbeddingAndDeviation => {
                let typical = typical(embeddings);
                let deviation = |embedding: &[f32]| -> Vec<f32> {
                    embedding.iter().zip(&typical).map(|(value, typical)| value - typical).collect()
                };
                embeddings.iter().map(|one| [&one[..], &deviation(one)].concat()).collect()
            }
        }
    }
}

/// The median of every dimension.
fn typical(embeddings: &[Vec<f32>]) -> Vec<f32> {
    let dimensions = 0..embeddings.first().map_or(0, Vec::len);
    let column = |i| embeddings.iter().map(|one| one[i]).collect::<Vec<f32>>();
    dimensions.map(|i| median(&mut column(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedder::EMBEDDING;

    fn cells(values: &[f32]) -> Vec<Vec<f32>> {
        values.iter().map(|value| vec![*value; EMBEDDING]).collect()
    }

    #[test]
    fn deviation_is_from_the_median_so_that_few_mitotic_cells_do_not_shift_it() {
        let features = Features::EmbeddingAndDeviation.of(&cells(&[0.5, 0.25, 0.75, 0.5, 9.0]));
        let expected = [(0.5, 0.0), (0.25, -0.25), (0.75, 0.25), (0.5, 0.0), (9.0, 8.5)];
        for (cell, (value, deviation)) in features.iter().zip(expected) {
            assert_eq!(cell.len(), Features::EmbeddingAndDeviation.length(EMBEDDING));
            assert!(cell[..EMBEDDING].iter().all(|v| *v == value));
            assert!(cell[EMBEDDING..].iter().all(|v| *v == deviation));
        }
    }

    #[test]
    fn a_cell_alone_deviates_from_nothing_and_no_cell_has_no_features() {
        let alone = Features::EmbeddingAndDeviation.of(&cells(&[0.3]));
        assert!(alone[0][EMBEDDING..].iter().all(|v| *v == 0.0));
        assert!(Features::EmbeddingAndDeviation.of(&[]).is_empty());
    }

    #[test]
    fn the_embedding_alone_is_left_as_it_is() {
        let embeddings = cells(&[0.1, 0.2]);
        assert_eq!(Features::Embedding.of(&embeddings), embeddings);
        assert_eq!(embeddings[0].len(), Features::Embedding.length(EMBEDDING));
    }
}
