//! `mitoscope detect`: the cells of a specimen's fields, found and classified.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use image::{Rgb, RgbImage};
use mitoscope::GreyImage;
use mitoscope::cells::{CellBox, find_cells};
use mitoscope::classifier::{Classifier, Label, Prediction};
use mitoscope::decode::{DecodeOptions, decode_with, preview};
use mitoscope::preprocess::Preprocess;
use mitoscope::specimen::{PreparationCheck, Verdict, judge};
use native_trainer::device;
use native_trainer::files::write_at_once;
use rayon::prelude::*;
use serde::Serialize;

use super::{read_model, score_columns};
use crate::Detect;

/// Cells classified at once.
const BATCH: usize = 32;
/// Colours of the boxes of mitotic and of interphase cells.
const MITOTIC: Rgb<u8> = Rgb([255, 80, 60]);
const INTERPHASE: Rgb<u8> = Rgb([70, 150, 255]);

/// The cells of one field.
struct Found {
    path: PathBuf,
    cells: Vec<(CellBox, Prediction)>,
}

/// What `--json` writes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    version: &'static str,
    model_sha256: String,
    device: String,
    fields: usize,
    operating_point: f64,
    enough: usize,
    verdict: Verdict,
    notice: &'static str,
}

/// Runs the command.
pub fn run(options: &Detect) -> Result<()> {
    ensure!(options.page > 0, "--page 0: pages are counted from 1 on");
    ensure!(options.enough > 0, "--enough 0 checks nothing: ask for at least 1 mitotic cell");
    let (model, model_sha256) = read_model(&options.model)?;
    let preprocess = model.manifest.preprocess.clone();
    let (device, device_name) = device::open(options.device)?;
    let classifier = Classifier::new(model, device);
    if let Some(folder) = &options.overlay {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }

    let decoding = DecodeOptions { page: options.page - 1, channel: options.channel };
    let mut fields = Vec::with_capacity(options.fields.len());
    for (i, path) in options.fields.iter().enumerate() {
        let named = || format!("the field {}", path.display());
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let image = decode_with(&bytes, &decoding).with_context(named)?;
        let cells = classify(&image, &preprocess, &classifier).with_context(named)?;
        if let Some(folder) = &options.overlay {
            write_at_once(&folder.join(overlay_name(path, i)), &overlay(&image, &cells)?)?;
        }
        fields.push(Found { path: path.clone(), cells });
    }
    write_at_once(&options.out, &csv_of(&fields)?)?;

    let cells = fields.iter().flat_map(|field| &field.cells);
    let values: Vec<f64> = cells.map(|(_, prediction)| prediction.decision_value).collect();
    let verdict = judge(&values, 0.0, options.enough);
    if options.json {
        let summary = Summary {
            version: env!("CARGO_PKG_VERSION"),
            model_sha256,
            device: device_name,
            fields: fields.len(),
            operating_point: 0.0,
            enough: options.enough,
            verdict,
            notice: "Research use only, not for diagnostic procedures",
        };
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        let percent = verdict.fraction.map_or(0.0, |fraction| 100.0 * fraction);
        println!(
            "{} mitotic of {} cells ({percent:.1} %), fields: {}, on {device_name}: {}",
            verdict.mitotic,
            verdict.cells,
            fields.len(),
            options.out.display()
        );
        println!("preparation check: {}", words(verdict.check, options.enough));
    }
    Ok(())
}

fn words(check: PreparationCheck, enough: usize) -> String {
    match check {
        PreparationCheck::Enough => format!("passed, at least {enough} mitotic cells"),
        PreparationCheck::TooFew => format!("fewer than {enough} mitotic cells"),
        PreparationCheck::NoneFound => "no mitotic cell found".into(),
        PreparationCheck::NotGradable => "not gradable".into(),
    }
}

fn classify(
    image: &GreyImage,
    preprocess: &Preprocess,
    classifier: &Classifier,
) -> Result<Vec<(CellBox, Prediction)>> {
    let boxes = find_cells(image)?;
    let cut = preprocess.cut_field(image, &boxes)?;
    let mut predictions = Vec::with_capacity(boxes.len());
    for patches in cut.patches.chunks(BATCH) {
        let inputs: Vec<Vec<f32>> =
            patches.par_iter().map(|patch| preprocess.input(patch, &cut.levels)).collect();
        predictions.extend(pollster::block_on(classifier.classify(&inputs))?);
    }
    Ok(boxes.into_iter().zip(predictions).collect())
}

fn csv_of(fields: &[Found]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["image", "x", "y", "w", "h", "decision_value", "probability", "prediction"];
    writer.write_record(header)?;
    for Found { path, cells } in fields {
        for (CellBox { x, y, w, h }, prediction) in cells {
            let mut record = vec![path.to_string_lossy().into_owned()];
            record.extend([x, y, w, h].map(|v| format!("{v:.1}")));
            record.extend(score_columns(prediction));
            writer.write_record(&record)?;
        }
    }
    Ok(writer.into_inner()?)
}

/// Fields of different folders may share a name, so each picture is numbered.
fn overlay_name(field: &Path, index: usize) -> String {
    let name = field.file_stem().unwrap_or_default().to_string_lossy();
    format!("{:03}-{name}.png", index + 1)
}

/// The field as PNG, stretched for the eye, with a box around every cell.
fn overlay(image: &GreyImage, cells: &[(CellBox, Prediction)]) -> Result<Vec<u8>> {
    let longest = image.width().max(image.height());
    let shown = preview(image, longest);
    let rgb = shown.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut picture = RgbImage::from_raw(shown.width as u32, shown.height as u32, rgb)
        .context("the preview has another size")?;
    let (width, height) = picture.dimensions();
    let thickness = (longest as u32 / 800).max(1);
    for (cell, prediction) in cells {
        let colour = match prediction.prediction {
            Label::Mitotic => MITOTIC,
            Label::Interphase => INTERPHASE,
        };
        let (left, top) = (cell.x as u32, cell.y as u32);
        let right = ((cell.x + cell.w) as u32).min(width);
        let bottom = ((cell.y + cell.h) as u32).min(height);
        for y in top..bottom {
            for x in left..right {
                let inner =
                    |from: u32, at: u32, to: u32| at >= from + thickness && at + thickness < to;
                if !(inner(left, x, right) && inner(top, y, bottom)) {
                    picture.put_pixel(x, y, colour);
                }
            }
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
