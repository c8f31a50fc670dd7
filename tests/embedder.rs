//! The network against Table 1 of the paper as printed.

mod random;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use mitoscope::embedder::cpu::CpuEmbedder;
use mitoscope::embedder::{
    EMBEDDING, Embedder, PARAMETERS, Stock, TABLE_1, Weights, without_dead_columns,
};
use mitoscope::preprocess::{CHANNELS, SIDE};
use random::{noise, weights};

fn images(count: usize, equal_channels: bool) -> Vec<f32> {
    let mut draw = noise(5);
    let mut image = || -> Vec<f32> {
        let plane: Vec<f32> = (0..SIDE * SIDE).map(|_| 0.5 + 0.5 * draw()).collect();
        if equal_channels {
            plane.repeat(CHANNELS)
        } else {
            (0..CHANNELS * SIDE * SIDE).map(|_| 0.5 + 0.5 * draw()).collect()
        }
    };
    (0..count).flat_map(|_| image()).collect()
}

fn tensor(values: Vec<f32>, channels: usize) -> Tensor<4> {
    let count = values.len() / (channels * SIDE * SIDE);
    Tensor::from_data(TensorData::new(values, [count, channels, SIDE, SIDE]), &Device::flex())
}

fn numbers(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_to_vec::<f32>().expect("the CPU computes in f32")
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m })
}

#[test]
fn it_has_the_papers_number_of_parameters() {
    let counted: usize = Weights::layers().map(|(_, s)| s.iter().product::<usize>()).sum();
    assert_eq!(counted, PARAMETERS);
    assert_eq!(Embedder::new(&weights(), false, &Device::flex()).num_params(), PARAMETERS);
}

#[test]
fn the_maps_have_the_printed_sizes() {
    let printed = [128, 64, 64, 32, 32, 16, 16, 8, 8, 4, 4];
    let mut side = SIDE;
    for (layer, expected) in TABLE_1.iter().zip(printed) {
        let sides = [0, 1].map(|axis| {
            (side + 2 * layer.padding[axis] - layer.kernel[axis]) / layer.stride[axis] + 1
        });
        assert_eq!(sides, [expected; 2]);
        side = expected;
    }
}

#[test]
fn removing_the_dead_columns_changes_nothing() {
    let live = without_dead_columns(TABLE_1);
    for layer in [0, 2, 4, 6] {
        assert_eq!((live[layer].stride, live[layer + 1].stride), ([1, 2], [2, 1]));
    }
    let embedder = Embedder::new(&weights(), false, &Device::flex());
    let printed = embedder.forward_with(tensor(images(2, false), CHANNELS), TABLE_1, &mut Stock);
    let live = embedder.forward_with(tensor(images(2, false), CHANNELS), live, &mut Stock);
    let (printed, live) = (numbers(printed), numbers(live));
    assert!(largest_difference(&printed, &live) < 1e-5);
    assert!(largest_difference(&printed[..EMBEDDING], &printed[EMBEDDING..]) > 1e-3);
}

#[test]
fn folding_equal_channels_changes_nothing() {
    let (weights, values) = (weights(), images(2, true));
    let plane = |image: &[f32]| image[..SIDE * SIDE].to_vec();
    let first: Vec<f32> = values.chunks(CHANNELS * SIDE * SIDE).flat_map(plane).collect();
    let whole = Embedder::new(&weights, false, &Device::flex()).forward(tensor(values, CHANNELS));
    let folded = Embedder::new(&weights, true, &Device::flex()).forward(tensor(first, 1));
    assert!(largest_difference(&numbers(whole), &numbers(folded)) < 1e-5);
}

#[test]
fn the_cpus_own_network_is_the_same_function() {
    let weights = weights();
    for equal_channels in [false, true] {
        let (values, used) = (images(2, equal_channels), if equal_channels { 1 } else { CHANNELS });
        let images: Vec<&[f32]> = values.chunks(CHANNELS * SIDE * SIDE).collect();
        let embedder = Embedder::new(&weights, equal_channels, &Device::flex());
        let inputs = images.iter().flat_map(|image| image[..used * SIDE * SIDE].to_vec());
        let burns = numbers(embedder.forward(tensor(inputs.collect(), used)));
        let own = CpuEmbedder::new(&weights, equal_channels);
        let mut arena = own.arena();
        let found: Vec<f32> =
            images.iter().flat_map(|image| own.embed(image, &mut arena)).collect();
        assert!(largest_difference(&found, &burns) < 1e-5);
    }
}

#[test]
fn embeddings_have_length_one() {
    let embedder = Embedder::new(&weights(), false, &Device::flex());
    let embeddings = numbers(embedder.forward(tensor(images(3, false), CHANNELS)));
    for embedding in embeddings.chunks(EMBEDDING) {
        let length: f32 = embedding.iter().map(|v| v * v).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
}

#[test]
fn weights_that_are_not_the_networks_are_refused() {
    let whole = weights().tensors().clone();
    let without = |name: &str| {
        let mut tensors = whole.clone();
        tensors.remove(name);
        tensors
    };
    let with = |name: &str, values: Vec<f32>| {
        let mut tensors: BTreeMap<String, Vec<f32>> = whole.clone();
        tensors.insert(name.into(), values);
        tensors
    };
    for (tensors, reason) in [
        (without("conv3.bias"), "conv3.bias is missing"),
        (with("conv3.bias", vec![0.0; 127]), "127 values"),
        (with("dense4.bias", vec![f32::NAN; 128]), "dense4.bias is not finite"),
        (with("conv12.bias", vec![0.0; 128]), "no tensor conv12.bias"),
    ] {
        let error = Weights::from_tensors(tensors).expect_err(reason);
        assert!(error.to_string().contains(reason), "{error}");
    }
}
