//! The miner: which triplets of a batch are worth learning from (Eq. 1 and 2 of the paper).
//!
//! It sees distances, not tensors, and returns indices, so that it is the same on every device.

use mitoscope::classifier::Label;
use serde::{Deserialize, Serialize};

/// Anchor and positive (both mitotic) and negative (interphase), as indices into the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triplet {
    /// A mitotic cell.
    pub anchor: usize,
    /// Another mitotic cell.
    pub positive: usize,
    /// An interphase cell.
    pub negative: usize,
}

/// How the triplets of a batch divide, as fractions of all of them; they add up to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Mined {
    /// Violate the margin with the negative still farther than the positive: learned from.
    pub active: f64,
    /// The negative is farther by the margin or more: nothing to learn.
    pub easy: f64,
    /// The negative is no farther than the positive: left out by Eq. 2.
    pub hard: f64,
    /// Mean squared distance of anchor and positive, over all pairs.
    pub anchor_positive: f64,
    /// Mean squared distance of anchor and negative, over all pairs.
    pub anchor_negative: f64,
}

/// Squared Euclidean distances between all rows.
pub fn squared_distances(rows: &[&[f32]]) -> Vec<Vec<f32>> {
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    rows.iter().map(|a| rows.iter().map(|b| distance(a, b)).collect()).collect()
}

/// Which triplets are learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mining {
    /// `d(a, n) − d(a, p) < margin` (Eq. 1) and `d(a, p) < d(a, n)` (Eq. 2): the paper.
    SemiHard,
    /// All that violate the margin, Eq. 1 alone: needs a network that does not collapse.
    Violating,
    /// Of each anchor the farthest positive with the nearest negative, if they violate the margin
    /// (Hermans, Beyer and Leibe 2017, Eq. 5).
    BatchHard,
}

/// Mines a batch, given the squared distances of its embeddings, and which cells they are of: a batch that
/// begins a new round may hold a cell twice.
pub fn mine(
    distances: &[Vec<f32>],
    cells: &[usize],
    labels: &[Label],
    margin: f32,
    mining: Mining,
) -> (Vec<Triplet>, Mined) {
    let of = |class| (0..labels.len()).filter(move |i| labels[*i] == class);
    let mut triplets = Vec::new();
    let (mut semi, mut easy, mut hard) = (0usize, 0usize, 0usize);
    let (mut pairs, mut near, mut far) = (0usize, 0.0, 0.0);
    for anchor in of(Label::Mitotic) {
        let row = &distances[anchor];
        far += of(Label::Interphase).map(|n| f64::from(row[n])).sum::<f64>();
        for positive in of(Label::Mitotic).filter(|p| cells[*p] != cells[anchor]) {
            pairs += 1;
            near += f64::from(row[positive]);
            for negative in of(Label::Interphase) {
                if row[negative] <= row[positive] {
                    hard += 1;
                    if mining == Mining::Violating {
                        triplets.push(Triplet { anchor, positive, negative });
                    }
                } else if row[negative] - row[positive] >= margin {
                    easy += 1;
                } else {
                    semi += 1;
                    if mining != Mining::BatchHard {
                        triplets.push(Triplet { anchor, positive, negative });
                    }
                }
            }
        }
        if mining == Mining::BatchHard {
            triplets.extend(hardest(anchor, row, cells, labels, margin));
        }
    }
    let all = (semi + easy + hard).max(1) as f64;
    let crossed = of(Label::Mitotic).count() * of(Label::Interphase).count();
    let mined = Mined {
        active: semi as f64 / all,
        easy: easy as f64 / all,
        hard: hard as f64 / all,
        anchor_positive: near / pairs.max(1) as f64,
        anchor_negative: far / crossed.max(1) as f64,
    };
    (triplets, mined)
}

/// The farthest positive and nearest negative of an anchor, if they violate the margin.
fn hardest(
    anchor: usize,
    row: &[f32],
    cells: &[usize],
    labels: &[Label],
    margin: f32,
) -> Option<Triplet> {
    let by_distance = |a: &usize, b: &usize| row[*a].total_cmp(&row[*b]);
    let of = |class| (0..labels.len()).filter(move |i| labels[*i] == class);
    let others = of(Label::Mitotic).filter(|p| cells[*p] != cells[anchor]);
    let positive = others.max_by(by_distance)?;
    let negative = of(Label::Interphase).min_by(by_distance)?;
    let violates = row[negative] - row[positive] < margin;
    violates.then_some(Triplet { anchor, positive, negative })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Interphase, Mitotic};

    /// Mines a batch of different cells.
    fn mined(
        rows: &[&[f32]],
        labels: &[Label],
        margin: f32,
        mining: Mining,
    ) -> (Vec<Triplet>, Mined) {
        let cells: Vec<usize> = (0..rows.len()).collect();
        mine(&squared_distances(rows), &cells, labels, margin, mining)
    }

    #[test]
    fn a_cell_is_no_positive_of_its_own() {
        let rows: [&[f32]; 4] = [&[0.0], &[0.1], &[1.0], &[2.0]];
        let labels = [Mitotic, Mitotic, Mitotic, Interphase];
        for mining in [Mining::SemiHard, Mining::Violating, Mining::BatchHard] {
            let of = |cells: &[usize]| {
                let (triplets, _) = mine(&squared_distances(&rows), cells, &labels, 9.0, mining);
                triplets.iter().any(|of| of.anchor + of.positive == 1)
            };
            assert!(!of(&[5, 5, 7, 8]), "cell 5 twice");
            assert_eq!(of(&[5, 6, 7, 8]), mining != Mining::BatchHard);
        }
    }

    /// On a line, so that distances are easy to see: anchor 0, positive 1, negatives by place.
    fn on_a_line(negatives: &[f32], margin: f32, mining: Mining) -> (Vec<Triplet>, Mined) {
        let places: Vec<[f32; 1]> = [0.0, 1.0].iter().chain(negatives).map(|p| [*p]).collect();
        let rows: Vec<&[f32]> = places.iter().map(|p| p.as_slice()).collect();
        let labels: Vec<Label> =
            (0..rows.len()).map(|i| if i < 2 { Mitotic } else { Interphase }).collect();
        mined(&rows, &labels, margin, mining)
    }

    #[test]
    fn both_equations_bound_the_active_triplets() {
        // Squared distances from anchor 0: positive 1; negatives 0.25 (hard), 2.25 (active), 9 (easy).
        // From anchor 1: positive 1; negatives 0.25 (hard), 0.25 (hard), 4 (easy).
        let (triplets, mined) = on_a_line(&[0.5, 1.5, 3.0], 1.5, Mining::SemiHard);
        assert_eq!(triplets, [Triplet { anchor: 0, positive: 1, negative: 3 }]);
        assert_eq!((mined.active, mined.easy, mined.hard), (1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0));
    }

    #[test]
    fn without_equation_2_the_hard_triplets_are_learned_from_too() {
        let (triplets, mined) = on_a_line(&[0.5, 1.5, 3.0], 1.5, Mining::Violating);
        assert_eq!(triplets.len(), 4);
        assert_eq!(mined, on_a_line(&[0.5, 1.5, 3.0], 1.5, Mining::SemiHard).1);
    }

    #[test]
    fn batch_hard_takes_one_triplet_an_anchor() {
        // Mitotic at 0, 1 and 4, interphase at 6 and 9: squared distances to the farthest positive and
        // the nearest negative are 16 and 36, 9 and 25, 16 and 4.
        let rows: Vec<[f32; 1]> = [0.0, 1.0, 4.0, 6.0, 9.0].map(|place| [place]).to_vec();
        let rows: Vec<&[f32]> = rows.iter().map(|row| row.as_slice()).collect();
        let labels = [Mitotic, Mitotic, Mitotic, Interphase, Interphase];
        let of = |margin| mined(&rows, &labels, margin, Mining::BatchHard).0;
        let third = Triplet { anchor: 2, positive: 0, negative: 3 };
        assert_eq!(of(16.0), [third]);
        let second = Triplet { anchor: 1, positive: 2, negative: 3 };
        assert_eq!(of(17.0), [second, third]);
    }

    #[test]
    fn the_bounds_are_strict() {
        // d(a, n) = d(a, p) is hard, d(a, n) = d(a, p) + margin is easy.
        let (triplets, mined) = on_a_line(&[-1.0], 3.0, Mining::SemiHard);
        assert_eq!((triplets.len(), mined.hard, mined.easy), (0, 0.5, 0.5));
    }

    #[test]
    fn a_collapsed_batch_has_no_active_triplet() {
        let rows = vec![vec![0.1_f32; 4]; 6];
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let labels = [Mitotic, Mitotic, Mitotic, Interphase, Interphase, Interphase];
        let (triplets, mined) = mined(&rows, &labels, 1.5, Mining::SemiHard);
        assert_eq!((triplets.len(), mined.hard), (0, 1.0));
    }

    #[test]
    fn batches_without_a_class_or_a_pair_give_nothing() {
        for labels in [vec![], vec![Mitotic, Mitotic], vec![Mitotic, Interphase]] {
            let rows = vec![[0.0_f32]; labels.len()];
            let rows: Vec<&[f32]> = rows.iter().map(|r| r.as_slice()).collect();
            let (triplets, mined) = mined(&rows, &labels, 1.5, Mining::SemiHard);
            assert!(triplets.is_empty() && mined.active == 0.0);
        }
    }
}
