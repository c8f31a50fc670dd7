//! `mitoscope inspect`: what a model file says of itself.

use anyhow::{Context, Result};
use mitoscope::limits::Limits;
use mitoscope::model::{Manifest, Model, Provenance, ReferenceSource};
use mitoscope::quality::Quality;
use native_trainer::evaluation::Evaluation;

use super::read_model;
use super::summary::summarise;
use crate::Inspect;

/// Runs the command.
pub fn run(options: &Inspect) -> Result<()> {
    let (Model { manifest, weights, svm, references }, sha256) = read_model(&options.model)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&manifest)?);
        return Ok(());
    }
    let parameters: usize = weights.tensors().values().map(Vec::len).sum();
    let vectors = svm.coefficients().len();
    line("SHA-256", &sha256);
    line("made by", &format!("preset {}, mitoscope {}", manifest.preset, manifest.version));
    line("network", &format!("{parameters} parameters"));
    line("SVM", &format!("{vectors} support vectors of {} numbers", svm.dim()));
    line("references", &format!("{} cells", references.cells().len()));
    print_origin(&manifest);
    for point in &manifest.operating_points {
        line(&format!("point {}", point.name), &format!("above {:.3}", point.threshold));
    }
    let Some(limits) = &manifest.limits else { return Ok(()) };
    print_limits(limits);
    let evaluation: Evaluation = serde_json::from_value(manifest.metrics)
        .context("the figures in it are of another version: see them by --json")?;
    summarise(&evaluation, limits);
    Ok(())
}

fn line(name: &str, words: &str) {
    println!("{name:23} {words}");
}

fn print_origin(manifest: &Manifest) {
    let Provenance { data, licence, data_sha256, command, seed, trained_steps, .. } =
        &manifest.provenance;
    line("data", &format!("{data} ({licence}), SHA-256 {data_sha256}"));
    line("command", command);
    line("training", &format!("{trained_steps} steps, seed {seed}"));
    if let Some(ReferenceSource { data, licence, .. }) = &manifest.references {
        line("data of the references", &format!("{data} ({licence})"));
    }
}

fn print_limits(Limits { quality, distance, .. }: &Limits) {
    let Quality { contrast, saturation, sharpness } = quality;
    line(
        "uncertain",
        &format!(
            "contrast below {contrast:.3}, saturation above {saturation:.3}, sharpness below {sharpness:.4}{}",
            distance.map_or(String::new(), |far| format!(", farther than {far:.3}"))
        ),
    );
}
