//! How the program's allocator deals with freed memory.

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
