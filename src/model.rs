//! One model as one file: the manifest, the network's weights and the SVM.
//!
//! Invariant: a model that loads is whole and finite; a file with any changed bit is refused.

mod file;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::embedder::{EMBEDDING, Weights};
use crate::features::Features;
use crate::limits::Limits;
use crate::preprocess::Preprocess;
use crate::references::References;
use crate::svm::Svm;

/// Schema of the files this version writes, the only one that it reads.
pub const SCHEMA: u32 = 1;

/// The two classes, negative first.
pub const CLASSES: [&str; 2] = ["interphase", "mitotic"];

/// Everything needed to classify a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What the model is, how its input is made and how it came about.
    pub manifest: Manifest,
    /// Weights of the embedding network.
    pub weights: Weights,
    /// The classifier on the cells' features; γ and the bias live here and nowhere else.
    pub svm: Svm,
    /// Cells of known label to compare with; there may be none.
    pub references: References,
}

/// Description of a model, kept as JSON in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Version of the model.
    pub version: String,
    /// Name of the training preset, such as `paper` or `modern`.
    pub preset: String,
    /// Always [`CLASSES`].
    pub classes: [String; 2],
    /// How a cell becomes the network's input.
    pub preprocess: Preprocess,
    /// What the support vector machine decides on; the embedding where it is not told.
    #[serde(default)]
    pub features: Features,
    /// How a decision value becomes a probability.
    pub calibration: Calibration,
    /// Named thresholds on the decision value.
    pub operating_points: Vec<OperatingPoint>,
    /// What the model does not claim to know; none in files that no trainer measured it for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Measured figures, as the trainer wrote them.
    pub metrics: serde_json::Value,
    /// Where the model comes from.
    pub provenance: Provenance,
    /// Where its references come from, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<ReferenceSource>,
}

/// Platt's sigmoid: probability of mitosis 1 / (1 + exp(a·f + b)) for a decision value f.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Slope; negative where larger decision values mean mitotic.
    pub a: f64,
    /// Offset.
    pub b: f64,
}

impl Calibration {
    /// Probability in `[0, 1]` of mitosis, without overflow; NaN for a NaN.
    pub fn probability(&self, decision_value: f64) -> f64 {
        let z = self.a * decision_value + self.b;
        if z >= 0.0 { (-z).exp() / (1.0 + (-z).exp()) } else { 1.0 / (1.0 + z.exp()) }
    }
}

/// A threshold on the decision value: above it a cell is called mitotic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// What the threshold is for, such as `balanced` or `triage`.
    pub name: String,
    /// The decision value.
    pub threshold: f64,
}

/// Where a model comes from and how to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Name of the training data.
    pub data: String,
    /// Licence of the training data.
    pub licence: String,
    /// SHA-256 of the training data, hexadecimal.
    pub data_sha256: String,
    /// Command that trained the model.
    pub command: String,
    /// Seed of the training.
    pub seed: u64,
    /// Version of the code that trained the model.
    pub code_version: String,
    /// Optimiser steps taken.
    pub trained_steps: u64,
}

/// Where a model's references come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceSource {
    /// Name of the data.
    pub data: String,
    /// Licence of the data.
    pub licence: String,
    /// SHA-256 of the data, hexadecimal.
    pub data_sha256: String,
}

/// How the network's weights are stored; the SVM always keeps full precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats.
    Full,
    /// 16-bit floats: half the download.
    Half,
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::Model`] with the reason when the bytes are no safetensors file, are truncated or
    /// changed, have another schema, or when a tensor or number is missing, of wrong shape or type,
    /// or not finite. Nothing is allocated for tensors before all their shapes are known good.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let layers: Vec<_> = Weights::layers().collect();
        let parts = file::Parts::read(bytes, &layers, EMBEDDING)?;
        let weights = Weights::from_tensors(parts.weights)?;
        let file::Parts { manifest, svm, references, .. } = parts;
        Ok(Self { manifest, weights, svm, references })
    }

    /// Writes the model file; the same model always gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Model`] when the model could not be read back: a wrong manifest, a value that is
    /// not finite (or not in half precision), an SVM for features of another length.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>, Error> {
        let layers: Vec<_> = Weights::layers().collect();
        file::write(
            &self.manifest,
            self.weights.tensors(),
            &self.svm,
            &self.references,
            precision,
            &layers,
            EMBEDDING,
        )
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn refuse<T>(reason: impl std::fmt::Display) -> Result<T, Error> {
    Err(Error::Model(format!("model file: {reason}")))
}

impl Manifest {
    /// Refuses what a reader would refuse.
    fn check(&self) -> Result<(), Error> {
        if self.schema != SCHEMA {
            return refuse(format!("schema {} is not {SCHEMA}", self.schema));
        }
        if self.classes != CLASSES {
            return refuse(format!("classes {:?} are not {CLASSES:?}", self.classes));
        }
        let thresholds = self.operating_points.iter().map(|point| point.threshold);
        let numbers = [self.calibration.a, self.calibration.b];
        let limit = self.limits.as_ref().and_then(Limits::bad_number);
        if let Some(bad) = thresholds.chain(numbers).chain(limit).find(|v| !v.is_finite()) {
            return refuse(format!("the manifest holds {bad}, which is not finite"));
        }
        self.preprocess.check()
    }
}

#[cfg(test)]
mod tests;
