//! How many of the cells that readers boxed on real fields, or that were simulated, are found, and what
//! a large field costs.
//!
//! `cargo test --release --package mitoscope --package native-trainer --test detection -- --include-ignored --nocapture --test-threads 1`
//! prints all of it. The real fields are not part of the repository.

mod common;

use std::collections::BTreeMap;
use std::io::Cursor;

use mitoscope::GreyImage;
use mitoscope::cells::{CellBox, find_cells, typical_size};
use mitoscope::classifier::Label;
use mitoscope::decode::decode;
use native_trainer::found::{holds, owns};
use native_trainer::memory::peak_mib;
use native_trainer::simulation::pattern::Pattern;
use native_trainer::simulation::{self, DrawnCell, FieldSpec, PixelBox, Specimen};
use native_trainer::table::Table;
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::Gray16;

/// Floors in percent: mitotic and interphase boxes that hold the centre of a found box of their own, and
/// interphase boxes that a found box covers with an overlap over union of at least a half.
const FLOORS: [(&str, f64, f64, f64); 8] = [
    ("ACA", 95.0, 92.0, 78.0),
    ("AMA", 0.0, 77.0, 53.0),
    ("DOT", 80.0, 90.0, 82.0),
    ("FIB", 0.0, 79.0, 58.0),
    ("HOM", 95.0, 95.0, 90.0),
    ("NEG", 85.0, 95.0, 92.0),
    ("NUC", 95.0, 94.0, 83.0),
    ("ZIA", 90.0, 93.0, 88.0),
];

/// What was found of one kind of box.
#[derive(Default)]
struct Recall {
    boxes: usize,
    centred: usize,
    covered: usize,
}

impl Recall {
    fn percent(&self, number: usize) -> f64 {
        if self.boxes == 0 { 100.0 } else { 100.0 * number as f64 / self.boxes as f64 }
    }
}

/// One staining pattern.
#[derive(Default)]
struct Tally {
    mitotic: Recall,
    interphase: Recall,
    /// Found boxes, and those whose centre is in no reader's box.
    found: usize,
    stray: usize,
    /// Size of a found box over that of its reader's.
    sizes: Vec<f32>,
}

impl Tally {
    fn count(&mut self, found: &[CellBox], readers: &[(CellBox, Option<Label>)]) {
        let mut covered = vec![false; found.len()];
        let boxes: Vec<CellBox> = readers.iter().map(|(cell, _)| *cell).collect();
        for ((reader, label), own) in readers.iter().zip(owns(&boxes, found)) {
            let cover = (0..found.len())
                .filter(|i| !covered[*i] && overlap(reader, &found[*i]) >= 0.5)
                .max_by(|a, b| overlap(reader, &found[*a]).total_cmp(&overlap(reader, &found[*b])));
            // A box of neither class uses up what lies in it, but is not asked for.
            cover.iter().for_each(|i| covered[*i] = true);
            let recall = match label {
                Some(Label::Mitotic) => &mut self.mitotic,
                Some(Label::Interphase) => &mut self.interphase,
                None => continue,
            };
            recall.boxes += 1;
            recall.centred += usize::from(own.is_some());
            recall.covered += usize::from(cover.is_some());
            self.sizes.extend(own.map(|i| found[i].size() / reader.size()));
        }
        self.found += found.len();
        let in_none = |b: &&CellBox| !readers.iter().any(|(r, _)| holds(r, b.center()));
        self.stray += found.iter().filter(in_none).count();
    }
}

/// Common area over joint area.
fn overlap(a: &CellBox, b: &CellBox) -> f32 {
    let along = |a: (f32, f32), b: (f32, f32)| ((a.0 + a.1).min(b.0 + b.1) - a.0.max(b.0)).max(0.0);
    let common = along((a.x, a.w), (b.x, b.w)) * along((a.y, a.h), (b.y, b.h));
    common / (a.w * a.h + b.w * b.h - common)
}

#[test]
fn boxes_of_readers_are_found() {
    let Some(table) = common::hep2_agh() else { return };
    let table = Table::open(&table).expect("the cell table");
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (index, name) in table.images.iter().enumerate() {
        let image = table.image(index).expect(name);
        let found = find_cells(&image).expect(name);
        let rows: Vec<_> = table.rows.iter().filter(|row| row.image == index).collect();
        let readers: Vec<_> = rows.iter().filter_map(|row| Some((row.cell?, row.label))).collect();
        tallies.entry(rows[0].pattern.clone()).or_default().count(&found, &readers);
        let boxes: Vec<CellBox> = readers.iter().map(|(cell, _)| *cell).collect();
        println!("{name}: typical size {:.2}", typical_size(&found) / typical_size(&boxes));
    }
    println!("pattern  mitotic centred/covered  interphase centred/covered  stray/found  size");
    let mut low = Vec::new();
    for (pattern, tally) in &mut tallies {
        let Tally { mitotic, interphase, found, stray, sizes } = tally;
        sizes.sort_by(f32::total_cmp);
        let percents = [(&*mitotic, mitotic.centred), (&*mitotic, mitotic.covered)];
        let [m, mc] = percents.map(|(recall, number)| recall.percent(number));
        let percents = [(&*interphase, interphase.centred), (&*interphase, interphase.covered)];
        let [i, ic] = percents.map(|(recall, number)| recall.percent(number));
        println!(
            "{pattern:7} {:4} {m:6.1} {mc:6.1} {:10} {i:6.1} {ic:6.1} {stray:9}/{found} {:10.2}",
            mitotic.boxes,
            interphase.boxes,
            sizes[sizes.len() / 2]
        );
        let floor = FLOORS.iter().find(|floor| floor.0 == pattern).expect("a known pattern");
        for (reached, least) in [(m, floor.1), (i, floor.2), (ic, floor.3)] {
            if reached < least && mitotic.boxes + interphase.boxes > 0 {
                low.push(format!("{pattern}: {reached:.1} % is below {least} %"));
            }
        }
    }
    assert!(low.is_empty(), "{}", low.join("\n"));
}

/// Side of the large field in pixels, and of the simulated fields it is made of.
const LARGE: (usize, usize) = (5500, 1375);
/// Most seconds of one core and most MiB for the large field, from the bytes of its file to the boxes.
const COST: (f64, u64) = (3.0, 600);

/// A 16-bit TIFF of the large field.
fn large_field(nuclear_radius: f32) -> Vec<u8> {
    let (side, tile) = LARGE;
    let spec = FieldSpec {
        side: (tile, tile),
        pattern: Some(Pattern::FineSpeckled),
        nuclear_radius: Some(nuclear_radius),
        white: Some(u16::MAX),
        scale_bar: Some(false),
        ..FieldSpec::default()
    };
    let specimen = Specimen::draw(&spec, 5);
    let mut pixels = vec![0u16; side * side];
    let across = side / tile;
    for number in 0..across * across {
        let field = specimen.field(number as u64);
        for (y, row) in field.pixels.chunks_exact(tile).enumerate() {
            let start = (number / across * tile + y) * side + number % across * tile;
            pixels[start..start + tile].copy_from_slice(row);
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).expect("encoder");
    encoder.write_image::<Gray16>(side as u32, side as u32, &pixels).expect("page");
    bytes.into_inner()
}

/// Seconds that this thread has run on a core.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.expect("a figure") / 1e9
}

#[test]
#[ignore = "measures the machine: run it alone"]
fn a_large_field_costs_little() {
    for nuclear_radius in [150.0, 40.0] {
        let bytes = large_field(nuclear_radius);
        let start = cpu_seconds();
        let image = decode(&bytes).expect("readable");
        let decoded = cpu_seconds();
        let found = find_cells(&image).expect("cells");
        let end = cpu_seconds();
        let peak = peak_mib().expect("Linux");
        println!(
            "nuclear radius {nuclear_radius}: decoded in {:.2} s, {} cells in {:.2} s, peak {peak} MiB",
            decoded - start,
            found.len(),
            end - decoded
        );
        assert!(end - start < COST.0 && peak < COST.1, "{} s, {peak} MiB", end - start);
    }
}

#[test]
fn nuclei_of_every_size_are_found_in_simulated_fields() {
    for nuclear_radius in [15.0, 40.0, 150.0f32] {
        let side = (20.0 * nuclear_radius) as usize;
        let mut tally = Tally::default();
        for pattern in [Pattern::Homogeneous, Pattern::Centromere, Pattern::DenseFineSpeckled] {
            let spec = FieldSpec {
                side: (side, side),
                pattern: Some(pattern),
                nuclear_radius: Some(nuclear_radius),
                ..FieldSpec::default()
            };
            let field = simulation::field(&spec, 7);
            let grey = |v: &u16| f32::from(*v) / f32::from(field.white);
            let pixels = field.pixels.iter().map(grey).collect();
            let image = GreyImage::new(field.width, field.height, pixels).expect("valid");
            let truth: Vec<_> = field.cells.iter().map(|cell| (exact(cell), label(cell))).collect();
            tally.count(&find_cells(&image).expect("cells"), &truth);
        }
        let Tally { mitotic, interphase, found, stray, .. } = tally;
        let recalls = [&mitotic, &interphase].map(|recall| recall.percent(recall.centred));
        println!(
            "nuclear radius {nuclear_radius}: {recalls:.1?} % of {} and {}, {stray} stray of {found}",
            mitotic.boxes, interphase.boxes
        );
        assert!(mitotic.boxes > 5 && interphase.boxes > 30, "too few cells");
        assert!(recalls[0] >= 90.0 && recalls[1] >= 80.0, "{nuclear_radius}: {recalls:?}");
        assert!(stray * 10 <= found, "{nuclear_radius}: {stray} stray of {found}");
    }
}

fn exact(cell: &DrawnCell) -> CellBox {
    let PixelBox { x, y, width, height } = cell.bounds;
    CellBox { x: x as f32, y: y as f32, w: width as f32, h: height as f32 }
}

fn label(cell: &DrawnCell) -> Option<Label> {
    match cell.label() {
        "mitotic" => Some(Label::Mitotic),
        "interphase" => Some(Label::Interphase),
        _ => None,
    }
}
