//! What a network must beat: a cell's descriptors after Miros 2015, its brightness or its box, each with a
//! support vector machine of its own.
//!
//! Invariant: the descriptors are judged as the network's features are, with the same cells, folds, search for C
//! and γ and rule for the threshold.

use std::collections::BTreeMap;

use anyhow::Result;
use mitoscope::cells::typical_size;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::bootstrap::intervals_of;
use crate::contrast::{AtContrast, at_contrasts, bent};
use crate::course::Course;
use crate::descriptors::miros::miros;
use crate::embedded::by_place;
use crate::evaluation::{AsFound, Figures, Interval, Metric, SimulatedOnly, as_found, by_pattern};
use crate::features::{box_geometry, brightness, standardise};
use crate::judge::Judge;
use crate::operating_points::balanced;
use crate::samples::Sample;
use crate::svm_search::Labelled;
use crate::table::Table;
use crate::transfer::descriptors_simulated_only;

/// Figures of some cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// All of them.
    pub figures: Figures,
    /// Intervals of these.
    pub intervals: BTreeMap<Metric, Interval>,
    /// The same by staining pattern.
    pub by_pattern: BTreeMap<String, Figures>,
}

/// What the descriptors after Miros are worth wherever the model is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Given held-out cells; none when nothing was held out.
    pub held_out: Option<Part>,
    /// The same cells as found.
    pub held_out_found: Option<AsFound>,
    /// Given training cells, each by a machine that was made without its specimen.
    pub unknown_specimens: Part,
    /// The same cells as found.
    pub unknown_found: Option<AsFound>,
    /// Given training cells, each by a machine that was made without its staining pattern; none where that would
    /// leave a machine without a class.
    pub unknown_patterns: Option<Part>,
    /// At other contrast.
    pub contrasts: Vec<AtContrast>,
    /// Given cells by a machine that knew simulated cells alone; none where there are none.
    pub simulated_only: Option<SimulatedOnly>,
}

impl Baseline {
    /// Judges the descriptors of the course's real cells, `plain`, as `judge` does the network's features, but
    /// without simulated cells beside, of which the published method knows nothing. All training rows give the
    /// scale, which favours it a little.
    ///
    /// # Errors
    /// When the rows do not allow such machines.
    pub fn of(course: &Course, judge: &Judge, plain: &[Vec<f32>]) -> Result<Self> {
        let Judge { table, split, seed, .. } = *judge;
        let alone = Judge { beside: &Labelled::default(), ..*judge };
        let given = split.given(table);
        let mut features = plain.to_vec();
        let scaling = standardise(&mut features, &split.train);
        let mut judged = alone.fit(&features)?;
        let mut unknown = alone.unknown_specimens(&features, judged.chosen)?;
        let mut patterns = alone.unknown_patterns(&features, judged.chosen)?;
        let (values, mitotic) = alone.read(&unknown);
        let threshold = balanced(&values, &mitotic);
        let machine = (judged.chosen, Some(&judged.svm));
        let contrasts = at_contrasts(&alone, &features, machine, threshold, |rows, exponent| {
            let of = |row: &usize| {
                let (patch, levels) = bent(&course.real()[*row], exponent);
                scaling.scaled(miros(&patch, &levels))
            };
            Ok(by_place(rows, rows.par_iter().map(of).collect(), features.len()))
        })?;
        judged.shift(-threshold)?;
        let all = unknown.iter_mut().chain(patterns.iter_mut().flatten());
        all.for_each(|value| *value -= threshold);
        let part = |rows: &[usize], values: &[f64]| {
            let values = &values[..rows.len()];
            Part {
                figures: Figures::of(values, &judge.truth(rows)),
                intervals: intervals_of(table, rows, values, seed),
                by_pattern: by_pattern(table, rows, values, Figures::of),
            }
        };
        Ok(Self {
            held_out: (!given.held_out.is_empty()).then(|| part(&given.held_out, &judged.held_out)),
            held_out_found: as_found(table, &split.held_out, &judged.held_out, seed),
            unknown_specimens: part(&given.train, &unknown),
            unknown_found: as_found(table, &split.train, &unknown, seed),
            unknown_patterns: patterns.map(|values| part(&given.train, &values)),
            contrasts,
            simulated_only: descriptors_simulated_only(course, &given, plain, seed)?,
        })
    }
}

/// Box features of every given row; none unless every one has a box.
pub fn all_geometry(table: &Table) -> Option<Vec<Vec<f32>>> {
    let boxes: Option<Vec<_>> = table.given().iter().map(|row| row.cell).collect();
    let boxes = boxes?;
    let mut by_image: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for (row, cell) in table.given().iter().zip(&boxes) {
        by_image.entry(row.image).or_default().push(*cell);
    }
    let typical: BTreeMap<usize, f32> =
        by_image.iter().map(|(image, boxes)| (*image, typical_size(boxes))).collect();
    let features = table.given().iter().zip(&boxes);
    Some(features.map(|(row, cell)| box_geometry(cell, typical[&row.image])).collect())
}

/// Descriptors after Miros 2015 of every row.
pub fn all_descriptors(samples: &[Sample]) -> Vec<Vec<f32>> {
    let of = |sample: &Sample| miros(&sample.patch(&sample.window), &sample.levels);
    samples.par_iter().map(of).collect()
}

/// Brightness of every row.
pub fn all_brightness(samples: &[Sample]) -> Vec<Vec<f32>> {
    let of = |sample: &Sample| brightness(&sample.patch(&sample.window), &sample.levels);
    samples.par_iter().map(of).collect()
}
