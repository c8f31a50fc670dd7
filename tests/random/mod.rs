//! Random numbers and weights for the network's tests.

mod noise;

use mitoscope::embedder::Weights;
pub use noise::noise;

/// He's weights: random, and they keep the signal's size from layer to layer; with biases.
pub fn weights() -> Weights {
    let mut draw = noise(11);
    let tensors = Weights::layers().map(|(name, shape)| {
        let fan_in: usize = shape[1..].iter().product();
        let size = if shape.len() > 1 { (6.0 / fan_in as f32).sqrt() } else { 0.1 };
        (name, (0..shape.iter().product()).map(|_| size * draw()).collect())
    });
    Weights::from_tensors(tensors.collect()).expect("all tensors are there")
}
