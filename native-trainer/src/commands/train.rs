//! `mitoscope train`: from a cell table to a run folder with a model in it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mitoscope::classifier::Label;
use mitoscope::embedder::Weights;
use mitoscope::model::{CLASSES, Manifest, Model, Precision, Provenance, SCHEMA};
use mitoscope::references::References;
use native_trainer::contrast::AtContrast;
use native_trainer::course::{Cells, Course};
use native_trainer::cross_fitting::{Folds, cross_fit};
use native_trainer::device;
use native_trainer::embedded::learnable;
use native_trainer::evaluation::{AtPoint, CrossFitted, Evaluation, SimulatedOnly};
use native_trainer::files::{make_folder, write_at_once};
use native_trainer::fitting::{Fitted, Unseen, fit};
use native_trainer::found::with_found;
use native_trainer::head_ablation::Variant;
use native_trainer::judge::{OutOfFold, Split};
use native_trainer::preset::Preset;
use native_trainer::sampler::StratifiedSampler;
use native_trainer::table::Table;
use native_trainer::training::{Plan, StepReport};
use native_trainer::transfer::simulated_only;

use super::progress::Progress;
use super::{
    FIRST_CHECKPOINT, data_name, print_as_found, print_by_pattern, print_intervals, train_first,
};
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
    let split = Split::by_specimens(&table, &options.hold_out.iter().cloned().collect())
        .context("--hold-out")?;
    // Refuse what cannot be trained before anything is read at length or written.
    ensure!(
        preset.learns_from_real_cells() || options.cross_fit == Folds::Specimens(0),
        "--cross-fit: a network that learns from no real cell needs no further training for it; leave it \
         out, or train on real cells too by --steps"
    );
    let labels = table.labels_of(&split.train);
    StratifiedSampler::new(&labels, &table.specimens(), preset.batch, seed)?;
    let checkpoint = options.out.join(CHECKPOINT);
    let begun = [&checkpoint, &options.out.join(FIRST_CHECKPOINT)].iter().any(|path| path.exists());
    ensure!(
        options.resume || !begun,
        "{} already holds a training: add --resume to go on with it, or use another --out",
        options.out.display()
    );
    let data_sha256 = table.digest()?;
    let table = as_learned(table, &preset)?;
    let cells = Cells::prepare(&table, &preset, seed)?;
    let course = cells.course(&preset, &table);
    let (device, device_name) = device::open(options.training.device)?;
    let device = device.for_burn();
    make_folder(&options.out)?;
    let count = |class| labels.iter().filter(|label| **label == Some(class)).count();
    eprintln!(
        "{} mitotic and {} interphase cells to train on, {} held out; {} steps on {device_name}",
        count(Label::Mitotic),
        count(Label::Interphase),
        split.held_out.len(),
        preset.steps
    );
    let checkpoint_every = options.checkpoint_every.max(1);
    let first = train_first(&course, &options.out, checkpoint_every, seed, &device)?;
    let on_simulated = first
        .as_ref()
        .map(|first| simulated_only(&course, &split, &first.trained.weights, seed, &device))
        .transpose()?;
    let plan = Plan {
        seed,
        device: device.clone(),
        checkpoint: &checkpoint,
        checkpoint_every,
        run: format!("{data_sha256} {:?} {preset:?} {seed}", split.specimens),
        resume: options.resume,
        start: first.as_ref().map(|first| first.checkpoint.as_path()),
    };
    let progress = Progress::new(preset.steps);
    let trained =
        course.train(&split.train, &plan, &mut |step, report| progress.tell(step, report))?;
    write_at_once(&options.out.join(PROGRESS), &progress_csv(&trained.steps)?)?;
    let unseen = match options.cross_fit {
        _ if !preset.learns_from_real_cells() => Unseen::Everything,
        Folds::Specimens(0) => Unseen::Nothing,
        _ => Unseen::InFolds(cross_fitted(options, &course, &split, &plan)?),
    };
    let all = Split::by_specimens(&table, &split.specimens)?;
    let mut fitted = fit(&course, &all, &trained.weights, unseen, seed, &device)?;
    fitted.evaluation.simulated_only = on_simulated;
    let provenance = provenance(options, &preset, data_sha256);
    finish(&options.out, &preset, trained.weights, fitted, provenance)
}

/// The table with its found cells where the preset has the machine learn them and they are not too many.
pub(super) fn as_learned(table: Table, preset: &Preset) -> Result<Table> {
    if !preset.found || preset.learns_from_real_cells() {
        return Ok(table);
    }
    let all = with_found(&table)?;
    if !learnable(&all) {
        let cells = all.rows.len();
        eprintln!(
            "{cells} given and found cells are too many for the machine: it learns the given ones"
        );
        return Ok(table);
    }
    Ok(all)
}

/// What the training cells are to trainings that did not know them.
fn cross_fitted(options: &Train, course: &Course, split: &Split, plan: &Plan) -> Result<OutOfFold> {
    let mut told: BTreeMap<usize, Progress> = BTreeMap::new();
    let checkpoint = |fold: usize| options.out.join(format!("fold-{}.{CHECKPOINT}", fold + 1));
    cross_fit(course, split, plan, options.cross_fit, &checkpoint, &mut |fold, step, report| {
        let progress = told.entry(fold).or_insert_with(|| {
            eprintln!("without fold {} of {}", fold + 1, options.cross_fit);
            Progress::new(course.preset.steps)
        });
        progress.tell(step, report);
    })
}

/// Writes what a fitted classifier is worth and the model to the folder of a run.
pub(super) fn finish(
    out: &Path,
    preset: &Preset,
    weights: Weights,
    fitted: Fitted,
    provenance: Provenance,
) -> Result<()> {
    let evaluation = &fitted.evaluation;
    write_at_once(&out.join(EVALUATION), &serde_json::to_vec_pretty(evaluation)?)?;
    summarise(evaluation);
    let model = Model {
        manifest: Manifest {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            preset: preset.name.to_string(),
            classes: CLASSES.map(str::to_owned),
            preprocess: preset.preprocess.clone(),
            features: fitted.features,
            calibration: fitted.calibration,
            operating_points: fitted.operating_points,
            limits: Some(fitted.limits),
            metrics: serde_json::to_value(evaluation)?,
            provenance,
            references: None,
        },
        weights,
        svm: fitted.svm,
        references: References::default(),
    };
    write_at_once(&out.join(MODEL), &model.to_bytes(Precision::Full)?)?;
    println!("finished: {}", out.join(MODEL).display());
    Ok(())
}

fn provenance(options: &Train, preset: &Preset, data_sha256: String) -> Provenance {
    let seed = options.training.seed;
    let simulated = preset.simulated.as_ref();
    let trained_steps = preset.steps + preset.first().map_or(0, |first| first.steps);
    Provenance {
        data: data_name(&options.data_name, &options.data),
        licence: options.licence.clone(),
        data_sha256,
        command: format!(
            "mitoscope train --preset {} --seed {seed} --hold-out {} --steps {} --first-steps {} \
             --simulated {} --cross-fit {}",
            preset.name,
            options.hold_out.join(","),
            preset.steps,
            simulated.map_or(0, |simulated| simulated.first_steps),
            simulated.map_or(0, |simulated| simulated.specimens),
            options.cross_fit
        ),
        seed,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        trained_steps: trained_steps as u64,
    }
}

fn summarise(evaluation: &Evaluation) {
    println!("inner cross-validation  {}", evaluation.inner.line());
    let rows = [
        ("held out", &evaluation.held_out),
        ("  by box alone", &evaluation.box_geometry_baseline),
        ("  by brightness alone", &evaluation.brightness_baseline),
        ("  by descriptors", &evaluation.descriptors_baseline),
    ];
    for (name, figures) in rows {
        if let Some(figures) = figures {
            println!("{name:23} {}", figures.line());
        }
    }
    print_intervals(&evaluation.held_out_intervals);
    print_by_pattern(&evaluation.held_out_by_pattern);
    evaluation.held_out_found.iter().for_each(print_as_found);
    if let Some(cross_fitted) = &evaluation.cross_fitted {
        let CrossFitted { folds, figures, intervals, by_pattern, found, contrasts, points, .. } =
            cross_fitted;
        println!("{:23} {}", format!("unknown in {folds} folds"), figures.line());
        print_intervals(intervals);
        print_by_pattern(by_pattern);
        found.iter().for_each(print_as_found);
        for AtContrast { exponent, unknown, held_out } in contrasts {
            println!("{:23} {}", format!("  greys to the {exponent:.1}"), unknown.line());
            if let Some(figures) = held_out {
                println!("{:23} {}", "    held out", figures.line());
            }
        }
        for AtPoint { name, threshold, cross_fitted, held_out, .. } in points {
            println!("{:23} {}", format!("  {name} {threshold:.3}"), cross_fitted.line());
            if let Some(figures) = held_out {
                println!("{:23} {}", "    held out", figures.line());
            }
        }
    }
    if let Some(patterns) = &evaluation.unknown_patterns {
        println!("each pattern by a machine made without it");
        print_by_pattern(patterns);
    }
    for Variant { features, simulated, unknown_specimens, unknown_patterns } in
        &evaluation.head_ablation
    {
        println!("machine on {}, {simulated} simulated cells beside", features.name());
        println!("{:23} {}", "  unknown specimens", unknown_specimens.line());
        if let Some(figures) = unknown_patterns {
            println!("{:23} {}", "  unknown patterns", figures.line());
        }
    }
    if let Some(SimulatedOnly { all, held_out, by_pattern, .. }) = &evaluation.simulated_only {
        println!("{:23} {}", "simulated only: all", all.line());
        if let Some(figures) = held_out {
            println!("{:23} {}", "  held out", figures.line());
        }
        print_by_pattern(by_pattern);
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
