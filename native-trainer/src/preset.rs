//! The presets: everything that decides how a network is trained, in one value each.

use mitoscope::preprocess::Preprocess;

use crate::augmentation::Augmentation;
use crate::miner::Mining;
use crate::sampler::BatchSize;

/// Name of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PresetName {
    /// The paper to the letter.
    Paper,
    /// The same network at inference, trained to generalise.
    Modern,
}

/// How the weights follow the gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimiser {
    /// AdaGrad at a constant rate.
    AdaGrad {
        /// Learning rate.
        rate: f64,
    },
    /// AdamW, warmed up linearly over the first 15 % of the steps, then a half cosine to 0.
    AdamW {
        /// Largest learning rate.
        rate: f64,
        /// Decoupled weight decay.
        decay: f32,
    },
}

impl Optimiser {
    /// Learning rate of a step of a training.
    pub fn rate(&self, step: usize, steps: usize) -> f64 {
        const WARM_UP: f64 = 0.15;
        match *self {
            Optimiser::AdaGrad { rate } => rate,
            Optimiser::AdamW { rate, .. } => {
                let done = (step as f64 + 1.0) / steps as f64;
                if done < WARM_UP {
                    rate * done / WARM_UP
                } else {
                    let fall = (done - WARM_UP) / (1.0 - WARM_UP);
                    rate * 0.5 * (1.0 + (std::f64::consts::PI * fall).cos())
                }
            }
        }
    }
}

/// What the network is trained for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// The triplet loss on mined triplets (section 3.1 and 3.2).
    Triplet {
        /// The loss's margin α.
        margin: f32,
        /// Which triplets are learned from.
        mining: Mining,
    },
    /// Cross-entropy of a two-way softmax: the baseline of section 5.2.
    CrossEntropy,
}

/// One way to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its name.
    pub name: PresetName,
    /// How cells become inputs; goes into the model.
    pub preprocess: Preprocess,
    /// Cells of a batch.
    pub batch: BatchSize,
    /// Optimiser steps.
    pub steps: usize,
    /// What for.
    pub objective: Objective,
    /// Batch normalisation during training, folded into the weights afterwards.
    pub normalised: bool,
    /// How the weights follow the gradient.
    pub optimiser: Optimiser,
    /// Random changes of the training cells; none in the paper.
    pub augmentation: Option<Augmentation>,
}

impl std::fmt::Display for PresetName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PresetName::Paper => "paper",
            PresetName::Modern => "modern",
        })
    }
}

impl PresetName {
    /// The preset of this name.
    pub fn preset(self) -> Preset {
        match self {
            PresetName::Paper => Preset {
                name: self,
                preprocess: Preprocess::paper(),
                batch: BatchSize { mitotic: 16, interphase: 48, neighbours: 0 },
                steps: 200,
                objective: Objective::Triplet { margin: 1.5, mining: Mining::SemiHard },
                normalised: false,
                optimiser: Optimiser::AdaGrad { rate: 1e-3 },
                augmentation: None,
            },
            PresetName::Modern => Preset {
                name: self,
                preprocess: Preprocess::modern(),
                batch: BatchSize { mitotic: 16, interphase: 32, neighbours: 16 },
                steps: 260,
                objective: Objective::Triplet { margin: 0.5, mining: Mining::Violating },
                normalised: true,
                optimiser: Optimiser::AdamW { rate: 1.5e-3, decay: 0.05 },
                augmentation: Some(Augmentation::default()),
            },
        }
    }
}

impl Preset {
    /// The cross-entropy baseline of this preset: the same but for the loss and batches that hold as
    /// many cells of each class.
    pub fn cross_entropy(&self) -> Preset {
        let half = self.batch.total() / 2;
        let batch = BatchSize {
            mitotic: self.batch.total() - half,
            interphase: half,
            neighbours: self.batch.neighbours.min(half),
        };
        Preset { objective: Objective::CrossEntropy, batch, ..self.clone() }
    }
}
