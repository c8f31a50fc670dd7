//! Random numbers and weights for the network's tests.

use mitoscope::embedder::Weights;

/// Numbers of mean 0, evenly spread between -1 and 1, the same on every machine.
pub fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

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
