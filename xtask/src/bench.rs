//! Measures throughput and peak memory: training, embedding and simulating natively, embedding in
//! Chromium on the CPU path; or races them against other engines.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use serde_json::Value;

use crate::{checks, dist, inference_race, project, training_race};

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measurement {
    /// Training and embedding, by themselves.
    Throughput,
    /// Training, in turn with PyTorch.
    Training,
    /// Embedding in Chromium, in turn with other engines.
    Browser,
    /// Embedding natively, in turn with other engines.
    Native,
}

/// Columns of a table with their widths.
const THROUGHPUT: [(&str, usize); 4] =
    [("engine", 30), ("work", 14), ("images_per_s", 12), ("peak_mib", 8)];
const INFERENCE: [(&str, usize); 11] = [
    ("engine", 22),
    ("graph", 20),
    ("backend", 7),
    ("threads", 7),
    ("batch", 5),
    ("ready_ms", 8),
    ("first_ms", 8),
    ("median_ms", 9),
    ("bytes", 9),
    ("peak_mib", 8),
    ("max_abs_error", 13),
];

/// Prints a table and, if asked, writes the rows as JSON.
///
/// # Errors
/// When a build or a measurement fails.
pub fn run(what: Measurement, json: Option<&Path>) -> Result<()> {
    let (columns, rows): (&[_], _) = match what {
        Measurement::Throughput => (&THROUGHPUT, throughput()?),
        Measurement::Training => (&THROUGHPUT, training_race::run()?),
        Measurement::Browser => (&INFERENCE, inference_race::in_browser()?),
        Measurement::Native => (&INFERENCE, inference_race::natively()?),
    };
    let print = |cell: &dyn Fn(&str) -> String| {
        let cells = columns.iter().map(|(name, width)| format!("{:width$}", cell(name)));
        println!("{}", cells.collect::<Vec<_>>().join("  "));
    };
    print(&|name| name.into());
    for row in &rows {
        print(&|name| text(&row[name]));
    }
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_vec_pretty(&rows)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A cell of the table.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => match number.as_f64().unwrap_or(f64::NAN) {
            small if small < 0.01 => format!("{small:.1e}"),
            number => format!("{number:.1}"),
        },
        other => other.to_string(),
    }
}

fn throughput() -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for work in ["train", "embed", "simulate"] {
        let mut command = project::cargo()?;
        command.args(["run", "--release", "--package", "native-trainer"]);
        rows.extend(measure(command.args(["--example", "throughput", "--", work]))?);
    }
    let site = project::root()?.join("dist");
    dist::build(&site)?;
    rows.extend(measure(&mut checks::browser_command(&site, "bench.mjs")?)?);
    Ok(rows)
}

/// Runs a program that prints its rows as lines of JSON.
///
/// # Errors
/// When it fails or a row is no JSON.
pub fn measure(command: &mut Command) -> Result<Vec<Value>> {
    eprintln!("$ {command:?}");
    let output = command.stderr(Stdio::inherit()).output().context("it does not start")?;
    ensure!(output.status.success(), "the measurement failed: {command:?}");
    let lines = String::from_utf8(output.stdout)?;
    let rows = lines.lines().filter(|line| line.starts_with('{'));
    rows.map(|row| serde_json::from_str(row).with_context(|| format!("no JSON: {row}"))).collect()
}
