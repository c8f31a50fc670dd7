//! The network on a GPU against the network on the CPU.
//!
//! `cargo xtask test` runs it on the software driver that comes with Chromium.

mod random;

use mitoscope::device::{Api, Device, gpu};
use mitoscope::embedder::cpu::CpuEmbedder;
use mitoscope::embedder::gpu::GpuEmbedder;
use mitoscope::preprocess::{CHANNELS, SIDE};
use random::{noise, weights};

/// Numbers of an embedding may differ by a tenth of what the project promises.
const TOLERANCE: f32 = 1e-5;

#[test]
#[ignore = "needs a GPU, which `cargo xtask test` finds in Chromium's Vulkan driver"]
fn embeddings_are_those_of_the_cpu() {
    let gpu = pollster::block_on(gpu(Api::Auto)).expect("a GPU");
    let Device::Gpu(device) = gpu.device else { panic!("{} is no GPU", gpu.adapter) };
    let weights = weights();
    let mut draw = noise(9);
    // More images than go through the network together, then fewer.
    for (equal_channels, count) in [(true, 17), (false, 2)] {
        let channels = if equal_channels { 1 } else { CHANNELS };
        let mut image = || (0..channels * SIDE * SIDE).map(|_| 0.5 + 0.5 * draw()).collect();
        let images: Vec<Vec<f32>> = (0..count).map(|_| image()).collect();
        let ours = GpuEmbedder::new(&weights, equal_channels, &device);
        let theirs = CpuEmbedder::new(&weights, equal_channels);
        let mut arena = theirs.arena();
        let found = pollster::block_on(ours.embed(&images)).expect("embeddings");
        let none = pollster::block_on(ours.embed(&[])).expect("nothing to do");
        assert!(none.is_empty());
        assert_eq!(found.len(), count);
        let mut largest: f32 = 0.0;
        for (found, image) in found.iter().zip(&images) {
            let wanted = theirs.embed(image, &mut arena);
            assert_eq!(found.len(), wanted.len());
            for (found, wanted) in found.iter().zip(wanted) {
                assert!(found.is_finite());
                largest = largest.max((found - wanted).abs());
            }
        }
        println!("{}: {count} embeddings differ by {largest:e} at most", gpu.adapter);
        assert!(largest < TOLERANCE, "equal channels: {equal_channels}, {largest:e}");
    }
}
