//! The compute devices: the CPU and, with the feature `gpu`, the GPU.

#[cfg(feature = "gpu")]
mod gpu;

#[cfg(feature = "gpu")]
pub use self::gpu::{Api, Gpu, gpu};

/// A compute device that is ready for work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    /// The processor, in the caller's thread.
    Cpu,
    /// A GPU, by CubeCL's handle.
    #[cfg(feature = "gpu")]
    Gpu(cubecl::Device),
}

#[cfg(feature = "gpu")]
impl Device {
    /// The same device for burn, whose CPU is burn-flex.
    pub fn for_burn(&self) -> burn::tensor::Device {
        match self {
            Self::Cpu => burn::tensor::Device::flex(),
            Self::Gpu(device) => device.clone().into(),
        }
    }
}

/// Whether an adapter's name is that of a known software renderer.
pub fn emulates(adapter: &str) -> bool {
    let name = adapter.to_lowercase();
    ["swiftshader", "llvmpipe", "softpipe", "basic render"].iter().any(|known| name.contains(known))
}
