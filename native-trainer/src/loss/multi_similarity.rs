//! The multi-similarity loss: pairs are mined by the hardest pair of the other kind, and weighted by how
//! similar they are and by how similar the anchor's other pairs are.
//!
//! Wang et al., "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning", CVPR 2019,
//! equations 10, 11 and 15; λ is that of the authors' code, not the 1 of the text.

use burn::tensor::{Tensor, TensorData};
use mitoscope::classifier::Label;

/// How fast the weight of a positive pair falls with its cosine, α.
const POSITIVE: f32 = 2.0;

/// How fast that of a negative pair rises, β.
const NEGATIVE: f32 = 50.0;

/// The cosine to exceed as a positive and to stay below as a negative pair, λ.
const CENTRE: f32 = 0.5;

/// How much easier than the hardest pair of the other kind a pair may be, ε.
const SLACK: f32 = 0.1;

/// Takes a pair out of a search for the hardest: no cosine is as far from 0.
const FAR: f32 = 4.0;

/// Mean over the batch, to which cells without a mined pair give 0.
///
/// # Shapes
/// - `embeddings`: `[batch, 128]`, rows of length 1
/// - output: `[1]`
pub fn multi_similarity(embeddings: &Tensor<2>, labels: &[Label]) -> Tensor<1> {
    let count = labels.len();
    let device = embeddings.device();
    let pairs = |wanted: &dyn Fn(usize, usize) -> bool| {
        let at = |place| f32::from(u8::from(wanted(place / count, place % count)));
        let values: Vec<f32> = (0..count * count).map(at).collect();
        Tensor::<2>::from_data(TensorData::new(values, [count, count]), &device)
    };
    let positives = pairs(&|i, j| i != j && labels[i] == labels[j]);
    let negatives = pairs(&|i, j| labels[i] != labels[j]);
    let cosines = embeddings.clone().matmul(embeddings.clone().transpose());
    let outside = |of: &Tensor<2>| (of.clone() * -1.0 + 1.0) * FAR;
    let known = cosines.clone().detach();
    let farthest = (known.clone() + outside(&positives)).min_dim(1);
    let nearest = (known.clone() - outside(&negatives)).max_dim(1);
    let positives = positives * (known.clone() - SLACK).lower(nearest).float();
    let negatives = negatives * (known + SLACK).greater(farthest).float();
    let weighed = |mined: Tensor<2>, by: f32| {
        (((cosines.clone() - CENTRE) * by).exp() * mined).sum_dim(1).add_scalar(1.0).log()
            / by.abs()
    };
    (weighed(positives, -POSITIVE) + weighed(negatives, NEGATIVE)).sum() / count as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Interphase, Mitotic};
    use burn::tensor::Device;

    const POINTS: [[f32; 2]; 5] = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8], [0.8, -0.6]];

    /// The loss, and how many pairs it mined.
    fn by_loops(labels: &[Label]) -> (f64, usize) {
        let cosine = |i: usize, j: usize| -> f64 {
            (0..2).map(|d| f64::from(POINTS[i][d] * POINTS[j][d])).sum()
        };
        let (mut loss, mut mined) = (0.0, 0);
        for i in 0..labels.len() {
            let others = || (0..labels.len()).filter(|j| *j != i);
            let of = |same: bool| -> Vec<f64> {
                others()
                    .filter(|j| (labels[*j] == labels[i]) == same)
                    .map(|j| cosine(i, j))
                    .collect()
            };
            let (positives, negatives) = (of(true), of(false));
            let near = |s: &&f64| negatives.iter().any(|n| **s - 0.1 < *n);
            let far = |s: &&f64| positives.iter().any(|p| **s + 0.1 > *p);
            let positive: Vec<f64> =
                positives.iter().filter(near).map(|s| (-2.0 * (s - 0.5)).exp()).collect();
            let negative: Vec<f64> =
                negatives.iter().filter(far).map(|s| (50.0 * (s - 0.5)).exp()).collect();
            mined += positive.len() + negative.len();
            loss += (1.0 + positive.iter().sum::<f64>()).ln() / 2.0;
            loss += (1.0 + negative.iter().sum::<f64>()).ln() / 50.0;
        }
        (loss / labels.len() as f64, mined)
    }

    fn check(labels: &[Label], mined: usize) {
        let (expected, pairs) = by_loops(labels);
        assert_eq!(pairs, mined, "{labels:?}");
        let points = &POINTS[..labels.len()];
        let data = TensorData::new(points.concat(), [points.len(), 2]);
        let embeddings = Tensor::<2>::from_data(data, &Device::flex());
        let loss = multi_similarity(&embeddings, labels).into_scalar::<f32>();
        assert!((f64::from(loss) - expected).abs() < 1e-5, "{loss} is not {expected}: {labels:?}");
    }

    #[test]
    fn equals_plain_loops() {
        check(&[Mitotic, Mitotic, Interphase, Interphase, Interphase], 17);
        check(&[Mitotic, Interphase, Interphase, Interphase, Mitotic], 5);
    }

    #[test]
    fn a_cell_alone_in_its_class_mines_nothing() {
        check(&[Mitotic, Interphase], 0);
    }
}
