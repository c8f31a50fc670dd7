use std::fs;

use tempfile::TempDir;

use super::*;
use crate::judge::Split;

/// A field of bright discs in a grid of 3 by 2, and a small crop.
fn data(table: &str) -> (TempDir, Table) {
    let folder = TempDir::new().expect("a temporary folder");
    let field = image::GrayImage::from_fn(360, 280, |x, y| {
        let (dx, dy) = ((x % 120) as f32 - 60.0, (y % 140) as f32 - 70.0);
        image::Luma([if dx.hypot(dy) < 32.0 { 170 + (x * 7 + y * 3) as u8 % 9 } else { 12 }])
    });
    field.save(folder.path().join("field.png")).expect("written");
    field.save(folder.path().join("other.png")).expect("written");
    let path = folder.path().join("cells.csv");
    fs::write(&path, table).expect("written");
    (folder, Table::open(&path).expect("a table"))
}

const TABLE: &str = "image,x,y,w,h,label,specimen,pattern
field.png,20,30,90,80,mitotic,a,HOM
field.png,140,30,80,80,,a,HOM
field.png,262,32,76,76,interphase,a,HOM
field.png,100,120,20,20,mitotic,a,HOM
other.png,20,30,80,80,interphase,,NUC
";

#[test]
fn found_cells_have_the_labels_of_the_boxes_that_own_them() {
    let (_folder, table) = data(TABLE);
    let all = with_found(&table).expect("found");
    assert_eq!(all.given().len(), 5);
    assert_eq!(all.rows.len(), 5 + 12, "six discs in each field");
    assert_eq!(all.found.missed.iter().copied().collect::<Vec<_>>(), [3], "a box between discs");
    let labels: Vec<Option<Label>> = all.rows[5..11].iter().map(|row| row.label).collect();
    let [mitotic, interphase] = [Some(Label::Mitotic), Some(Label::Interphase)];
    // The upper row is owned: mitotic, without label, interphase; the lower lies in no given box.
    assert_eq!(labels, [mitotic, None, interphase, interphase, interphase, interphase]);
    let strays: Vec<usize> = all.found.strays.iter().copied().collect();
    assert_eq!(strays, [8, 9, 10, 12, 13, 14, 15, 16]);
    assert_eq!((all.rows[8].pattern.as_str(), all.rows[8].specimen.as_str()), ("HOM", "a"));
    assert_eq!(all.rows[4].specimen, "other.png", "a field without a name is its own specimen");
    assert_eq!(all.rows[16].specimen, "other.png");
}

#[test]
fn found_and_given_cells_of_a_field_are_groups_of_their_own_on_one_side_of_a_split() {
    let (_folder, table) = data(TABLE);
    let all = with_found(&table).expect("found");
    let sizes: Vec<usize> = all.groups().iter().map(|group| group.rows.len()).collect();
    assert_eq!(sizes, [4, 1, 6, 6]);
    let split = Split::by_specimens(&all, &["a".into()].into()).expect("a split");
    assert_eq!(split.held_out, [0, 2, 3, 5, 7, 8, 9, 10]);
    assert_eq!(split.given(&all).held_out, [0, 2, 3]);
    assert_eq!(split.given(&all).train, [4]);
}

#[test]
fn crops_have_no_found_cells_and_unnamed_ones_keep_the_table_as_it_is() {
    let crops = "image,label,specimen\nfield.png,mitotic,a\nother.png,interphase,b\n";
    let (_folder, table) = data(crops);
    assert_eq!(with_found(&table).expect("crops").rows, table.rows);
    let mixed = format!("{TABLE}other.png,,,,,interphase,,\n");
    let (_folder, table) = data(&mixed);
    assert_eq!(with_found(&table).expect("mixed").rows, table.rows);
}
