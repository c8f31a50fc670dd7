//! Chooses, fits and applies support vector machines on one split of the cells.
//!
//! Invariant: what a cell is judged by never saw the cell, nor another of its specimen where these are
//! kept whole.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use mitoscope::model::Calibration;
use mitoscope::svm::{Svm, distance};

use crate::bootstrap::clusters;
use crate::evaluation::Figures;
use crate::features::standardise;
use crate::svm_search::{
    FOLDS, GridPoint, Labelled, Search, decide, folds, out_of_fold, platt, search, trainable,
};
use crate::table::Table;

/// Which labelled cells make the model and which only test it, as rows of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to test on.
    pub held_out: Vec<usize>,
    /// Specimens of the latter.
    pub specimens: BTreeSet<String>,
}

impl Split {
    /// Holds whole specimens out; unlabelled rows are in neither part.
    ///
    /// # Errors
    /// When no cell is of one of the specimens.
    pub fn by_specimens(table: &Table, specimens: &BTreeSet<String>) -> Result<Self> {
        for specimen in specimens {
            anyhow::ensure!(
                table.rows.iter().any(|row| row.specimen == *specimen),
                "no cell of the specimen '{specimen}' is in {}: check its name",
                table.source().display()
            );
        }
        let labelled = (0..table.rows.len()).filter(|i| table.rows[*i].label.is_some());
        let (held_out, train) =
            labelled.partition(|i| specimens.contains(&table.rows[*i].specimen));
        Ok(Self { train, held_out, specimens: specimens.clone() })
    }

    /// The same without found cells.
    pub fn given(&self, table: &Table) -> Self {
        let given = |rows: &[usize]| rows.iter().copied().filter(|i| !table.is_found(*i)).collect();
        let (train, held_out) = (given(&self.train), given(&self.held_out));
        Self { train, held_out, specimens: self.specimens.clone() }
    }
}

/// What the training rows are to networks or machines that did not know them.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfFold {
    /// Number of folds.
    pub folds: usize,
    /// One a training row, in their order.
    pub decision_values: Vec<f64>,
    /// Distance of each row's features from the nearest support vector of its fold's machine.
    pub distances: Vec<f32>,
}

/// Chooses, fits and applies classifiers on one split.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The cells.
    pub table: &'a Table,
    /// Which of them to learn from.
    pub split: &'a Split,
    /// Other cells to learn from, such as simulated ones: in no fold, never judged.
    pub beside: &'a Labelled,
    /// Whether inner cross-validation keeps specimens whole, where they are known.
    pub grouped: bool,
    /// Seed of its folds.
    pub seed: u64,
}

/// A machine and what led to it.
pub(crate) struct Judged {
    pub svm: Svm,
    /// C and γ of the machine.
    pub chosen: GridPoint,
    pub calibration: Calibration,
    pub inner: Figures,
    /// Decision values of the held-out rows, in their order.
    pub held_out: Vec<f64>,
}

impl Judged {
    /// Adds to every decision value.
    ///
    /// # Errors
    /// When the shifted numbers are not finite.
    pub fn shift(&mut self, by: f64) -> Result<()> {
        let (coefficients, vectors) = (self.svm.coefficients(), self.svm.support_vectors());
        self.svm = Svm::new(
            self.svm.gamma(),
            self.svm.bias() + by,
            coefficients.to_vec(),
            vectors.to_vec(),
            self.svm.dim(),
        )?;
        self.held_out.iter_mut().for_each(|value| *value += by);
        Ok(())
    }
}

/// Verdicts of a support vector machine that need not outlive them.
pub struct Verdicts {
    /// Penalty that inner cross-validation chose.
    pub c: f64,
    /// Kernel width likewise.
    pub gamma: f64,
    /// Decision values of the asked rows, in their order.
    pub decision_values: Vec<f64>,
}

impl Judge<'_> {
    /// The machine of the training rows, given every row's features.
    ///
    /// # Errors
    /// When the training rows do not allow folds with both classes, or the solver does not converge.
    pub fn machine(&self, features: &[Vec<f32>]) -> Result<Svm> {
        let (known, search) = self.search(features)?;
        self.machine_of(&known, &search)
    }

    fn machine_of(&self, known: &Labelled, search: &Search) -> Result<Svm> {
        let Labelled { features, mitotic } = known.and(self.beside);
        Ok(Svm::fit(&features, &mitotic, search.best.c, search.best.gamma)?)
    }

    /// Chooses C and γ, fits and applies a machine, given every row's features.
    pub(crate) fn fit(&self, features: &[Vec<f32>]) -> Result<Judged> {
        let (known, search) = self.search(features)?;
        let svm = self.machine_of(&known, &search)?;
        let held_out = self.split.held_out.iter();
        Ok(Judged {
            chosen: search.best,
            calibration: platt(&search.decision_values, &known.mitotic)?,
            inner: Figures::of(&search.decision_values, &known.mitotic),
            held_out: held_out.map(|row| svm.decision_value(&features[*row])).collect(),
            svm,
        })
    }

    /// The training rows by machines that each leave one specimen out.
    pub(crate) fn out_of_fold(&self, features: &[Vec<f32>], judged: &Judged) -> Result<OutOfFold> {
        let known = self.training(features);
        let folds = self.specimen_folds(&known)?;
        let vectors = judged.svm.support_vectors().chunks_exact(judged.svm.dim());
        let vectors: Vec<(&[f32], Option<usize>)> = vectors
            .map(|vector| (vector, known.features.iter().position(|sample| sample == vector)))
            .collect();
        let nearest_of_others = |fold: usize, sample: &[f32]| {
            let others = vectors.iter().filter(|(_, row)| row.is_none_or(|row| folds[row] != fold));
            others.map(|(vector, _)| distance(sample, vector)).fold(f32::INFINITY, f32::min)
        };
        let cells = known.features.iter().zip(&folds);
        let distances = cells.map(|(cell, fold)| nearest_of_others(*fold, cell));
        Ok(OutOfFold {
            folds: folds.iter().max().map_or(0, |last| last + 1),
            distances: distances.collect(),
            decision_values: self.without_folds(&known, &folds, judged.chosen)?,
        })
    }

    /// C and γ for the training rows, by inner cross-validation.
    pub(crate) fn choose(&self, features: &[Vec<f32>]) -> Result<GridPoint> {
        Ok(self.search(features)?.1.best)
    }

    /// The decision values of [`Judge::out_of_fold`].
    pub(crate) fn unknown_specimens(
        &self,
        features: &[Vec<f32>],
        chosen: GridPoint,
    ) -> Result<Vec<f64>> {
        let known = self.training(features);
        self.without_folds(&known, &self.specimen_folds(&known)?, chosen)
    }

    /// Decision values of training rows that look otherwise, by the machines of [`Judge::out_of_fold`]:
    /// `others` has other features of rows, each a training row.
    pub(crate) fn out_of_fold_as(
        &self,
        features: &[Vec<f32>],
        chosen: GridPoint,
        others: &[(usize, &[f32])],
    ) -> Result<Vec<f64>> {
        let known = self.training(features);
        let folds = self.specimen_folds(&known)?;
        let fold_of: BTreeMap<usize, usize> =
            self.split.train.iter().copied().zip(folds.iter().copied()).collect();
        let asked: Vec<(usize, &[f32])> =
            others.iter().map(|(row, other)| (fold_of[row], *other)).collect();
        Ok(out_of_fold(&known, self.beside, &folds, &asked, chosen)?)
    }

    /// A fold for every specimen, or the usual ones where that would leave a machine without a class.
    fn specimen_folds(&self, known: &Labelled) -> Result<Vec<usize>> {
        Ok(match self.groups() {
            Some(specimens) if trainable(&specimens, &known.mitotic) => specimens,
            groups => folds(&known.mitotic, groups.as_deref(), FOLDS, self.seed)?,
        })
    }

    fn without_folds(
        &self,
        known: &Labelled,
        folds: &[usize],
        chosen: GridPoint,
    ) -> Result<Vec<f64>> {
        let cells = known.features.iter().map(Vec::as_slice);
        let asked: Vec<(usize, &[f32])> = folds.iter().copied().zip(cells).collect();
        Ok(out_of_fold(known, self.beside, folds, &asked, chosen)?)
    }

    /// Decision values of the training rows by machines that each leave one staining pattern out; none
    /// where a row's is not told, or a machine would be left without a class.
    pub(crate) fn unknown_patterns(
        &self,
        features: &[Vec<f32>],
        chosen: GridPoint,
    ) -> Result<Option<Vec<f64>>> {
        let known = self.training(features);
        let Some(patterns) = self.patterns().filter(|of| trainable(of, &known.mitotic)) else {
            return Ok(None);
        };
        self.without_folds(&known, &patterns, chosen).map(Some)
    }

    /// Figures of the held-out rows by other features, chosen and fitted likewise on real cells; none
    /// where there is no such row, or all training rows look alike.
    pub(crate) fn baseline(&self, features: Vec<Vec<f32>>) -> Result<Option<Figures>> {
        if self.split.held_out.is_empty() {
            return Ok(None);
        }
        let alone = Judge { beside: &Labelled::default(), ..*self };
        let verdicts = alone.standardised_verdicts(features, &self.split.held_out)?;
        let truth = self.truth(&self.split.held_out);
        Ok(verdicts.map(|verdicts| Figures::of(&verdicts.decision_values, &truth)))
    }

    /// [`Judge::verdicts`] by features that are first scaled over the training rows; none where
    /// these all look alike.
    ///
    /// # Errors
    /// Those of [`Judge::verdicts`].
    pub fn standardised_verdicts(
        &self,
        mut features: Vec<Vec<f32>>,
        rows: &[usize],
    ) -> Result<Option<Verdicts>> {
        let train = &self.split.train;
        if train.iter().all(|row| features[*row] == features[train[0]]) {
            return Ok(None);
        }
        standardise(&mut features, train);
        self.verdicts(&features, rows).map(Some)
    }

    /// Verdicts on some rows, given every row's features: C and γ by inner cross-validation on the
    /// training rows, the machine fitted to these.
    ///
    /// # Errors
    /// When the training rows do not allow folds with both classes.
    pub fn verdicts(&self, features: &[Vec<f32>], rows: &[usize]) -> Result<Verdicts> {
        let (known, search) = self.search(features)?;
        let others: Vec<Vec<f32>> = rows.iter().map(|row| features[*row].clone()).collect();
        let decision_values = decide(&known.and(self.beside), &search, &others)?;
        Ok(Verdicts { c: search.best.c, gamma: search.best.gamma, decision_values })
    }

    /// The training rows' features and truth.
    fn training(&self, features: &[Vec<f32>]) -> Labelled {
        let train = &self.split.train;
        let features = train.iter().map(|row| features[*row].clone()).collect();
        Labelled { features, mitotic: self.truth(train) }
    }

    /// The training rows' features and truth, and the best C and γ for them.
    fn search(&self, features: &[Vec<f32>]) -> Result<(Labelled, Search)> {
        let known = self.training(features);
        let search = search(&known, self.beside, self.groups().as_deref(), self.seed)?;
        Ok((known, search))
    }

    /// The specimens of the training rows as numbers; none unless they are to be kept whole and at
    /// least two are known.
    pub fn groups(&self) -> Option<Vec<usize>> {
        if !self.grouped {
            return None;
        }
        let specimens: Vec<&str> =
            self.split.train.iter().map(|row| self.table.rows[*row].specimen.as_str()).collect();
        let names: BTreeSet<&str> = specimens.iter().copied().collect();
        let places: BTreeMap<&str, usize> = names.iter().copied().zip(0..).collect();
        (names.len() > 1 && !names.contains(""))
            .then(|| specimens.iter().map(|name| places[name]).collect())
    }

    /// The staining patterns of the training rows as numbers; none unless all are told.
    pub fn patterns(&self) -> Option<Vec<usize>> {
        let rows = self.split.train.iter();
        let patterns: Vec<&str> = rows.map(|row| self.table.rows[*row].pattern.as_str()).collect();
        (!patterns.contains(&"")).then(|| clusters(patterns))
    }

    /// What was measured of those training rows that a reader labelled, from one a training row, and their truth.
    ///
    /// A found cell in no given box teaches the machine, but that it is not mitotic is nobody's word.
    pub(crate) fn read<T: Copy>(&self, of: &[T]) -> (Vec<T>, Vec<bool>) {
        let rows = self.split.train.iter().zip(of);
        let read = rows.filter(|(row, _)| !self.table.found.strays.contains(row));
        read.map(|(row, of)| (*of, self.table.is_mitotic(*row))).unzip()
    }

    pub(crate) fn truth(&self, rows: &[usize]) -> Vec<bool> {
        self.table.truth(rows)
    }
}
