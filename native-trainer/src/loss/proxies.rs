//! Learned proxies: points on the sphere that stand for the ways in which a class looks, several a
//! class, so that a dark and a bright plate need not lie in one place.
//!
//! After Qian et al., "SoftTriple Loss", ICCV 2019, without its margin and its regularisation; and a class's logit is
//! the log-sum-exp of its scaled cosines, not their softmax-weighted mean.

use burn::tensor::Tensor;
use mitoscope::embedder::unit_rows;

/// Logarithm of the summed exponentials of the scaled cosines to each class's proxies.
///
/// # Shapes
/// - `embeddings`: `[batch, 128]`, rows of length 1
/// - `proxies`: `[2 * n, 128]`, the mitotic class's first, of any length
/// - output: `[batch, 2]`, mitotic first
pub fn proxy_logits(embeddings: &Tensor<2>, proxies: Tensor<2>, scale: f32) -> Tensor<2> {
    let [batch, _] = embeddings.dims();
    let [count, _] = proxies.dims();
    // No cosine is above 1, so no exponential overflows.
    let cosines = embeddings.clone().matmul(unit_rows(proxies).transpose());
    let powers = ((cosines - 1.0) * scale).exp().reshape([batch, 2, count / 2]);
    powers.sum_dim(2).log().reshape([batch, 2]) + scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn equals_plain_loops() {
        let points = [[1.0_f32, 0.0], [-0.6, 0.8], [0.0, -1.0]];
        let proxies = [[2.0_f32, 0.0], [0.3, 0.4], [0.0, -0.1], [-3.0, 4.0]];
        for (scale, per_class) in [(1.0_f32, 1), (10.0, 2)] {
            let proxies = &proxies[..2 * per_class];
            let device = Device::flex();
            let embeddings = Tensor::<2>::from_data(TensorData::from(points), &device);
            let data = TensorData::new(proxies.concat(), [2 * per_class, 2]);
            let logits = proxy_logits(&embeddings, Tensor::from_data(data, &device), scale);
            let logits = logits.into_data().try_to_vec::<f32>().expect("numbers are f32");
            for (i, point) in points.iter().enumerate() {
                for class in 0..2 {
                    let power = |proxy: &[f32; 2]| {
                        let dot = point[0] * proxy[0] + point[1] * proxy[1];
                        (scale * dot / proxy[0].hypot(proxy[1])).exp()
                    };
                    let own = &proxies[class * per_class..][..per_class];
                    let expected = own.iter().map(power).sum::<f32>().ln();
                    let logit = logits[2 * i + class];
                    assert!((logit - expected).abs() < 1e-4, "{logit} is not {expected}");
                }
            }
        }
    }
}
