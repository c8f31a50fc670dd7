use std::collections::BTreeMap;

use safetensors::tensor::SafeTensors;

use super::file::{self, Parts};
use super::*;
use crate::classifier::Label;
use crate::limits::Abstention;
use crate::preprocess::Preprocess;
use crate::quality::Quality;
use crate::references::{PICTURE_SIDE, ReferenceCell};

const DIM: usize = 3;

fn layers() -> Vec<(String, Vec<usize>)> {
    vec![("conv1.weight".into(), vec![2, 1, 2, 1]), ("conv1.bias".into(), vec![2])]
}

fn manifest() -> Manifest {
    Manifest {
        schema: SCHEMA,
        version: "1.0.0".into(),
        preset: "paper".into(),
        classes: CLASSES.map(String::from),
        features: Features::Embedding,
        preprocess: Preprocess::paper(),
        calibration: Calibration { a: -1.75, b: 0.5 },
        operating_points: vec![OperatingPoint { name: "balanced".into(), threshold: -0.25 }],
        limits: Some(limits()),
        metrics: serde_json::json!({ "mcc": 0.5 }),
        provenance: Provenance {
            data: "test".into(),
            licence: "CC0-1.0".into(),
            data_sha256: sha256(b""),
            command: "none".into(),
            seed: 7,
            code_version: "0.1.0".into(),
            trained_steps: 200,
        },
        references: None,
    }
}

fn limits() -> Limits {
    let quality = Quality { contrast: 0.7, saturation: 0.25, sharpness: 0.0125 };
    let abstention = Abstention { mitotic: 0.9, interphase: 0.99, low: -0.375, high: 0.5 };
    let abstention = Some(abstention);
    Limits { quality, distance: Some(0.875), abstention }
}

fn weights() -> BTreeMap<String, Vec<f32>> {
    let bias = vec![1.0, f32::MIN_POSITIVE];
    BTreeMap::from([
        ("conv1.weight".into(), vec![0.1, -0.2, 0.3, -1e-3]),
        ("conv1.bias".into(), bias),
    ])
}

fn svm() -> Svm {
    let support = vec![0.1, 0.2, 0.3, -0.1, -0.2, -0.3];
    Svm::new(1.0 / 3.0, 0.1 + 0.2, vec![0.7, -0.7], support, DIM).expect("valid")
}

fn references() -> References {
    let cell = |label| ReferenceCell { label, kind: "metaphase, \"speckled\"".into() };
    let cells = [Label::Mitotic, Label::Interphase, Label::Interphase].map(cell).to_vec();
    let embeddings = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.6, 0.8, 0.0];
    let pictures = (0..3 * PICTURE_SIDE * PICTURE_SIDE).map(|i| i as u8).collect();
    References::new(cells, embeddings, pictures, DIM).expect("valid")
}

fn write(
    manifest: &Manifest,
    weights: &BTreeMap<String, Vec<f32>>,
    svm: &Svm,
    precision: Precision,
    layers: &[(String, Vec<usize>)],
    dim: usize,
) -> Result<Vec<u8>, Error> {
    file::write(manifest, weights, svm, &References::default(), precision, layers, dim)
}

fn file(precision: Precision) -> Vec<u8> {
    write(&manifest(), &weights(), &svm(), precision, &layers(), DIM).expect("written")
}

fn file_with_references() -> Vec<u8> {
    let (precision, layers) = (Precision::Half, layers());
    file::write(&manifest(), &weights(), &svm(), &references(), precision, &layers, DIM)
        .expect("written")
}

fn read(bytes: &[u8]) -> Result<Parts, Error> {
    Parts::read(bytes, &layers(), DIM)
}

#[track_caller]
fn refused(bytes: &[u8], reason: &str) {
    let error = read(bytes).expect_err("must be refused");
    assert_eq!(error.code(), "model");
    assert!(error.to_string().contains(reason), "{error}");
}

/// The file with another manifest text or header, sealed again as a dishonest writer would.
fn resealed(change: impl Fn(Manifest) -> Manifest) -> Result<Vec<u8>, Error> {
    write(&change(manifest()), &weights(), &svm(), Precision::Full, &layers(), DIM)
}

#[test]
fn everything_survives_the_file() {
    let parts = read(&file(Precision::Full)).expect("read");
    assert_eq!((parts.manifest, parts.weights, parts.svm), (manifest(), weights(), svm()));
    let half = read(&file(Precision::Half)).expect("read");
    assert_eq!((&half.manifest, &half.svm), (&manifest(), &svm()));
    for (name, values) in weights() {
        for (a, b) in half.weights[&name].iter().zip(values) {
            assert!((a - b).abs() <= b.abs() * 1e-3 + 1e-7, "{name}: {a} for {b}");
        }
    }
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    for precision in [Precision::Full, Precision::Half] {
        assert_eq!(file(precision), file(precision));
        let parts = read(&file(precision)).expect("read");
        let again = write(&parts.manifest, &parts.weights, &parts.svm, precision, &layers(), DIM);
        assert_eq!(again.expect("written"), file(precision));
    }
}

#[test]
fn the_whole_network_survives_the_file() {
    let tensor = |(name, shape): (String, Vec<usize>)| {
        let count = shape.iter().product::<usize>();
        (name, (0..count).map(|i| (i % 251) as f32 / 256.0).collect())
    };
    let weights = Weights::from_tensors(Weights::layers().map(tensor).collect()).expect("weights");
    let svm = Svm::new(0.5, 0.0, vec![1.0], vec![0.5; EMBEDDING], EMBEDDING).expect("valid");
    let references = References::default();
    let model = Model { manifest: manifest(), weights, svm, references };
    for precision in [Precision::Full, Precision::Half] {
        let bytes = model.to_bytes(precision).expect("written");
        assert!(Model::from_bytes(&bytes).expect("read") == model);
    }
}

#[test]
fn a_machine_must_take_the_features_that_the_manifest_names() {
    let features = Features::EmbeddingAndDeviation;
    let manifest = Manifest { features, ..manifest() };
    let written = |svm: &Svm| write(&manifest, &weights(), svm, Precision::Full, &layers(), DIM);
    let wide = Svm::new(0.5, 0.0, vec![1.0], vec![0.5; 2 * DIM], 2 * DIM).expect("valid");
    let parts = read(&written(&wide).expect("written")).expect("read");
    assert_eq!((parts.manifest.features, parts.svm), (features, wide));
    let error = written(&svm()).expect_err("the embedding alone does not do");
    assert!(error.to_string().contains("takes 3 values, not 6 features"), "{error}");
    // A file of before, which names none, decides on the embedding.
    let text = serde_json::to_string(&self::manifest()).expect("text");
    let older = text.replace(r#""features":"embedding","#, "");
    assert_ne!(older, text);
    let older: Manifest = serde_json::from_str(&older).expect("an older manifest");
    assert_eq!(older.features, Features::Embedding);
}

#[test]
fn references_survive_the_file() {
    let parts = read(&file_with_references()).expect("read");
    assert_eq!((parts.svm, parts.references), (svm(), references()));
    assert_eq!(read(&file(Precision::Half)).expect("read").references, References::default());
}

#[test]
fn a_flipped_bit_of_the_references_is_refused() {
    let good = file_with_references();
    for at in (0..good.len()).step_by(17) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(read(&bad).is_err(), "byte {at} of {} was not noticed", good.len());
    }
    let other = Parts::read(&good, &layers(), 6).expect_err("another length");
    assert!(other.to_string().contains("svm.support_vectors"), "{other}");
}

#[test]
fn any_flipped_bit_is_refused() {
    let good = file(Precision::Half);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&bad).is_err(), "bit {bit} of {} was not noticed", good.len() * 8);
    }
}

#[test]
fn any_truncation_or_addition_is_refused() {
    let good = file(Precision::Full);
    for length in 0..good.len() {
        assert!(read(&good[..length]).is_err(), "cut to {length}");
    }
    refused(&[good.as_slice(), &[0]].concat(), "damaged");
}

#[test]
fn other_files_are_refused() {
    refused(b"", "not a safetensors file");
    refused(b"GIF89a", "not a safetensors file");
    refused(&u64::MAX.to_le_bytes(), "not a safetensors file");
    refused(&[255; 64], "not a safetensors file");
    refused(b"\x02\0\0\0\0\0\0\0{}", "manifest is missing");
}

/// Replaces text in the header by text of the same length.
fn edited(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = file(Precision::Full);
    let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).expect("in the header");
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn wrong_manifests_are_refused() {
    refused(&edited(r#"{\"schema\":1"#, r#"{\"schema\":2"#), "schema 2 is not 1");
    refused(&edited("mitoscope", "microscop"), "manifest is missing");
    refused(&edited(r#"\"preset\""#, r#"\"presed\""#), "unreadable");
    refused(&edited(r#"\"trained_steps\":200"#, r#"\"trained_steps\":2.5"#), "unreadable");
    refused(&edited("payload_sha256", "payload_sha512"), "does not match");
    refused(&edited("embedder.conv1.bias", "embedder.conv2.bias"), "does not match");
    let schema = |manifest| Manifest { schema: 2, ..manifest };
    assert!(resealed(schema).is_err());
    let classes = |manifest| Manifest { classes: ["mitotic".into(), "x".into()], ..manifest };
    assert!(resealed(classes).is_err());
    let preprocess = Preprocess { crop_factor: 0.0, ..Preprocess::paper() };
    let settings = |manifest| Manifest { preprocess: preprocess.clone(), ..manifest };
    assert!(resealed(settings).is_err_and(|error| error.to_string().contains("crop factor 0")));
    let calibration = Calibration { a: f64::NAN, b: 0.0 };
    assert!(resealed(|manifest| Manifest { calibration, ..manifest }).is_err());
}

#[test]
fn wrong_tensors_are_refused() {
    let bytes = file(Precision::Full);
    let reason = |layers: &[(String, Vec<usize>)], dim| {
        Parts::read(&bytes, layers, dim).expect_err("must be refused").to_string()
    };
    let mut more = layers();
    more.push(("conv2.bias".into(), vec![2]));
    assert!(reason(&more, DIM).contains("embedder.conv2.bias is missing"));
    let fewer = &layers()[..1];
    assert!(reason(fewer, DIM).contains("unexpected tensors [\"embedder.conv1.bias\"]"));
    let mut other = layers();
    other[0].1 = vec![1, 2, 2, 1];
    assert!(reason(&other, DIM).contains("has shape [2, 1, 2, 1], not [1, 2, 2, 1]"));
    assert!(reason(&layers(), 6).contains("svm.support_vectors has shape [2, 3], not [2, 6]"));
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let attempt = |weights: &BTreeMap<String, Vec<f32>>, precision, dim| {
        write(&manifest(), weights, &svm(), precision, &layers(), dim)
    };
    let mut large = weights();
    large.insert("conv1.bias".into(), vec![1e5, 0.0]);
    assert!(attempt(&large, Precision::Full, DIM).is_ok());
    assert!(attempt(&large, Precision::Half, DIM).is_err());
    large.insert("conv1.bias".into(), vec![f32::NAN, 0.0]);
    assert!(attempt(&large, Precision::Full, DIM).is_err());
    large.remove("conv1.bias");
    assert!(attempt(&large, Precision::Full, DIM).is_err());
    assert!(attempt(&weights(), Precision::Full, DIM + 1).is_err());
}

#[test]
fn the_layout_is_plain_aligned_safetensors() {
    let bytes = file(Precision::Full);
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let mut names = tensors.names();
    names.sort_unstable();
    let expected =
        ["embedder.conv1.bias", "embedder.conv1.weight", "svm.coefficients", "svm.support_vectors"];
    assert_eq!(names, expected);
    let start = bytes.as_ptr() as usize;
    for (name, view) in tensors.iter() {
        let offset = view.data().as_ptr() as usize - start;
        assert_eq!(offset % (view.dtype().bitsize() / 8), 0, "{name}");
    }
}

#[test]
fn probability_is_stable() {
    let calibration = Calibration { a: -2.0, b: 0.0 };
    assert_eq!(calibration.probability(0.0), 0.5);
    assert_eq!(calibration.probability(1e300), 1.0);
    assert_eq!(calibration.probability(-1e300), 0.0);
    assert!((calibration.probability(1.0) - 1.0 / (1.0 + (-2.0f64).exp())).abs() < 1e-15);
    assert!(calibration.probability(f64::NAN).is_nan());
}

#[test]
fn sha256_is_the_standard_one() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256(b"abc"), abc);
}
