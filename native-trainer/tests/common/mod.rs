//! What the tests of the program share: running it, and three simulated fields to run it on.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use image::{GrayImage, ImageBuffer, Luma};
use tempfile::TempDir;

pub fn mitoscope(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mitoscope"));
    command.args(arguments);
    command
}

pub fn run(arguments: &[&str]) -> Output {
    mitoscope(arguments).output().expect("the program starts")
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}

/// A field of dim round nuclei with a bright bar (a metaphase plate) in every third place.
pub fn field(index: usize) -> GrayImage {
    ImageBuffer::from_fn(240, 160, |x, y| {
        let (column, row) = (x / 40, y / 40);
        let (dx, dy) = ((x % 40) as f32 - 20.0, (y % 40) as f32 - 20.0);
        let grain = ((x * 7 + y * 13 + index as u32 * 5) % 11) as f32;
        let inside = match (column + row + index as u32) % 3 {
            0 => (dx.abs() < 12.0 && dy.abs() < 4.0).then_some(200.0),
            _ => (dx.hypot(dy) < 13.0).then_some(70.0),
        };
        Luma([(inside.unwrap_or(15.0) + grain) as u8])
    })
}

/// Three fields with 24 cells each, 8 of them mitotic, and their table.
pub fn data() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let mut table = String::from("image,x,y,w,h,label,specimen,note\n");
    for index in 0..3 {
        let name = format!("field{index}.png");
        field(index).save(folder.path().join(&name)).expect("the image is written");
        for cell in 0..24 {
            let (column, row) = (cell % 6, cell / 6);
            let mitotic = (column + row + index) % 3 == 0;
            let label = if mitotic { "mitotic" } else { "interphase" };
            let (x, y) = (column * 40 + 7, row * 40 + 7);
            table += &format!("{name},{x},{y},26,26,{label},s{index},cell {cell}\n");
        }
    }
    let path = folder.path().join("cells.csv");
    fs::write(&path, table).expect("the table is written");
    (folder, path)
}

/// The largest difference of two lists; NaN where one is.
pub fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |most, d| if d > most || d.is_nan() { d } else { most })
}

/// The table of hep2-agh, whose fields are not part of the repository; says so where it is absent.
pub fn hep2_agh() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/hep2-agh");
    let folder = std::env::var_os("MITOSCOPE_DATA").map_or(beside, PathBuf::from);
    let table = folder.join("cells.csv");
    if table.exists() {
        return Some(table);
    }
    println!("SKIPPED: {} is absent; MITOSCOPE_DATA names its folder", table.display());
    None
}

pub fn succeed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Starts the program and kills it as soon as a file is there.
pub fn kill_once(arguments: &[&str], file: &Path, within: Duration) {
    let mut child = mitoscope(arguments).spawn().expect("the program starts");
    let start = Instant::now();
    while !file.exists() {
        assert!(start.elapsed() < within, "{} was not written", file.display());
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}
