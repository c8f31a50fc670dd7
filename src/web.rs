//! The face of the library in a browser: JavaScript values in, JavaScript values out.
//!
//! Invariant: no logic of its own; every pixel and every number comes from the other modules.

#![deny(clippy::unwrap_used)]

mod backend;
mod cell_set;

use js_sys::{Object, Reflect, Uint8ClampedArray};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use self::backend::Backend;
use self::cell_set::CellSet;
use crate::cells::{self, CellBox};
use crate::classifier::{Classifier, Prediction, Surroundings};
use crate::decode::DecodeOptions;
use crate::embedder::EMBEDDING;
use crate::model::{Manifest, Model, sha256};
use crate::preprocess::{CutCells, Patch, Preprocess};
use crate::references::{PICTURE_SIDE, ReferenceCell};
use crate::{Error, GreyImage, decode};

impl From<Error> for JsValue {
    /// A JavaScript `Error` with the sentence for a person and a stable `code`.
    fn from(error: Error) -> Self {
        let js = js_sys::Error::new(&error.to_string());
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&js, &"code".into(), &error.code().into());
        js.into()
    }
}

/// Tells the console where a panic came from, before the trap hides it.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
    }));
}

/// A loaded model on a device.
#[wasm_bindgen]
pub struct Scope {
    classifier: Classifier,
    preprocess: Preprocess,
    info: JsValue,
}

/// What runs, for the page and for every export.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    version: &'a str,
    model_sha256: String,
    preset: &'a str,
    backend: Backend,
    manifest: &'a Manifest,
}

/// One cell as the page gets it.
#[derive(Serialize)]
struct Classified {
    #[serde(flatten)]
    prediction: Prediction,
    #[serde(flatten)]
    surroundings: Surroundings,
}

/// The references as the page gets them.
#[derive(Serialize)]
struct KnownCells<'a> {
    cells: &'a [ReferenceCell],
    points: Vec<[f32; 2]>,
}

#[wasm_bindgen]
impl Scope {
    /// Reads a model file and opens the device of a backend that `chooseBackend` has chosen.
    ///
    /// # Errors
    /// [`Error::Model`] for a bad model file, [`Error::Device`] when the device cannot be used.
    pub async fn load(model: &[u8], backend: JsValue) -> Result<Scope, Error> {
        let backend: Backend = serde_wasm_bindgen::from_value(backend)
            .map_err(|error| Error::Device(format!("this is no backend: {error}")))?;
        let model_sha256 = sha256(model);
        let model = Model::from_bytes(model)?;
        let device = backend.open().await?;
        let info = Info {
            version: env!("CARGO_PKG_VERSION"),
            model_sha256,
            preset: &model.manifest.preset,
            backend,
            manifest: &model.manifest,
        };
        let info = to_js(&info)?;
        let preprocess = model.manifest.preprocess.clone();
        Ok(Scope { classifier: Classifier::new(model, device), preprocess, info })
    }

    /// `{version, modelSha256, preset, backend: {kind, adapter, software, reason, note}, manifest}`.
    pub fn info(&self) -> JsValue {
        self.info.clone()
    }

    /// Does what the first cell would otherwise wait for; best while the user still picks files.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    #[wasm_bindgen(js_name = warmUp)]
    pub async fn warm_up(&self) -> Result<(), Error> {
        self.classifier.warm_up().await
    }

    /// The cells that segmentation finds in a field.
    ///
    /// # Errors
    /// [`Error::Cell`] when there are none.
    #[wasm_bindgen(js_name = cellsOfField)]
    pub fn cells_of_field(&self, image: &Image) -> Result<CellSet, Error> {
        let boxes = cells::find_cells(&image.0)?;
        let cells = self.preprocess.cut_field(&image.0, &boxes)?;
        Ok(CellSet::new(boxes, cells))
    }

    /// The cells in the given boxes `{x, y, w, h}[]` of a field.
    ///
    /// # Errors
    /// [`Error::Cell`] when a box is malformed or outside the image.
    #[wasm_bindgen(js_name = cellsOfBoxes)]
    pub fn cells_of_boxes(&self, image: &Image, boxes: JsValue) -> Result<CellSet, Error> {
        let boxes: Vec<CellBox> = serde_wasm_bindgen::from_value(boxes)
            .map_err(|error| Error::Cell(format!("boxes must be [{{x, y, w, h}}]: {error}")))?;
        let cells = self.preprocess.cut_field(&image.0, &boxes)?;
        Ok(CellSet::new(boxes, cells))
    }

    /// Each image is one cell; all of them share their grey levels. Takes the images.
    #[wasm_bindgen(js_name = cellsOfCrops)]
    pub fn cells_of_crops(&self, images: Vec<Image>) -> CellSet {
        let boxes = images.iter().map(|Image(image)| CellBox::whole(image)).collect();
        CellSet::new(boxes, self.preprocess.cut_crops(images.iter().map(|Image(image)| image)))
    }

    /// The embeddings of `count` cells from index `from` on, one after the other, of 128 numbers each.
    ///
    /// # Errors
    /// [`Error::NotClassifiable`] or [`Error::Device`].
    pub async fn embed(
        &self,
        cells: &CellSet,
        from: usize,
        count: usize,
    ) -> Result<Vec<f32>, Error> {
        let CutCells { patches, levels } = &cells.cells;
        let chosen = patches.iter().skip(from).take(count);
        let inputs: Vec<_> = chosen.map(|patch| self.preprocess.input(patch, levels)).collect();
        Ok(self.classifier.embed(&inputs).await?.concat())
    }

    /// Compares cells with one another, given their embeddings one after the other: those of all cells of
    /// the set, or of as many as are there yet. These are the cells that `judge` judges.
    pub fn compare(&self, cells: &mut CellSet, embeddings: &[f32]) {
        cells.embeddings = embeddings.chunks(EMBEDDING).map(<[f32]>::to_vec).collect();
        cells.features = self.classifier.features(&cells.embeddings);
    }

    /// The verdicts on `count` of the compared cells from index `from` on:
    /// `{decisionValue, probability, prediction, doubt, point, neighbours}[]`.
    ///
    /// `doubt` names the limit of the model that the cell is beyond; `point` is `[x, y]` on the map of the
    /// references and `neighbours` are the nearest of them, `{index, distance}[]`, null and empty for a
    /// model without references.
    ///
    /// # Errors
    /// [`Error::NotClassifiable`].
    pub fn judge(&self, cells: &CellSet, from: usize, count: usize) -> Result<JsValue, Error> {
        let CutCells { patches, levels } = &cells.cells;
        let compared = patches.iter().zip(&cells.embeddings).zip(&cells.features);
        let classified = |((patch, embedding), features): ((&Patch, &Vec<f32>), &Vec<f32>)| {
            let prediction = self.classifier.judge(patch, levels, features)?;
            Ok(Classified { prediction, surroundings: self.classifier.surroundings(embedding) })
        };
        let classified = compared.skip(from).take(count).map(classified);
        to_js(&classified.collect::<Result<Vec<_>, Error>>()?)
    }

    /// The model's references: `{cells: {label, kind}[], points: [x, y][]}`.
    ///
    /// # Errors
    /// None in practice: every reference has a JavaScript form.
    pub fn references(&self) -> Result<JsValue, Error> {
        let references = &self.classifier.model().references;
        to_js(&KnownCells { cells: references.cells(), points: references.places() })
    }

    /// `{width, height, rgba}` of one of the model's references.
    ///
    /// # Errors
    /// [`Error::Cell`] when there is no such reference.
    #[wasm_bindgen(js_name = referenceThumbnail)]
    pub fn reference_thumbnail(&self, index: usize) -> Result<JsValue, Error> {
        let grey = self.classifier.model().references.picture(index);
        let grey = grey.ok_or_else(|| Error::Cell(format!("there is no reference {index}")))?;
        let rgba = grey.iter().flat_map(|g| [*g, *g, *g, 255]).collect();
        Ok(picture(&decode::Preview { width: PICTURE_SIDE, height: PICTURE_SIDE, rgba }))
    }

    /// The network's input of one cell: three channels of 128 x 128 values.
    ///
    /// # Errors
    /// [`Error::Cell`] when there is no such cell.
    pub fn input(&self, cells: &CellSet, index: usize) -> Result<Vec<f32>, Error> {
        Ok(self.preprocess.input(cells.patch(index)?, &cells.cells.levels))
    }
}

/// A decoded image.
#[wasm_bindgen]
pub struct Image(GreyImage);

/// Reads PNG, TIFF, BMP or JPEG bytes.
///
/// # Errors
/// [`Error::Image`] when they are damaged, too large or of an unsupported kind.
#[wasm_bindgen]
pub fn decode(bytes: &[u8]) -> Result<Image, Error> {
    decode::decode(bytes).map(Image)
}

/// Reads one page (from 0 on) and one channel (`brightest`, `red`, `green` or `blue`) of a file.
///
/// # Errors
/// [`Error::Image`] as for [`decode`], and for a page or a channel that there is not.
#[wasm_bindgen(js_name = decodePage)]
pub fn decode_page(bytes: &[u8], page: usize, channel: &str) -> Result<Image, Error> {
    let options = DecodeOptions { page, channel: channel.parse()? };
    decode::decode_with(bytes, &options).map(Image)
}

/// What a file offers to choose from: `{pages, coloured}`.
///
/// # Errors
/// [`Error::Image`] when its header is damaged, too large or of an unsupported kind.
#[wasm_bindgen]
pub fn contents(bytes: &[u8]) -> Result<JsValue, Error> {
    to_js(&decode::contents(bytes)?)
}

#[wasm_bindgen]
impl Image {
    /// Width in pixels.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// Height in pixels.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> usize {
        self.0.height()
    }

    /// Whether it is small enough to be the image of one cell.
    #[wasm_bindgen(js_name = isCrop)]
    pub fn is_crop(&self) -> bool {
        cells::is_crop(&self.0)
    }

    /// `{width, height, rgba}`, stretched for the eye, its longer side at most `max_side`.
    ///
    /// # Errors
    /// None in practice: every picture has a JavaScript form.
    pub fn preview(&self, max_side: usize) -> Result<JsValue, Error> {
        Ok(picture(&decode::preview(&self.0, max_side)))
    }
}

/// A picture as the page gets it: `{width, height, rgba}`.
fn picture(preview: &decode::Preview) -> JsValue {
    let rgba = Uint8ClampedArray::from(preview.rgba.as_slice());
    let (width, height) = (preview.width.into(), preview.height.into());
    object([("width", width), ("height", height), ("rgba", rgba.into())])
}

fn object<const N: usize>(properties: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in properties {
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

/// JavaScript's form of a value, maps as plain objects.
fn to_js(value: &impl Serialize) -> Result<JsValue, Error> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|error| Error::Device(error.to_string()))
}
