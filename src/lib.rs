//! mitoscope finds mitotic HEp-2 cells in immunofluorescence images.
//!
//! The modules in the order a cell passes them: [`decode`] (bytes to grey image), [`cells`] (field
//! to cell boxes), [`preprocess`] (cell to network input), [`embedder`] (input to embedding),
//! [`features`] (embeddings of a field's cells to what is decided on), [`svm`] (features to decision
//! value), [`classifier`] (all of it), [`specimen`] (the decision values of all cells to a verdict);
//! [`model`] is the file that holds what was learned, [`references`] the known cells in it,
//! [`quality`] and [`limits`] what it does not claim to know, [`device`] where the network runs.
//! Everything is pure: bytes in, values out.
//!
//! ```
//! # async fn run() -> Result<(), mitoscope::Error> {
//! use mitoscope::{GreyImage, cells::find_cells, classifier::Classifier, device::Device, model::Model};
//!
//! // A field of one bright nucleus; `decode::decode` makes one of a file's bytes.
//! let disc = |i: usize| if (i % 200).abs_diff(100).pow(2) + (i / 200).abs_diff(80).pow(2) < 900 {
//!     0.8
//! } else {
//!     0.05
//! };
//! let field = GreyImage::new(200, 160, (0..200 * 160).map(disc).collect())?;
//! let boxes = find_cells(&field)?;
//! assert_eq!(boxes.len(), 1);
//!
//! let file = std::fs::read("www/model/model.safetensors").expect("the bundled model");
//! let model = Model::from_bytes(&file)?;
//! let cells = model.manifest.preprocess.cut_field(&field, &boxes)?;
//! let verdicts = Classifier::new(model, Device::Cpu).classify(&cells).await?;
//! println!("{:?} at {:.2}", verdicts[0].prediction, verdicts[0].decision_value);
//! # Ok(())
//! # }
//! # pollster::block_on(run()).unwrap();
//! ```

pub mod cells;
pub mod classifier;
pub mod decode;
pub mod device;
pub mod embedder;
mod error;
pub mod features;
pub mod grey;
mod image;
pub mod limits;
pub mod model;
pub mod preprocess;
pub mod quality;
pub mod references;
pub mod specimen;
pub mod svm;
#[cfg(target_arch = "wasm32")]
mod web;

pub use error::Error;
pub use image::GreyImage;
