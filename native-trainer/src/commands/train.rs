//! `mitoscope train`: from a cell table to a run folder with a model in it.

use std::fs;
use std::io::IsTerminal;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use mitoscope::classifier::Label;
use mitoscope::model::{
    CLASSES, Manifest, Model, OperatingPoint, Precision, Provenance, SCHEMA, sha256,
};
use native_trainer::device;
use native_trainer::evaluation::Evaluation;
use native_trainer::files::write_at_once;
use native_trainer::fitting::{Fitted, Split, fit};
use native_trainer::preset::Preset;
use native_trainer::sampler::{BatchSize, StratifiedSampler};
use native_trainer::samples::prepare_all;
use native_trainer::table::Table;
use native_trainer::training::{Plan, StepReport, Trained, train};

use crate::Train;

/// The finished model in a run folder, in full precision.
pub const MODEL: &str = "model.safetensors";
const CHECKPOINT: &str = "checkpoint.safetensors";
const PROGRESS: &str = "progress.csv";
const EVALUATION: &str = "evaluation.json";

/// Runs the command.
pub fn run(options: &Train) -> Result<()> {
    let preset = preset(options)?;
    let table = Table::open(&options.data)?;
    let split = Split::by_specimens(&table, &options.hold_out.iter().cloned().collect())?;
    let mut labels: Vec<Option<Label>> = vec![None; table.rows.len()];
    split.train.iter().for_each(|row| labels[*row] = table.rows[*row].label);
    // Refuse what cannot be trained before anything is read at length or written.
    let specimens: Vec<&str> = table.rows.iter().map(|row| row.specimen.as_str()).collect();
    let sampler = StratifiedSampler::new(&labels, &specimens, preset.batch, options.seed)?;
    let checkpoint = options.out.join(CHECKPOINT);
    ensure!(
        options.resume || !checkpoint.exists(),
        "{} already holds a training: add --resume to go on with it, or use another --out",
        options.out.display()
    );
    let samples = prepare_all(&table, &preset.preprocess)?;
    let data_sha256 = digest(&table)?;
    let (device, device_name) = device::open(options.device)?;
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
        seed: options.seed,
        device: device.clone(),
        checkpoint: &checkpoint,
        checkpoint_every: options.checkpoint_every.max(1),
        run: format!("{data_sha256} {:?} {preset:?} {}", split.specimens, options.seed),
        resume: options.resume,
    };
    let progress = Progress::new(preset.steps);
    let trained = train(&preset, &plan, &samples, &labels, &sampler, &mut |step, report| {
        progress.tell(step, report)
    })?;
    write_at_once(&options.out.join(PROGRESS), &progress_csv(&trained.steps)?)?;
    let fitted =
        fit(&table, &samples, &split, &trained.weights, &preset.preprocess, options.seed, &device)?;
    write_at_once(&options.out.join(EVALUATION), &serde_json::to_vec_pretty(&fitted.evaluation)?)?;
    summarise(&fitted.evaluation);
    let model = model(options, &preset, &data_sha256, trained, fitted)?;
    write_at_once(&options.out.join(MODEL), &model.to_bytes(Precision::Full)?)?;
    println!("finished: {}", options.out.join(MODEL).display());
    Ok(())
}

fn preset(options: &Train) -> Result<Preset> {
    let mut preset = options.preset.preset();
    if let Some(steps) = options.steps {
        ensure!(steps > 0, "--steps 0 trains nothing");
        preset.steps = steps;
    }
    if let Some([mitotic, interphase]) = options.batch.as_deref() {
        ensure!(
            *mitotic >= 2 && *interphase >= 1,
            "--batch needs at least 2 mitotic, 1 interphase"
        );
        let neighbours = preset.batch.neighbours.min(*interphase);
        preset.batch = BatchSize { mitotic: *mitotic, interphase: *interphase, neighbours };
    }
    Ok(preset)
}

/// SHA-256 over the table and its images.
fn digest(table: &Table) -> Result<String> {
    let mut parts: Vec<String> = table.records.iter().map(|r| format!("{r:?}")).collect();
    for image in 0..table.images.len() {
        parts.push(sha256(&table.image_bytes(image)?));
    }
    Ok(sha256(parts.join("\n").as_bytes()))
}

fn model(
    options: &Train,
    preset: &Preset,
    data_sha256: &str,
    trained: Trained,
    fitted: Fitted,
) -> Result<Model> {
    let name = preset.name.to_string();
    let folder = options.data.parent().and_then(|p| p.file_name()).unwrap_or_default();
    let data = options.data_name.clone().unwrap_or_else(|| folder.to_string_lossy().into_owned());
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
                    "mitoscope train --preset {name} --seed {} --hold-out {hold_out} --steps {}",
                    options.seed, preset.steps
                ),
                seed: options.seed,
                code_version: env!("CARGO_PKG_VERSION").to_owned(),
                trained_steps: preset.steps as u64,
            },
        },
        weights: trained.weights,
        svm: fitted.svm,
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
        let mined = step.mined;
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

/// A bar on a terminal, a line every ten steps elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    start: std::time::Instant,
    first: std::cell::Cell<Option<usize>>,
    steps: usize,
}

impl Progress {
    fn new(steps: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = "{bar:30} {pos}/{len} {eta} left  {msg}";
            let bar = ProgressBar::new(steps as u64);
            bar.with_style(
                ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()),
            )
        });
        let start = std::time::Instant::now();
        Self { bar, start, first: std::cell::Cell::new(None), steps }
    }

    fn tell(&self, step: usize, report: &StepReport) {
        let first = self.first.get().unwrap_or(step);
        self.first.set(Some(first));
        let line = format!(
            "loss {:.3}  active {:.2}  spread {:.2}  {:.1} images/s",
            report.loss, report.mined.active, report.spread, report.images_per_second
        );
        if let Some(bar) = &self.bar {
            bar.set_position(step as u64 + 1);
            bar.set_message(line);
        } else if (step + 1).is_multiple_of(10) || step + 1 == self.steps {
            let each = self.start.elapsed().as_secs_f64() / (step + 1 - first) as f64;
            let left = each * (self.steps - step - 1) as f64;
            eprintln!("step {}/{}  {line}  {left:.0} s left", step + 1, self.steps);
        }
    }
}
