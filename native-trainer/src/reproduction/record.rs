//! What a reproduction leaves behind: the record of every run, and the results drawn from all.
//!
//! Invariant: rows are those of the cell table; lists of one run that speak of the same cells have
//! the same order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evaluation::{Figures, Interval, Metric};
use crate::protocol::{Division, Setting};
use crate::training::StepReport;

/// A row of Table 4 or a bar of Fig. 5, and the two trivial baselines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The preset's features, in the paper triplet-trained embeddings, and a Gaussian-kernel SVM.
    Proposed,
    /// k nearest neighbours by the same features.
    NearestNeighbours,
    /// The same trunk with a two-way softmax, on class-balanced batches.
    CrossEntropy,
    /// Hand-made descriptors and an SVM, after Miros 2015.
    Miros,
    /// Unsupervised, after Tonti 2015.
    Tonti,
    /// An SVM on the cell's brightness alone.
    Brightness,
    /// An SVM on the shape of the cell's box alone.
    BoxGeometry,
}

impl Method {
    /// All, as tables list them.
    pub const ALL: [Method; 7] = [
        Method::Proposed,
        Method::NearestNeighbours,
        Method::CrossEntropy,
        Method::Miros,
        Method::Tonti,
        Method::Brightness,
        Method::BoxGeometry,
    ];

    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Method::Proposed => "Proposed (network + SVM)",
            Method::NearestNeighbours => "Nearest neighbours",
            Method::CrossEntropy => "Cross-entropy",
            Method::Miros => "Miros 2015, re-implemented",
            Method::Tonti => "Tonti 2015, re-implemented",
            Method::Brightness => "Brightness alone",
            Method::BoxGeometry => "Box geometry alone",
        }
    }
}

/// What one method says of the test cells of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The method.
    pub method: Method,
    /// What inner cross-validation chose, for the reader.
    pub chosen: String,
    /// One a test cell; above 0 is mitotic.
    pub decision_values: Vec<f64>,
}

/// Embeddings of one run in two dimensions, train and test mapped together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingMap {
    /// One a training cell.
    pub train: Vec<[f32; 2]>,
    /// One a test cell.
    pub test: Vec<[f32; 2]>,
}

/// One setting, one random set: everything learned and judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The paper's experiment.
    pub setting: Setting,
    /// Number of the random set, from 1.
    pub set: usize,
    /// Which cells trained, validated and tested.
    pub division: Division,
    /// Every method that was run.
    pub scores: Vec<Scores>,
    /// Figures of the proposed method on the validation cells.
    pub validation: Figures,
    /// What each step of the preset's training reported; empty where it has none on real cells.
    pub steps: Vec<StepReport>,
    /// Loss of each step of the cross-entropy training; empty where there was none.
    pub cross_entropy_losses: Vec<f64>,
    /// Fig. 4; in the first set of a setting.
    pub map: Option<EmbeddingMap>,
    /// Wall time of the run, cut-off attempts left out.
    pub seconds: f64,
}

/// A labelled cell of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Row of the table, from 0.
    pub row: usize,
    /// The image it is in.
    pub image: String,
    /// Its specimen; empty when unknown.
    pub specimen: String,
    /// Its staining pattern; empty when unknown.
    pub pattern: String,
    /// Whether it is labelled mitotic.
    pub mitotic: bool,
}

/// Where the cells came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Name of the data.
    pub name: String,
    /// SHA-256 over table and images.
    pub sha256: String,
    /// Number of specimens; 0 when unknown.
    pub specimens: usize,
    /// The labelled cells.
    pub cells: Vec<Cell>,
}

/// One method in one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetResult {
    /// Number of the set.
    pub set: usize,
    /// Its figures.
    pub figures: Figures,
    /// An interval for each metric that is defined.
    pub intervals: BTreeMap<Metric, Interval>,
}

/// A metric over the sets of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Mean over the sets.
    pub mean: f64,
    /// Standard deviation over the sets (n − 1); 0 for one set.
    pub sd: f64,
    /// Interval of the mean: one draw of specimens serves all sets.
    pub interval: Interval,
}

/// One method in one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodResult {
    /// The setting.
    pub setting: Setting,
    /// The method.
    pub method: Method,
    /// Each set.
    pub sets: Vec<SetResult>,
    /// Each metric over the sets; those undefined in a set are left out.
    pub summary: BTreeMap<Metric, Summary>,
}

/// A test cell that the proposed method got wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Row of the cell, from 0.
    pub row: usize,
    /// Runs in which it was tested.
    pub tested: usize,
    /// Runs in which it was wrong.
    pub wrong: usize,
    /// Decision value farthest on the wrong side of 0.
    pub decision_value: f64,
}

/// All of it: `report.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of mitoscope.
    pub version: String,
    /// The command that makes this report.
    pub command: String,
    /// Name of the preset.
    pub preset: String,
    /// What it was trained on.
    pub device: String,
    /// Optimiser steps of a training on real cells; 0 where the network learns from simulated ones.
    pub steps: usize,
    /// Cells of a batch: mitotic, interphase.
    pub batch: [usize; 2],
    /// Seed of divisions, weights and batches.
    pub seed: u64,
    /// Whether whole specimens were divided.
    pub grouped: bool,
    /// Runs that were asked for; fewer are there while the reproduction goes on.
    pub planned: usize,
    /// The data.
    pub data: Data,
    /// The runs, by setting and set.
    pub runs: Vec<Run>,
    /// Settings by methods.
    pub results: Vec<MethodResult>,
    /// Mistakes of the proposed method, the most confident first, both kinds.
    pub mistakes: Vec<Mistake>,
}
