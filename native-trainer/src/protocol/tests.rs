use std::collections::BTreeSet;
use std::fs;

use super::*;

/// A table of `specimens`, each with so many mitotic and interphase cells, and one unlabelled.
fn table(specimens: &[(&str, usize, usize)]) -> Table {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let mut text = String::from("image,label,specimen\n");
    for (name, mitotic, interphase) in specimens {
        let cells = |label: &str, count| format!("a.png,{label},{name}\n").repeat(count);
        text += &(cells("mitotic", *mitotic) + &cells("interphase", *interphase) + &cells("", 1));
    }
    let path = folder.path().join("cells.csv");
    fs::write(&path, text).expect("written");
    Table::open(&path).expect("a table")
}

fn parts(division: &Division) -> [&Vec<usize>; 3] {
    [&division.train, &division.validation, &division.test]
}

/// Every labelled row once, no other.
fn check_partition(table: &Table, division: &Division) {
    let mut rows: Vec<usize> = parts(division).into_iter().flatten().copied().collect();
    rows.sort_unstable();
    let labelled: Vec<usize> =
        (0..table.rows.len()).filter(|row| table.rows[*row].label.is_some()).collect();
    assert_eq!(rows, labelled);
}

fn count(table: &Table, rows: &[usize], class: Label) -> usize {
    rows.iter().filter(|row| table.rows[**row].label == Some(class)).count()
}

#[test]
fn the_papers_counts_come_out() {
    // 100 mitotic cells: 20/40/60 to train on, 70/50/30 to test on (spec, section Protocol).
    let table = table(&[("", 100, 4228)]);
    for (setting, train, test, interphase) in
        [(Setting::A, 20, 70, 2960), (Setting::B, 40, 50, 2114), (Setting::C, 60, 30, 1268)]
    {
        let division = Division::new(&table, setting, 1, false, 1).expect("divides");
        check_partition(&table, &division);
        assert_eq!(count(&table, &division.train, Label::Mitotic), train);
        assert_eq!(count(&table, &division.validation, Label::Mitotic), 10);
        assert_eq!(count(&table, &division.test, Label::Mitotic), test);
        let tested = count(&table, &division.test, Label::Interphase);
        assert!(
            tested.abs_diff(interphase) <= 1,
            "{setting}: {tested}, the paper has {interphase}"
        );
    }
}

#[test]
fn sets_differ_and_repeat_by_seed() {
    let table = table(&[("", 30, 90)]);
    let of = |set, seed| Division::new(&table, Setting::B, set, false, seed).expect("divides");
    assert_eq!(of(1, 5), of(1, 5));
    assert_ne!(of(1, 5), of(2, 5));
    assert_ne!(of(1, 5), of(1, 6));
}

#[test]
fn grouped_sets_keep_specimens_whole_and_near_the_shares() {
    let names: Vec<String> = (0..30).map(|i| format!("s{i}")).collect();
    let specimens: Vec<(&str, usize, usize)> =
        names.iter().enumerate().map(|(i, n)| (n.as_str(), i % 7, 20 + i)).collect();
    let table = table(&specimens);
    for setting in [Setting::A, Setting::B, Setting::C] {
        let division = Division::new(&table, setting, 1, true, 3).expect("divides");
        check_partition(&table, &division);
        let of = |rows: &[usize]| -> BTreeSet<&str> {
            rows.iter().map(|row| table.rows[*row].specimen.as_str()).collect()
        };
        let [train, validation, test] = parts(&division).map(|rows| of(rows));
        assert!(train.is_disjoint(&test) && train.is_disjoint(&validation));
        assert!(validation.is_disjoint(&test));
        let all: usize = specimens.iter().map(|s| s.1).sum();
        for (rows, share) in parts(&division).into_iter().zip(setting.shares()) {
            let got = count(&table, rows, Label::Mitotic) as f64 / all as f64;
            assert!((got - share).abs() < 0.06, "{setting}: {got:.2} for {share}");
        }
    }
}

#[test]
fn what_cannot_be_divided_is_refused() {
    let lone = table(&[("a", 5, 20)]);
    let error = Division::new(&lone, Setting::A, 1, true, 1).expect_err("one specimen");
    assert!(error.to_string().contains("needs more cells or specimens"), "{error}");
    let nameless = table(&[("", 5, 20)]);
    let error = Division::new(&nameless, Setting::A, 1, true, 1).expect_err("no specimens");
    assert!(error.to_string().contains("row 1: grouped sets need a specimen"), "{error}");
}
