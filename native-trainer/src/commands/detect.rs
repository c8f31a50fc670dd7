//! `mitoscope detect`: the cells of a specimen's fields, found and classified.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use image::{Rgb, RgbImage};
use mitoscope::GreyImage;
use mitoscope::cells::{CellBox, find_cells};
use mitoscope::classifier::{Classifier, Label, Prediction};
use mitoscope::decode::{Channel, DecodeOptions, decode_with, preview};
use mitoscope::model::Manifest;
use mitoscope::preprocess::Preprocess;
use mitoscope::specimen::{BOUNDARY, Preparation, Rule, Verdict};
use native_trainer::device;
use native_trainer::files::{make_folder, write_at_once};
use native_trainer::inference::embed_all;
use serde::Serialize;

use super::{SCORE_COLUMNS, call_all, read_model, score_columns};
use crate::Detect;

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
    let rule = rule(&model.manifest, &options.operating_point, options.enough)?;
    let preprocess = model.manifest.preprocess.clone();
    let (device, device_name) = device::open(options.device)?;
    let classifier = Classifier::new(model, device);
    if let Some(folder) = &options.overlay {
        make_folder(folder)?;
    }

    let decoding = DecodeOptions { page: options.page - 1, channel: options.channel };
    let mut fields = Vec::with_capacity(options.fields.len());
    for (i, path) in options.fields.iter().enumerate() {
        let named = || format!("the field {}", path.display());
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let image = decode_with(&bytes, &decoding).with_context(named)?;
        let boxes = match find_cells(&image) {
            Ok(boxes) => boxes,
            // As in the page, the other fields still make a specimen.
            Err(error) if options.fields.len() > 1 => {
                eprintln!("mitoscope: {}: {error}", named());
                Vec::new()
            }
            Err(error) => return Err(error).with_context(named),
        };
        let cells = classify(&image, boxes, &preprocess, &classifier).with_context(named)?;
        if let Some(folder) = &options.overlay {
            let mut called = cells.clone();
            call_all(called.iter_mut().map(|(_, prediction)| prediction), &rule)?;
            write_at_once(&folder.join(overlay_name(path, i)), &overlay(&image, &called)?)?;
        }
        fields.push(Found { path: path.clone(), cells });
    }
    let all = fields.iter_mut().flat_map(|field| &mut field.cells);
    let verdict = call_all(all.map(|(_, prediction)| prediction), &rule)?;
    ensure!(
        verdict.cells > 0,
        "none of the {} fields holds a cell: check exposure, --page and --channel",
        fields.len()
    );
    write_at_once(&options.out, &csv_of(&fields, options)?)?;
    if options.json {
        let summary = Summary {
            version: env!("CARGO_PKG_VERSION"),
            model_sha256,
            device: device_name,
            fields: fields.len(),
            operating_point: rule.threshold,
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
        println!("preparation check: {}", words(&verdict));
    }
    Ok(())
}

/// The page's rule, nothing answered.
fn rule(manifest: &Manifest, operating_point: &str, needed: usize) -> Result<Rule> {
    let points = &manifest.operating_points;
    let named = points.iter().find(|point| point.name == operating_point);
    let number = || operating_point.parse().ok().filter(|value: &f64| value.is_finite());
    let threshold = match (named, operating_point) {
        (Some(point), _) => Some(point.threshold),
        (None, "boundary") => Some(BOUNDARY),
        (None, _) => number(),
    };
    let threshold = threshold.with_context(|| {
        let names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
        format!(
            "--operating-point {operating_point}: neither a number nor one of boundary, {}",
            names.join(", ")
        )
    })?;
    Ok(Rule::of(manifest, threshold, needed))
}

fn words(verdict: &Verdict) -> String {
    let Verdict { candidates, doubtful, needed, .. } = verdict;
    match verdict.preparation {
        Preparation::Open => format!(
            "open, {candidates} mitotic and {doubtful} uncertain cells to confirm, {needed} needed"
        ),
        Preparation::None => "no mitotic cell found".into(),
        Preparation::Ungradable => "not gradable".into(),
        Preparation::Passed | Preparation::Few => format!("{} confirmed", verdict.confirmed),
    }
}

fn classify(
    image: &GreyImage,
    boxes: Vec<CellBox>,
    preprocess: &Preprocess,
    classifier: &Classifier,
) -> Result<Vec<(CellBox, Prediction)>> {
    let cut = preprocess.cut_field(image, &boxes)?;
    let input = |cell: usize| preprocess.input(&cut.patches[cell], &cut.levels);
    let embeddings = embed_all(classifier, boxes.len(), input)?;
    let judged = boxes.into_iter().zip(&cut.patches).zip(classifier.features(&embeddings));
    judged
        .map(|((cell, patch), features)| {
            Ok((cell, classifier.judge(patch, &cut.levels, &features)?))
        })
        .collect()
}

/// A cell table of what was read; page and channel where they were chosen.
fn csv_of(fields: &[Found], options: &Detect) -> Result<Vec<u8>> {
    let chosen = [
        ("page", options.page.to_string(), options.page != 1),
        ("channel", options.channel.to_string(), options.channel != Channel::default()),
    ];
    let chosen: Vec<_> = chosen.into_iter().filter(|(.., chosen)| *chosen).collect();
    let place = ["image", "x", "y", "w", "h"].into_iter().chain(chosen.iter().map(|(n, ..)| *n));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(place.chain(SCORE_COLUMNS))?;
    for Found { path, cells } in fields {
        let image = seen_from(&options.out, path)?;
        for (CellBox { x, y, w, h }, prediction) in cells {
            let mut record = vec![image.to_string_lossy().into_owned()];
            record.extend([x, y, w, h].map(|v| format!("{v:.1}")));
            record.extend(chosen.iter().map(|(_, value, _)| value.clone()));
            record.extend(score_columns(prediction));
            writer.write_record(&record)?;
        }
    }
    Ok(writer.into_inner()?)
}

/// The field as a table names it: relative to the table's folder where it lies below, else whole.
fn seen_from(table: &Path, field: &Path) -> Result<PathBuf> {
    let (table, field) = (std::path::absolute(table)?, std::path::absolute(field)?);
    let inside = table.parent().and_then(|folder| field.strip_prefix(folder).ok());
    Ok(inside.map_or_else(|| field.clone(), Path::to_path_buf))
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
