//! One module a sub-command: options in, files out.

pub mod ablate;
pub mod classify;
pub mod detect;
pub mod export;
pub mod fit;
pub mod inspect;
mod progress;
pub mod references;
pub mod reproduce;
pub mod sheet;
pub mod simulate;
mod summary;
pub mod train;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use mitoscope::classifier::{Label, Prediction};
use mitoscope::limits::Doubt;
use mitoscope::model::{Model, Precision, sha256};
use mitoscope::specimen::{Evidence, Rule, Verdict, judge};
use native_trainer::course::Course;
use native_trainer::cross_fitting::{Folds, folds_of};
use native_trainer::embedded::check_learnable;
use native_trainer::judge::{Judge, Split};
use native_trainer::preset::Preset;
use native_trainer::sampler::StratifiedSampler;
use native_trainer::svm_search::{FOLDS, Labelled};
use native_trainer::table::Table;
use native_trainer::training::{Plan, Trained};

use crate::{Data, Training};
use progress::Progress;

/// Reads a model file and gives it with its SHA-256, the model's identity.
fn read_model(path: &Path) -> Result<(Model, String)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let model = Model::from_bytes(&bytes);
    let model = model.with_context(|| format!("the model {}", path.display()))?;
    Ok((model, sha256(&bytes)))
}

/// How `--half` stores the weights.
fn precision(half: bool) -> Precision {
    if half { Precision::Half } else { Precision::Full }
}

/// A class as tables write it.
fn label_name(label: Label) -> &'static str {
    match label {
        Label::Mitotic => "mitotic",
        Label::Interphase => "interphase",
    }
}

/// The columns that a scored cell gets.
const SCORE_COLUMNS: [&str; 4] = ["decision_value", "probability", "prediction", "doubt"];

/// Their values; the last is empty for a cell that is not uncertain.
fn score_columns(verdict: &Prediction) -> [String; 4] {
    let [value, probability] =
        [verdict.decision_value, verdict.probability].map(|number| format!("{number:.6}"));
    let doubt = verdict.doubt.map_or("", Doubt::name);
    [value, probability, label_name(verdict.prediction).into(), doubt.into()]
}

/// What a rule makes of predictions: class and doubt of each, and the verdict.
fn call_all<'a>(
    predictions: impl Iterator<Item = &'a mut Prediction>,
    rule: &Rule,
) -> Result<Verdict> {
    let predictions: Vec<&mut Prediction> = predictions.collect();
    let evidence: Vec<Evidence> = predictions.iter().map(|one| Evidence::from(&**one)).collect();
    let (calls, verdict) = judge(&evidence, rule);
    for (prediction, call) in predictions.into_iter().zip(calls) {
        prediction.prediction = call.model.context("a cell was left out")?;
        prediction.doubt = call.doubt;
    }
    Ok(verdict)
}

/// Where the data is, with a name also where it is told as `.`.
fn whole_path(data: &Data) -> PathBuf {
    data.data.canonicalize().unwrap_or_else(|_| data.data.clone())
}

/// Name of the data in what is written: as told, else that of its folder.
fn data_name(told: &Option<String>, data: &Data) -> String {
    let path = whole_path(data);
    let folder = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
    let folder = folder.and_then(Path::file_name).unwrap_or_default();
    told.clone().unwrap_or_else(|| folder.to_string_lossy().into_owned())
}

/// Says so where cells of one field cannot be kept together.
fn warn_of_unnamed(table: &Table) {
    let unnamed = table.specimens().iter().filter(|specimen| specimen.is_empty()).count();
    if unnamed > 0 {
        eprintln!(
            "{unnamed} of {} cells name no specimen: cells of one specimen may be on both sides of a split, \
             which flatters; a column 'specimen' mends it",
            table.rows.len()
        );
    }
}

/// What kept parts of a long work are told apart by, beside its options.
fn work_identity(table: &Table, digest: &str, device: &str) -> String {
    format!("{} {} on {device}", table.identity(digest), env!("CARGO_PKG_VERSION"))
}

/// Refuses cells that a training or the choice of C and γ would refuse, before either begins.
fn check_trainable(
    table: &Table,
    split: &Split,
    preset: &Preset,
    grouped: bool,
    seed: u64,
) -> Result<()> {
    check_learnable(split.train.len(), preset)?;
    let labels = table.labels_of(&split.train);
    StratifiedSampler::new(&labels, &table.specimens(), preset.batch, seed)?;
    let judge = Judge { table, split, beside: &Labelled::default(), grouped, seed };
    folds_of(&judge, Folds::Specimens(FOLDS)).context("C and γ cannot be chosen")?;
    Ok(())
}

/// An option of a command that is told, if it is set.
fn flag(set: bool, option: &str) -> String {
    if set { format!(" {option}") } else { String::new() }
}

/// The options that name the data.
fn data_flags(data: &Data) -> String {
    let path = whole_path(data);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(" --data {name}{}", flag(data.montage, "--montage"))
}

/// The option that holds specimens out.
fn hold_out_flag(specimens: &[String]) -> String {
    flag(!specimens.is_empty(), &format!("--hold-out {}", specimens.join(",")))
}

/// The options that give the same training, whatever the presets become.
fn training_flags(options: &Training, preset: &Preset) -> String {
    let [mitotic, interphase] = [preset.batch.mitotic, preset.batch.interphase];
    // Where simulated cells stand beside, --batch gives other numbers of these than the preset.
    let batch = options.batch.is_some() || preset.simulated.is_none();
    let of_simulated = match &preset.simulated {
        Some(of) => format!(" --first-steps {} --simulated {}", of.first_steps, of.specimens),
        None => flag(options.simulated == Some(0), "--simulated 0"),
    };
    format!(
        " --preset {} --seed {} --steps {}{}{of_simulated}",
        preset.name,
        options.seed,
        preset.steps,
        flag(batch, &format!("--batch {mitotic} {interphase}")),
    )
}

/// Checkpoint of the training on simulated cells alone, in the folder of a run.
const FIRST_CHECKPOINT: &str = "simulated.checkpoint.safetensors";

/// What comes before a preset's own training.
struct First {
    trained: Trained,
    /// Where the other training starts from.
    checkpoint: PathBuf,
}

/// Trains on simulated cells alone, or goes on with it if there is a checkpoint in the folder; none
/// where the preset has no such training.
fn train_first(
    course: &Course,
    folder: &Path,
    checkpoint_every: usize,
    seed: u64,
    device: &Device,
) -> Result<Option<First>> {
    let Some(first) = course.preset.first() else { return Ok(None) };
    eprintln!("{} simulated cells alone for {} steps", course.simulated.len(), first.steps);
    let checkpoint = folder.join(FIRST_CHECKPOINT);
    let plan = Plan {
        seed,
        device: device.clone(),
        checkpoint: &checkpoint,
        checkpoint_every,
        run: String::new(),
        resume: true,
        start: None,
    };
    let progress = Progress::new(first.steps);
    let trained = course.train_first(&plan, &mut |step, report| progress.tell(step, report))?;
    Ok(Some(First { trained, checkpoint }))
}
