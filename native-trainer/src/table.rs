//! The cell table: which cells there are, in which image, with which label.
//!
//! Invariant: an open table has at least one row, every label is known or empty, and every box is
//! complete and finite; whether it lies inside its image is known once the image is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use mitoscope::GreyImage;
use mitoscope::cells::CellBox;
use mitoscope::classifier::Label;
use mitoscope::decode::{DecodeOptions, decode_with};
use mitoscope::model::sha256;

use crate::found::Found;

/// File name endings of the images that a folder is searched for.
const IMAGE_KINDS: [&str; 6] = ["png", "tif", "tiff", "bmp", "jpg", "jpeg"];

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Index into [`Table::images`].
    pub image: usize,
    /// Where the cell is; `None` when the whole image is one cell.
    pub cell: Option<CellBox>,
    /// The class, if the table gives one.
    pub label: Option<Label>,
    /// The unit of grouped splits; empty when unknown.
    pub specimen: String,
    /// The staining pattern; empty when unknown.
    pub pattern: String,
}

/// A cell table or a folder of crops, without pixels.
#[derive(Debug, Clone)]
pub struct Table {
    /// Names of the columns, as in the file.
    pub header: csv::StringRecord,
    /// The rows as in the file, to be carried through.
    pub records: Vec<csv::StringRecord>,
    /// The rows as cells, in the same order, then those that [`crate::found`] added.
    pub rows: Vec<Row>,
    /// How the latter stand to the former.
    pub found: Found,
    /// Paths of the images, relative to [`Table::folder`], in order of first use; of a file of which several pages or
    /// channels are read, several times.
    pub images: Vec<String>,
    /// What is read of each.
    readings: Vec<DecodeOptions>,
    folder: PathBuf,
    source: PathBuf,
    montage: bool,
}

/// Cells that share one field's scale and grey levels: those of one image, or crops of one specimen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Indices of its rows.
    pub rows: Vec<usize>,
}

impl Table {
    /// Opens a CSV table, or a folder with `mitotic/` and `interphase/` sub-folders or images.
    ///
    /// # Errors
    /// When the file or folder cannot be read, holds no cell, or a row has an unknown label, box, page or channel; names
    /// the row.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() { Self::of_folder(path) } else { Self::of_csv(path) }
    }

    fn of_csv(path: &Path) -> Result<Self> {
        let bytes = fs::read(path)
            .with_context(|| format!("cannot read the cell table {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut reader = csv::ReaderBuilder::new().from_reader(bytes.as_slice());
        let header = reader.headers().with_context(|| unreadable(path))?.clone();
        let records =
            reader.records().collect::<Result<Vec<_>, _>>().with_context(|| unreadable(path))?;
        Self::new(header, records, folder, path)
    }

    fn of_folder(path: &Path) -> Result<Self> {
        let header = csv::StringRecord::from(vec!["image", "label", "specimen"]);
        let mut records = Vec::new();
        for label in ["mitotic", "interphase", ""] {
            let folder = path.join(label);
            if !folder.is_dir() {
                continue;
            }
            let listing = fs::read_dir(&folder)
                .with_context(|| format!("cannot list the folder {}", folder.display()))?;
            let mut names: Vec<String> = listing
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .filter(|name| is_image(name))
                .collect();
            names.sort();
            records.extend(names.iter().map(|name| {
                let image = if label.is_empty() { name.clone() } else { format!("{label}/{name}") };
                csv::StringRecord::from(vec![image.as_str(), label, ""])
            }));
        }
        Self::new(header, records, path.to_path_buf(), path)
    }

    fn new(
        header: csv::StringRecord,
        records: Vec<csv::StringRecord>,
        folder: PathBuf,
        source: &Path,
    ) -> Result<Self> {
        let name = source.display();
        let column = |wanted: &str| header.iter().position(|h| h.trim() == wanted);
        let image = column("image").with_context(|| {
            format!("{name} has no column 'image'; a cell table's header is image,x,y,w,h,label,specimen")
        })?;
        ensure!(!records.is_empty(), "{name} holds no cell: add rows, or images to the folder");
        let corners = ["x", "y", "w", "h"].map(column);
        let (label, specimen, pattern) = (column("label"), column("specimen"), column("pattern"));
        let (page, channel) = (column("page"), column("channel"));
        let (mut images, mut readings) = (Vec::new(), Vec::new());
        let mut rows = Vec::with_capacity(records.len());
        let mut known = BTreeMap::new();
        for (i, record) in records.iter().enumerate() {
            let field = |c: Option<usize>| c.and_then(|c| record.get(c)).unwrap_or("").trim();
            let path = field(Some(image)).to_owned();
            ensure!(!path.is_empty(), "{name}, row {}: the image is not named", i + 1);
            let parse = || -> Result<Row> {
                let reading = parse_reading(field(page), field(channel))?;
                let place = (path.clone(), reading.page, reading.channel);
                Ok(Row {
                    image: *known.entry(place).or_insert_with(|| {
                        images.push(path);
                        readings.push(reading);
                        images.len() - 1
                    }),
                    cell: parse_box(corners.map(field))?,
                    label: parse_label(field(label))?,
                    specimen: field(specimen).to_owned(),
                    pattern: field(pattern).to_owned(),
                })
            };
            rows.push(parse().with_context(|| format!("{name}, row {}", i + 1))?);
        }
        let source = source.to_path_buf();
        let found = Found::default();
        Ok(Self { header, records, rows, found, images, readings, folder, source, montage: false })
    }

    /// The same table, its boxes read as the tiles of montages.
    ///
    /// A tile is an image of one cell: what lies beyond its border is of another image, so it is
    /// never seen, and that tiles share an image means nothing.
    pub fn montage(self) -> Self {
        Self { montage: true, ..self }
    }

    /// Whether boxes are the tiles of montages.
    pub fn is_montage(&self) -> bool {
        self.montage
    }

    /// The rows of the file.
    pub fn given(&self) -> &[Row] {
        &self.rows[..self.records.len()]
    }

    /// Whether a row is a found cell.
    pub fn is_found(&self, row: usize) -> bool {
        row >= self.records.len()
    }

    /// Whether the cells of a group lie in one image.
    pub fn is_field(&self, group: &Group) -> bool {
        !self.montage && self.rows[group.rows[0]].cell.is_some()
    }

    /// The file or folder this table came from.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// The label of every row.
    pub fn labels(&self) -> Vec<Option<Label>> {
        self.rows.iter().map(|row| row.label).collect()
    }

    /// The specimen of every row; empty where it is unknown.
    pub fn specimens(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.specimen.as_str()).collect()
    }

    /// The label of every row that is among these; none for the others.
    pub fn labels_of(&self, rows: &[usize]) -> Vec<Option<Label>> {
        let mut labels = vec![None; self.rows.len()];
        rows.iter().for_each(|row| labels[*row] = self.rows[*row].label);
        labels
    }

    /// Whether a row is labelled mitotic.
    pub fn is_mitotic(&self, row: usize) -> bool {
        self.rows[row].label == Some(Label::Mitotic)
    }

    /// Whether each of these rows is.
    pub fn truth(&self, rows: &[usize]) -> Vec<bool> {
        rows.iter().map(|row| self.is_mitotic(*row)).collect()
    }

    /// Bytes of an image of the table.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn image_bytes(&self, image: usize) -> Result<Vec<u8>> {
        let path = self.folder.join(&self.images[image]);
        fs::read(&path).with_context(|| {
            format!("cannot read the image {} named in {}", path.display(), self.source.display())
        })
    }

    /// SHA-256 over the table and its images.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn digest(&self) -> Result<String> {
        let mut parts: Vec<String> = self.records.iter().map(|r| format!("{r:?}")).collect();
        for image in 0..self.images.len() {
            parts.push(sha256(&self.image_bytes(image)?));
        }
        Ok(sha256(parts.join("\n").as_bytes()))
    }

    /// Tells data of this digest from the same rows and images that are read otherwise.
    pub fn identity(&self, digest: &str) -> String {
        format!("{digest} {:?}{}", self.header, if self.montage { " montage" } else { "" })
    }

    /// The same table, each field of one specimen in all of its rows; where none names it, of its own.
    ///
    /// # Errors
    /// When the rows of a field name several.
    pub fn with_named_fields(mut self) -> Result<Self> {
        let mut fields = self.groups();
        fields.retain(|group| self.is_field(group));
        for group in fields {
            let image = &self.images[self.rows[group.rows[0]].image];
            let named = group.rows.iter().map(|row| self.rows[*row].specimen.as_str());
            let named: BTreeSet<&str> = named.filter(|name| !name.is_empty()).collect();
            ensure!(
                named.len() < 2,
                "{}: the cells of the image {image} name several specimens ({}): give them one",
                self.source.display(),
                named.into_iter().collect::<Vec<_>>().join(", ")
            );
            let name = named.first().map_or_else(|| image.clone(), |name| (*name).to_owned());
            for row in group.rows {
                self.rows[row].specimen.clone_from(&name);
            }
        }
        Ok(self)
    }

    /// Reads an image of the table and checks that its boxes lie inside.
    ///
    /// # Errors
    /// When the image cannot be read or decoded, or a box lies outside of it; names the row.
    pub fn image(&self, image: usize) -> Result<GreyImage> {
        let grey =
            decode_with(&self.image_bytes(image)?, &self.readings[image]).with_context(|| {
                format!("the image {}", self.folder.join(&self.images[image]).display())
            })?;
        for (i, row) in self.rows.iter().enumerate().filter(|(_, row)| row.image == image) {
            if let Some(cell) = row.cell {
                cell.check(&grey).with_context(|| {
                    format!(
                        "{}, row {}, image {}",
                        self.source.display(),
                        i + 1,
                        self.images[image]
                    )
                })?;
            }
        }
        Ok(grey)
    }

    /// The groups in order of their first row.
    ///
    /// Boxes of one image belong together, given and found ones apart; whole-image crops and tiles belong
    /// together when they are of one specimen (all that name none are one group).
    pub fn groups(&self) -> Vec<Group> {
        let mut places = BTreeMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            let key = match row.cell {
                Some(_) if !self.montage => (Some(row.image), "", self.is_found(i)),
                _ => (None, row.specimen.as_str(), false),
            };
            let place = *places.entry(key).or_insert_with(|| {
                groups.push(Group { rows: Vec::new() });
                groups.len() - 1
            });
            groups[place].rows.push(i);
        }
        groups
    }
}

fn unreadable(path: &Path) -> String {
    format!("{} is no readable CSV table", path.display())
}

fn is_image(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    ending.is_some_and(|ending| IMAGE_KINDS.contains(&ending.as_str()))
}

fn parse_label(text: &str) -> Result<Option<Label>> {
    Ok(match text {
        "mitotic" => Some(Label::Mitotic),
        "interphase" => Some(Label::Interphase),
        "" => None,
        other => bail!("the label '{other}' is neither 'mitotic' nor 'interphase' nor empty"),
    })
}

/// Page, from 1 on, and channel; the first and the brightest where none is named.
fn parse_reading(page: &str, channel: &str) -> Result<DecodeOptions> {
    let page = match page {
        "" => Some(1),
        page => page.parse::<usize>().ok().filter(|page| *page > 0),
    };
    let page = page.context("the page is no number from 1 on")? - 1;
    let channel = if channel.is_empty() { Default::default() } else { channel.parse()? };
    Ok(DecodeOptions { page, channel })
}

fn parse_box(corners: [&str; 4]) -> Result<Option<CellBox>> {
    if corners.iter().all(|c| c.is_empty()) {
        return Ok(None);
    }
    let number = |i: usize| -> Result<f32> {
        let value: f32 = corners[i].parse().map_err(|_| {
            anyhow::anyhow!(
                "the box's {} is '{}', not a number",
                ["x", "y", "w", "h"][i],
                corners[i]
            )
        })?;
        ensure!(value.is_finite(), "the box's {} is not finite", ["x", "y", "w", "h"][i]);
        Ok(value)
    };
    Ok(Some(CellBox { x: number(0)?, y: number(1)?, w: number(2)?, h: number(3)? }))
}
