//! The cells of a table's fields once more, in the boxes that the detector finds: what becomes of a user's field.
//!
//! Invariant: rows of found cells stand after all given ones; a given box is the owner of at most one found box.

use std::collections::BTreeSet;

use anyhow::Result;
use mitoscope::cells::{CellBox, find_cells};
use mitoscope::classifier::Label;
use rayon::prelude::*;

use crate::table::{Group, Row, Table};

/// How the found cells of a table stand to its given ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Given rows that no found box is for.
    pub missed: BTreeSet<usize>,
    /// Found rows whose centre lies in no given box.
    pub strays: BTreeSet<usize>,
}

/// Adds the found cells of every field.
///
/// A found box has the label of the given box that [`owns`] it. One in no given box is no mitotic cell, so it is
/// labelled interphase: whoever labels a field draws a box around every mitotic cell, though it be without label.
/// One in a given box that owns another has no label. Where crops name no specimen, cells cannot be kept apart,
/// and the table is left as it is.
///
/// # Errors
/// When an image cannot be read or a box lies outside.
pub fn with_found(table: &Table) -> Result<Table> {
    let mut all = table.clone().with_named_fields()?;
    let fields: Vec<Group> =
        table.groups().into_iter().filter(|group| table.is_field(group)).collect();
    if all.rows.iter().any(|row| row.specimen.is_empty()) {
        return Ok(table.clone());
    }
    let found = fields.par_iter().map(|field| found_in(&all, field));
    let found = found.collect::<Result<Vec<_>>>()?;
    for InField { missed, cells } in found {
        all.found.missed.extend(missed);
        for (row, stray) in cells {
            if stray {
                all.found.strays.insert(all.rows.len());
            }
            all.rows.push(row);
        }
    }
    Ok(all)
}

/// What is found in one field.
struct InField {
    /// Given rows that are not.
    missed: Vec<usize>,
    /// Cells, and whether each is a stray.
    cells: Vec<(Row, bool)>,
}

fn found_in(table: &Table, field: &Group) -> Result<InField> {
    let first = &table.rows[field.rows[0]];
    // A field in which no cell is found has no found cell: all of its own are missed.
    let found = find_cells(&table.image(first.image)?).unwrap_or_default();
    let given: Vec<CellBox> = field.rows.iter().filter_map(|row| table.rows[*row].cell).collect();
    let owned = owns(&given, &found);
    let row = |(place, cell): (usize, &CellBox)| {
        let owner = owned.iter().position(|one| *one == Some(place));
        let stray = !given.iter().any(|given| holds(given, cell.center()));
        let label = match owner {
            Some(owner) => table.rows[field.rows[owner]].label,
            None => stray.then_some(Label::Interphase),
        };
        (Row { cell: Some(*cell), label, ..first.clone() }, stray)
    };
    let missed = field.rows.iter().zip(&owned).filter(|(_, one)| one.is_none());
    Ok(InField {
        missed: missed.map(|(row, _)| *row).collect(),
        cells: found.iter().enumerate().map(row).collect(),
    })
}

/// For every given box the nearest found box whose centre it holds and that is no earlier one's.
pub fn owns(given: &[CellBox], found: &[CellBox]) -> Vec<Option<usize>> {
    let mut taken = vec![false; found.len()];
    let mut own = |given: &CellBox| {
        let (cx, cy) = given.center();
        let distance = |b: &CellBox| (b.center().0 - cx).hypot(b.center().1 - cy);
        let own = (0..found.len())
            .filter(|i| !taken[*i] && holds(given, found[*i].center()))
            .min_by(|a, b| distance(&found[*a]).total_cmp(&distance(&found[*b])));
        own.iter().for_each(|i| taken[*i] = true);
        own
    };
    given.iter().map(&mut own).collect()
}

/// Whether a point lies in a box.
pub fn holds(cell: &CellBox, (x, y): (f32, f32)) -> bool {
    (cell.x..=cell.x + cell.w).contains(&x) && (cell.y..=cell.y + cell.h).contains(&y)
}

#[cfg(test)]
mod tests;
