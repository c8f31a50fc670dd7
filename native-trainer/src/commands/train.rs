//! `mitoscope train`: from a cell table to a run folder with a model in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mitoscope::embedder::Weights;
use mitoscope::model::{CLASSES, Manifest, Model, Precision, Provenance, SCHEMA};
use mitoscope::references::References;

use native_trainer::course::{Cells, Course};
use native_trainer::cross_fitting::{Folds, cross_fit, folds_of};
use native_trainer::device;
use native_trainer::embedded::learnable;
use native_trainer::files::{make_folder, write_at_once};
use native_trainer::fitting::{Fitted, Unseen, fit};
use native_trainer::found::with_found;
use native_trainer::judge::{Judge, OutOfFold, Split};
use native_trainer::preset::Preset;
use native_trainer::svm_search::Labelled;
use native_trainer::table::Table;
use native_trainer::training::{Plan, StepReport};
use native_trainer::transfer::simulated_only;

use super::progress::Progress;
use super::summary::summarise;
use super::{
    FIRST_CHECKPOINT, check_trainable, data_flags, data_name, hold_out_flag, read_model,
    train_first, training_flags, warn_of_unnamed,
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
    check_trainable(&table, &split, &preset, true, seed)?;
    let checkpoint = options.out.join(CHECKPOINT);
    let finished = options.out.join(MODEL);
    let files = [&checkpoint, &options.out.join(FIRST_CHECKPOINT), &finished];
    ensure!(
        options.resume || !files.iter().any(|path| path.exists()),
        "{} already holds a training: add --resume to go on with it, or use another --out",
        options.out.display()
    );
    if options.cross_fit != Folds::Specimens(0) {
        let none = Labelled::default();
        let judge = Judge { table: &table, split: &split, beside: &none, grouped: true, seed };
        folds_of(&judge, options.cross_fit).context("--cross-fit")?;
    }
    let provenance = provenance(options, &preset, table.digest()?);
    if finished.exists() {
        let of = read_model(&finished)?.0.manifest.provenance;
        ensure!(
            (&of.data_sha256, &of.command) == (&provenance.data_sha256, &provenance.command),
            "{} holds the model of another run ({}): use another --out",
            options.out.display(),
            of.command
        );
    }
    warn_of_unnamed(&table);
    let identity = table.identity(&provenance.data_sha256);
    let table = as_learned(table, &preset, &split)?;
    let cells = Cells::prepare(&table, &preset, seed)?;
    let course = cells.course(&preset, &table);
    let (device, device_name) = device::open(options.training.device)?;
    let device = device.for_burn();
    make_folder(&options.out)?;
    let mitotic = split.train.iter().filter(|row| table.is_mitotic(**row)).count();
    let steps = match preset.learns_from_real_cells() {
        true => format!("{} steps", preset.steps),
        false => "for normalisation and classifier".to_owned(),
    };
    eprintln!(
        "{mitotic} mitotic and {} interphase cells to train on, {} held out; {steps} on {device_name}",
        split.train.len() - mitotic,
        split.held_out.len(),
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
        run: format!("{identity} {:?} {preset:?} {seed}", split.specimens),
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
    finish(&options.out, &preset, trained.weights, fitted, provenance)
}

/// The table with its found cells where the preset has the machine learn them, they are not too many, and several
/// specimens are not held out: else a cell would be judged by a machine that knows it as found.
pub(super) fn as_learned(table: Table, preset: &Preset, split: &Split) -> Result<Table> {
    if !preset.found || preset.learns_from_real_cells() {
        return Ok(table);
    }
    let specimens: BTreeSet<&str> =
        split.train.iter().map(|row| table.rows[*row].specimen.as_str()).collect();
    if specimens.len() < 2 && !specimens.contains("") {
        eprintln!("the cells are of one specimen: the machine learns them as given, not as found");
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
    summarise(evaluation, &fitted.limits);
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
    let trained_steps = preset.steps + preset.first().map_or(0, |first| first.steps);
    Provenance {
        data: data_name(&options.data_name, &options.data),
        licence: options.licence.clone(),
        data_sha256,
        command: format!(
            "mitoscope train{} --out RUN{}{} --cross-fit {}",
            data_flags(&options.data),
            training_flags(&options.training, preset),
            hold_out_flag(&options.hold_out),
            options.cross_fit
        ),
        seed: options.training.seed,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        trained_steps: trained_steps as u64,
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
