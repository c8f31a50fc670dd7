//! Which device to run on, decided at run time.

use anyhow::{Result, bail};
use mitoscope::device::{self, Api, Device};

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// The GPU if there is one that is no emulation, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU through wgpu, emulated ones included.
    Wgpu,
    /// The same through Vulkan or not at all; built with the feature `vulkan`, its kernels are SPIR-V.
    Vulkan,
    /// The same through Metal; built with the feature `metal`, its kernels are MSL.
    Metal,
    /// The first CUDA device; needs the feature `cuda`.
    Cuda,
}

/// Makes the CPU burn's default device; call it first of all.
///
/// burn puts the optimiser of a checkpoint on its default device, which is a GPU where it was built for
/// one, before it moves it to that of the network. A graphics driver that was started so, unasked, and is
/// still starting when the program ends can bring it down.
pub fn default_to_cpu() {
    // SAFETY: no other thread runs yet that could read the environment.
    unsafe { std::env::set_var("BURN_DEVICE", "flex") };
}

/// The device and its name for the user.
///
/// # Errors
/// When the device is not there or fails, or the program was built without it; `auto` always finds one.
pub fn open(choice: Choice) -> Result<(Device, String)> {
    let api = match choice {
        Choice::Cpu => return Ok((Device::Cpu, "CPU".into())),
        Choice::Cuda => return cuda(),
        Choice::Auto | Choice::Wgpu => Api::Auto,
        Choice::Vulkan => Api::Vulkan,
        Choice::Metal => Api::Metal,
    };
    match (pollster::block_on(device::gpu(api)), choice) {
        (Ok(gpu), Choice::Auto) if gpu.software => {
            Ok((Device::Cpu, format!("CPU ({} only emulates a GPU)", gpu.adapter)))
        }
        (Ok(gpu), _) => Ok((gpu.device, gpu.adapter)),
        (Err(_), Choice::Auto) => Ok((Device::Cpu, "CPU (no GPU found)".into())),
        (Err(error), _) => bail!("{error}; --device cpu needs none"),
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<(Device, String)> {
    Ok((Device::Gpu(cubecl::Device::cuda(0)?), "CUDA device 0".into()))
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<(Device, String)> {
    bail!(
        "this program was built without CUDA: build it with `--features cuda`, or use --device wgpu"
    )
}
