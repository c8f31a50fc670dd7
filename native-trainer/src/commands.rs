//! One module a sub-command: options in, files out.

pub mod classify;
pub mod detect;
pub mod export;
mod progress;
pub mod references;
pub mod reproduce;
pub mod simulate;
pub mod train;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mitoscope::classifier::{Label, Prediction};
use mitoscope::model::{Model, Precision, sha256};

use crate::Data;

/// Reads a model file and gives it with its SHA-256, the model's identity.
fn read_model(path: &Path) -> Result<(Model, String)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let model = Model::from_bytes(&bytes);
    let model = model.with_context(|| format!("the model {}", path.display()))?;
    Ok((model, sha256(&bytes)))
}

/// How `--half` stores the weights.
fn precision(half: bool) -> Precision {
    if half { Precision::Half } else { Precision::Full }
}

/// The added columns of a scored cell: decision value, probability and prediction.
fn score_columns(verdict: &Prediction) -> [String; 3] {
    let name = match verdict.prediction {
        Label::Mitotic => "mitotic",
        Label::Interphase => "interphase",
    };
    let [value, probability] =
        [verdict.decision_value, verdict.probability].map(|number| format!("{number:.6}"));
    [value, probability, name.into()]
}

/// Name of the data in what is written: as told, else that of its folder.
fn data_name(told: &Option<String>, data: &Data) -> String {
    let folder = data.data.parent().and_then(Path::file_name).unwrap_or_default();
    told.clone().unwrap_or_else(|| folder.to_string_lossy().into_owned())
}
