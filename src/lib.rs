//! mitoscope finds mitotic HEp-2 cells in immunofluorescence images.
//!
//! The modules in the order a cell passes them: [`decode`] (bytes to grey image), [`cells`] (field
//! to cell boxes), [`preprocess`] (cell to network input), [`embedder`] (input to embedding),
//! [`svm`] (embedding to decision value), [`classifier`] (all of it); [`model`] is the file that
//! holds what was learned, [`device`] where the network runs. Everything is pure: bytes in, values
//! out.

pub mod cells;
pub mod classifier;
pub mod decode;
pub mod device;
pub mod embedder;
mod error;
pub mod grey;
mod image;
pub mod model;
pub mod preprocess;
pub mod svm;
#[cfg(target_arch = "wasm32")]
mod web;

pub use error::Error;
pub use image::GreyImage;
