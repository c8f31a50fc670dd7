//! Cells of known label that a model carries along: the nearest of them show a reader what a decision
//! rests on, and they span the map on which embeddings are drawn.
//!
//! Invariant: every reference has a unit embedding, a picture and a place in one list; the two axes of the
//! map are orthonormal.

use serde::{Deserialize, Serialize};
use smartcore::decomposition::pca::{PCA, PCAParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::Error;
use crate::classifier::Label;
use crate::svm::distance;

/// Side of a reference's picture, in pixels.
pub const PICTURE_SIDE: usize = 64;

/// How far an embedding's length may be from 1, and the axes from orthonormal.
const LENGTH_TOLERANCE: f32 = 1e-3;

/// What is known of one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceCell {
    /// The class it is known to be of.
    pub label: Label,
    /// What it is in more detail, such as its phase and staining pattern; may be empty.
    pub kind: String,
}

/// A reference near an embedding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Neighbour {
    /// Index of the reference.
    pub index: usize,
    /// Euclidean distance of the two unit embeddings, 0 to 2.
    pub distance: f32,
}

/// The references of a model; there may be none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct References {
    cells: Vec<ReferenceCell>,
    embeddings: Vec<f32>,
    pictures: Vec<u8>,
    axes: Vec<f32>,
    dim: usize,
}

impl References {
    /// Takes the references and finds the map's axes, the two first principal components of their
    /// embeddings, so that the same references always give the same map.
    ///
    /// # Shapes
    /// - `embeddings`: `[n, dim]`, rows of length 1
    /// - `pictures`: `[n, PICTURE_SIDE, PICTURE_SIDE]`, grey
    ///
    /// # Errors
    /// [`Error::Model`] when the lengths differ, an embedding is not of length 1, or there are fewer
    /// than three.
    pub fn new(
        cells: Vec<ReferenceCell>,
        embeddings: Vec<f32>,
        pictures: Vec<u8>,
        dim: usize,
    ) -> Result<Self, Error> {
        let n = cells.len();
        if n < 3 || dim < 2 {
            return refuse(format!("{n} references of {dim} values span no map: give 3 or more"));
        }
        // Checked before they are used, with axes that are right in any case.
        let mut axes = vec![0.0; 2 * dim];
        (axes[0], axes[dim + 1]) = (1.0, 1.0);
        let mut references = Self::from_parts(cells, embeddings, pictures, axes, dim)?;
        references.axes = principal_axes(&references.embeddings, n, dim)?;
        Ok(references)
    }

    /// Puts together what a model file holds; `axes` is `[2, dim]`.
    pub(crate) fn from_parts(
        cells: Vec<ReferenceCell>,
        embeddings: Vec<f32>,
        pictures: Vec<u8>,
        axes: Vec<f32>,
        dim: usize,
    ) -> Result<Self, Error> {
        let n = cells.len();
        if embeddings.len() != n * dim || pictures.len() != n * PICTURE_SIDE * PICTURE_SIDE {
            return refuse(format!("{n} cells, but embeddings or pictures of another number"));
        }
        let unit = |row: &[f32]| (dot(row, row) - 1.0).abs() <= LENGTH_TOLERANCE;
        if let Some(i) = embeddings.chunks_exact(dim.max(1)).position(|row| !unit(row)) {
            return refuse(format!("the embedding of cell {i} is not of length 1"));
        }
        let Some((first, second)) = axes.split_at_checked(dim) else {
            return refuse("the map has no axes");
        };
        if second.len() != dim || !unit(first) || !unit(second) {
            return refuse("the axes of the map are not two of length 1");
        }
        let across = dot(first, second);
        if across.is_nan() || across.abs() > LENGTH_TOLERANCE {
            return refuse("the axes of the map are not at right angles");
        }
        Ok(Self { cells, embeddings, pictures, axes, dim })
    }

    /// The references in order.
    pub fn cells(&self) -> &[ReferenceCell] {
        &self.cells
    }

    /// All embeddings, `[n, dim]`.
    pub fn embeddings(&self) -> &[f32] {
        &self.embeddings
    }

    /// All pictures, `[n, PICTURE_SIDE, PICTURE_SIDE]`, grey, for the eye only.
    pub fn pictures(&self) -> &[u8] {
        &self.pictures
    }

    /// The axes of the map, `[2, dim]`.
    pub fn axes(&self) -> &[f32] {
        &self.axes
    }

    /// The picture of one reference.
    pub fn picture(&self, index: usize) -> Option<&[u8]> {
        self.pictures.chunks_exact(PICTURE_SIDE * PICTURE_SIDE).nth(index)
    }

    /// The `k` nearest references of an embedding, nearest first; fewer when there are fewer.
    pub fn nearest(&self, embedding: &[f32], k: usize) -> Vec<Neighbour> {
        let rows = self.embeddings.chunks_exact(self.dim.max(1));
        let mut all: Vec<Neighbour> = rows
            .enumerate()
            .map(|(index, row)| Neighbour { index, distance: distance(row, embedding) })
            .collect();
        all.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        all.truncate(k);
        all
    }

    /// The place of an embedding on the map; none without references.
    pub fn place(&self, embedding: &[f32]) -> Option<[f32; 2]> {
        let (first, second) = self.axes.split_at_checked(self.dim)?;
        (!self.cells.is_empty()).then(|| [dot(first, embedding), dot(second, embedding)])
    }

    /// The places of the references themselves.
    pub fn places(&self) -> Vec<[f32; 2]> {
        let rows = self.embeddings.chunks_exact(self.dim.max(1));
        rows.filter_map(|row| self.place(row)).collect()
    }
}

/// Two first principal components of `n` rows, each turned so that its largest part is positive.
fn principal_axes(rows: &[f32], n: usize, dim: usize) -> Result<Vec<f32>, Error> {
    // Not for the whole module: it gives every Vec another `get`.
    use smartcore::linalg::basic::arrays::Array;
    let fail = |e: &dyn std::fmt::Display| Error::Model(format!("references: no map: {e}"));
    let rows = rows.iter().copied().map(f64::from).collect();
    let matrix = DenseMatrix::new(n, dim, rows, false).map_err(|e| fail(&e))?;
    let parameters = PCAParameters::default().with_n_components(2);
    let pca = PCA::fit(&matrix, parameters).map_err(|e| fail(&e))?;
    let components = pca.components();
    let mut axes = Vec::with_capacity(2 * dim);
    for column in 0..2 {
        let axis: Vec<f64> = (0..dim).map(|row| *components.get((row, column))).collect();
        let largest = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        let sign = largest.unwrap_or(1.0).signum();
        axes.extend(axis.iter().map(|v| (v * sign) as f32));
    }
    Ok(axes)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn refuse<T>(reason: impl std::fmt::Display) -> Result<T, Error> {
    Err(Error::Model(format!("references: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(i: usize) -> ReferenceCell {
        let label = if i.is_multiple_of(2) { Label::Mitotic } else { Label::Interphase };
        ReferenceCell { label, kind: format!("kind {i}") }
    }

    /// Points near a great circle in the plane of axes 2 and 0, the spread larger along 2.
    fn references() -> References {
        let (n, dim) = (12, 5);
        let embeddings = (0..n).flat_map(|i| {
            let angle = (i as f32 / (n - 1) as f32 - 0.5) * 2.0;
            let row = [angle.cos(), 0.0, angle.sin(), 0.0, 0.0];
            row.into_iter()
        });
        let pictures = (0..n).flat_map(|i| vec![i as u8; PICTURE_SIDE * PICTURE_SIDE]).collect();
        let cells = (0..n).map(cell).collect();
        References::new(cells, embeddings.collect(), pictures, dim).expect("references")
    }

    #[test]
    fn the_map_is_spanned_by_the_largest_spread() {
        let references = references();
        let places = references.places();
        let rows: Vec<&[f32]> = references.embeddings().chunks_exact(5).collect();
        for (row, [x, y]) in rows.iter().zip(&places) {
            assert!((x - row[2]).abs() < 1e-5 && (y - row[0]).abs() < 1e-5, "{row:?}: {x}, {y}");
        }
        assert_eq!(references.place(&[0.0; 5]), Some([0.0, 0.0]));
    }

    #[test]
    fn the_nearest_come_first() {
        let references = references();
        let row = references.embeddings()[3 * 5..4 * 5].to_vec();
        let nearest = references.nearest(&row, 3);
        assert_eq!(nearest[0], Neighbour { index: 3, distance: 0.0 });
        assert_eq!(nearest[1].index + nearest[2].index, 2 + 4);
        assert!(nearest[1].distance <= nearest[2].distance);
        let opposite: Vec<f32> = row.iter().map(|v| -v).collect();
        assert!((references.nearest(&opposite, 99)[11].distance - 2.0).abs() < 1e-5);
        assert_eq!(references.picture(7).map(|p| p[0]), Some(7));
        assert_eq!(references.picture(12), None);
    }

    #[test]
    fn none_is_none() {
        let none = References::default();
        assert_eq!(none.place(&[1.0, 0.0]), None);
        assert!(none.nearest(&[1.0, 0.0], 3).is_empty() && none.places().is_empty());
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let n = 4;
        let cells: Vec<_> = (0..n).map(cell).collect();
        let pictures = vec![0; n * PICTURE_SIDE * PICTURE_SIDE];
        let rows = |value: f32| vec![value; n * 4];
        let axes = |a: f32| vec![1.0, 0.0, 0.0, 0.0, 0.0, a, 0.0, 0.0];
        let parts = |rows: Vec<f32>, pictures: &[u8], axes: Vec<f32>| {
            References::from_parts(cells.clone(), rows, pictures.to_vec(), axes, 4)
        };
        assert!(parts(rows(0.5), &pictures, axes(1.0)).is_ok());
        assert!(parts(rows(0.6), &pictures, axes(1.0)).is_err());
        assert!(parts(rows(f32::NAN), &pictures, axes(1.0)).is_err());
        assert!(parts(rows(0.5), &pictures[1..], axes(1.0)).is_err());
        assert!(parts(rows(0.5), &pictures, axes(0.9)).is_err());
        assert!(parts(rows(0.5), &pictures, vec![1.0, 0.0, 0.0, 0.0]).is_err());
        let slanted = vec![1.0, 0.0, 0.0, 0.0, 0.6, 0.8, 0.0, 0.0];
        assert!(parts(rows(0.5), &pictures, slanted).is_err());
        assert!(References::new(cells[..2].to_vec(), vec![0.5; 8], vec![0; 8192], 4).is_err());
    }
}
