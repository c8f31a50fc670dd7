//! The safetensors layout of a model file, written and read by hand-checked rules.
//!
//! Invariant: metadata and tensors are sealed by one SHA-256; nothing is trusted before it matches.

use std::collections::{BTreeMap, HashMap};

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorInfo, TensorView};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Manifest, Precision, SCHEMA, hex, refuse};
use crate::Error;
use crate::references::{PICTURE_SIDE, ReferenceCell, References};
use crate::svm::Svm;

/// Longest header that is parsed; real ones are a few kilobytes.
const MAX_HEADER: u64 = 1 << 20;

const MANIFEST_KEY: &str = "mitoscope";
const DIGEST_KEY: &str = "payload_sha256";
const GAMMA_KEY: &str = "svm.gamma";
const BIAS_KEY: &str = "svm.bias";
const COEFFICIENTS: &str = "svm.coefficients";
const SUPPORT_VECTORS: &str = "svm.support_vectors";
const EMBEDDER: &str = "embedder.";
/// Key of the references' labels and kinds; it and the three tensors are absent without references.
const REFERENCES_KEY: &str = "references";
const REFERENCE_EMBEDDINGS: &str = "references.embeddings";
const REFERENCE_AXES: &str = "references.axes";
const REFERENCE_PICTURES: &str = "references.pictures";

/// Name, shape, type and bytes of one tensor.
type Tensor = (String, Vec<usize>, Dtype, Vec<u8>);

/// What the first bytes say; 0 where there are too few.
fn header_length(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |n| u64::from_le_bytes(*n))
}

pub(super) fn write(
    manifest: &Manifest,
    weights: &BTreeMap<String, Vec<f32>>,
    svm: &Svm,
    references: &References,
    precision: Precision,
    layers: &[(String, Vec<usize>)],
    dim: usize,
) -> Result<Vec<u8>, Error> {
    manifest.check()?;
    let features = manifest.features.length(dim);
    if svm.dim() != features {
        return refuse(format!("the SVM takes {} values, not {features} features", svm.dim()));
    }
    // Widest type first, so that every tensor is aligned.
    let coefficients = svm.coefficients().iter().flat_map(|v| v.to_le_bytes()).collect();
    let support = svm.support_vectors().iter().flat_map(|v| v.to_le_bytes()).collect();
    let n = svm.coefficients().len();
    let mut tensors: Vec<Tensor> = vec![
        (COEFFICIENTS.into(), vec![n], Dtype::F64, coefficients),
        (SUPPORT_VECTORS.into(), vec![n, features], Dtype::F32, support),
    ];
    let count = references.cells().len();
    if count > 0 {
        for (name, rows, values) in [
            (REFERENCE_EMBEDDINGS, count, references.embeddings()),
            (REFERENCE_AXES, 2, references.axes()),
        ] {
            if values.len() != rows * dim {
                return refuse(format!("{name} has {} values, not {rows} x {dim}", values.len()));
            }
            let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((name.into(), vec![rows, dim], Dtype::F32, data));
        }
    }
    for (name, shape) in layers {
        let values = weights.get(name).map(Vec::as_slice).unwrap_or_default();
        if values.len() != shape.iter().product::<usize>() {
            return refuse(format!("{name} has {} values, not {shape:?}", values.len()));
        }
        let fits = |v: f32| match precision {
            Precision::Full => v.is_finite(),
            Precision::Half => f16::from_f32(v).is_finite(),
        };
        if let Some(bad) = values.iter().find(|v| !fits(**v)) {
            return refuse(format!("{name} holds {bad}, which has no finite {precision:?} value"));
        }
        let (dtype, data) = match precision {
            Precision::Full => (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Precision::Half => {
                let halves = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes());
                (Dtype::F16, halves.collect())
            }
        };
        tensors.push((format!("{EMBEDDER}{name}"), shape.clone(), dtype, data));
    }
    if count > 0 {
        let shape = vec![count, PICTURE_SIDE, PICTURE_SIDE];
        let pictures = references.pictures().to_vec();
        tensors.push((REFERENCE_PICTURES.into(), shape, Dtype::U8, pictures));
    }
    let unwritten = |e| Error::Model(format!("model file: the manifest cannot be written: {e}"));
    let manifest = serde_json::to_string(manifest).map_err(unwritten)?;
    // As text Rust reads these two back exactly, which JSON numbers do not promise.
    let (gamma, bias) = (svm.gamma().to_string(), svm.bias().to_string());
    let mut metadata = BTreeMap::from([
        (MANIFEST_KEY.to_string(), manifest),
        (GAMMA_KEY.to_string(), gamma),
        (BIAS_KEY.to_string(), bias),
    ]);
    if count > 0 {
        let cells = serde_json::to_string(references.cells()).map_err(unwritten)?;
        metadata.insert(REFERENCES_KEY.into(), cells);
    }
    let views = tensors.iter().map(|(name, shape, dtype, data)| {
        (name.as_str(), (shape.as_slice(), *dtype, data.as_slice()))
    });
    let seal = digest(&metadata, &views.collect());
    metadata.insert(DIGEST_KEY.into(), seal);
    match serialize(&metadata, &tensors) {
        Ok(bytes) if header_length(&bytes) > MAX_HEADER => {
            refuse(format!("its header is longer than {MAX_HEADER} bytes: take fewer references"))
        }
        Ok(bytes) => Ok(bytes),
        Err(e) => refuse(format!("the header cannot be written: {e}")),
    }
}

/// Lays out a safetensors file. The crate's own writer orders metadata at random.
fn serialize(
    metadata: &BTreeMap<String, String>,
    tensors: &[Tensor],
) -> Result<Vec<u8>, serde_json::Error> {
    let mut entries = vec![format!("\"__metadata__\":{}", serde_json::to_string(metadata)?)];
    let mut end = 0;
    for (name, shape, dtype, data) in tensors {
        let data_offsets = (end, end + data.len());
        end = data_offsets.1;
        let info = TensorInfo { dtype: *dtype, shape: shape.clone(), data_offsets };
        let (name, info) = (serde_json::to_string(name)?, serde_json::to_string(&info)?);
        entries.push(format!("{name}:{info}"));
    }
    let mut header = format!("{{{}}}", entries.join(",")).into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + header.len() + end);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    tensors.iter().for_each(|(_, _, _, data)| bytes.extend(data));
    Ok(bytes)
}

/// Tensors by name as (shape, type, bytes).
type Views<'a> = BTreeMap<&'a str, (&'a [usize], Dtype, &'a [u8])>;

/// SHA-256 over the metadata and over each tensor's name, type, shape and bytes, so that it seals
/// the whole file; every part is preceded by its length.
fn digest(metadata: &BTreeMap<String, String>, tensors: &Views) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    for (key, value) in metadata {
        add(key.as_bytes());
        add(value.as_bytes());
    }
    for (name, (shape, dtype, data)) in tensors {
        add(name.as_bytes());
        add(format!("{dtype} {shape:?}").as_bytes());
        add(data);
    }
    hex(&hash.finalize())
}

/// What a file holds, with the weights still as a table.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) manifest: Manifest,
    pub(super) weights: BTreeMap<String, Vec<f32>>,
    pub(super) svm: Svm,
    pub(super) references: References,
}

impl Parts {
    pub(super) fn read(
        bytes: &[u8],
        layers: &[(String, Vec<usize>)],
        dim: usize,
    ) -> Result<Self, Error> {
        let length = header_length(bytes);
        if length == 0 || length > MAX_HEADER {
            return refuse("this is not a safetensors file, or its beginning is damaged");
        }
        let damaged = |e| Error::Model(format!("model file: damaged or cut short: {e}"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut metadata: BTreeMap<String, String> =
            header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();

        let manifest = read_manifest(metadata.get(MANIFEST_KEY))?;
        let views: HashMap<&str, TensorView> = file.iter().collect();
        let seal = metadata.remove(DIGEST_KEY);
        let parts = views.iter().map(|(name, v)| (*name, (v.shape(), v.dtype(), v.data())));
        if seal != Some(digest(&metadata, &parts.collect())) {
            return refuse(format!("damaged: {DIGEST_KEY} does not match; fetch it again"));
        }

        let tensors = Tensors { views };
        let features = manifest.features.length(dim);
        let n = tensors.views.get(COEFFICIENTS).map_or(0, |v| v.data().len() / 8);
        let coefficients = tensors.get(COEFFICIENTS, &[n], &[Dtype::F64])?;
        let support = tensors.get(SUPPORT_VECTORS, &[n, features], &[Dtype::F32])?;
        let mut layer_views = Vec::with_capacity(layers.len());
        for (name, shape) in layers {
            let view =
                tensors.get(&format!("{EMBEDDER}{name}"), shape, &[Dtype::F32, Dtype::F16])?;
            layer_views.push((name, view));
        }
        let references = tensors.references(metadata.get(REFERENCES_KEY), dim)?;
        let others: &[&str] = match references.cells() {
            [] => &[COEFFICIENTS, SUPPORT_VECTORS],
            _ => &[
                COEFFICIENTS,
                SUPPORT_VECTORS,
                REFERENCE_EMBEDDINGS,
                REFERENCE_AXES,
                REFERENCE_PICTURES,
            ],
        };
        if tensors.views.len() != layers.len() + others.len() {
            let layer = |name: &str| layers.iter().any(|(layer, _)| layer == name);
            let known = |name: &str| {
                others.contains(&name) || name.strip_prefix(EMBEDDER).is_some_and(layer)
            };
            let mut extra: Vec<_> = tensors.views.keys().filter(|name| !known(name)).collect();
            extra.sort();
            return refuse(format!("unexpected tensors {extra:?}"));
        }

        let number = |key: &str| match metadata.get(key).map(|text| text.parse::<f64>()) {
            Some(Ok(value)) => Ok(value),
            _ => refuse(format!("{key} is missing or not a number")),
        };
        let svm = Svm::new(
            number(GAMMA_KEY)?,
            number(BIAS_KEY)?,
            wide(coefficients.data(), f64::from_le_bytes),
            wide(support.data(), f32::from_le_bytes),
            features,
        )?;
        let mut weights = BTreeMap::new();
        for (name, view) in layer_views {
            let values: Vec<f32> = match view.dtype() {
                Dtype::F16 => wide(view.data(), |b| f16::from_le_bytes(b).to_f32()),
                _ => wide(view.data(), f32::from_le_bytes),
            };
            if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
                return refuse(format!("{name} holds {bad}, which is not finite"));
            }
            weights.insert(name.clone(), values);
        }
        Ok(Self { manifest, weights, svm, references })
    }
}

/// The file's tensors, handed out only with the shape and type that is wanted.
struct Tensors<'a> {
    views: HashMap<&'a str, TensorView<'a>>,
}

impl Tensors<'_> {
    fn get(&self, name: &str, shape: &[usize], dtypes: &[Dtype]) -> Result<&TensorView<'_>, Error> {
        let Some(view) = self.views.get(name) else {
            return refuse(format!("tensor {name} is missing"));
        };
        if view.shape() != shape {
            return refuse(format!("{name} has shape {:?}, not {shape:?}", view.shape()));
        }
        if !dtypes.contains(&view.dtype()) {
            return refuse(format!("{name} has type {}, not one of {dtypes:?}", view.dtype()));
        }
        Ok(view)
    }

    /// The references, given the text with their labels; none without it.
    fn references(&self, cells: Option<&String>, dim: usize) -> Result<References, Error> {
        let Some(cells) = cells else {
            return Ok(References::default());
        };
        let unreadable =
            |e| Error::Model(format!("model file: the references are unreadable: {e}"));
        let cells: Vec<ReferenceCell> = serde_json::from_str(cells).map_err(unreadable)?;
        let n = cells.len();
        let pictures = [n, PICTURE_SIDE, PICTURE_SIDE];
        References::from_parts(
            cells,
            wide(
                self.get(REFERENCE_EMBEDDINGS, &[n, dim], &[Dtype::F32])?.data(),
                f32::from_le_bytes,
            ),
            self.get(REFERENCE_PICTURES, &pictures, &[Dtype::U8])?.data().to_vec(),
            wide(self.get(REFERENCE_AXES, &[2, dim], &[Dtype::F32])?.data(), f32::from_le_bytes),
            dim,
        )
    }
}

fn read_manifest(text: Option<&String>) -> Result<Manifest, Error> {
    #[derive(Deserialize)]
    struct AnySchema {
        schema: u32,
    }
    let Some(text) = text else {
        return refuse("the manifest is missing: not a model of mitoscope");
    };
    let unreadable = |e| Error::Model(format!("model file: the manifest is unreadable: {e}"));
    let AnySchema { schema } = serde_json::from_str(text).map_err(unreadable)?;
    if schema != SCHEMA {
        return refuse(format!("schema {schema} is not {SCHEMA}: take a matching version"));
    }
    let manifest: Manifest = serde_json::from_str(text).map_err(unreadable)?;
    manifest.check()?;
    Ok(manifest)
}

/// Little-endian bytes as numbers.
fn wide<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| read(*chunk)).collect()
}
