//! `mitoscope reproduce` as a user runs it, on simulated fields.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{data, kill_once, run, succeed, text};
use serde_json::Value;

fn arguments<'a>(table: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = "--device cpu --steps 2 --batch 2 2 --sets 1";
    let data = ["reproduce", "--data", table, "--out", out];
    data.into_iter().chain(fixed.split(' ')).chain(more.iter().copied()).collect()
}

/// The report without what a clock wrote.
fn timeless_report(out: &Path) -> Value {
    let bytes = fs::read(out.join("report.json")).expect("a report");
    let mut report: Value = serde_json::from_slice(&bytes).expect("JSON");
    for run in report["runs"].as_array_mut().expect("runs") {
        run["seconds"] = 0.into();
        for step in run["steps"].as_array_mut().expect("steps") {
            assert!(step["images_per_second"].as_f64().is_some_and(|rate| rate > 0.0));
            step["images_per_second"] = 0.into();
        }
    }
    report
}

#[test]
fn a_killed_reproduction_ends_with_the_report_of_one_that_was_not() {
    let (folder, table) = data();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let more = ["--settings", "B,C"];
    succeed(&arguments(text(&table), text(&whole), &more));

    let again = arguments(text(&table), text(&killed), &more);
    kill_once(&again, &killed.join("runs/B-1/run.json"), Duration::from_secs(300));
    assert!(!killed.join("runs/C-1/run.json").exists(), "it was killed before its end");
    succeed(&again);
    let (report, resumed) = (timeless_report(&whole), timeless_report(&killed));
    for run in 0..2 {
        for part in ["division", "steps", "scores", "cross_entropy_losses", "map", "validation"] {
            let of = |report: &Value| report["runs"][run][part].clone();
            assert!(of(&report) == of(&resumed), "run {run}: {part} differs");
        }
    }
    assert!(report == resumed, "the reports differ");

    let methods = |setting: &str| -> Vec<&str> {
        let results = report["results"].as_array().expect("results").iter();
        let of = results.filter(|result| result["setting"] == setting);
        of.map(|result| result["method"].as_str().expect("a name")).collect()
    };
    let without_network = ["miros", "tonti", "brightness"];
    let expected = [&["proposed", "nearest-neighbours", "cross-entropy"], &without_network[..]];
    assert_eq!(methods("B"), expected.concat());
    let expected = [&["proposed", "nearest-neighbours"], &without_network[..]];
    assert_eq!(methods("C"), expected.concat(), "the paper trains cross-entropy in Ex-B alone");
    let html = fs::read_to_string(whole.join("report.html")).expect("a page");
    assert!(html.contains("Table 4") && html.contains("<svg") && !html.contains("<script"));

    let other = [&again[..], &["--seed", "2"]].concat();
    let refused = run(&other);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains("of another work"), "{error}");
}

#[test]
fn grouped_sets_never_share_a_specimen() {
    let (folder, table) = data();
    let out = folder.path().join("report");
    succeed(&arguments(text(&table), text(&out), &["--settings", "C", "--grouped"]));
    let report = timeless_report(&out);
    assert_eq!(report["grouped"], true);
    let specimen = |row: &Value| row.as_u64().expect("a row") / 24;
    let division = &report["runs"][0]["division"];
    let specimens = |part: &str| -> Vec<u64> {
        let mut of: Vec<u64> =
            division[part].as_array().expect("rows").iter().map(specimen).collect();
        of.dedup();
        of
    };
    let mut all = [specimens("train"), specimens("validation"), specimens("test")].concat();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2]);
}

#[test]
fn simulated_cells_come_first_where_the_preset_has_them() {
    let (folder, table) = data();
    let out = folder.path().join("report");
    let fixed = "--device cpu --preset simulated --first-steps 1 --simulated 2 --batch 2 2 --sets 1 \
                 --settings B";
    let arguments: Vec<&str> = ["reproduce", "--data", text(&table), "--out", text(&out)]
        .into_iter()
        .chain(fixed.split_whitespace())
        .collect();
    succeed(&arguments);
    assert!(out.join("simulated.checkpoint.safetensors").exists());
    let report = timeless_report(&out);
    let results = report["results"].as_array().expect("results").iter();
    let methods: Vec<&str> =
        results.map(|result| result["method"].as_str().expect("a name")).collect();
    let expected = ["proposed", "nearest-neighbours", "miros", "tonti", "brightness"];
    assert_eq!(methods, expected, "cross-entropy learns from real cells alone");
    assert_eq!(report["runs"][0]["steps"], serde_json::json!([]), "no step on real cells");
    let command = report["command"].as_str().expect("a command");
    assert!(command.contains("--first-steps 1 --simulated 2"), "{command}");
}

#[test]
fn tiles_of_a_montage_are_images_of_their_own() {
    let (folder, table) = data();
    let out = folder.path().join("report");
    // Without specimens, as tiles of a montage often are.
    let anonymous = fs::read_to_string(&table).expect("the table");
    let anonymous = anonymous.replace(",s0,", ",,").replace(",s1,", ",,").replace(",s2,", ",,");
    fs::write(&table, anonymous).expect("written");
    succeed(&arguments(text(&table), text(&out), &["--settings", "C", "--montage"]));
    assert_eq!(timeless_report(&out)["data"]["specimens"], 0);

    let grouped = folder.path().join("grouped");
    let refused = run(&arguments(text(&table), text(&grouped), &["--montage", "--grouped"]));
    let error = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains("grouped sets need a specimen"), "{error}");
}
