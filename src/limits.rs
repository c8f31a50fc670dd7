//! What a model does not claim to know: cells that are imaged worse, or look otherwise, than those it
//! was made from, and cells whose decision value could be of either class.
//!
//! Invariant: the trainer measures what depends on the network on cells that it did not know, and the page
//! and the native program apply the limits by one function.

use serde::{Deserialize, Serialize};

use crate::quality::Quality;

/// Why a cell is uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doubt {
    /// It hardly stands out from its background.
    Faint,
    /// Much of it is as bright as the camera can tell.
    Saturated,
    /// It is out of focus.
    Blurred,
    /// It is unlike all that the model was made from.
    Unlike,
    /// Its decision value lies where the model abstains, or in the margin of the support vector machine.
    Margin,
    /// Boundary, threshold and operating points do not all call it the same.
    Points,
}

impl Doubt {
    /// Its name in a table.
    pub fn name(self) -> &'static str {
        match self {
            Doubt::Faint => "faint",
            Doubt::Saturated => "saturated",
            Doubt::Blurred => "blurred",
            Doubt::Unlike => "unlike",
            Doubt::Margin => "margin",
            Doubt::Points => "points",
        }
    }
}

/// The limits of a model, part of its manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Least contrast and sharpness, and largest saturation.
    pub quality: Quality,
    /// Largest distance of a cell's features from the nearest support vector; none where the network knew
    /// all cells.
    pub distance: Option<f32>,
    /// Where the model abstains; none where it was made from too few cells to say.
    pub abstention: Option<Abstention>,
}

/// Decision values for which conformal prediction names both classes or none (Vovk et al.,
/// *Algorithmic Learning in a Random World*, 2005; by class, so that it holds for the rare one too);
/// they include the boundary 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abstention {
    /// At least this share of mitotic cells is called mitotic or abstained from, if cells to come are like
    /// those of the calibration.
    pub mitotic: f64,
    /// Likewise of interphase cells.
    pub interphase: f64,
    /// The model abstains from this decision value on.
    pub low: f64,
    /// Up to this one.
    pub high: f64,
}

impl Limits {
    /// The first limit that a cell is beyond, given how it is imaged and how far its features lie from
    /// the nearest support vector.
    pub fn doubt(&self, quality: &Quality, distance: f32) -> Option<Doubt> {
        if quality.contrast < self.quality.contrast {
            Some(Doubt::Faint)
        } else if quality.saturation > self.quality.saturation {
            Some(Doubt::Saturated)
        } else if quality.sharpness < self.quality.sharpness {
            Some(Doubt::Blurred)
        } else {
            self.distance.is_some_and(|limit| distance > limit).then_some(Doubt::Unlike)
        }
    }

    /// The first number that cannot be a limit.
    pub(crate) fn bad_number(&self) -> Option<f64> {
        let Quality { contrast, saturation, sharpness } = self.quality;
        let single = [Some(contrast), Some(saturation), Some(sharpness), self.distance];
        let double = self.abstention.map_or([0.0; 4], |a| [a.mitotic, a.interphase, a.low, a.high]);
        single.into_iter().flatten().map(f64::from).chain(double).find(|v| !v.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_limit_that_is_passed_is_told() {
        let at = Quality { contrast: 0.5, saturation: 0.2, sharpness: 0.01 };
        let limits = Limits { quality: at, distance: Some(0.7), abstention: None };
        assert_eq!(limits.doubt(&at, 0.7), None, "the limits themselves are within");
        let check = |quality, distance, doubt| {
            assert_eq!(limits.doubt(&quality, distance), Some(doubt), "{quality:?} {distance}");
        };
        check(Quality { contrast: 0.4, saturation: 1.0, sharpness: 0.0 }, 2.0, Doubt::Faint);
        check(Quality { saturation: 0.3, sharpness: 0.0, ..at }, 2.0, Doubt::Saturated);
        check(Quality { sharpness: 0.0, ..at }, 2.0, Doubt::Blurred);
        check(at, 0.8, Doubt::Unlike);
        let boundless = Limits { distance: None, ..limits };
        assert_eq!(boundless.doubt(&at, 2.0), None);
    }

    #[test]
    fn numbers_that_are_not_finite_are_found() {
        let quality = Quality { contrast: 0.5, saturation: 0.2, sharpness: 0.01 };
        let abstention = Abstention { mitotic: 0.9, interphase: 0.99, low: -0.5, high: 0.5 };
        let limits = Limits { quality, distance: Some(0.7), abstention: Some(abstention) };
        assert_eq!(limits.bad_number(), None);
        let far = Limits { distance: Some(f32::INFINITY), ..limits.clone() };
        assert_eq!(far.bad_number(), Some(f64::INFINITY));
        let high = Abstention { high: f64::NAN, ..abstention };
        assert!(Limits { abstention: Some(high), ..limits }.bad_number().is_some());
    }
}
