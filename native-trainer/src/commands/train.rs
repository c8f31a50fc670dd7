//! `mitoscope train`: from a cell table to a run folder with a model in it.

use std::fs;

use anyhow::{Context, Result, ensure};
use mitoscope::classifier::Label;
use mitoscope::model::{CLASSES, Manifest, Model, OperatingPoint, Precision, Provenance, SCHEMA};
use mitoscope::references::References;
use native_trainer::device;
use native_trainer::evaluation::Evaluation;
use native_trainer::files::write_at_once;
use native_trainer::fitting::{Fitted, Split, fit};
use native_trainer::preset::Preset;
use native_trainer::sampler::StratifiedSampler;
use native_trainer::samples::prepare_all;
use native_trainer::training::{Plan, StepReport, Trained, train};

use super::{data_name, progress::Progress};
use crate::Train;

/// The finished model in a run folder, in full precision.
pub const MODEL: &str = "model.safetensors";
const CHECKPOINT: &str = "checkpoint.safetensors";
const PROGRESS: &str = "progress.csv";
const EVALUATION: &str = "evaluation.json";

/// Runs the command.
pub fn run(options: &Train) -> Result<()> {
    let preset = options.training.preset(options.preset)?;
    let seed = options.training.seed;
    let table = options.data.open()?;
    let split = Split::by_specimens(&table, &options.hold_out.iter().cloned().collect())?;
    let mut labels: Vec<Option<Label>> = vec![None; table.rows.len()];
    split.train.iter().for_each(|row| labels[*row] = table.rows[*row].label);
    // Refuse what cannot be trained before anything is read at length or written.
    let specimens = table.specimens();
    let sampler = StratifiedSampler::new(&labels, &specimens, preset.batch, seed)?;
    let checkpoint = options.out.join(CHECKPOINT);
    ensure!(
        options.resume || !checkpoint.exists(),
        "{} already holds a training: add --resume to go on with it, or use another --out",
        options.out.display()
    );
    let samples = prepare_all(&table, &preset.preprocess)?;
    let data_sha256 = table.digest()?;
    let (device, device_name) = device::open(options.training.device)?;
    let device = device.for_burn();
    fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot create the folder {}", options.out.display()))?;
    let count = |class| labels.iter().filter(|label| **label == Some(class)).count();
    eprintln!(
        "{} mitotic and {} interphase cells to train on, {} held out; {} steps on {device_name}",
        count(Label::Mitotic),
        count(Label::Interphase),
        split.held_out.len(),
        preset.steps
    );
    let plan = Plan {
        seed,
        device: device.clone(),
        checkpoint: &checkpoint,
        checkpoint_every: options.checkpoint_every.max(1),
        run: format!("{data_sha256} {:?} {preset:?} {seed}", split.specimens),
        resume: options.resume,
    };
    let progress = Progress::new(preset.steps);
    let trained = train(&preset, &plan, &samples, &labels, &sampler, &mut |step, report| {
        progress.tell(step, report)
    })?;
    write_at_once(&options.out.join(PROGRESS), &progress_csv(&trained.steps)?)?;
    let fitted =
        fit(&table, &samples, &split, &trained.weights, &preset.preprocess, seed, &device)?;
    write_at_once(&options.out.join(EVALUATION), &serde_json::to_vec_pretty(&fitted.evaluation)?)?;
    summarise(&fitted.evaluation);
    let model = model(options, &preset, &data_sha256, trained, fitted)?;
    write_at_once(&options.out.join(MODEL), &model.to_bytes(Precision::Full)?)?;
    println!("finished: {}", options.out.join(MODEL).display());
    Ok(())
}

fn model(
    options: &Train,
    preset: &Preset,
    data_sha256: &str,
    trained: Trained,
    fitted: Fitted,
) -> Result<Model> {
    let name = preset.name.to_string();
    let data = data_name(&options.data_name, &options.data);
    let seed = options.training.seed;
    let hold_out = options.hold_out.join(",");
    Ok(Model {
        manifest: Manifest {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            preset: name.clone(),
            classes: CLASSES.map(str::to_owned),
            preprocess: preset.preprocess.clone(),
            calibration: fitted.calibration,
            operating_points: vec![OperatingPoint { name: "balanced".into(), threshold: 0.0 }],
            metrics: serde_json::to_value(&fitted.evaluation)?,
            provenance: Provenance {
                data,
                licence: options.licence.clone(),
                data_sha256: data_sha256.to_owned(),
                command: format!(
                    "mitoscope train --preset {name} --seed {seed} --hold-out {hold_out} --steps {}",
                    preset.steps
                ),
                seed,
                code_version: env!("CARGO_PKG_VERSION").to_owned(),
                trained_steps: preset.steps as u64,
            },
            references: None,
        },
        weights: trained.weights,
        svm: fitted.svm,
        references: References::default(),
    })
}

fn summarise(evaluation: &Evaluation) {
    println!("inner cross-validation  {}", evaluation.inner.line());
    let rows = [
        ("held out", &evaluation.held_out),
        ("  by box alone", &evaluation.box_geometry_baseline),
        ("  by brightness alone", &evaluation.brightness_baseline),
    ];
    for (name, figures) in rows {
        if let Some(figures) = figures {
            println!("{name:23} {}", figures.line());
        }
    }
    for (pattern, figures) in &evaluation.held_out_by_pattern {
        println!("  {pattern:21} {}", figures.line());
    }
}

fn progress_csv(steps: &[StepReport]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "step",
        "loss",
        "active",
        "easy",
        "hard",
        "anchor_positive",
        "anchor_negative",
        "spread",
        "images_per_second",
    ])?;
    for (i, step) in steps.iter().enumerate() {
        let mined = step.mined.unwrap_or_default();
        let numbers = [
            step.loss,
            mined.active,
            mined.easy,
            mined.hard,
            mined.anchor_positive,
            mined.anchor_negative,
            step.spread,
            step.images_per_second,
        ];
        let numbers = numbers.iter().map(|v| format!("{v:.6}"));
        writer.write_record(std::iter::once((i + 1).to_string()).chain(numbers))?;
    }
    Ok(writer.into_inner()?)
}
