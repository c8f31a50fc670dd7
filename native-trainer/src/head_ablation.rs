//! What a machine owes to its features and to the simulated cells beside: the same fit with less.
//!
//! Invariant: every variant has the same search for C and γ, the same folds and a threshold chosen likewise.

use anyhow::Result;
use mitoscope::embedder::EMBEDDING;
use mitoscope::features::Features;
use serde::{Deserialize, Serialize};

use crate::evaluation::Figures;
use crate::judge::Judge;
use crate::operating_points::balanced;
use crate::svm_search::Labelled;

/// A machine with more or less to go by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// What it decides on.
    pub features: Features,
    /// Simulated cells that it learns from.
    pub simulated: usize,
    /// Given training rows, each by a machine that was made without its specimen.
    pub unknown_specimens: Figures,
    /// Each by one without its staining pattern; none where that would leave a machine without a class.
    pub unknown_patterns: Option<Figures>,
}

/// All lesser variants of a judge whose network knew none of the training rows, the fullest last.
///
/// # Errors
/// When the training rows do not allow folds with both classes.
pub fn lesser(judge: &Judge, features: &[Vec<f32>], decides_on: Features) -> Result<Vec<Variant>> {
    let none = Labelled::default();
    let of = |rows: &[Vec<f32>], kind: Features| -> Vec<Vec<f32>> {
        rows.iter().map(|row| row[..kind.length(EMBEDDING)].to_vec()).collect()
    };
    let mut variants = Vec::new();
    for kind in [Features::Embedding, Features::EmbeddingAndDeviation] {
        if kind.length(EMBEDDING) > decides_on.length(EMBEDDING) {
            continue;
        }
        let features = of(features, kind);
        let simulated = Labelled {
            features: of(&judge.beside.features, kind),
            mitotic: judge.beside.mitotic.clone(),
        };
        let mut besides = vec![&none, &simulated];
        besides.dedup();
        if kind == decides_on {
            besides.pop();
        }
        for beside in besides {
            variants.push(variant(&Judge { beside, ..*judge }, &features, kind)?);
        }
    }
    Ok(variants)
}

/// What machines on these features of every row are worth.
fn variant(judge: &Judge, rows: &[Vec<f32>], features: Features) -> Result<Variant> {
    let chosen = judge.choose(rows)?;
    let unknown = judge.unknown_specimens(rows, chosen)?;
    let patterns = judge.unknown_patterns(rows, chosen)?;
    Ok(Variant::of(judge, features, &unknown, patterns.as_deref()))
}

impl Variant {
    /// From the decision values of the training rows, each without its specimen and without its pattern.
    pub fn of(
        judge: &Judge,
        features: Features,
        unknown_specimens: &[f64],
        unknown_patterns: Option<&[f64]>,
    ) -> Self {
        let truth = judge.truth(&judge.split.train);
        let (values, mitotic) = judge.read(unknown_specimens);
        let threshold = balanced(&values, &mitotic);
        let given = judge.split.given(judge.table).train.len();
        let figures = |values: &[f64]| Figures::at(threshold, &values[..given], &truth[..given]);
        Self {
            features,
            simulated: judge.beside.mitotic.len(),
            unknown_specimens: figures(unknown_specimens),
            unknown_patterns: unknown_patterns.map(figures),
        }
    }
}
