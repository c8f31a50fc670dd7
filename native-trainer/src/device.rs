//! Which device to run on, decided at run time.

use anyhow::{Result, bail};
use burn::tensor::Device;
use mitoscope::device;

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// The GPU if there is one that is no emulation, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU through wgpu, emulated ones included.
    Wgpu,
}

/// The device and its name for the user.
pub fn open(choice: Choice) -> Result<(Device, String)> {
    if choice == Choice::Cpu {
        return Ok((device::cpu(), "CPU".into()));
    }
    match (pollster::block_on(device::gpu()), choice) {
        (Ok(gpu), Choice::Auto) if gpu.software => {
            Ok((device::cpu(), format!("CPU ({} only emulates a GPU)", gpu.adapter)))
        }
        (Ok(gpu), _) => Ok((gpu.device, gpu.adapter)),
        (Err(_), Choice::Auto) => Ok((device::cpu(), "CPU (no GPU found)".into())),
        (Err(error), _) => bail!("{error}; --device cpu needs none"),
    }
}
