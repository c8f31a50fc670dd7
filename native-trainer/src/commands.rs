//! One module a sub-command: options in, files out.

pub mod classify;
pub mod export;
mod progress;
pub mod reproduce;
pub mod simulate;
pub mod train;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mitoscope::model::Model;

use crate::Data;

/// Reads a model file.
fn read_model(path: &Path) -> Result<Model> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Model::from_bytes(&bytes).with_context(|| format!("the model {}", path.display()))
}

/// Name of the data in what is written: as told, else that of its folder.
fn data_name(told: &Option<String>, data: &Data) -> String {
    let folder = data.data.parent().and_then(Path::file_name).unwrap_or_default();
    told.clone().unwrap_or_else(|| folder.to_string_lossy().into_owned())
}
