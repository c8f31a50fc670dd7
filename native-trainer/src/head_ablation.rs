//! What a machine owes to its features and to the simulated cells beside: the same fit with less.
//!
//! Invariant: every variant has the same search for C and γ, the same folds and a threshold chosen likewise.

use anyhow::Result;
use mitoscope::embedder::EMBEDDING;
use mitoscope::features::Features;
use serde::{Deserialize, Serialize};

use crate::embedded::RowFeatures;
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
    /// Views of each training row that it learns from: upright, and turned.
    #[serde(default = "upright_alone")]
    pub views: usize,
    /// Training rows, each by a machine that was made without its specimen.
    pub unknown_specimens: Figures,
    /// Each by one without its staining pattern; none where that would leave a machine without a class.
    pub unknown_patterns: Option<Figures>,
}

/// Views in files of before there were turned ones.
fn upright_alone() -> usize {
    1
}

/// All variants of a judge whose network knew none of the training rows, the fullest last.
pub fn variants(
    judge: &Judge,
    features: &RowFeatures,
    decides_on: Features,
) -> Result<Vec<Variant>> {
    let none = Labelled::default();
    let of = |rows: &[Vec<f32>], kind: Features| -> Vec<Vec<f32>> {
        rows.iter().map(|row| row[..kind.length(EMBEDDING)].to_vec()).collect()
    };
    let mut variants = Vec::new();
    for kind in [Features::Embedding, Features::EmbeddingAndDeviation] {
        if kind.length(EMBEDDING) > decides_on.length(EMBEDDING) {
            continue;
        }
        let upright = RowFeatures { upright: of(&features.upright, kind), turned: Vec::new() };
        let simulated = Labelled {
            features: of(&judge.beside.features, kind),
            mitotic: judge.beside.mitotic.clone(),
        };
        for beside in [&none, &simulated] {
            let judge = Judge { beside, ..*judge };
            variants.push(variant(&judge, &upright, kind)?);
            if simulated == none {
                break;
            }
        }
    }
    if !features.turned.is_empty() {
        variants.push(variant(judge, features, decides_on)?);
    }
    Ok(variants)
}

/// The machine of a judge on every row's features.
pub fn variant(judge: &Judge, rows: &RowFeatures, features: Features) -> Result<Variant> {
    let judged = judge.fit(rows)?;
    let truth = judge.truth(&judge.split.train);
    let unknown = judge.out_of_fold(rows, &judged)?.decision_values;
    let threshold = balanced(&unknown, &truth);
    let figures = |values: &[f64]| Figures::at(threshold, values, &truth);
    Ok(Variant {
        features,
        simulated: judge.beside.mitotic.len(),
        views: 1 + rows.turned.len(),
        unknown_specimens: figures(&unknown),
        unknown_patterns: judge.unknown_patterns(rows, &judged)?.as_deref().map(figures),
    })
}
