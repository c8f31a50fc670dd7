//! Parts of a long work that are kept when they are done, so that a work cut off goes on.
//!
//! Invariant: what is read back was made by the same work, told by its identity.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::files::write_at_once;

#[derive(Serialize, Deserialize)]
struct Saved<T> {
    identity: String,
    run: T,
}

/// What the file holds, or what `make` makes for it.
///
/// # Errors
/// When the file is damaged or of another identity, `make` fails, or the file cannot be written.
pub fn once<T: Serialize + DeserializeOwned>(
    path: &Path,
    identity: &str,
    make: impl FnOnce() -> Result<T>,
) -> Result<T> {
    if path.exists() {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let saved: Saved<T> = serde_json::from_slice(&bytes).with_context(|| {
            format!("the finished run {} is damaged: delete it to do it again", path.display())
        })?;
        ensure!(
            saved.identity == identity,
            "{} is of another work (other data, preset, seed, options, version or device): use another --out",
            path.display()
        );
        return Ok(saved.run);
    }
    let saved = Saved { identity: identity.to_owned(), run: make()? };
    write_at_once(path, &serde_json::to_vec(&saved)?)?;
    Ok(saved.run)
}
