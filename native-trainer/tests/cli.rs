//! The program as a user runs it: the whole chain on simulated fields, and bad input.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use mitoscope::features::Features;
use mitoscope::model::{Manifest, Model, sha256};
use mitoscope::preprocess::SIDE;
use native_trainer::contrast::{AtContrast, EXPONENTS};
use native_trainer::evaluation::Evaluation;
use native_trainer::operating_points::TRIAGE_RECALL;

use common::{data, field, kill_once, run, succeed, text};
use tempfile::TempDir;

fn train_arguments<'a>(table: &'a str, out: &'a str) -> Vec<&'a str> {
    let fixed = "--device cpu --steps 4 --batch 2 3 --checkpoint-every 1 --hold-out s2";
    ["train", "--data", table, "--out", out].into_iter().chain(fixed.split_whitespace()).collect()
}

#[test]
fn a_table_becomes_a_model_and_the_model_a_verdict_on_every_cell() {
    let (folder, table) = data();
    let at = |name: &str| folder.path().join(name);
    let (run, model, scores, embeddings) =
        (at("run"), at("model.safetensors"), at("scores.csv"), at("embeddings.csv"));
    let report = succeed(&train_arguments(text(&table), text(&run)));
    assert!(report.contains("held out"), "{report}");
    succeed(&["export", text(&run), "--out", text(&model), "--half"]);
    let classify = ["classify", "--device", "cpu", "--model", text(&model), "--data", text(&table)];
    let outputs = ["--out", text(&scores), "--embeddings", text(&embeddings)];
    succeed(&[&classify[..], &outputs].concat());

    let mut reader = csv::Reader::from_path(&scores).expect("a table");
    let header = reader.headers().expect("a header").iter().collect::<Vec<_>>().join(",");
    let scored = "decision_value,probability,prediction,doubt";
    assert_eq!(header, format!("image,x,y,w,h,label,specimen,note,{scored}"));
    let rows: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().expect("readable rows");
    assert_eq!(rows.len(), 72);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(&row[7], format!("cell {}", i % 24), "columns are carried through, in order");
        let value: f64 = row[8].parse().expect("a decision value");
        let probability: f64 = row[9].parse().expect("a probability");
        assert!((0.0..=1.0).contains(&probability));
        assert_eq!(&row[10], if value > 0.0 { "mitotic" } else { "interphase" });
        assert!(["", "faint", "saturated", "blurred", "margin"].contains(&&row[11]), "{row:?}");
        assert!(value.abs() >= 1.0 || !row[11].is_empty(), "in the margin: {row:?}");
    }
    let embeddings = fs::read_to_string(&embeddings).expect("embeddings");
    assert_eq!(embeddings.lines().count(), 73);

    let told = succeed(&["inspect", text(&model)]);
    let held_out = report.lines().find(|line| line.starts_with("held out")).expect("figures");
    assert!(told.lines().any(|line| line == held_out), "{told} lacks {held_out}");
    let bytes = fs::read(&model).expect("the model");
    assert!(told.contains(&sha256(&bytes)), "{told}");
    let told: Manifest =
        serde_json::from_str(&succeed(&["inspect", text(&model), "--json"])).expect("the manifest");
    assert_eq!(told, Model::from_bytes(&bytes).expect("whole").manifest);

    // The network is exact in half precision, so both files classify alike.
    let full = at("full.safetensors");
    succeed(&["export", text(&run), "--out", text(&full), "--beside", text(&run)]);
    let again = at("again.csv");
    let classify = ["classify", "--device", "cpu", "--model", text(&full), "--data", text(&table)];
    succeed(&[&classify[..], &["--out", text(&again)]].concat());
    assert_eq!(fs::read(&scores).expect("scores"), fs::read(&again).expect("scores"));
}

#[test]
fn a_folder_of_crops_is_data_too() {
    let folder = TempDir::new().expect("a temporary folder");
    let crops = folder.path().join("crops");
    for (label, third) in [("mitotic", 0), ("interphase", 1)] {
        fs::create_dir_all(crops.join(label)).expect("created");
        for index in 0..6 {
            let column = (third + 3 - index % 3) % 3;
            let field = field(index as usize);
            let crop = image::imageops::crop_imm(&field, 40 * column, 0, 40, 40).to_image();
            crop.save(crops.join(label).join(format!("{index}.bmp"))).expect("written");
        }
    }
    let (run, scores) = (folder.path().join("run"), folder.path().join("scores.csv"));
    let fixed = "--device cpu --preset paper --steps 2 --batch 2 2";
    let train = ["train", "--data", text(&crops), "--out", text(&run)];
    succeed(&train.into_iter().chain(fixed.split_whitespace()).collect::<Vec<_>>());
    let model = run.join("model.safetensors");
    let classify = ["classify", "--device", "cpu", "--model", text(&model)];
    succeed(&[&classify[..], &["--data", text(&crops), "--out", text(&scores)]].concat());
    let scores = fs::read_to_string(&scores).expect("scores");
    assert_eq!(scores.lines().count(), 13);
    assert!(scores.contains("mitotic/0.bmp,mitotic,"), "{scores}");
}

#[test]
fn a_killed_training_resumes_to_the_same_model() {
    let (folder, table) = data();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let of = |run| {
        let both = ["--preset", "simulated", "--simulated", "2", "--first-steps", "2"];
        [&train_arguments(text(&table), run)[..], &both].concat()
    };
    succeed(&of(text(&whole)));

    let arguments = of(text(&killed));
    let checkpoint = killed.join("simulated.checkpoint.safetensors");
    kill_once(&arguments, &checkpoint, Duration::from_secs(120));
    assert!(!killed.join("model.safetensors").exists(), "it was killed before its end");

    let refused = run(&arguments);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("add --resume"));

    // Killed once more, in the training that follows.
    let resumed = [&arguments[..], &["--resume"]].concat();
    kill_once(&resumed, &killed.join("checkpoint.safetensors"), Duration::from_secs(120));
    assert!(!killed.join("model.safetensors").exists(), "it was killed before its end");

    let other_seed = [&arguments[..], &["--resume", "--seed", "2"]].concat();
    let refused = run(&other_seed);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{} {error}", refused.status);
    assert!(error.contains("another run"), "{error}");

    succeed(&resumed);
    // What is finished is the model of its own data alone.
    let other = [&resumed[..], &["--hold-out", "s1"]].concat();
    let refused = run(&other);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("holds the model of another run"), "{error}");
    let model = |run: &Path| fs::read(run.join("model.safetensors")).expect("a model");
    assert!(model(&whole) == model(&killed), "the resumed model differs");
}

#[test]
fn cross_fitting_gives_operating_points_and_what_they_are_worth() {
    let (folder, table) = data();
    let (run, model) = (folder.path().join("run"), folder.path().join("model.safetensors"));
    let fixed = "--device cpu --preset simulated --first-steps 1 --steps 1 --batch 2 3 \
                 --hold-out s2 --simulated 2 --cross-fit 2";
    let train = ["train", "--data", text(&table), "--out", text(&run)];
    let arguments: Vec<&str> = train.into_iter().chain(fixed.split_whitespace()).collect();
    let refused = self::run(&[&arguments[..arguments.len() - 1], &["pattern"]].concat());
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("--cross-fit: the column pattern is empty"), "{error}");
    assert!(!run.exists(), "nothing was begun");
    let report = succeed(&arguments);
    assert!(report.contains("unknown in 2 folds") && report.contains("simulated only"), "{report}");
    succeed(&["export", text(&run), "--out", text(&model)]);

    let bytes = fs::read(&model).expect("a model");
    let manifest = Model::from_bytes(&bytes).expect("a whole model").manifest;
    let names: Vec<&str> = manifest.operating_points.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(&names[..2], ["balanced", "triage"]);
    let limits = manifest.limits.expect("limits");
    assert!(limits.distance.is_some_and(|distance| distance > 0.0 && distance <= 2.0));
    assert_eq!(
        limits.abstention, None,
        "32 interphase cells allow no statement on one in a hundred"
    );
    let evaluation: Evaluation = serde_json::from_value(manifest.metrics).expect("an evaluation");
    let cross_fitted = evaluation.cross_fitted.expect("cross-fitted");
    let counts = cross_fitted.figures.confusion;
    assert_eq!(counts.tp + counts.fn_ + counts.fp + counts.tn, 48, "each training cell once");
    assert!(cross_fitted.points[1].cross_fitted.recall >= TRIAGE_RECALL);
    let reliability = cross_fitted.held_out_reliability.expect("held-out cells");
    assert_eq!(reliability.bins.iter().map(|bin| bin.cells).sum::<usize>(), 24);
    let simulated = evaluation.simulated_only.expect("simulated cells");
    let counts = simulated.all.confusion;
    assert_eq!(counts.tp + counts.fn_ + counts.fp + counts.tn, 72, "every real cell is tested on");
}

#[test]
fn a_network_that_learned_from_no_real_cell_is_judged_on_every_field_without_it() {
    let (folder, table) = data();
    let plain = fs::read_to_string(&table).expect("a table");
    let patterns = plain.lines().map(|line| match line.split(',').nth(6) {
        Some("specimen") => format!("{line},pattern\n"),
        specimen => format!("{line},pattern of {}\n", specimen.expect("a specimen")),
    });
    fs::write(&table, patterns.collect::<String>()).expect("written");
    let (run, model) = (folder.path().join("run"), folder.path().join("model.safetensors"));
    let fixed = "--device cpu --preset simulated --first-steps 1 --batch 2 3 --hold-out s2 \
                 --simulated 2";
    let train = ["train", "--data", text(&table), "--out", text(&run)];
    let arguments: Vec<&str> = train.into_iter().chain(fixed.split_whitespace()).collect();
    let report = succeed(&arguments);
    assert!(report.contains("unknown in 2 folds"), "{report}");
    assert!(report.contains("abstention              none: to state 90 % of mitotic"), "{report}");
    assert!(!run.join("checkpoint.safetensors").exists(), "nothing was trained on real cells");
    succeed(&["export", text(&run), "--out", text(&model)]);

    let manifest = Model::from_bytes(&fs::read(&model).expect("a model")).expect("whole").manifest;
    assert_eq!(manifest.provenance.trained_steps, 1);
    let evaluation: Evaluation = serde_json::from_value(manifest.metrics).expect("an evaluation");
    let unknown = evaluation.cross_fitted.expect("each field without it");
    let counts = unknown.figures.confusion;
    assert_eq!(counts.tp + counts.fn_ + counts.fp + counts.tn, 48, "each training cell once");
    for (mitotic, found) in [(16, unknown.found), (8, evaluation.held_out_found)] {
        let counts = found.expect("found cells").figures.confusion;
        assert_eq!(counts.tp + counts.fn_, mitotic, "each mitotic cell is found or missed");
    }
    let patterns = evaluation.unknown_patterns.expect("each pattern without it");
    assert!(patterns.keys().eq(["pattern of s0", "pattern of s1"]), "{patterns:?}");
    let baseline = evaluation.baseline.expect("the descriptors");
    let simulated = baseline.simulated_only.expect("simulated cells");
    let parts = [baseline.held_out, Some(baseline.unknown_specimens), baseline.unknown_patterns];
    let parts = parts.into_iter().map(|part| part.expect("judged").figures);
    for (figures, cells) in parts.chain([simulated.all]).zip([24, 48, 48, 72]) {
        let counts = figures.confusion;
        assert_eq!(counts.tp + counts.fn_ + counts.fp + counts.tn, cells, "each cell once");
    }
    assert_eq!(baseline.contrasts.len(), EXPONENTS.len());
    let exponents = unknown.contrasts.iter().map(|at| at.exponent);
    assert!(exponents.eq(EXPONENTS), "{:?}", unknown.contrasts);
    for AtContrast { unknown, held_out, .. } in &unknown.contrasts {
        for (figures, cells) in [(unknown, 48), (held_out.as_ref().expect("held out"), 24)] {
            let counts = figures.confusion;
            assert_eq!(counts.tp + counts.fn_ + counts.fp + counts.tn, cells);
        }
    }
    assert!(manifest.limits.expect("limits").distance.is_some_and(|distance| distance > 0.0));
    assert_eq!(manifest.features, Features::EmbeddingAndDeviation);
    let tried = evaluation.head_ablation.iter().map(|one| (one.features, one.simulated > 0));
    let kinds = [Features::Embedding, Features::EmbeddingAndDeviation];
    let all = kinds.iter().flat_map(|kind| [(*kind, false), (*kind, true)]);
    assert!(tried.eq(all), "{:?}", evaluation.head_ablation);
    // The fullest is the model's own.
    let own = evaluation.head_ablation.last().expect("a variant");
    assert_eq!(own.unknown_specimens.confusion, counts);

    let fitted = folder.path().join("fitted");
    let fit = ["fit", "--model", text(&model), "--data", text(&table), "--out", text(&fitted)];
    let options = "--device cpu --simulated 2 --hold-out s2";
    let fit: Vec<&str> = fit.into_iter().chain(options.split_whitespace()).collect();
    let report = succeed(&fit);
    assert!(report.contains("unknown in 2 folds"), "{report}");
    let whole = |path: &Path| Model::from_bytes(&fs::read(path).expect("a model")).expect("whole");
    let (old, new) = (whole(&model), whole(&fitted.join("model.safetensors")));
    assert!(new.weights == old.weights, "the network stays");
    let command = &new.manifest.provenance.command;
    let options =
        "fit --data cells.csv --out RUN --seed 1 --simulated 2 --hold-out s2, with the network of";
    assert!(command.contains(options), "{command}");
    let refused = self::run(&fit);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("already holds a model"));

    let other = folder.path().join("other");
    let train = ["train", "--data", text(&table), "--out", text(&other), "--cross-fit", "2"];
    let arguments: Vec<&str> = train.into_iter().chain(fixed.split_whitespace()).collect();
    let refused = self::run(&arguments);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("needs no further training") && !other.exists(), "{error}");
}

#[test]
fn an_ablation_that_was_killed_ends_with_the_table_of_one_that_was_not() {
    let (folder, table) = data();
    let fixed = "--device cpu --first-steps 1 --batch 2 3 --simulated 1 --hold-out s2 --seeds 2 \
                 --changes multi-similarity";
    let of = |out: &Path| -> Vec<String> {
        let ablate = ["ablate", "--data", text(&table), "--out", text(out)];
        ablate.into_iter().chain(fixed.split_whitespace()).map(str::to_owned).collect()
    };
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let arguments = of(&whole);
    let report = succeed(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let arguments = of(&killed);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    kill_once(&arguments, &killed.join("none-1.json"), Duration::from_secs(120));
    assert!(!killed.join("ablation.md").exists(), "it was killed before its end");
    succeed(&arguments);
    let read = |out: &Path| fs::read_to_string(out.join("ablation.md")).expect("a table");
    assert_eq!(read(&whole), read(&killed));

    let table = read(&whole);
    assert!(report.starts_with(&table), "{report}");
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let changes = rows.iter().map(|row| row.split_whitespace().nth(1).expect("a change"));
    assert!(changes.eq(["none", "multi-similarity"]), "{table}");
    assert!(rows[1].contains(" ± ") && !rows[0].contains('±'), "over two seeds: {table}");
    assert!(rows[0].starts_with("| none | 1.00 |"), "bars are easily told from discs: {table}");

    let other: Vec<&str> =
        arguments.iter().map(|one| if *one == "s2" { "s1" } else { one }).collect();
    let refused = run(&other);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("of another work"), "{error}");
}

/// One bad table: a single line on standard error that holds `reason`, status 1, nothing written.
fn check_refused(table: &Path, reason: &str) {
    let out = table.parent().expect("a folder").join("run");
    let output = run(&train_arguments(text(table), text(&out)));
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert!(error.contains(reason), "{error:?} does not tell {reason:?}");
    assert!(!out.exists(), "something was written");
}

#[test]
fn bad_tables_are_refused_in_one_line() {
    let (folder, table) = data();
    let good = fs::read_to_string(&table).expect("the table");
    let cases: [(&str, String, &str); 10] = [
        ("empty", "image,x,y,w,h,label,specimen\n".into(), "holds no cell"),
        ("headless", "a,b\n1,2\n".into(), "no column 'image'"),
        ("label", good.replacen("mitotic", "dividing", 1), "row 1: the label 'dividing'"),
        (
            "outside",
            good.replacen("field0.png,7,7", "field0.png,230,7", 1),
            "row 1, image field0.png",
        ),
        (
            "number",
            good.replacen("field0.png,7,7", "field0.png,seven,7", 1),
            "'seven', not a number",
        ),
        ("missing", good.replace("field1.png", "field9.png"), "field9.png"),
        (
            "single",
            good.replace(",mitotic,", ",,").replacen(",,s0", ",mitotic,s0", 1),
            "1 mitotic cell",
        ),
        ("specimens", good.replacen(",s0", ",other", 1), "several specimens (other, s0)"),
        ("page", good.replacen("note", "page", 1), "row 1: the page is no number"),
        ("channel", good.replacen("note", "channel", 1), "row 1: the channel 'cell 0' is none of"),
    ];
    for (name, content, reason) in cases {
        let path = folder.path().join(format!("{name}.csv"));
        fs::write(&path, content).expect("the table is written");
        check_refused(&path, reason);
    }
    check_refused(&folder.path().join("nowhere.csv"), "nowhere.csv");
}

#[test]
fn bad_images_are_refused_in_one_line() {
    let (folder, table) = data();
    let image = folder.path().join("field1.png");
    fs::write(&image, b"").expect("written");
    check_refused(&table, "field1.png");

    let good = fs::read_to_string(&table).expect("the table");
    let tiff = folder.path().join("field1.tiff");
    let mut bytes = std::io::Cursor::new(Vec::new());
    tiff::encoder::TiffEncoder::new(&mut bytes)
        .and_then(|mut encoder| {
            encoder.write_image::<tiff::encoder::colortype::Gray8>(240, 160, field(1).as_raw())
        })
        .expect("a TIFF");
    let bytes = bytes.into_inner();
    fs::write(&tiff, &bytes[..bytes.len() / 2]).expect("written");
    fs::write(&table, good.replace("field1.png", "field1.tiff")).expect("written");
    check_refused(&table, "field1.tiff");
}

#[test]
fn classify_refuses_a_damaged_model_and_leaves_no_file() {
    let (folder, table) = data();
    let (model, out) = (folder.path().join("model.safetensors"), folder.path().join("scores.csv"));
    fs::write(&model, b"not a model at all").expect("written");
    let output =
        run(&["classify", "--model", text(&model), "--data", text(&table), "--out", text(&out)]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("model.safetensors") && !out.exists());
}

#[test]
fn simulated_fields_are_data_to_train_on() {
    let folder = TempDir::new().expect("a temporary folder");
    let (fields, run) = (folder.path().join("fields"), folder.path().join("run"));
    let simulate = ["simulate", "--out", text(&fields), "--specimens", "2", "--fields", "1"];
    succeed(&simulate);
    let again = common::run(&simulate);
    assert_eq!(again.status.code(), Some(1), "what is there is not overwritten");
    let table = fields.join("cells.csv");
    let sheet = folder.path().join("sheet.png");
    let rows = succeed(&["sheet", text(&table), "--out", text(&sheet), "--cells", "3"]);
    let count = rows.lines().filter(|line| line.starts_with("row ")).count() as u32;
    let side = SIDE as u32;
    assert_eq!(
        image::image_dimensions(&sheet).expect("a sheet"),
        (3 * side, count * side),
        "{rows}"
    );
    assert!(rows.contains(" mitotic cells ") && rows.contains(" interphase cells "), "{rows}");
    let fixed = "--device cpu --steps 1 --batch 2 2";
    let train = ["train", "--data", text(&table), "--out", text(&run)];
    succeed(&train.into_iter().chain(fixed.split_whitespace()).collect::<Vec<_>>());
}
