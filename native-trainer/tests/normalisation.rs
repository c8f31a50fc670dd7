//! The trainer's fused batch normalisation and ReLU against burn's own operations.

mod common;

use burn::tensor::activation::relu;
use burn::tensor::module::batch_norm_train;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use common::largest_difference;
use native_trainer::normalisation::{EPSILON, normalised_relu};

type Normalise = fn(Tensor<4>, Tensor<1>, Tensor<1>) -> Tensor<4>;

fn stock(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<4> {
    relu(batch_norm_train(x, gamma, beta, EPSILON).output)
}

/// Output and the gradients by x, gamma and beta of a weighted sum of the output.
fn pass(normalise: Normalise, size: [usize; 4]) -> Vec<Vec<f32>> {
    let device = Device::flex().autodiff();
    device.seed(5);
    let normal = Distribution::Normal(0.7, 2.0);
    let x = Tensor::<4>::random(size, normal, &device).require_grad();
    let gamma = Tensor::<1>::random([size[1]], normal, &device).require_grad();
    let beta = Tensor::<1>::random([size[1]], normal, &device).require_grad();
    let output = normalise(x.clone(), gamma.clone(), beta.clone());
    let weights = Tensor::<4>::random(size, normal, &device);
    let gradients = (output.clone() * weights).sum().backward();
    let numbers = |data: TensorData| data.try_to_vec::<f32>().expect("f32");
    vec![
        numbers(output.into_data()),
        numbers(x.grad(&gradients).expect("tracked").into_data()),
        numbers(gamma.grad(&gradients).expect("tracked").into_data()),
        numbers(beta.grad(&gradients).expect("tracked").into_data()),
    ]
}

#[test]
fn equals_burns_own() {
    for size in [[5, 3, 12, 16], [2, 4, 7, 5], [9, 1, 64, 32], [3, 2, 1, 1]] {
        let (ours, stock) = (pass(normalised_relu, size), pass(stock, size));
        for (what, (a, b)) in ["output", "x", "gamma", "beta"].iter().zip(ours.iter().zip(&stock)) {
            assert_eq!(a.len(), b.len(), "{what}");
            let scale = b.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
            let largest = largest_difference(a, b);
            assert!(largest < 1e-4 * scale, "{size:?} {what}: {largest} of {scale}");
        }
    }
}
