//! The paper's experiments on one's own data: every setting and set a run of its own.
//!
//! Invariant: a run depends only on the data, the preset, the seed, its setting, its set and what computes it; a
//! finished run is read back, a cut-off one goes on from its checkpoints, so a reproduction that was
//! killed ends with the report of one that was not.

pub mod record;
mod results;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use mitoscope::embedder::EMBEDDING;
use rayon::prelude::*;

use crate::baseline::{all_brightness, all_descriptors, all_geometry};
use crate::checkpoint::CHECKPOINT_EVERY;
use crate::course::Course;
use crate::descriptors::tonti;
use crate::embedded::{of_machine_cells, of_table, outputs};
use crate::evaluation::Figures;
use crate::files::make_folder;
use crate::finished::once;
use crate::judge::{Judge, Split, Verdicts};
use crate::neighbours;
use crate::network::Output;
use crate::preset::Preset;
use crate::protocol::{Division, Setting};
use crate::report::embedding_map;
use crate::samples::Sample;
use crate::svm_search::Labelled;
use crate::table::Table;
use crate::training::{Plan, StepReport, Trained};

use record::{Method, Run, Scores};
pub use results::results;

/// The one setting in which the paper trains the cross-entropy network (section 5).
pub const CROSS_ENTROPY_SETTING: Setting = Setting::B;

/// Data, method and seed of a reproduction, with the features that no run changes.
pub struct Study<'a> {
    course: Course<'a>,
    grouped: bool,
    seed: u64,
    device: Device,
    identity: String,
    /// Checkpoint of the training on simulated cells alone that all trainings start from.
    start: Option<PathBuf>,
    descriptors: Vec<(Method, Vec<Vec<f32>>)>,
    unsupervised: Vec<f64>,
}

/// A training that goes on, for the one who waits.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// What is trained.
    pub method: Method,
    /// The step, from 0.
    pub step: usize,
    /// What it did.
    pub report: &'a StepReport,
}

impl<'a> Study<'a> {
    /// Computes what all runs share; `start` is the checkpoint of [`Course::train_first`], where the
    /// preset has such a training.
    pub fn new(
        course: Course<'a>,
        data: &str,
        grouped: bool,
        seed: u64,
        device: Device,
        start: Option<PathBuf>,
    ) -> Self {
        let Course { table, preset, .. } = course;
        let mut descriptors = vec![
            (Method::Miros, all_descriptors(course.real())),
            (Method::Brightness, all_brightness(course.real())),
        ];
        descriptors.extend(all_geometry(table).map(|boxes| (Method::BoxGeometry, boxes)));
        let identity = format!("{data} {preset:?} grouped: {grouped}, seed {seed}");
        let unsupervised = all_tonti(table, course.real());
        Self { course, grouped, seed, device, identity, start, descriptors, unsupervised }
    }

    /// Does one run in its folder, or reads what it left there.
    ///
    /// # Errors
    /// When the folder holds a run of another work, the set cannot be divided, a training fails or a file cannot be
    /// written.
    pub fn run(
        &self,
        setting: Setting,
        set: usize,
        folder: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Run> {
        make_folder(folder)?;
        once(&folder.join("run.json"), &self.identity, || self.make(setting, set, folder, progress))
    }

    fn make(
        &self,
        setting: Setting,
        set: usize,
        folder: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Run> {
        let Course { table, preset, .. } = self.course;
        let start = Instant::now();
        let division = Division::new(table, setting, set, self.grouped, self.seed)?;
        let split = Split {
            train: division.train.clone(),
            held_out: division.test.clone(),
            specimens: Default::default(),
        };
        let seed = self.seed.wrapping_add(set as u64 - 1);
        let none = Labelled::default();
        let judge = Judge { table, split: &split, beside: &none, grouped: self.grouped, seed };
        let experiment = Experiment { study: self, judge, division: &division, folder };

        let Proposed { mut scores, validation, steps, embeddings } =
            experiment.proposed(progress)?;
        let mut cross_entropy_losses = Vec::new();
        // The baseline is the paper's, which knows real cells alone.
        if setting == CROSS_ENTROPY_SETTING && preset.simulated.is_none() {
            let (by_logits, losses) = experiment.cross_entropy(progress)?;
            scores.push(by_logits);
            cross_entropy_losses = losses;
        }
        scores.extend(experiment.by_descriptors()?);
        let map = if set == 1 {
            let of = |rows: &[usize]| -> Vec<Vec<f32>> {
                rows.iter().map(|row| embeddings[*row].clone()).collect()
            };
            Some(embedding_map(&of(&division.train), &of(&division.test), seed)?)
        } else {
            None
        };
        let seconds = start.elapsed().as_secs_f64();
        Ok(Run {
            setting,
            set,
            division,
            scores,
            validation,
            steps,
            cross_entropy_losses,
            map,
            seconds,
        })
    }
}

/// Decision values of every row; all cells of the data are clustered together, no label is seen.
fn all_tonti(table: &Table, samples: &[Sample]) -> Vec<f64> {
    let patches: Vec<_> = samples.par_iter().map(|s| s.patch(&s.window)).collect();
    let cells: Vec<_> = patches.iter().zip(samples.iter().map(|s| &s.levels)).collect();
    let mut numbers = BTreeMap::new();
    let specimens: Vec<usize> = table
        .rows
        .iter()
        .map(|row| {
            let next = numbers.len();
            *numbers.entry(row.specimen.as_str()).or_insert(next)
        })
        .collect();
    tonti(&cells, &specimens)
}

/// What a training of the preset gives.
struct Proposed {
    /// By SVM and by nearest neighbours.
    scores: Vec<Scores>,
    /// The SVM on the validation cells.
    validation: Figures,
    steps: Vec<StepReport>,
    /// One a row.
    embeddings: Vec<Vec<f32>>,
}

/// One run under way.
struct Experiment<'a> {
    study: &'a Study<'a>,
    judge: Judge<'a>,
    division: &'a Division,
    folder: &'a Path,
}

impl Experiment<'_> {
    /// Trains by the preset and judges the test cells by SVM and by nearest neighbours.
    fn proposed(&self, progress: &mut dyn FnMut(Progress)) -> Result<Proposed> {
        let Division { train, validation, test } = self.division;
        let Study { course, device, .. } = self.study;
        let Course { table, preset, .. } = *course;
        let trained = self.train(Method::Proposed, preset, progress)?;
        let features = of_table(table, course.real(), &trained.weights, preset, device)?;
        let embeddings = features.iter().map(|one| one[..EMBEDDING].to_vec()).collect();

        let judged = [&validation[..], test].concat();
        let beside = of_machine_cells(course, 1, &trained.weights, device)?.labelled;
        let mut svm = Judge { beside: &beside, ..self.judge }.verdicts(&features, &judged)?;
        let on_validation: Vec<f64> = svm.decision_values.drain(..validation.len()).collect();
        let truth = table.truth(validation);
        let validation = Figures::of(&on_validation, &truth);

        let of = |rows: &[usize]| -> Vec<Vec<f32>> {
            rows.iter().map(|row| features[*row].clone()).collect()
        };
        let (samples, mitotic) = (of(train), table.truth(train));
        let groups = self.judge.groups();
        let k = neighbours::choose_k(&samples, &mitotic, groups.as_deref(), self.judge.seed)?;
        let nearest = Scores {
            method: Method::NearestNeighbours,
            chosen: format!("k = {k}"),
            decision_values: neighbours::decide(&samples, &mitotic, k, &of(test)),
        };
        let scores = vec![by_machine(Method::Proposed, svm), nearest];
        Ok(Proposed { scores, validation, steps: trained.steps, embeddings })
    }

    /// Trains with cross-entropy; the difference of the logits is the decision value.
    fn cross_entropy(&self, progress: &mut dyn FnMut(Progress)) -> Result<(Scores, Vec<f64>)> {
        let preset = self.study.course.preset.cross_entropy();
        let trained = self.train(Method::CrossEntropy, &preset, progress)?;
        let test = &self.division.test;
        let Study { course: Course { samples, .. }, device, .. } = self.study;
        let (weights, preprocess) = (&trained.weights, &preset.preprocess);
        let logits = outputs(samples, test, weights, Output::Logits, preprocess, device)?;
        let difference = |row: &usize| f64::from(logits[*row][0]) - f64::from(logits[*row][1]);
        let scores = Scores {
            method: Method::CrossEntropy,
            chosen: String::new(),
            decision_values: test.iter().map(difference).collect(),
        };
        Ok((scores, trained.steps.iter().map(|step| step.loss).collect()))
    }

    /// The methods that need no network.
    fn by_descriptors(&self) -> Result<Vec<Scores>> {
        let test = &self.division.test;
        let mut scores = vec![Scores {
            method: Method::Tonti,
            chosen: String::new(),
            decision_values: test.iter().map(|row| self.study.unsupervised[*row]).collect(),
        }];
        for (method, features) in &self.study.descriptors {
            let verdicts = self.judge.standardised_verdicts(features.clone(), test)?;
            scores.extend(verdicts.map(|verdicts| by_machine(*method, verdicts)));
        }
        Ok(scores)
    }

    fn train(
        &self,
        method: Method,
        preset: &Preset,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Trained> {
        let study = self.study;
        let train = &self.division.train;
        let name = match method {
            Method::CrossEntropy => "cross-entropy.checkpoint.safetensors",
            _ => "checkpoint.safetensors",
        };
        let plan = Plan {
            seed: self.judge.seed,
            device: study.device.clone(),
            checkpoint: &self.folder.join(name),
            checkpoint_every: CHECKPOINT_EVERY,
            run: format!("{} {preset:?} {train:?}", study.identity),
            resume: true,
            start: study.start.as_deref(),
        };
        Course { preset, ..study.course }
            .train(train, &plan, &mut |step, report| progress(Progress { method, step, report }))
    }
}

fn by_machine(method: Method, verdicts: Verdicts) -> Scores {
    let chosen = format!("C = {}, γ = {:.3}", verdicts.c, verdicts.gamma);
    Scores { method, chosen, decision_values: verdicts.decision_values }
}
