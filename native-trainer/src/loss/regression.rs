//! The loss of numbers to be told along: quadratic near the truth, linear beyond one unit.

use burn::tensor::Tensor;

/// Mean Huber loss with its bend at 1.
///
/// # Shapes
/// - `told`, `truth`: `[batch, numbers]`
/// - output: `[1]`
pub fn regression(told: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    let off = (told - truth).abs();
    let near = off.clone().clamp_max(1.0);
    (near.clone().square() * 0.5 + (off - near)).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn equals_plain_loops_on_both_sides_of_the_bend() {
        let (told, truth) = ([[0.0_f32, 3.0], [-1.0, 0.25]], [[0.5_f32, 1.0], [-1.0, 4.25]]);
        let device = Device::flex();
        let tensor = |values| Tensor::<2>::from_data(TensorData::from(values), &device);
        let loss = regression(tensor(told), tensor(truth)).into_scalar::<f32>();
        let expected = (0.125 + 1.5 + 0.0 + 3.5) / 4.0;
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
    }
}
