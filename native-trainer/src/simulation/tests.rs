use std::collections::HashSet;

use super::pattern::{Kind, LookAlike, Phase};
use super::*;

fn small(pattern: Option<Pattern>, radius: f32) -> FieldSpec {
    FieldSpec {
        side: (320, 260),
        pattern,
        nuclear_radius: Some(radius),
        mitotic: Some(0.4),
        ..FieldSpec::default()
    }
}

#[test]
fn a_field_depends_on_specification_and_seed_alone() {
    let spec = small(None, 16.0);
    assert_eq!(field(&spec, 3), field(&spec, 3));
    assert_ne!(field(&spec, 3).pixels, field(&spec, 4).pixels);
    let specimen = Specimen::draw(&spec, 3);
    assert_ne!(specimen.field(0).pixels, specimen.field(1).pixels);
    assert_eq!(specimen.field(1), Specimen::draw(&spec, 3).field(1), "in any order");
}

#[test]
fn boxes_hold_their_masks_and_lie_in_the_field() {
    for seed in 0..12 {
        let field = field(&small(None, 12.0 + 4.0 * seed as f32), seed);
        assert_eq!(field.masks.len(), field.width * field.height);
        for cell in &field.cells {
            let b = cell.bounds;
            assert!(b.width > 0 && b.height > 0);
            assert!(b.x + b.width <= field.width && b.y + b.height <= field.height, "{b:?}");
        }
        for (i, number) in field.masks.iter().enumerate().filter(|(_, number)| **number > 0) {
            let cell = field.cells[usize::from(*number) - 1];
            let (x, y, b) = (i % field.width, i / field.width, cell.bounds);
            assert_eq!(cell.mask, *number);
            assert!((b.x..b.x + b.width).contains(&x) && (b.y..b.y + b.height).contains(&y));
        }
    }
}

#[test]
fn the_box_of_an_uncovered_cell_is_tight() {
    let field = field(&small(Some(Pattern::Homogeneous), 16.0), 5);
    let uppermost = field.cells.last().expect("a crowded field");
    let of = |i: &usize| field.masks[*i] == uppermost.mask;
    let places: Vec<usize> = (0..field.masks.len()).filter(of).collect();
    let columns = places.iter().map(|i| i % field.width);
    let (low, high) = (columns.clone().min(), columns.max());
    assert_eq!(low, Some(uppermost.bounds.x));
    assert_eq!(high, Some(uppermost.bounds.x + uppermost.bounds.width - 1));
}

#[test]
fn labels_agree_with_phases_and_look_alikes() {
    for seed in 0..20 {
        for cell in field(&small(None, 14.0), seed).cells {
            let mitotic = cell.kind.phase().is_some();
            assert_eq!(cell.chromatin.is_some(), mitotic);
            assert!(!mitotic || cell.kind.look_alike().is_none());
            let wanted = match cell.kind {
                _ if !cell.whole => "",
                Kind::Mitotic(_) => "mitotic",
                Kind::Interphase(_) => "interphase",
                Kind::Remains(look_alike) => {
                    assert!(!look_alike.is_interphase());
                    ""
                }
            };
            assert_eq!(cell.label(), wanted);
        }
    }
}

#[test]
fn every_pattern_phase_and_look_alike_is_drawn() {
    let (mut patterns, mut phases, mut look_alikes) =
        (HashSet::new(), HashSet::new(), HashSet::new());
    for seed in 0..80 {
        let field = field(&small(None, 12.0), seed);
        patterns.insert(field.pattern);
        phases.extend(field.cells.iter().filter_map(|cell| cell.kind.phase()));
        look_alikes.extend(field.cells.iter().filter_map(|cell| cell.kind.look_alike()));
    }
    assert_eq!(patterns.len(), Pattern::ALL.len());
    assert_eq!(phases, HashSet::from(Phase::ALL));
    assert_eq!(look_alikes, HashSet::from(LookAlike::ALL));
}

/// Mean grey of a cell's mask over the mean grey of all interphase masks' pixels.
#[test]
fn plates_are_bright_where_the_pattern_binds_chromatin() {
    let ratio = |pattern, seed| {
        let spec = FieldSpec { side: (600, 600), white: Some(65535), ..small(Some(pattern), 20.0) };
        let mut specimen = Specimen::draw(&spec, seed);
        specimen.camera.exposure = 0.1;
        specimen.optics.uneven = 0.0;
        let field = specimen.field(0);
        let mean = |wanted: &dyn Fn(Kind) -> bool| {
            let pixels = field.masks.iter().zip(&field.pixels).filter(|(number, _)| {
                **number > 0 && wanted(field.cells[usize::from(**number) - 1].kind)
            });
            let (sum, count) =
                pixels.fold((0.0, 0.0), |(s, n), (_, p)| (s + f64::from(*p), n + 1.0));
            sum / f64::max(count, 1.0)
        };
        let metaphase = |kind: Kind| matches!(kind.phase(), Some(Phase::Metaphase(_)));
        mean(&metaphase) / mean(&|kind| kind == Kind::Interphase(None))
    };
    for seed in 0..6 {
        let (bright, dark) =
            (ratio(Pattern::Homogeneous, seed), ratio(Pattern::CoarseSpeckled, seed));
        assert!(bright > 1.05, "homogeneous, seed {seed}: {bright}");
        assert!(dark < 1.0 || seed_is_mixed(seed), "speckled, seed {seed}: {dark}");
    }
}

fn seed_is_mixed(seed: u64) -> bool {
    let specimen = Specimen::draw(&small(Some(Pattern::CoarseSpeckled), 20.0), seed);
    specimen.staining.chromatin == Chromatin::Bright
}

#[test]
fn grey_levels_stay_below_white_and_show_something() {
    for (seed, white) in [255, 4095, 65535].into_iter().cycle().take(24).enumerate() {
        let spec = FieldSpec { white: Some(white), ..small(None, 15.0) };
        let field = field(&spec, seed as u64);
        let most = field.pixels.iter().copied().max().unwrap_or(0);
        assert!(most <= white);
        assert_eq!(field.bit_depth(), if white == 255 { 8 } else { 16 });
        let least = field.pixels.iter().copied().min().unwrap_or(0);
        assert!(most > least + white / 100, "{:?}, seed {seed}: {least}..{most}", field.pattern);
        let saturated = field.pixels.iter().filter(|level| **level == white).count();
        assert!(saturated < field.pixels.len() / 3, "{:?}, seed {seed}", field.pattern);
    }
}

#[test]
fn a_scale_bar_is_told_of() {
    let spec = FieldSpec { scale_bar: Some(true), ..small(None, 15.0) };
    for seed in 0..10 {
        let with = field(&spec, seed);
        let bar = with.ignore_box.expect("a bar was asked for");
        assert!(bar.x + bar.width <= with.width && bar.y + bar.height <= with.height);
        assert!(field(&FieldSpec { scale_bar: Some(false), ..spec }, seed).ignore_box.is_none());
    }
}

#[test]
fn odd_sizes_are_drawn() {
    for side in [(1, 1), (7, 300), (33, 5), (40, 40)] {
        for radius in [2.0, 15.0, 150.0] {
            let spec = FieldSpec { side, nuclear_radius: Some(radius), ..FieldSpec::default() };
            for seed in 0..4 {
                assert_eq!(field(&spec, seed).pixels.len(), side.0 * side.1);
            }
        }
    }
}

#[test]
fn written_specimens_are_a_cell_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = writer::Options {
        specimens: 2,
        fields: 2,
        masks: true,
        spec: small(None, 14.0),
        ..writer::Options::default()
    };
    let written = writer::write(folder.path(), &options).expect("written");
    assert_eq!(written.fields, 4);
    let text = std::fs::read_to_string(&written.table).expect("the table");
    assert!(text.starts_with("image,x,y,w,h,label,specimen,cell_id,pattern,phase,chromatin,"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.iter().filter(|row| &row[5] == "mitotic").count(), written.mitotic);
    for row in &rows {
        let picture = image::open(folder.path().join(&row[0])).expect("the field");
        let number = |i: usize| -> u32 { row[i].parse().expect("a number") };
        assert!(number(1) + number(3) <= picture.width());
        assert!(number(2) + number(4) <= picture.height());
    }
    let mask = image::open(folder.path().join("masks/S001-1.png")).expect("the masks").to_luma16();
    let first = rows.iter().filter(|row| &row[0] == "fields/S001-1.png").count();
    assert!(mask.pixels().all(|p| usize::from(p.0[0]) <= first));
}
