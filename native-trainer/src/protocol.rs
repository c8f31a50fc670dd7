//! The paper's protocol (section 4.1): which cells train, validate and test in each experiment.
//!
//! Invariant: every labelled cell is in exactly one part, each part holds both classes, and the
//! division depends only on the table, the setting, the set and the seed. Grouped, all cells of a
//! specimen are in one part.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use mitoscope::classifier::Label;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::table::Table;

/// One of the paper's three experimental settings.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[value(rename_all = "UPPER")]
pub enum Setting {
    /// 20 % training, 10 % validation, 70 % test.
    A,
    /// 40 % training, 10 % validation, 50 % test.
    B,
    /// 60 % training, 10 % validation, 30 % test.
    C,
}

impl Setting {
    /// Shares of the cells for training, validation and test; they add up to 1.
    pub fn shares(self) -> [f64; 3] {
        match self {
            Setting::A => [0.2, 0.1, 0.7],
            Setting::B => [0.4, 0.1, 0.5],
            Setting::C => [0.6, 0.1, 0.3],
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ex-{self:?}")
    }
}

/// Rows of a table for each purpose, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division {
    /// Rows that network and classifiers learn from.
    pub train: Vec<usize>,
    /// Rows on which a training is watched; nothing is fitted to them.
    pub validation: Vec<usize>,
    /// Rows whose verdicts count.
    pub test: Vec<usize>,
}

impl Division {
    /// Divides the labelled rows of a table at random, both classes alike.
    ///
    /// # Errors
    /// When a part is left without a cell of a class, or `grouped` and the table names no specimens.
    pub fn new(
        table: &Table,
        setting: Setting,
        set: usize,
        grouped: bool,
        seed: u64,
    ) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream((setting as u64) << 32 | set as u64);
        let mut parts = if grouped {
            whole_specimens(table, setting.shares(), &mut rng)?
        } else {
            single_cells(table, setting.shares(), &mut rng)
        };
        parts.iter_mut().for_each(|part| part.sort_unstable());
        for (part, name) in parts.iter().zip(["training", "validation", "test"]) {
            for class in [Label::Mitotic, Label::Interphase] {
                ensure!(
                    part.iter().any(|row| table.rows[*row].label == Some(class)),
                    "{setting}, set {set}: the {name} part is left without a cell labelled \
                     {class:?}; {} needs more cells{}",
                    table.source().display(),
                    if grouped { " or specimens" } else { "" }
                );
            }
        }
        let [train, validation, test] = parts;
        Ok(Self { train, validation, test })
    }
}

/// Divides each class by itself, cell by cell.
fn single_cells(table: &Table, shares: [f64; 3], rng: &mut ChaCha8Rng) -> [Vec<usize>; 3] {
    let mut parts: [Vec<usize>; 3] = Default::default();
    for class in [Label::Mitotic, Label::Interphase] {
        let mut cells: Vec<usize> =
            (0..table.rows.len()).filter(|row| table.rows[*row].label == Some(class)).collect();
        cells.shuffle(rng);
        let bound = |share: f64| (share * cells.len() as f64).round() as usize;
        let (first, second) = (bound(shares[0]), bound(shares[0] + shares[1]));
        parts[0].extend(&cells[..first]);
        parts[1].extend(&cells[first..second]);
        parts[2].extend(&cells[second..]);
    }
    parts
}

/// Gives each specimen, those with most mitotic cells first, to the part that lacks most; the last
/// ones with mitotic cells to parts that would be left without.
fn whole_specimens(
    table: &Table,
    shares: [f64; 3],
    rng: &mut ChaCha8Rng,
) -> Result<[Vec<usize>; 3]> {
    let mut specimens: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
    for (row, cell) in table.rows.iter().enumerate() {
        let Some(label) = cell.label else { continue };
        ensure!(
            !cell.specimen.is_empty(),
            "{}, row {}: grouped sets need a specimen for every labelled cell",
            table.source().display(),
            row + 1
        );
        specimens.entry(&cell.specimen).or_default()[usize::from(label != Label::Mitotic)]
            .push(row);
    }
    let totals = [0, 1].map(|c| specimens.values().map(|cells| cells[c].len()).sum::<usize>());
    let mut order: Vec<[Vec<usize>; 2]> = specimens.into_values().collect();
    order.shuffle(rng);
    order.sort_by_key(|[mitotic, _]| std::cmp::Reverse(mitotic.len()));
    let mut parts: [[Vec<usize>; 2]; 3] = Default::default();
    let mut mitotic_left = order.iter().filter(|cells| !cells[0].is_empty()).count();
    for cells in order {
        // Specimens with mitotic cells balance these, the others the interphase cells.
        let class = usize::from(cells[0].is_empty());
        let lacking = |part: usize| {
            shares[part] - parts[part][class].len() as f64 / totals[class].max(1) as f64
        };
        let lacks = [0, 1, 2].map(lacking);
        let without: Vec<usize> = (0..3).filter(|part| parts[*part][0].is_empty()).collect();
        let scarce = class == 0 && mitotic_left <= without.len();
        let candidates = if scarce { without } else { vec![0, 1, 2] };
        let most = candidates.into_iter().max_by(|a, b| lacks[*a].total_cmp(&lacks[*b]));
        let target = most.unwrap_or(0);
        mitotic_left -= usize::from(class == 0);
        for (part, cells) in parts[target].iter_mut().zip(cells) {
            part.extend(cells);
        }
    }
    Ok(parts.map(|[mitotic, interphase]| [mitotic, interphase].concat()))
}

#[cfg(test)]
mod tests;
