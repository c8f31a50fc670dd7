//! Writes simulated specimens: fields as PNG, the cell table, masks where asked for.
//!
//! Invariant: a specimen's files depend on the options' seed and its number alone, not on how many
//! are written or on how many threads; the table is written last, so its presence means it is whole.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use image::{ExtendedColorType, ImageFormat, save_buffer_with_format};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::files::make_folder;

use super::{FieldSpec, SimulatedField, Specimen};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Number of specimens.
    pub specimens: usize,
    /// Fields of each.
    pub fields: usize,
    /// Seed of everything.
    pub seed: u64,
    /// Whether label images are written too.
    pub masks: bool,
    /// What each field is asked to be.
    pub spec: FieldSpec,
    /// Whether each specimen draws its own field size instead of the specification's.
    pub any_size: bool,
}

impl Default for Options {
    fn default() -> Self {
        let spec = FieldSpec::default();
        Self { specimens: 1, fields: 3, seed: 1, masks: false, spec, any_size: false }
    }
}

/// Widths and heights of common cameras.
const SIZES: [(usize, usize); 6] =
    [(1000, 1000), (1024, 768), (1296, 966), (1388, 1040), (1600, 1200), (1920, 1200)];

const HEADER: [&str; 12] = [
    "image",
    "x",
    "y",
    "w",
    "h",
    "label",
    "specimen",
    "cell_id",
    "pattern",
    "phase",
    "chromatin",
    "look_alike",
];

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Path of the cell table.
    pub table: PathBuf,
    /// Number of fields.
    pub fields: usize,
    /// Number of rows with the label `mitotic`.
    pub mitotic: usize,
    /// Number of rows with the label `interphase`.
    pub interphase: usize,
}

/// Writes `fields/*.png`, `cells.csv`, `fields.csv` and, if asked, `masks/*.png` into `folder`.
///
/// `cells.csv` is a cell table; its last column names what a cell may be taken for. `fields.csv`
/// holds each field's pattern, size and the rectangle of its scale bar.
///
/// # Errors
/// When nothing is asked for, or a file cannot be written.
pub fn write(folder: &Path, options: &Options) -> Result<Written> {
    ensure!(
        options.specimens > 0 && options.fields > 0,
        "no field is asked for: give at least 1 specimen and 1 field"
    );
    let pictures = folder.join("fields");
    let masks = folder.join("masks");
    make_folder(&pictures)?;
    if options.masks {
        make_folder(&masks)?;
    }
    let count = options.specimens * options.fields;
    let digits = options.specimens.to_string().len().max(3);
    let rows: Vec<(Vec<Vec<String>>, Vec<String>)> = (0..count)
        .into_par_iter()
        .map(|i| {
            let (number, of) = (i / options.fields, i % options.fields);
            let specimen = specimen(options, number as u64);
            let field = specimen.field(of as u64);
            let name = format!("S{:0digits$}", number + 1);
            let file = format!("{name}-{}.png", of + 1);
            save(&pictures.join(&file), &field, &field.pixels, field.bit_depth())?;
            if options.masks {
                save(&masks.join(&file), &field, &field.masks, 16)?;
            }
            Ok((cell_rows(&field, &name, &file), field_row(&field, &file)))
        })
        .collect::<Result<_>>()?;
    let header = ["field", "pattern", "width", "height", "ignore_box"];
    table(&folder.join("fields.csv"), &header, rows.iter().map(|(_, field)| field))?;
    let path = folder.join("cells.csv");
    table(&path, &HEADER, rows.iter().flat_map(|(cells, _)| cells))?;
    let of = |label: &str| rows.iter().flat_map(|r| &r.0).filter(|row| row[5] == label).count();
    let (mitotic, interphase) = (of("mitotic"), of("interphase"));
    Ok(Written { table: path, fields: count, mitotic, interphase })
}

/// Draws the specimen of a number.
pub fn specimen(options: &Options, number: u64) -> Specimen {
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    rng.set_stream(number);
    let mut spec = options.spec;
    let seed = rng.random();
    if options.any_size {
        spec.side = SIZES[rng.random_range(0..SIZES.len())];
    }
    Specimen::draw(&spec, seed)
}

fn cell_rows(field: &SimulatedField, specimen: &str, file: &str) -> Vec<Vec<String>> {
    let stem = file.trim_end_matches(".png");
    let row = |(i, cell): (usize, &super::DrawnCell)| {
        let bounds = cell.bounds;
        let phase = cell.kind.phase().map_or("", |phase| phase.name());
        vec![
            format!("fields/{file}"),
            bounds.x.to_string(),
            bounds.y.to_string(),
            bounds.width.to_string(),
            bounds.height.to_string(),
            cell.label().to_owned(),
            specimen.to_owned(),
            format!("{stem}_{i:03}"),
            field.pattern.name().to_owned(),
            phase.to_owned(),
            cell.chromatin.map_or("", |chromatin| chromatin.name()).to_owned(),
            cell.kind.look_alike().map_or("", |look_alike| look_alike.name()).to_owned(),
        ]
    };
    field.cells.iter().enumerate().map(row).collect()
}

fn field_row(field: &SimulatedField, file: &str) -> Vec<String> {
    let bar = |b: super::PixelBox| format!("{} {} {} {}", b.x, b.y, b.width, b.height);
    vec![
        file.trim_end_matches(".png").to_owned(),
        field.pattern.name().to_owned(),
        field.width.to_string(),
        field.height.to_string(),
        field.ignore_box.map_or(String::new(), bar),
    ]
}

fn save(path: &Path, field: &SimulatedField, levels: &[u16], bits: u8) -> Result<()> {
    let (bytes, colour): (Vec<u8>, _) = match bits {
        8 => (levels.iter().map(|level| *level as u8).collect(), ExtendedColorType::L8),
        _ => (levels.iter().flat_map(|l| l.to_ne_bytes()).collect(), ExtendedColorType::L16),
    };
    let (width, height) = (field.width as u32, field.height as u32);
    save_buffer_with_format(path, &bytes, width, height, colour, ImageFormat::Png)
        .with_context(|| format!("cannot write the picture {}", path.display()))
}

fn table<'a>(
    path: &Path,
    header: &[&str],
    rows: impl Iterator<Item = &'a Vec<String>>,
) -> Result<()> {
    let failed = || format!("cannot write the table {}", path.display());
    let mut writer = csv::Writer::from_path(path).with_context(failed)?;
    writer.write_record(header).with_context(failed)?;
    for row in rows {
        writer.write_record(row).with_context(failed)?;
    }
    writer.flush().with_context(failed)
}
