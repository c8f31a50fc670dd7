//! Measures the throughput and peak memory of the network: training and embedding, natively and in
//! Chromium on the CPU path, or training against PyTorch.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use serde_json::Value;

use crate::{checks, dist, project, training_race};

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measurement {
    /// Training and embedding, by themselves.
    Throughput,
    /// Training, in turn with PyTorch.
    Training,
}

/// Prints a table and, if asked, writes the rows as JSON.
///
/// # Errors
/// When a build or a measurement fails.
pub fn run(what: Measurement, json: Option<&Path>) -> Result<()> {
    let rows = match what {
        Measurement::Throughput => throughput()?,
        Measurement::Training => training_race::run()?,
    };
    println!("{:30} {:14} {:>12} {:>10}", "engine", "work", "images/s", "peak MiB");
    for row in &rows {
        let text = |key: &str| row[key].to_string().trim_matches('"').to_owned();
        let [engine, work, rate, peak] = ["engine", "work", "images_per_s", "peak_mib"].map(text);
        println!("{engine:30} {work:14} {rate:>12} {peak:>10}");
    }
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_vec_pretty(&rows)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn throughput() -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for work in ["train", "embed"] {
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
fn measure(command: &mut Command) -> Result<Vec<Value>> {
    eprintln!("$ {command:?}");
    let output = command.stderr(Stdio::inherit()).output().context("it does not start")?;
    ensure!(output.status.success(), "the measurement failed: {command:?}");
    let lines = String::from_utf8(output.stdout)?;
    let rows = lines.lines().filter(|line| line.starts_with('{'));
    rows.map(|row| serde_json::from_str(row).with_context(|| format!("no JSON: {row}"))).collect()
}
