//! The losses: the paper's triplet loss, mean over the triplets the miner returned, the cross-entropy
//! it is compared with, those of preset `simulated`, and those that were tried in their place.

mod contrastive;
mod multi_similarity;
mod proxies;
mod proxy_anchor;
mod regression;

pub use contrastive::supervised_contrastive;
pub use multi_similarity::multi_similarity;
pub use proxies::proxy_logits;
pub use proxy_anchor::proxy_anchor;
pub use regression::regression;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use mitoscope::classifier::Label;

use crate::miner::Triplet;

/// `max(‖f(a) − f(p)‖² − ‖f(a) − f(n)‖² + margin, 0)` of each triplet.
///
/// # Shapes
/// - `embeddings`: `[batch, 128]`
/// - output: `[triplets]`
pub fn triplet_losses(embeddings: &Tensor<2>, triplets: &[Triplet], margin: f32) -> Tensor<1> {
    let rows = |index: fn(&Triplet) -> usize| {
        let indices: Vec<i64> = triplets.iter().map(|t| index(t) as i64).collect();
        let data = TensorData::new(indices, [triplets.len()]);
        embeddings.clone().select(0, Tensor::<1, Int>::from_data(data, &embeddings.device()))
    };
    let (anchor, positive, negative) =
        (rows(|t| t.anchor), rows(|t| t.positive), rows(|t| t.negative));
    let squared = |a: Tensor<2>, b: Tensor<2>| (a - b).square().sum_dim(1).squeeze_dim(1);
    let near: Tensor<1> = squared(anchor.clone(), positive);
    let far: Tensor<1> = squared(anchor, negative);
    (near - far + margin).clamp_min(0.0)
}

/// The mean of [`triplet_losses`]; `None` when there is no triplet to learn from.
pub fn triplet_loss(
    embeddings: &Tensor<2>,
    triplets: &[Triplet],
    margin: f32,
) -> Option<Tensor<1>> {
    (!triplets.is_empty()).then(|| triplet_losses(embeddings, triplets, margin).mean())
}

/// Mean cross-entropy of a two-way softmax (section 5.2); the first logit is the mitotic class's.
///
/// `doubt` is the probability that the wanted answer leaves to the other class: 0 in the paper.
///
/// # Shapes
/// - `logits`: `[batch, 2]`
/// - output: `[1]`
pub fn cross_entropy(logits: Tensor<2>, labels: &[Label], doubt: f32) -> Tensor<1> {
    let (sure, other) = (1.0 - doubt, doubt);
    let truth: Vec<f32> = labels
        .iter()
        .flat_map(|label| if *label == Label::Mitotic { [sure, other] } else { [other, sure] })
        .collect();
    let truth = Tensor::<2>::from_data(TensorData::new(truth, [labels.len(), 2]), &logits.device());
    (log_softmax(logits, 1) * truth).sum() / -(labels.len() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    const POINTS: [[f32; 2]; 4] = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8]];

    fn embeddings(device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::from(POINTS), device)
    }

    fn by_loops(triplet: &Triplet, margin: f32) -> f32 {
        let squared = |a: usize, b: usize| -> f32 {
            (0..2).map(|i| (POINTS[a][i] - POINTS[b][i]).powi(2)).sum()
        };
        let Triplet { anchor, positive, negative } = *triplet;
        (squared(anchor, positive) - squared(anchor, negative) + margin).max(0.0)
    }

    #[test]
    fn equals_plain_loops() {
        let triplets: Vec<Triplet> = (0..4)
            .flat_map(|a| (0..4).flat_map(move |p| (0..4).map(move |n| (a, p, n))))
            .map(|(anchor, positive, negative)| Triplet { anchor, positive, negative })
            .collect();
        let device = Device::flex();
        let losses = triplet_losses(&embeddings(&device), &triplets, 1.5).into_data();
        let losses = losses.try_to_vec::<f32>().expect("numbers are f32");
        for (triplet, loss) in triplets.iter().zip(&losses) {
            assert!((loss - by_loops(triplet, 1.5)).abs() < 1e-6, "{triplet:?}: {loss}");
        }
        let mean = triplet_loss(&embeddings(&device), &triplets, 1.5).expect("triplets");
        let expected = triplets.iter().map(|t| by_loops(t, 1.5)).sum::<f32>() / 64.0;
        assert!((mean.into_scalar::<f32>() - expected).abs() < 1e-6);
    }

    #[test]
    fn the_gradient_pulls_the_positive_and_pushes_the_negative() {
        let device = Device::flex().autodiff();
        let embeddings = embeddings(&device).require_grad();
        let triplet = Triplet { anchor: 0, positive: 1, negative: 3 };
        let loss = triplet_loss(&embeddings, &[triplet], 1.5).expect("one triplet");
        let gradients = loss.backward();
        let gradient = embeddings.grad(&gradients).expect("tracked").into_data();
        // d/dp = 2 (p − a), d/dn = 2 (a − n), d/da = 2 (n − p).
        let expected = TensorData::from([[1.2_f32, -0.4], [-2.0, 2.0], [0.0, 0.0], [0.8, -1.6]]);
        gradient.assert_approx_eq::<f32>(&expected, burn::tensor::Tolerance::absolute(1e-5));
    }

    #[test]
    fn cross_entropy_equals_plain_loops() {
        let logits = [[2.0_f32, -1.0], [0.5, 0.5], [-30.0, 60.0]];
        let labels = [Label::Mitotic, Label::Interphase, Label::Interphase];
        let tensor = Tensor::<2>::from_data(TensorData::from(logits), &Device::flex());
        let expected = ((1.0 + (-3.0_f32).exp()).ln() + 2.0_f32.ln() + 0.0) / 3.0;
        let loss = cross_entropy(tensor.clone(), &labels, 0.0).into_scalar::<f32>();
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
        // A doubt of 0.1 adds a tenth of the distance to the other class's logit.
        let expected = expected + 0.1 * (3.0 + 0.0 + 90.0) / 3.0;
        let loss = cross_entropy(tensor, &labels, 0.1).into_scalar::<f32>();
        assert!((loss - expected).abs() < 1e-5, "{loss} is not {expected}");
    }

    #[test]
    fn no_triplet_is_no_loss() {
        assert!(triplet_loss(&embeddings(&Device::flex()), &[], 1.5).is_none());
    }
}
