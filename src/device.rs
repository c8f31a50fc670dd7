//! The compute devices: the CPU and, with the feature `gpu`, the GPU.

#[cfg(feature = "gpu")]
mod gpu;

#[cfg(feature = "gpu")]
pub use self::gpu::{Api, Gpu, gpu};
#[cfg(feature = "gpu")]
pub use burn::tensor::Device;

/// The only device without the feature `gpu`.
#[cfg(not(feature = "gpu"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor, in the caller's thread.
    Cpu,
}

/// The CPU, present everywhere. burn computes there with burn-flex; a classifier without burn.
pub fn cpu() -> Device {
    #[cfg(feature = "gpu")]
    return Device::flex();
    #[cfg(not(feature = "gpu"))]
    Device::Cpu
}

/// Whether an adapter's name is that of a known software renderer.
pub fn emulates(adapter: &str) -> bool {
    let name = adapter.to_lowercase();
    ["swiftshader", "llvmpipe", "softpipe", "basic render"].iter().any(|known| name.contains(known))
}
