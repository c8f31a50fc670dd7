//! Where a burnt-in scale bar is, which is no cell.
//!
//! Invariant: only pixels of one and the same value make a bar, and the rows beside it are not of that value: what a
//! camera saturates is round.

use crate::GreyImage;
use crate::cells::CellBox;

/// Dimmest bar, relative to the brightest pixel.
const DIMMEST: f32 = 0.4;
/// Thickest bar, relative to its length.
const THICKEST: f32 = 0.4;
/// Height of the caption above a thin bar, relative to its length.
const CAPTION: f32 = 0.16;

/// The place of a scale bar with its caption: a bright line or rectangle of one value, longer than a
/// twentieth of the image; the caption stands in a thick bar, and is taken to stand above a thin one.
pub(super) fn scale_bar(image: &GreyImage) -> Option<CellBox> {
    let (width, height) = (image.width(), image.height());
    let brightest = image.pixels().iter().copied().fold(0.0, f32::max);
    let least = (width / 20).max(20);
    let rows: Vec<&[f32]> = image.pixels().chunks_exact(width).collect();
    let mut y = 0;
    while y < height {
        let mut start = 0;
        for run in rows[y].chunk_by(|a, b| a == b) {
            let (from, to) = (start, start + run.len());
            start = to;
            let value = run[0];
            if run.len() < least || value < DIMMEST * brightest || value == 0.0 {
                continue;
            }
            let same = |row: &&[f32]| {
                // Letters may cut holes into a row, but its ends stay where they are.
                let ends = [from, to - 1].iter().all(|x| row[*x] == value);
                let beyond = from.checked_sub(1).is_some_and(|x| row[x] == value)
                    || row.get(to).is_some_and(|v| *v == value);
                ends && !beyond
            };
            let thickest = (THICKEST * run.len() as f32) as usize;
            let thick = rows[y..].iter().take(thickest + 1).take_while(|row| same(row)).count();
            let filled = |row: &&[f32]| {
                2 * row[from..to].iter().filter(|v| **v == value).count() > run.len()
            };
            let beside = [y.checked_sub(1).map(|y| rows[y]), rows.get(y + thick).copied()];
            if beside.iter().flatten().any(filled) {
                continue;
            }
            let length = run.len() as f32;
            if thick == 0 || thick > thickest {
                continue;
            }
            let caption = if thick as f32 > CAPTION * length { 0.0 } else { CAPTION * length };
            let top = (y as f32 - caption).max(0.0);
            let bottom = (y + thick) as f32;
            return Some(CellBox { x: from as f32, y: top, w: length, h: bottom - top });
        }
        y += 1;
    }
    None
}
