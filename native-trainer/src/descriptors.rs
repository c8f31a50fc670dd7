//! Hand-made descriptors of a cell, and the two published methods that stand on such.
//!
//! Invariant: a descriptor sees the patch and its field's grey levels alone, never the box, and is
//! finite for every patch.

mod geometry;
mod gradients;
mod mask;
pub mod miros;
mod patterns;
mod shape;
pub mod tonti;
