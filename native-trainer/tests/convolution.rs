//! The trainer's convolution against burn's own: values and gradients, over the network's shapes.
#![allow(clippy::expect_used)]

mod common;

use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor};
use common::largest_difference;
use mitoscope::embedder::{Geometry, TABLE_1, without_dead_columns};
use native_trainer::convolution::{Activation, fast_convolution};

type Convolve = fn(Tensor<4>, Tensor<4>, Tensor<1>, Geometry, Activation) -> Tensor<4>;

fn stock_convolution(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    g: Geometry,
    activation: Activation,
) -> Tensor<4> {
    let output = conv2d(x, weight, Some(bias), ConvOptions::new(g.stride, g.padding, [1, 1], 1));
    match activation {
        Activation::Identity => output,
        Activation::Relu => relu(output),
    }
}

/// Output and the gradients by input, weight and bias of a weighted sum of the output.
fn pass(
    convolve: Convolve,
    size: [usize; 4],
    channels_out: usize,
    g: Geometry,
    activation: Activation,
) -> Vec<Vec<f32>> {
    let device = Device::flex().autodiff();
    device.seed(3);
    let normal = Distribution::Normal(0.0, 1.0);
    let x = Tensor::<4>::random(size, normal, &device).require_grad();
    let shape = [channels_out, size[1], g.kernel[0], g.kernel[1]];
    let weight = Tensor::<4>::random(shape, normal, &device).require_grad();
    let bias = Tensor::<1>::random([channels_out], normal, &device).require_grad();
    let output = convolve(x.clone(), weight.clone(), bias.clone(), g, activation);
    let shades = Tensor::<4>::random(output.dims(), normal, &device);
    let gradients = (output.clone() * shades).sum().backward();
    let numbers = |data: burn::tensor::TensorData| data.try_to_vec::<f32>().expect("f32");
    vec![
        numbers(output.into_data()),
        numbers(x.grad(&gradients).expect("tracked").into_data()),
        numbers(weight.grad(&gradients).expect("tracked").into_data()),
        numbers(bias.grad(&gradients).expect("tracked").into_data()),
    ]
}

#[test]
fn equals_burns_own_over_the_shapes_of_the_network() {
    let tables = TABLE_1.into_iter().chain(without_dead_columns(TABLE_1));
    for (i, geometry) in tables.enumerate() {
        for size in [[5, 3, 12, 16], [2, 4, 7, 5], [1, 1, 6, 6]] {
            for activation in [Activation::Identity, Activation::Relu] {
                let ours = pass(fast_convolution, size, 6, geometry, activation);
                let stock = pass(stock_convolution, size, 6, geometry, activation);
                for (what, (a, b)) in
                    ["output", "input", "weight", "bias"].iter().zip(ours.iter().zip(&stock))
                {
                    assert_eq!(a.len(), b.len(), "layer {i}, {what}");
                    let largest = largest_difference(a, b);
                    assert!(
                        largest < 1e-3,
                        "layer {i} {geometry:?} {size:?} {activation:?} {what}: {largest}"
                    );
                }
            }
        }
    }
}
