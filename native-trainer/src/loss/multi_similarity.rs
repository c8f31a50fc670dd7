//! The multi-similarity loss: pairs are mined by the hardest pair of the other kind, and weighted by how
//! similar they are and by how similar the anchor's other pairs are.
//!
//! Wang et al., "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning", CVPR 2019,
//! equations 10, 11 and 15, with the constants of the authors' code (β is 50 and λ 1 in the text).

use burn::tensor::{Tensor, TensorData};
use mitoscope::classifier::Label;

/// How fast the weight of a positive pair falls with its cosine, α.
const POSITIVE: f32 = 2.0;

/// How fast that of a negative pair rises, β.
const NEGATIVE: f32 = 40.0;

/// The cosine from which negative pairs weigh, and to which positive ones do, λ.
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

    fn by_loops(points: &[[f32; 2]], labels: &[Label]) -> f64 {
        let cosine = |i: usize, j: usize| -> f64 {
            (0..2).map(|d| f64::from(points[i][d] * points[j][d])).sum()
        };
        let mut loss = 0.0;
        for i in 0..labels.len() {
            let of = |same: bool| -> Vec<f64> {
                let others = (0..labels.len()).filter(|j| *j != i);
                let some = others.filter(|j| (labels[*j] == labels[i]) == same);
                some.map(|j| cosine(i, j)).collect()
            };
            let (positives, negatives) = (of(true), of(false));
            let near = |s: &&f64| negatives.iter().any(|n| **s - 0.1 < *n);
            let far = |s: &&f64| positives.iter().any(|p| **s + 0.1 > *p);
            let positive = positives.iter().filter(near).map(|s| (-2.0 * (s - 0.5)).exp());
            let negative = negatives.iter().filter(far).map(|s| (40.0 * (s - 0.5)).exp());
            loss += (1.0 + positive.sum::<f64>()).ln() / 2.0;
            loss += (1.0 + negative.sum::<f64>()).ln() / 40.0;
        }
        loss / labels.len() as f64
    }

    fn check(points: &[[f32; 2]], labels: &[Label]) -> f32 {
        let expected = by_loops(points, labels);
        let data = TensorData::new(points.concat(), [points.len(), 2]);
        let embeddings = Tensor::<2>::from_data(data, &Device::flex());
        let loss = multi_similarity(&embeddings, labels).into_scalar::<f32>();
        assert!((f64::from(loss) - expected).abs() < 1e-6, "{loss} is not {expected}: {labels:?}");
        loss
    }

    #[test]
    fn equals_plain_loops() {
        check(&POINTS, &[Mitotic, Mitotic, Interphase, Interphase, Interphase]);
        check(&POINTS, &[Mitotic, Interphase, Mitotic, Interphase, Mitotic]);
    }

    #[test]
    fn pairs_are_mined_up_to_a_tenth_beyond_the_hardest_of_the_other_kind() {
        // From the first, at 0°: its positive at 53°, a negative 0.05 farther in cosine, another 0.15.
        let at = |degrees: f32| [degrees.to_radians().cos(), degrees.to_radians().sin()];
        let points = [0.0, 53.130_1, 56.633, 63.256_3].map(at);
        check(&points, &[Mitotic, Mitotic, Interphase, Interphase]);
    }

    #[test]
    fn a_cell_alone_in_its_class_mines_nothing() {
        assert_eq!(check(&POINTS[..2], &[Mitotic, Interphase]), 0.0);
    }
}
