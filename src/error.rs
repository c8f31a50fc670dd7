//! The one error of the library: what was wrong, where, and what to do about it.

/// Everything that can go wrong between the bytes of an image and a verdict.
///
/// Each variant's text is one sentence for a person. [`Error::code`] is the stable name for programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no image that can be read faithfully: damaged, too large or of an unsupported kind.
    #[error("{0}")]
    Image(String),
    /// A cell box is outside its image, or an image holds no cell.
    #[error("{0}")]
    Cell(String),
    /// A model file is damaged, of another schema, of wrong shape or not finite.
    #[error("{0}")]
    Model(String),
    /// A classifier cannot be fitted to the samples given.
    #[error("{0}")]
    Fit(String),
    /// The compute device is missing or was lost.
    #[error("{0}")]
    Device(String),
    /// The network or the classifier gave a number that is not finite, so no label is given.
    #[error("{0}")]
    NotClassifiable(String),
}

impl Error {
    /// Stable name of the kind of error, for programs and for the page's messages.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Image(_) => "image",
            Error::Cell(_) => "cell",
            Error::Model(_) => "model",
            Error::Fit(_) => "fit",
            Error::Device(_) => "device",
            Error::NotClassifiable(_) => "not-classifiable",
        }
    }
}
