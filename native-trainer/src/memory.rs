//! The program's memory: what becomes of freed memory, and how much was ever held.

use anyhow::{Context, Result};

/// Keeps freed memory for what is allocated next, instead of giving it back to the system.
///
/// A training step allocates and frees maps of a hundred megabytes each; with glibc's defaults every
/// one of them is mapped and cleared anew, which costs a third of the step. Other allocators keep
/// more by themselves. Call it first of all.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes any numbers and only sets parameters of the allocator.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}

/// Largest resident size of this process so far in MiB, as Linux tells it.
///
/// # Errors
/// On other systems.
pub fn peak_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")
        .context("peak memory is read from /proc, which only Linux has")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kib / 1024)
}
