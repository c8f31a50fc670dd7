//! The presets: everything that decides how a network is trained, in one value each.

use mitoscope::features::Features;
use mitoscope::preprocess::Preprocess;

use crate::augmentation::Augmentation;
use crate::miner::Mining;
use crate::sampler::BatchSize;
use crate::simulated::SimulatedBatch;

/// Name of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PresetName {
    /// The paper to the letter.
    Paper,
    /// The same network at inference, trained to generalise.
    Modern,
    /// The same network again, trained on simulated cells; real cells give the statistics of its
    /// normalisation and the classifier, unless steps on both are asked for.
    Simulated,
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
    /// A loss of the cosines to learned proxies, with two terms beside it.
    Proxies(Proxies),
}

/// Weights and constants of [`Objective::Proxies`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proxies {
    /// Proxies of each class.
    pub per_class: usize,
    /// What cells and proxies shall do.
    pub loss: ProxyLoss,
    /// What pairs of cells shall do.
    pub pairs: PairLoss,
    /// Weight of the pairs' loss.
    pub pairs_weight: f32,
    /// Weight of telling the cell's classical descriptors, which teaches more a cell than its label.
    pub descriptors: f32,
}

/// Loss of the cosines between cells and learned proxies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ProxyLoss {
    /// Cross-entropy of the classes' logits, see [`crate::loss::proxy_logits`].
    CrossEntropy {
        /// Factor on the cosines.
        scale: f32,
        /// Probability that the wanted answer leaves to the other class: labels err.
        doubt: f32,
    },
    /// See [`crate::loss::proxy_anchor`].
    Anchor,
}

/// Loss of the cosines between the cells of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PairLoss {
    /// See [`crate::loss::supervised_contrastive`].
    Contrastive {
        /// Divides the cosines.
        temperature: f32,
    },
    /// See [`crate::loss::multi_similarity`].
    MultiSimilarity,
}

/// How simulated cells are trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Specimens for the network, one field each.
    pub specimens: usize,
    /// Further specimens for the support vector machine, unknown to the network.
    pub for_machine: usize,
    /// A training on simulated cells alone that comes first.
    pub first: SimulatedBatch,
    /// Its steps.
    pub first_steps: usize,
    /// Its largest learning rate.
    pub first_rate: f64,
    /// Simulated cells of each later batch, beside the real ones.
    pub beside: SimulatedBatch,
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
    /// Optimiser steps on real cells, with simulated ones beside them if there are any.
    pub steps: usize,
    /// What for.
    pub objective: Objective,
    /// Batch normalisation during training, folded into the weights afterwards.
    pub normalised: bool,
    /// How the weights follow the gradient.
    pub optimiser: Optimiser,
    /// What the machine decides on; goes into the model.
    pub features: Features,
    /// Whether the machine learns the cells of fields also as the detector finds them, where the network
    /// learns from no real cell.
    pub found: bool,
    /// Random changes of the training cells; none in the paper.
    pub augmentation: Option<Augmentation>,
    /// Simulated cells; none in the paper.
    pub simulated: Option<Simulated>,
}

impl std::fmt::Display for PresetName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PresetName::Paper => "paper",
            PresetName::Modern => "modern",
            PresetName::Simulated => "simulated",
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
                features: Features::Embedding,
                found: false,
                augmentation: None,
                simulated: None,
            },
            PresetName::Modern => Preset {
                name: self,
                preprocess: Preprocess::modern(),
                batch: BatchSize { mitotic: 16, interphase: 32, neighbours: 16 },
                steps: 260,
                objective: Objective::Triplet { margin: 0.5, mining: Mining::Violating },
                normalised: true,
                optimiser: Optimiser::AdamW { rate: 1.5e-3, decay: 0.05 },
                features: Features::EmbeddingAndDeviation,
                found: false,
                augmentation: Some(Augmentation::default()),
                simulated: None,
            },
            PresetName::Simulated => Preset {
                name: self,
                preprocess: Preprocess::modern(),
                batch: BatchSize { mitotic: 12, interphase: 20, neighbours: 10 },
                steps: 0,
                objective: Objective::Proxies(Proxies {
                    per_class: 3,
                    loss: ProxyLoss::CrossEntropy { scale: 10.0, doubt: 0.05 },
                    pairs: PairLoss::Contrastive { temperature: 0.15 },
                    pairs_weight: 0.3,
                    descriptors: 1.5,
                }),
                normalised: true,
                optimiser: Optimiser::AdamW { rate: 1e-3, decay: 0.03 },
                features: Features::EmbeddingAndDeviation,
                found: true,
                augmentation: Some(Augmentation::wide()),
                simulated: Some(Simulated {
                    specimens: 500,
                    for_machine: 33,
                    first: SimulatedBatch { mitotic: 22, interphase: 15, look_alikes: 11 },
                    first_steps: 2400,
                    first_rate: 2e-3,
                    beside: SimulatedBatch { mitotic: 8, interphase: 5, look_alikes: 3 },
                }),
            },
        }
    }
}

impl Preset {
    /// Whether the network's weights learn from real cells. If not, its normalisation still takes on
    /// their statistics (adaptive batch normalisation, Li et al. 2016), in batches like those of a training.
    pub fn learns_from_real_cells(&self) -> bool {
        self.steps > 0
    }

    /// The training on simulated cells alone that comes first, if there is one; its own batches hold
    /// no real cell.
    pub fn first(&self) -> Option<Preset> {
        let simulated = self.simulated.as_ref()?;
        let optimiser = match self.optimiser {
            Optimiser::AdaGrad { .. } => Optimiser::AdaGrad { rate: simulated.first_rate },
            Optimiser::AdamW { decay, .. } => {
                Optimiser::AdamW { rate: simulated.first_rate, decay }
            }
        };
        let batch = BatchSize { mitotic: 0, interphase: 0, neighbours: 0 };
        Some(Preset { batch, optimiser, steps: simulated.first_steps, ..self.clone() })
    }

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
