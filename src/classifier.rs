//! Cell inputs to predictions: the network, the features, the support vector machine, calibration.
//!
//! Invariant: a prediction is only ever given for finite numbers.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::device::Device;
use crate::embedder::cpu::{Arena, CpuEmbedder};
#[cfg(feature = "gpu")]
use crate::embedder::gpu::GpuEmbedder;
use crate::limits::Doubt;
use crate::model::Model;
use crate::preprocess::{CHANNELS, Channels, CutCells, FieldLevels, Patch, SIDE};
use crate::references::Neighbour;

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Not in division; the majority, the negative class.
    Interphase,
    /// In division; rare, the positive class.
    Mitotic,
}

/// The verdict on one cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prediction {
    /// Signed distance measure of the support vector machine; above zero is mitotic.
    pub decision_value: f64,
    /// Calibrated probability of mitotic, 0 to 1 (Platt).
    pub probability: f64,
    /// The class by the sign of the decision value.
    pub prediction: Label,
    /// Which of the model's limits the cell is beyond, so that the class says little.
    pub doubt: Option<Doubt>,
}

/// Where a cell lies among the model's references.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Surroundings {
    /// The cell's place on the map of the references; none without references.
    pub point: Option<[f32; 2]>,
    /// The nearest references, nearest first, at most [`NEIGHBOURS`].
    pub neighbours: Vec<Neighbour>,
}

/// How many nearest references are told of a cell.
pub const NEIGHBOURS: usize = 5;

/// A model on a device, ready to classify.
pub struct Classifier {
    model: Model,
    network: Network,
}

/// The network where it runs.
enum Network {
    /// Our own, with the memory that no thread is embedding in just now.
    Cpu(CpuEmbedder, Mutex<Vec<Arena>>),
    /// Our own, for one batch at a time.
    #[cfg(feature = "gpu")]
    Gpu(Box<GpuEmbedder>),
}

impl Classifier {
    /// Puts the model's network on the device.
    pub fn new(model: Model, device: Device) -> Self {
        let equal_channels = equal_channels(&model);
        let network = match device {
            Device::Cpu => {
                let embedder = CpuEmbedder::new(&model.weights, equal_channels);
                Network::Cpu(embedder, Mutex::default())
            }
            #[cfg(feature = "gpu")]
            Device::Gpu(device) => {
                let embedder = GpuEmbedder::new(&model.weights, equal_channels, &device);
                Network::Gpu(Box::new(embedder))
            }
        };
        Self { model, network }
    }

    /// The model this classifier runs.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Whether the network runs on a GPU, where batches pay.
    pub fn on_gpu(&self) -> bool {
        !matches!(self.network, Network::Cpu(..))
    }

    /// Embeds cells: in one batch on a GPU, one after the other on the CPU, in the caller's thread.
    ///
    /// # Shapes
    /// - `inputs`: each [`CHANNELS`] x [`SIDE`] x [`SIDE`] values from
    ///   [`Preprocess::input`](crate::preprocess::Preprocess::input)
    /// - output: [`EMBEDDING`](crate::embedder::EMBEDDING) values each, of length 1
    ///
    /// # Errors
    /// [`Error::NotClassifiable`] when an embedding is not finite, [`Error::Device`] when the device
    /// fails.
    pub async fn embed(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, Error> {
        if let Some(input) = inputs.iter().find(|input| input.len() != CHANNELS * SIDE * SIDE) {
            return Err(Error::Cell(format!(
                "a cell's input holds {} values where {CHANNELS} x {SIDE} x {SIDE} are due",
                input.len()
            )));
        }
        let embeddings = match &self.network {
            Network::Cpu(embedder, arenas) => {
                let free = || arenas.lock().unwrap_or_else(PoisonError::into_inner);
                let taken = free().pop();
                let mut arena = taken.unwrap_or_else(|| embedder.arena());
                let embed = |input: &Vec<f32>| embedder.embed(input, &mut arena).to_vec();
                let embeddings: Vec<Vec<f32>> = inputs.iter().map(embed).collect();
                free().push(arena);
                embeddings
            }
            #[cfg(feature = "gpu")]
            Network::Gpu(embedder) => embedder.embed(inputs).await?,
        };
        if embeddings.iter().flatten().any(|v| !v.is_finite()) {
            return Err(Error::NotClassifiable("the network's output is not finite".into()));
        }
        Ok(embeddings)
    }

    /// Does what the first cell would otherwise wait for: a GPU's driver compiles the kernels.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub async fn warm_up(&self) -> Result<(), Error> {
        match &self.network {
            Network::Cpu(..) => Ok(()),
            #[cfg(feature = "gpu")]
            Network::Gpu(embedder) => embedder.warm_up().await,
        }
    }

    /// What [`Classifier::judge`] takes of each cell, from the embeddings of all cells of one field, or
    /// of crops that belong together.
    pub fn features(&self, embeddings: &[Vec<f32>]) -> Vec<Vec<f32>> {
        self.model.manifest.features.of(embeddings)
    }

    /// Classifies one cell, given its patch, the levels it lies among and its features.
    ///
    /// # Errors
    /// [`Error::NotClassifiable`] when the decision value is not finite.
    pub fn judge(
        &self,
        patch: &Patch,
        levels: &FieldLevels,
        features: &[f32],
    ) -> Result<Prediction, Error> {
        let Model { svm, manifest, .. } = &self.model;
        let decision_value = svm.decision_value(features);
        if !decision_value.is_finite() {
            return Err(Error::NotClassifiable("the decision value is not finite".into()));
        }
        let prediction = if decision_value > 0.0 { Label::Mitotic } else { Label::Interphase };
        let probability = manifest.calibration.probability(decision_value);
        let doubt = manifest.limits.as_ref().and_then(|limits| {
            limits.doubt(&manifest.preprocess.quality(patch, levels), svm.nearest(features))
        });
        Ok(Prediction { decision_value, probability, prediction, doubt })
    }

    /// Places one embedding among the model's references.
    pub fn surroundings(&self, embedding: &[f32]) -> Surroundings {
        let references = &self.model.references;
        let neighbours = references.nearest(embedding, NEIGHBOURS);
        Surroundings { point: references.place(embedding), neighbours }
    }

    /// Embeds and classifies the cells of one field in one batch.
    ///
    /// # Errors
    /// Those of [`Classifier::embed`] and [`Classifier::judge`].
    pub async fn classify(&self, cells: &CutCells) -> Result<Vec<Prediction>, Error> {
        let CutCells { patches, levels } = cells;
        let preprocess = &self.model.manifest.preprocess;
        let inputs: Vec<_> = patches.iter().map(|patch| preprocess.input(patch, levels)).collect();
        let judged = patches.iter().zip(self.features(&self.embed(&inputs).await?));
        judged.map(|(patch, features)| self.judge(patch, levels, &features)).collect()
    }
}

fn equal_channels(model: &Model) -> bool {
    model.manifest.preprocess.channels == Channels::CellScaled
}
