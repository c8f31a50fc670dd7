//! The cells of a training, real and simulated, and the trainings on them.
//!
//! Invariant: simulated cells stand after all real ones, and those for the machine after those for the
//! network, so that neither is ever taken for the other.

use anyhow::{Result, bail};
use mitoscope::classifier::Label;

use crate::preset::Preset;
use crate::sampler::{Batches, StratifiedSampler};
use crate::samples::{Sample, prepare_all};
use crate::simulated::{MixedSampler, SimulatedCell, simulate};
use crate::table::Table;
use crate::training::{Plan, StepReport, Trained, train};

/// All cells that a preset asks for.
pub struct Cells {
    samples: Vec<Sample>,
    simulated: Vec<SimulatedCell>,
    for_machine: Vec<SimulatedCell>,
}

impl Cells {
    /// Reads the cells of the table and makes the simulated ones.
    ///
    /// # Errors
    /// When an image cannot be read or a box lies outside.
    pub fn prepare(table: &Table, preset: &Preset, seed: u64) -> Result<Self> {
        Self::with(table, preset, seed, true)
    }

    /// The same without the simulated cells that only a network learns from.
    ///
    /// # Errors
    /// Those of [`Cells::prepare`].
    pub fn for_machine(table: &Table, preset: &Preset, seed: u64) -> Result<Self> {
        Self::with(table, preset, seed, false)
    }

    fn with(table: &Table, preset: &Preset, seed: u64, for_network: bool) -> Result<Self> {
        let mut samples = prepare_all(table, &preset.preprocess)?;
        let mut more = |specimens| -> Result<Vec<SimulatedCell>> {
            let cells = simulate(specimens, seed, &preset.preprocess, samples.len())?;
            samples.extend(cells.iter().map(|cell| cell.sample.clone()));
            Ok(cells)
        };
        let (simulated, for_machine) = match &preset.simulated {
            Some(of) => {
                let all = of.specimens + of.for_machine;
                let first = if for_network { 0 } else { of.specimens };
                (more(first..of.specimens)?, more(of.specimens..all)?)
            }
            None => Default::default(),
        };
        Ok(Self { samples, simulated, for_machine })
    }

    /// Trainings on these cells of the table they were prepared from.
    pub fn course<'a>(&'a self, preset: &'a Preset, table: &'a Table) -> Course<'a> {
        let Self { samples, simulated, for_machine } = self;
        Course { preset, table, samples, simulated, for_machine }
    }
}

/// What all trainings of one model share.
#[derive(Clone, Copy)]
pub struct Course<'a> {
    /// How to train.
    pub preset: &'a Preset,
    /// The real cells.
    pub table: &'a Table,
    /// These, then the simulated ones, then those for the machine.
    pub samples: &'a [Sample],
    /// The simulated cells that the network learns from.
    pub simulated: &'a [SimulatedCell],
    /// Other simulated cells for the support vector machine.
    pub for_machine: &'a [SimulatedCell],
}

impl Course<'_> {
    /// The real cells, one a row of the table.
    pub fn real(&self) -> &[Sample] {
        &self.samples[..self.table.rows.len()]
    }

    /// The label of every sample that may be trained on: the given rows and all simulated cells.
    pub fn labels(&self, rows: &[usize]) -> Vec<Option<Label>> {
        let mut labels = self.table.labels_of(rows);
        labels.extend(self.simulated.iter().map(|cell| Some(cell.label())));
        labels.resize(self.samples.len(), None);
        labels
    }

    /// The batches of a training on these rows, with simulated cells where the preset has them.
    ///
    /// # Errors
    /// When a class has fewer than two cells among the rows.
    pub fn batches(&self, rows: &[usize], seed: u64) -> Result<Box<dyn Batches>> {
        let labels = self.table.labels_of(rows);
        let specimens = self.table.specimens();
        let real = StratifiedSampler::new(&labels, &specimens, self.preset.batch, seed)?;
        Ok(match &self.preset.simulated {
            Some(of) => Box::new(MixedSampler::new(Some(real), self.simulated, of.beside, seed)),
            None => Box::new(real),
        })
    }

    /// The training on simulated cells alone that comes first; it depends on preset and seed only.
    ///
    /// # Errors
    /// When the preset has none, or the training fails.
    pub fn train_first(
        &self,
        plan: &Plan,
        progress: &mut dyn FnMut(usize, &StepReport),
    ) -> Result<Trained> {
        let (Some(first), Some(of)) = (self.preset.first(), &self.preset.simulated) else {
            bail!("preset {} trains on no simulated cell", self.preset.name);
        };
        let plan = Plan { run: format!("{first:?} {}", plan.seed), ..plan.clone() };
        let batches = MixedSampler::new(None, self.simulated, of.first, plan.seed);
        train(&first, &plan, self.samples, &self.labels(&[]), &batches, progress)
    }

    /// Trains on these rows.
    ///
    /// # Errors
    /// Those of [`train`] and [`Course::batches`].
    pub fn train(
        &self,
        rows: &[usize],
        plan: &Plan,
        progress: &mut dyn FnMut(usize, &StepReport),
    ) -> Result<Trained> {
        let batches = self.batches(rows, plan.seed)?;
        train(self.preset, plan, self.samples, &self.labels(rows), &*batches, progress)
    }
}
