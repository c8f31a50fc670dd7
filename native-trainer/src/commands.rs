//! One module a sub-command: options in, files out.

pub mod classify;
pub mod export;
pub mod train;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mitoscope::model::Model;

/// Reads a model file.
fn read_model(path: &Path) -> Result<Model> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Model::from_bytes(&bytes).with_context(|| format!("the model {}", path.display()))
}
