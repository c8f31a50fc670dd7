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
    /// Training rows, each by a machine that was made without its specimen.
    pub unknown_specimens: Figures,
    /// Each by one without its staining pattern; none where that would leave a machine without a class.
    pub unknown_patterns: Option<Figures>,
}

/// All variants of a judge whose network knew none of the training rows, the fullest last.
pub fn variants(
    judge: &Judge,
    features: &[Vec<f32>],
    decides_on: Features,
) -> Result<Vec<Variant>> {
    let none = Labelled::default();
    let alone = |rows: &[Vec<f32>]| -> Vec<Vec<f32>> {
        rows.iter().map(|row| row[..EMBEDDING].to_vec()).collect()
    };
    let mut variants = Vec::new();
    for kind in [Features::Embedding, Features::EmbeddingAndDeviation] {
        if kind.length(EMBEDDING) > decides_on.length(EMBEDDING) {
            continue;
        }
        let of = |rows: &[Vec<f32>]| if kind == decides_on { rows.to_vec() } else { alone(rows) };
        let features = of(features);
        let simulated = Labelled {
            features: of(&judge.beside.features),
            mitotic: judge.beside.mitotic.clone(),
        };
        for beside in [&none, &simulated] {
            let judge = Judge { beside, ..*judge };
            variants.push(variant(&judge, &features, kind)?);
            if simulated == none {
                break;
            }
        }
    }
    Ok(variants)
}

fn variant(judge: &Judge, rows: &[Vec<f32>], features: Features) -> Result<Variant> {
    let judged = judge.fit(rows)?;
    let truth = judge.truth(&judge.split.train);
    let unknown = judge.out_of_fold(rows, &judged)?.decision_values;
    let threshold = balanced(&unknown, &truth);
    let figures = |values: &[f64]| Figures::at(threshold, values, &truth);
    Ok(Variant {
        features,
        simulated: judge.beside.mitotic.len(),
        unknown_specimens: figures(&unknown),
        unknown_patterns: judge.unknown_patterns(rows, &judged)?.as_deref().map(figures),
    })
}
