//! The GPU through CubeCL: WebGPU in a browser, wgpu natively.

pub use burn_wgpu::WgpuBackend as Api;
use burn_wgpu::graphics::AutoGraphicsApi;
use burn_wgpu::{RuntimeOptions, WgpuDevice, try_init_setup_async, wgpu};

use super::{Device, emulates};
use crate::Error;

/// A GPU that is ready for work.
#[derive(Debug, Clone)]
pub struct Gpu {
    /// Its handle.
    pub device: Device,
    /// The adapter's name as the system gives it.
    pub adapter: String,
    /// The adapter only emulates a GPU on the CPU, which is slower than the CPU path.
    pub software: bool,
}

/// Sets up the system's preferred GPU through a graphics API, [`Api::Auto`] for its best; once a
/// process.
///
/// # Errors
/// [`Error::Device`] when there is no adapter, it refuses, or the GPU was set up before.
pub async fn gpu(api: Api) -> Result<Gpu, Error> {
    let selector = WgpuDevice::default().on(api);
    let setup = try_init_setup_async::<AutoGraphicsApi>(&selector, RuntimeOptions::default())
        .await
        .map_err(|e| Error::Device(format!("no GPU can be used: {e}")))?;
    let info = setup.adapter.get_info();
    let software = info.device_type == wgpu::DeviceType::Cpu || emulates(&info.name);
    Ok(Gpu { device: Device::Gpu(cubecl::Device::Wgpu(selector)), adapter: info.name, software })
}
