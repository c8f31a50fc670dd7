//! What each part of preset `simulated` is worth: the same training without it, over several seeds.
//!
//! Invariant: all trainings of a seed have the same simulated specimens and as many steps; their machines
//! have the same search, folds and rule for the threshold; no held-out cell is looked at.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::contrast::{AtContrast, at_contrasts, bent_features};
use crate::course::Course;
use crate::embedded::{of_machine_cells, of_table};
use crate::head_ablation::Variant;
use crate::judge::{Judge, Split};
use crate::miner::Mining;
use crate::operating_points::balanced;
use crate::preset::{Objective, PairLoss, Preset, PresetName, Proxies, ProxyLoss};
use crate::training::{Plan, StepReport};

/// One change to the preset.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The preset as it is.
    None,
    /// The triplet loss of preset `modern` instead of proxies, contrast and descriptors.
    Triplets,
    /// The paper's triplet loss, semi-hard with margin 1.5.
    PaperTriplets,
    /// Only the hardest triplet of each anchor that violates margin 0.5.
    BatchHardTriplets,
    /// The proxy-anchor loss instead of cross-entropy.
    ProxyAnchor,
    /// The multi-similarity loss instead of the supervised contrastive one.
    MultiSimilarity,
    /// Neither contrast nor descriptors beside the proxies.
    ProxiesAlone,
    /// No telling of the classical descriptors.
    NoDescriptors,
    /// No supervised contrastive loss.
    NoContrast,
    /// Three copies of the cell scaled to its own range, as in preset `paper`.
    PaperInput,
    /// Transfer curves of exponents from 0.45 to 2.2 in the augmentation, not from 0.67 to 1.5.
    WideContrast,
    /// The narrower augmentation of preset `modern`.
    NarrowAugmentation,
    /// No augmentation at all.
    NoAugmentation,
    /// No batch normalisation, and so none with the statistics of real cells.
    NoNormalisation,
}

impl Change {
    /// Makes the change.
    pub fn apply(self, preset: &mut Preset) {
        let proxies = |change: fn(&mut Proxies), preset: &mut Preset| {
            if let Objective::Proxies(proxies) = &mut preset.objective {
                change(proxies);
            }
        };
        match self {
            Change::None => (),
            Change::Triplets => preset.objective = PresetName::Modern.preset().objective,
            Change::PaperTriplets => preset.objective = PresetName::Paper.preset().objective,
            Change::BatchHardTriplets => {
                preset.objective = Objective::Triplet { margin: 0.5, mining: Mining::BatchHard };
            }
            Change::ProxyAnchor => proxies(|of| of.loss = ProxyLoss::Anchor, preset),
            Change::MultiSimilarity => proxies(|of| of.pairs = PairLoss::MultiSimilarity, preset),
            Change::ProxiesAlone => {
                proxies(|of| (of.pairs_weight, of.descriptors) = (0.0, 0.0), preset)
            }
            Change::NoDescriptors => proxies(|of| of.descriptors = 0.0, preset),
            Change::NoContrast => proxies(|of| of.pairs_weight = 0.0, preset),
            Change::PaperInput => preset.preprocess = PresetName::Paper.preset().preprocess,
            Change::WideContrast => {
                preset.augmentation.iter_mut().for_each(|of| of.gamma = 0.8);
            }
            Change::NarrowAugmentation => {
                preset.augmentation = PresetName::Modern.preset().augmentation;
            }
            Change::NoAugmentation => preset.augmentation = None,
            Change::NoNormalisation => preset.normalised = false,
        }
    }
}

/// What a changed training gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was changed.
    pub change: Change,
    /// Seed of everything.
    pub seed: u64,
    /// The machine on the network's features of the training rows.
    pub judged: Variant,
    /// The same at other contrast, by machines that did not know the field.
    pub contrasts: Vec<AtContrast>,
}

/// Trains on simulated cells, takes on the statistics of the real training cells, and judges these by
/// machines that did not know their field, or their pattern.
///
/// # Errors
/// When a training fails, or the rows do not allow such machines.
pub fn ablate(
    change: Change,
    course: &Course,
    split: &Split,
    plan: &Plan,
    progress: &mut dyn FnMut(usize, &StepReport),
) -> Result<Outcome> {
    let Course { table, preset, .. } = *course;
    let (seed, device) = (plan.seed, &plan.device);
    course.train_first(plan, progress)?;
    let adapted = Plan { start: Some(plan.checkpoint), resume: false, ..plan.clone() };
    let weights = course.train(&split.train, &adapted, progress)?.weights;
    let features = of_table(table, course.real(), &weights, preset, device)?;
    let beside = of_machine_cells(course, 1, &weights, device)?.labelled;
    let judge = Judge { table, split, beside: &beside, grouped: true, seed };
    let chosen = judge.choose(&features)?;
    let unknown = judge.unknown_specimens(&features, chosen)?;
    let patterns = judge.unknown_patterns(&features, chosen)?;
    let judged = Variant::of(&judge, preset.features, &unknown, patterns.as_deref());
    let threshold = balanced(&unknown, &judge.truth(&split.train));
    let contrasts =
        at_contrasts(&judge, &features, (chosen, None), threshold, |rows, exponent| {
            bent_features(course, rows, exponent, &weights, device)
        })?;
    Ok(Outcome { change, seed, judged, contrasts })
}

/// A figure over the seeds, and how it differs from the unchanged preset's seed by seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Mean over the seeds.
    pub mean: f64,
    /// Mean difference from the unchanged preset's of the same seed.
    pub difference: f64,
    /// Standard error of that mean; none for one seed.
    pub error: Option<f64>,
}

/// Summary of a figure of one change; none where a seed lacks the figure, or the unchanged preset.
pub fn summary(
    outcomes: &[Outcome],
    change: Change,
    figure: impl Fn(&Outcome) -> Option<f64>,
) -> Option<Summary> {
    let of = |change: Change| -> BTreeMap<u64, Option<f64>> {
        let of_change = outcomes.iter().filter(|outcome| outcome.change == change);
        of_change.map(|outcome| (outcome.seed, figure(outcome))).collect()
    };
    let unchanged = of(Change::None);
    let pair = |(seed, value): (u64, Option<f64>)| -> Option<(f64, f64)> {
        let beside = unchanged.get(&seed).copied().flatten()?;
        Some((value?, value? - beside))
    };
    let pairs = of(change).into_iter().map(pair).collect::<Option<Vec<_>>>()?;
    let count = pairs.len() as f64;
    let mean = pairs.iter().map(|(value, _)| value).sum::<f64>() / count;
    let difference = pairs.iter().map(|(_, by)| by).sum::<f64>() / count;
    let squares = pairs.iter().map(|(_, by)| (by - difference).powi(2)).sum::<f64>();
    let error = (pairs.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt());
    (!pairs.is_empty()).then_some(Summary { mean, difference, error })
}

#[cfg(test)]
mod tests {
    use mitoscope::features::Features;

    use super::*;
    use crate::evaluation::{Figures, Metric};

    fn outcome(change: Change, seed: u64, scores: &[f64; 4]) -> Outcome {
        let figures = Figures::of(scores, &[true, true, false, false]);
        let judged = Variant {
            features: Features::Embedding,
            simulated: 0,
            unknown_specimens: figures,
            unknown_patterns: None,
        };
        Outcome { change, seed, judged, contrasts: Vec::new() }
    }

    #[test]
    fn differences_are_taken_seed_by_seed() {
        // Average precisions 1 and 5/6, then 5/6 and 1/2 · (1/3 + 2/4).
        let outcomes = [
            outcome(Change::None, 1, &[2.0, 1.0, -1.0, -2.0]),
            outcome(Change::None, 2, &[2.0, -0.5, 1.0, -2.0]),
            outcome(Change::Triplets, 1, &[2.0, -0.5, 1.0, -2.0]),
            outcome(Change::Triplets, 2, &[-1.0, -2.0, 2.0, 1.0]),
        ];
        let ap = |of: &Outcome| Metric::AveragePrecision.of(&of.judged.unknown_specimens);
        let own = summary(&outcomes, Change::None, ap).expect("two seeds");
        assert!((own.mean - 11.0 / 12.0).abs() < 1e-12 && own.difference == 0.0, "{own:?}");
        let by = summary(&outcomes, Change::Triplets, ap).expect("two seeds");
        assert!((by.mean - 0.625).abs() < 1e-12, "{by:?}");
        assert!((by.difference + 7.0 / 24.0).abs() < 1e-12, "{by:?}");
        assert!((by.error.expect("two seeds") - 0.125).abs() < 1e-12, "{by:?}");
        assert!(summary(&outcomes[1..], Change::Triplets, ap).is_none(), "nothing to compare with");
    }

    #[test]
    fn every_change_but_none_changes_the_preset() {
        use clap::ValueEnum;
        let own = PresetName::Simulated.preset();
        for change in Change::value_variants() {
            let mut preset = own.clone();
            change.apply(&mut preset);
            assert_eq!(preset == own, *change == Change::None, "{change:?}");
        }
    }
}
