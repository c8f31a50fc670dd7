//! `mitoscope references` on simulated cells: what it chooses, what stays, and bad input.

mod common;

use std::fs;
use std::path::Path;

use common::{data, run, succeed, text};
use mitoscope::classifier::{Classifier, Label};
use mitoscope::device::Device;
use mitoscope::model::Model;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/model/model.safetensors");

fn read(path: &Path) -> Model {
    Model::from_bytes(&fs::read(path).expect("the model")).expect("whole")
}

#[test]
fn references_are_added_and_nothing_else_changes() {
    let (folder, table) = data();
    let out = folder.path().join("with.safetensors");
    let fixed =
        ["references", "--device", "cpu", "--model", MODEL, "--data", text(&table), "--half"];
    let named = ["--data-name", "tests", "--licence", "CC0-1.0", "--out", text(&out)];
    let arguments = [&fixed[..], &named, &["--count", "10"]].concat();
    succeed(&arguments);
    let first = fs::read(&out).expect("the model");
    succeed(&arguments);
    assert!(first == fs::read(&out).expect("the model"), "two runs differ");

    let (before, after) = (read(Path::new(MODEL)), read(&out));
    assert!(before.weights == after.weights && before.svm == after.svm);
    let source = after.manifest.references.clone().expect("a source");
    assert_eq!((source.data.as_str(), source.licence.as_str()), ("tests", "CC0-1.0"));
    let cells = after.references.cells();
    assert_eq!(cells.iter().filter(|cell| cell.label == Label::Mitotic).count(), 5);
    assert_eq!(cells.len(), 10);
    // Each is its own nearest neighbour, and has a picture with contrast.
    let embeddings: Vec<Vec<f32>> =
        after.references.embeddings().chunks(128).map(<[f32]>::to_vec).collect();
    let classifier = Classifier::new(after, Device::Cpu);
    for (i, embedding) in embeddings.iter().enumerate() {
        let surroundings = classifier.surroundings(embedding);
        assert_eq!(surroundings.neighbours.len(), 5);
        assert!(surroundings.neighbours[0].distance < 1e-6, "{:?}", surroundings.neighbours[0]);
        assert!(surroundings.point.is_some());
        let picture = classifier.model().references.picture(i).expect("a picture");
        assert!(picture.iter().max() > Some(&200) && picture.iter().min() < Some(&60));
    }
}

#[test]
fn bad_input_is_one_line_and_status_1() {
    let (folder, table) = data();
    let out = folder.path().join("with.safetensors");
    let (unlabelled, table) = (folder.path().join("fields.csv"), text(&table).to_owned());
    fs::write(&unlabelled, "image\nfield0.png\n").expect("written");
    let cases: [(&str, &str, &str, &str); 4] = [
        (MODEL, &table, "100", "ask for fewer by --count"),
        (MODEL, &table, "2", "2 references"),
        (MODEL, text(&unlabelled), "10", "has 0 whole cells of one class"),
        (&table, &table, "10", "the model"),
    ];
    for (model, data, count, reason) in cases {
        let fixed = ["references", "--device", "cpu", "--model", model, "--data", data];
        let output = run(&[&fixed[..], &["--out", text(&out), "--count", count]].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.contains(reason), "{error:?} does not tell {reason:?}");
        assert!(!out.exists(), "something was written");
    }
}
