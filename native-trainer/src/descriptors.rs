//! Two published baselines for the same task: hand-crafted descriptors instead of learned ones.
//!
//! Invariant: a descriptor depends on a cell's patch and its field's grey levels alone, never on its
//! box, is finite for every patch, and does not change when the patch is turned by a quarter or
//! mirrored.
//!
//! [`miros()`] is for a support vector machine, [`tonti()`] decides without labels. What they are made of:
//! [`planes`] (two scalings of the grey), [`regions`] (which pixels), [`intensity`], [`radial`],
//! [`hog`], [`lbp`], [`cooccurrence`], [`mask`] with [`shape`], and [`mixture`] (the clustering).

pub mod cooccurrence;
pub mod hog;
pub mod intensity;
pub mod lbp;
pub mod mask;
pub mod miros;
pub mod mixture;
pub mod planes;
pub mod radial;
pub mod regions;
pub mod shape;
pub mod tonti;

pub use miros::miros;
pub use tonti::tonti;

#[cfg(test)]
mod tests;
