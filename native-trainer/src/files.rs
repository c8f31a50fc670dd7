//! Files that are written whole or not at all, and their folders.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Makes a folder, and those it lies in, unless it is there.
///
/// # Errors
/// When it cannot be made; names the path.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create the folder {}", path.display()))
}

/// Writes a file beside its place and moves it there, so that no reader ever sees half of it.
///
/// # Errors
/// When the folder is missing, full or not writable; the file is then as it was.
pub fn write_at_once(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> Result<()> {
        let mut file = builder().tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| {
        format!("cannot write {}: is the folder there, writable and not full?", path.display())
    })
}

/// A temporary file is private by default; what takes its name here is not.
fn builder() -> tempfile::Builder<'static, 'static> {
    #[allow(unused_mut)]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}
