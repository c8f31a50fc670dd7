//! `mitoscope detect` on simulated fields: its table, pictures and summary, and bad input.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{data, run, succeed, text};
use mitoscope::cells::find_cells;
use mitoscope::decode::decode;
use mitoscope::model::Model;
use tempfile::TempDir;

/// The model that the page ships.
fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/model/model.safetensors")
}

/// Fields with 24 cells each, and a place to write to.
fn fields() -> (TempDir, Vec<PathBuf>) {
    let (folder, _) = data();
    let fields = (0..2).map(|i| folder.path().join(format!("field{i}.png"))).collect();
    (folder, fields)
}

#[test]
fn the_cells_of_two_fields_are_one_specimen() {
    let (folder, fields) = fields();
    let (out, overlay) = (folder.path().join("found.csv"), folder.path().join("overlay"));
    let model = model();
    let fixed = ["detect", "--device", "cpu", "--model", text(&model), "--out", text(&out)];
    let more = ["--overlay", text(&overlay), "--json", text(&fields[0]), text(&fields[1])];
    let summary = succeed(&[&fixed[..], &more].concat());

    let mut reader = csv::Reader::from_path(&out).expect("a table");
    let header = reader.headers().expect("a header").iter().collect::<Vec<_>>().join(",");
    assert_eq!(header, "image,x,y,w,h,decision_value,probability,prediction,doubt");
    let rows: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().expect("readable rows");
    for field in &fields {
        // The table holds what the library finds, in its order.
        let image = decode(&fs::read(field).expect("the field")).expect("an image");
        let boxes = find_cells(&image).expect("cells");
        let listed: Vec<_> = rows
            .iter()
            .filter(|row| field.ends_with(&row[0]) && Path::new(&row[0]).is_relative())
            .collect();
        assert_eq!(listed.len(), boxes.len());
        assert!(boxes.len() >= 20, "{} of 24 cells", boxes.len());
        for (row, cell) in listed.iter().zip(boxes) {
            assert_eq!([&row[1], &row[4]], [format!("{:.1}", cell.x), format!("{:.1}", cell.h)]);
        }
    }
    let mitotic = rows.iter().filter(|row| &row[7] == "mitotic").count();
    for row in &rows {
        let value: f64 = row[5].parse().expect("a decision value");
        assert_eq!(&row[7], if value > 0.0 { "mitotic" } else { "interphase" });
    }
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    assert_eq!(summary["verdict"]["cells"], rows.len());
    assert_eq!(summary["verdict"]["mitotic"], mitotic);
    assert_eq!(summary["modelSha256"].as_str().map(str::len), Some(64));
    assert!(summary["notice"].as_str().is_some_and(|text| text.contains("Research use only")));

    for name in ["001-field0.png", "002-field1.png"] {
        let picture = image::open(overlay.join(name)).expect("a picture").to_rgb8();
        assert_eq!(picture.dimensions(), (240, 160));
        let coloured = picture.pixels().filter(|p| p.0[0] != p.0[2]).count();
        assert!(coloured > 20 * 40, "{coloured} coloured pixels");
    }
}

#[test]
fn a_person_reads_counts_and_the_preparation_check() {
    let (folder, fields) = fields();
    let (model, out) = (model(), folder.path().join("found.csv"));
    let fixed = ["detect", "--device", "cpu", "--model", text(&model), "--out", text(&out)];
    let told = succeed(&[&fixed[..], &["--enough", "7", text(&fields[0])]].concat());
    assert!(told.contains("cells (") && told.contains("fields: 1"), "{told}");
    let check = told.lines().nth(1).expect("a second line");
    let expected = ["to confirm, 7 needed", "no mitotic cell found"];
    assert!(expected.iter().any(|words| check.ends_with(words)), "{told}");
}

#[test]
fn the_operating_point_decides_what_is_mitotic() {
    let (folder, fields) = fields();
    let (model, out) = (model(), folder.path().join("found.csv"));
    let mitotic = |point: &str| {
        let fixed = ["detect", "--device", "cpu", "--model", text(&model), "--out", text(&out)];
        let point = ["--json", "--operating-point", point, text(&fields[0])];
        let summary: serde_json::Value =
            serde_json::from_str(&succeed(&[&fixed[..], &point].concat())).expect("JSON");
        let rows = fs::read_to_string(&out).expect("the table");
        let called = rows.lines().filter(|row| row.contains(",mitotic,")).count();
        assert_eq!(summary["verdict"]["mitotic"], called);
        (called, summary["operatingPoint"].as_f64().expect("a number"))
    };
    let (all, lowest) = mitotic("-100");
    let (none, highest) = mitotic("100");
    assert!(all >= 20 && none == 0, "{all} and {none}");
    assert_eq!((lowest, highest, mitotic("boundary").1), (-100.0, 100.0, 0.0));
    let model = Model::from_bytes(&fs::read(&model).expect("the model")).expect("whole");
    for point in model.manifest.operating_points {
        assert_eq!(mitotic(&point.name).1, point.threshold);
    }
}

#[test]
fn what_detect_writes_is_a_cell_table_of_the_same_pictures() {
    let (folder, fields) = fields();
    let (model, out) = (model(), folder.path().join("found.csv"));
    let (elsewhere, again) = (TempDir::new().expect("a folder"), folder.path().join("again.csv"));
    // Green alone holds the cells, and the brightest of all does not.
    let grey = image::open(&fields[0]).expect("a field").to_luma8();
    let (width, height) = grey.dimensions();
    let coloured = elsewhere.path().join("coloured.png");
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb([255, grey[(x, y)].0[0], 255]))
        .save(&coloured)
        .expect("written");
    let fixed = ["--device", "cpu", "--model", text(&model)];
    let detect = ["detect", "--channel", "green", "--out", text(&out), text(&coloured)];
    succeed(&[&detect[..], &fixed].concat());
    let classify = ["classify", "--data", text(&out), "--out", text(&again)];
    succeed(&[&classify[..], &fixed].concat());
    let read = |path: &Path| fs::read_to_string(path).expect("a table");
    let (found, classified) = (read(&out), read(&again));
    assert!(
        found.starts_with("image,x,y,w,h,channel,decision_value,probability,prediction,doubt\n")
    );
    assert!(found.lines().count() > 20 && found.contains(text(&coloured)));
    assert_eq!(found.lines().next(), classified.lines().next(), "each column once");
    let called = |table: &str| -> Vec<(String, String)> {
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let rows = reader.records().map(|row| row.expect("a row"));
        rows.map(|row| (row[1].to_owned(), row[8].to_owned())).collect()
    };
    assert_eq!(called(&found), called(&classified));
}

#[test]
fn a_field_without_cells_does_not_spoil_the_specimen() {
    let (folder, fields) = fields();
    let (model, out) = (model(), folder.path().join("found.csv"));
    let flat = folder.path().join("flat.png");
    image::GrayImage::new(200, 150).save(&flat).expect("written");
    let fixed = ["detect", "--device", "cpu", "--model", text(&model), "--out", text(&out)];
    let output = run(&[&fixed[..], &[text(&flat), text(&fields[0])]].concat());
    assert!(output.status.success());
    let warning = String::from_utf8_lossy(&output.stderr);
    assert!(warning.contains("flat.png: no cell stands out"), "{warning}");
    let rows = fs::read_to_string(&out).expect("the table");
    assert!(rows.lines().count() > 20 && !rows.contains("flat.png"));
    let output = run(&[&fixed[..], &[text(&flat), text(&flat)]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("none of the 2 fields"));
}

#[test]
fn bad_input_is_one_line_and_status_1() {
    let (folder, fields) = fields();
    let (model, out) = (model(), folder.path().join("found.csv"));
    let (empty, flat) = (folder.path().join("empty.tif"), folder.path().join("flat.png"));
    fs::write(&empty, b"").expect("written");
    image::GrayImage::new(200, 150).save(&flat).expect("written");
    let cases: [(&[&str], &str); 10] = [
        (&["nowhere.png"], "nowhere.png"),
        (&[text(&empty)], "empty.tif: the file is empty"),
        (&[text(&flat)], "flat.png: no cell stands out"),
        (&["--page", "2", text(&fields[0])], "the file holds a single one"),
        (&["--enough", "0", text(&fields[0])], "at least 1 mitotic cell"),
        (&["--operating-point", "brave", text(&fields[0])], "one of boundary, balanced"),
        (&["--page", "0", text(&fields[0])], "counted from 1"),
        (&["--channel", "fitc", text(&fields[0])], "'fitc' is none of"),
        (&["--sheet", "x.png", text(&fields[0])], "unexpected argument '--sheet' found"),
        (&["--model", text(&flat), text(&fields[0])], "the model"),
    ];
    for (arguments, reason) in cases {
        let model = if arguments[0] == "--model" { vec![] } else { vec!["--model", text(&model)] };
        let fixed = ["detect", "--device", "cpu", "--out", text(&out)];
        let output = run(&[&fixed[..], &model, arguments].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.contains(reason), "{error:?} does not tell {reason:?}");
        assert!(!out.exists(), "something was written");
    }
}
