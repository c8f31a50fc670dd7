//! Whether probabilities can be taken at their word.

use serde::{Deserialize, Serialize};

/// Bins of equal width that [`Reliability`] looks at.
const BINS: usize = 10;

/// Probabilities of mitosis against what came true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Mean squared difference of probability and truth (Brier 1950); 0 is best.
    pub brier: f64,
    /// Mean difference of a bin's mean probability and its share of mitotic cells, weighted by its
    /// cells (expected calibration error); 0 is best.
    pub calibration_error: f64,
    /// The bins that hold a cell, ascending: the points of a reliability plot.
    pub bins: Vec<Bin>,
}

/// Cells of like probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Their number.
    pub cells: usize,
    /// Their mean probability.
    pub probability: f64,
    /// Share of them that is mitotic.
    pub mitotic: f64,
}

impl Reliability {
    /// Of probabilities within 0 to 1, one a cell; all 0 without a cell.
    pub fn of(probabilities: &[f64], mitotic: &[bool]) -> Self {
        let mut sums = [(0usize, 0.0, 0usize); BINS];
        let mut brier = 0.0;
        for (probability, mitotic) in probabilities.iter().zip(mitotic) {
            let sum = &mut sums[((probability * BINS as f64) as usize).min(BINS - 1)];
            *sum = (sum.0 + 1, sum.1 + probability, sum.2 + usize::from(*mitotic));
            brier += (probability - f64::from(u8::from(*mitotic))).powi(2);
        }
        let count = probabilities.len().max(1) as f64;
        let bins: Vec<Bin> = sums
            .into_iter()
            .filter(|(cells, _, _)| *cells > 0)
            .map(|(cells, probability, mitotic)| Bin {
                cells,
                probability: probability / cells as f64,
                mitotic: mitotic as f64 / cells as f64,
            })
            .collect();
        let off = |bin: &Bin| bin.cells as f64 * (bin.probability - bin.mitotic).abs();
        let calibration_error = bins.iter().map(off).sum::<f64>() / count;
        Self { brier: brier / count, calibration_error, bins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_that_comes_true_is_perfect() {
        let reliability = Reliability::of(&[0.0, 1.0, 1.0], &[false, true, true]);
        assert_eq!((reliability.brier, reliability.calibration_error), (0.0, 0.0));
        assert_eq!(reliability.bins.iter().map(|bin| bin.cells).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn equals_sums_by_hand() {
        // One bin of 0.1 and 0.15 with one mitotic cell, one bin of 0.85 without.
        let reliability = Reliability::of(&[0.1, 0.15, 0.85], &[true, false, false]);
        let brier = (0.9_f64.powi(2) + 0.15_f64.powi(2) + 0.85_f64.powi(2)) / 3.0;
        assert!((reliability.brier - brier).abs() < 1e-12);
        let error = (2.0 * (0.125_f64 - 0.5).abs() + 0.85) / 3.0;
        assert!((reliability.calibration_error - error).abs() < 1e-12);
    }

    #[test]
    fn no_cell_is_no_bin() {
        let reliability = Reliability::of(&[], &[]);
        assert_eq!((reliability.brier, reliability.bins.len()), (0.0, 0));
    }
}
