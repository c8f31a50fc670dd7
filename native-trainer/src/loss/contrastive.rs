//! The supervised contrastive loss: each cell shall find those of its class among all others of the
//! batch.
//!
//! Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020, equation 2 (the mean over the
//! positives outside the logarithm).

use burn::tensor::{Tensor, TensorData};
use mitoscope::classifier::Label;

/// Takes a cell out of its own softmax.
const NEVER: f32 = -1e9;

/// Mean over the cells that have another of their class in the batch; 0 if there is none.
///
/// # Shapes
/// - `embeddings`: `[batch, 128]`, rows of length 1
/// - output: `[1]`
pub fn supervised_contrastive(
    embeddings: &Tensor<2>,
    labels: &[Label],
    temperature: f32,
) -> Tensor<1> {
    let count = labels.len();
    let mut myself = vec![0.0; count * count];
    let mut shares = vec![0.0; count * count];
    let mut anchors = 0usize;
    for (i, label) in labels.iter().enumerate() {
        myself[i * count + i] = NEVER;
        let positives = labels.iter().filter(|other| *other == label).count() - 1;
        anchors += usize::from(positives > 0);
        for (j, other) in labels.iter().enumerate().filter(|(j, _)| *j != i) {
            if other == label {
                shares[i * count + j] = 1.0 / positives as f32;
            }
        }
    }
    let device = embeddings.device();
    let square = |values| Tensor::<2>::from_data(TensorData::new(values, [count, count]), &device);
    // No cosine is above 1, so no exponential overflows.
    let cosines = embeddings.clone().matmul(embeddings.clone().transpose());
    let similar = (cosines - 1.0) / temperature + square(myself);
    let among_all = similar.clone().exp().sum_dim(1).log();
    ((similar - among_all) * square(shares)).sum() / -(anchors.max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Interphase, Mitotic};
    use burn::tensor::Device;

    const POINTS: [[f32; 2]; 5] = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8], [0.8, -0.6]];

    fn check(labels: &[Label], temperature: f32) {
        let points = &POINTS[..labels.len()];
        let mut losses = Vec::new();
        for i in 0..labels.len() {
            let power = |j: usize| {
                let cosine: f64 = (0..2).map(|d| f64::from(points[i][d] * points[j][d])).sum();
                cosine / f64::from(temperature)
            };
            let others = || (0..labels.len()).filter(|j| *j != i);
            let all: f64 = others().map(|j| power(j).exp()).sum();
            let of_positives: Vec<f64> = others()
                .filter(|j| labels[*j] == labels[i])
                .map(|j| (power(j).exp() / all).ln())
                .collect();
            if !of_positives.is_empty() {
                losses.push(-of_positives.iter().sum::<f64>() / of_positives.len() as f64);
            }
        }
        let expected = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
        let data = TensorData::new(points.concat(), [points.len(), 2]);
        let embeddings = Tensor::<2>::from_data(data, &Device::flex());
        let loss = supervised_contrastive(&embeddings, labels, temperature).into_scalar::<f32>();
        assert!((f64::from(loss) - expected).abs() < 1e-4, "{loss} is not {expected}: {labels:?}");
    }

    #[test]
    fn equals_plain_loops() {
        check(&[Mitotic, Mitotic, Interphase, Interphase, Interphase], 0.1);
        check(&[Mitotic, Interphase, Mitotic, Interphase, Mitotic], 1.0);
    }

    #[test]
    fn a_cell_alone_in_its_class_is_no_anchor() {
        check(&[Mitotic, Interphase, Interphase], 0.5);
        check(&[Mitotic, Interphase], 0.5);
    }
}
