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
    /// The loss's margin α.
    pub margin: f32,
    /// Which triplets are learned from.
    pub mining: Mining,
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
                margin: 1.5,
                mining: Mining::SemiHard,
                normalised: false,
                optimiser: Optimiser::AdaGrad { rate: 1e-3 },
                augmentation: None,
            },
            PresetName::Modern => Preset {
                name: self,
                preprocess: Preprocess::modern(),
                batch: BatchSize { mitotic: 16, interphase: 32, neighbours: 16 },
                steps: 260,
                margin: 0.5,
                mining: Mining::Violating,
                normalised: true,
                optimiser: Optimiser::AdamW { rate: 1.5e-3, decay: 0.05 },
                augmentation: Some(Augmentation::default()),
            },
        }
    }
}
