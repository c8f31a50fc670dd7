//! The two scalings of a patch that every descriptor starts from.
//!
//! Invariant: both planes come from the project's one preprocessing and lie within 0 to 1.

use mitoscope::preprocess::{FieldLevels, Patch, Preprocess, SIDE};

/// Scaled grey values of one cell, each plane `SIDE * SIDE` row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Planes {
    /// Grey stretched to the patch's own range: form and texture without brightness.
    pub cell_scaled: Vec<f32>,
    /// Logarithm of the height over the background against the field's typical cell, which is at 0.5.
    pub field_scaled: Vec<f32>,
}

impl Planes {
    /// Both scalings of a patch.
    pub fn of(patch: &Patch, levels: &FieldLevels) -> Self {
        let mut cell_scaled = Preprocess::modern().input(patch, levels);
        let mut field_scaled = cell_scaled.split_off(SIDE * SIDE);
        field_scaled.truncate(SIDE * SIDE);
        Self { cell_scaled, field_scaled }
    }
}
