//! The command line: `mitoscope train`, `fit`, `reproduce`, `ablate`, `export`, `references`, `inspect`, `simulate`, `sheet`,
//! `classify` and `detect`.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use mitoscope::decode::Channel;
use native_trainer::ablation::Change;
use native_trainer::checkpoint::CHECKPOINT_EVERY;
use native_trainer::cross_fitting::Folds;
use native_trainer::device::{self, Choice};
use native_trainer::memory;
use native_trainer::preset::{Preset, PresetName};
use native_trainer::protocol::Setting;
use native_trainer::sampler::BatchSize;
use native_trainer::simulated::SimulatedBatch;
use native_trainer::table::Table;

/// Finds mitotic HEp-2 cells in immunofluorescence images. Research use only.
#[derive(Debug, Parser)]
#[command(name = "mitoscope", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network and fit its classifier.
    Train(Train),
    /// Fit a new classifier to a trained network, on cells of another laboratory.
    Fit(Fit),
    /// Run the paper's experiments on a labelled set and report its tables and figures.
    Reproduce(Reproduce),
    /// Train preset `simulated` with one part changed at a time, over several seeds, and compare.
    Ablate(Ablate),
    /// Write the model of a finished run as one file.
    Export(Export),
    /// Give a model cells of known label to compare with.
    References(AddReferences),
    /// Tell what a model file says of itself: origin, thresholds, limits, figures.
    Inspect(Inspect),
    /// Make simulated fields with exact labels.
    Simulate(Simulate),
    /// Show labelled cells of several tables on one picture, to compare them by eye.
    Sheet(Sheet),
    /// Classify the cells of a table or a folder.
    Classify(Classify),
    /// Find and classify the cells of a specimen's fields.
    Detect(Detect),
}

/// Which cells.
#[derive(Debug, clap::Args)]
struct Data {
    /// Cell table (CSV) or folder with mitotic/ and interphase/.
    #[arg(long)]
    data: PathBuf,
    /// Boxes are the tiles of montages: each is an image of its own.
    #[arg(long)]
    montage: bool,
}

impl Data {
    fn open(&self) -> Result<Table> {
        let table = Table::open(&self.data)?;
        if self.montage { Ok(table.montage()) } else { table.with_named_fields() }
    }
}

/// How to train, beside the preset.
#[derive(Debug, clap::Args)]
struct Training {
    /// Where to train.
    #[arg(long, value_enum, default_value = "auto")]
    device: Choice,
    /// Seed of weights, batches and augmentation.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Optimiser steps on real cells, instead of the preset's.
    #[arg(long)]
    steps: Option<usize>,
    /// Optimiser steps on simulated cells alone, instead of the preset's.
    #[arg(long)]
    first_steps: Option<usize>,
    /// Specimens to simulate and train on too, instead of the preset's; 0 for none. The machine gets as
    /// many others, at most the preset's.
    #[arg(long)]
    simulated: Option<usize>,
    /// Mitotic and interphase cells of a batch, instead of the preset's; half as many simulated ones
    /// beside them.
    #[arg(long, num_args = 2, value_names = ["MITOTIC", "INTERPHASE"])]
    batch: Option<Vec<usize>>,
}

impl Training {
    /// The preset with what was asked for instead.
    fn preset(&self, name: PresetName) -> Result<Preset> {
        let mut preset = name.preset();
        if let Some(steps) = self.steps {
            ensure!(steps > 0 || preset.simulated.is_some(), "--steps 0 trains nothing");
            preset.steps = steps;
        }
        match (self.simulated, &mut preset.simulated) {
            (Some(0), simulated) => *simulated = None,
            (Some(specimens), Some(simulated)) => {
                simulated.specimens = specimens;
                simulated.for_machine = simulated.for_machine.min(specimens);
            }
            (Some(_), None) => bail!("--simulated: preset {name} trains on no simulated cell"),
            (None, _) => (),
        }
        ensure!(
            preset.learns_from_real_cells() || preset.simulated.is_some(),
            "--simulated 0 leaves preset {name} nothing to train on: add --steps"
        );
        match (&mut preset.simulated, self.first_steps) {
            (Some(_), Some(0)) => bail!("--first-steps 0 trains nothing: use --simulated 0"),
            (Some(simulated), Some(steps)) => simulated.first_steps = steps,
            (None, Some(_)) => bail!("--first-steps: preset {name} trains on no simulated cell"),
            (_, None) => (),
        }
        if let Some([mitotic, interphase]) = self.batch.as_deref() {
            ensure!(
                *mitotic >= 2 && *interphase >= 1,
                "--batch needs at least 2 mitotic, 1 interphase"
            );
            let neighbours = preset.batch.neighbours.min(*interphase);
            preset.batch = BatchSize { mitotic: *mitotic, interphase: *interphase, neighbours };
            if let Some(simulated) = &mut preset.simulated {
                let of = |mitotic, interphase: usize| {
                    let look_alikes = interphase / 3;
                    let interphase = interphase - look_alikes;
                    SimulatedBatch { mitotic, interphase, look_alikes }
                };
                simulated.first = of(*mitotic, *interphase);
                simulated.beside = of(mitotic / 2, interphase / 2);
            }
        }
        Ok(preset)
    }
}

/// Options of `train`.
#[derive(Debug, clap::Args)]
struct Train {
    #[command(flatten)]
    data: Data,
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
    /// How to train.
    #[arg(long, value_enum, default_value = "modern")]
    preset: PresetName,
    #[command(flatten)]
    training: Training,
    /// Go on from the run's last checkpoint.
    #[arg(long)]
    resume: bool,
    /// Specimens to hold out and test on, separated by commas.
    #[arg(long, value_delimiter = ',')]
    hold_out: Vec<String>,
    /// Trainings that each leave out other specimens, for honest operating points, probabilities and
    /// limits: a number of them, 0 for none, or 'pattern' to leave out one staining pattern each.
    #[arg(long, default_value_t = Folds::Specimens(0))]
    cross_fit: Folds,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = CHECKPOINT_EVERY)]
    checkpoint_every: usize,
    /// Name of the data, for the model's manifest.
    #[arg(long)]
    data_name: Option<String>,
    /// Licence of the data, for the model's manifest.
    #[arg(long, default_value = "not stated")]
    licence: String,
}

/// Options of `fit`. The network stays as it is.
#[derive(Debug, clap::Args)]
struct Fit {
    /// Model whose network to take: one that learned from simulated cells alone.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    data: Data,
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
    /// Where to run.
    #[arg(long, value_enum, default_value = "auto")]
    device: Choice,
    /// Seed of the folds and of the simulated cells beside the real ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulated specimens whose cells the classifier learns from too, instead of the preset's.
    #[arg(long)]
    simulated: Option<usize>,
    /// Specimens to hold out and test on, separated by commas.
    #[arg(long, value_delimiter = ',')]
    hold_out: Vec<String>,
    /// Name of the data, for the model's manifest.
    #[arg(long)]
    data_name: Option<String>,
    /// Licence of the data, for the model's manifest.
    #[arg(long, default_value = "not stated")]
    licence: String,
}

/// Options of `reproduce`. What is finished in the folder is not done again.
#[derive(Debug, clap::Args)]
struct Reproduce {
    #[command(flatten)]
    data: Data,
    /// Folder of the report.
    #[arg(long)]
    out: PathBuf,
    /// How to train.
    #[arg(long, value_enum, default_value = "paper")]
    preset: PresetName,
    #[command(flatten)]
    training: Training,
    /// The paper's settings to run.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "A,B,C")]
    settings: Vec<Setting>,
    /// Random sets of each setting.
    #[arg(long, default_value_t = 3)]
    sets: usize,
    /// Keep all cells of a specimen on one side.
    #[arg(long)]
    grouped: bool,
    /// Name of the data, for the report.
    #[arg(long)]
    data_name: Option<String>,
}

/// Options of `ablate`. What is finished in the folder is not done again.
#[derive(Debug, clap::Args)]
struct Ablate {
    #[command(flatten)]
    data: Data,
    /// Folder of the outcomes and their table.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    training: Training,
    /// Seeds, from --seed on.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// What to change; the unchanged preset is always trained.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Change::value_variants().to_vec())]
    changes: Vec<Change>,
    /// Specimens that are not looked at, separated by commas.
    #[arg(long, value_delimiter = ',')]
    hold_out: Vec<String>,
}

/// Options of `export`.
#[derive(Debug, clap::Args)]
struct Export {
    /// Folder of the run.
    run: PathBuf,
    /// Model file to write.
    #[arg(long)]
    out: PathBuf,
    /// Other runs whose figures the manifest tells beside the model's own.
    #[arg(long, value_delimiter = ',')]
    beside: Vec<PathBuf>,
    /// Weights in half precision; exact, because training rounds them so.
    #[arg(long)]
    half: bool,
}

/// Options of `inspect`.
#[derive(Debug, clap::Args)]
struct Inspect {
    /// Model file.
    model: PathBuf,
    /// Print the manifest as JSON.
    #[arg(long)]
    json: bool,
}

/// Options of `references`. Pictures of the chosen cells become part of the model file.
#[derive(Debug, clap::Args)]
struct AddReferences {
    /// Model file to read.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    data: Data,
    /// Model file to write.
    #[arg(long)]
    out: PathBuf,
    /// References to take, half of them mitotic.
    #[arg(long, default_value_t = 160)]
    count: usize,
    /// Seed of the choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Name of the data, for the model's manifest.
    #[arg(long)]
    data_name: Option<String>,
    /// Licence of the data, for the model's manifest.
    #[arg(long, default_value = "not stated")]
    licence: String,
    /// Weights in half precision; exact, because training rounds them so.
    #[arg(long)]
    half: bool,
    /// Where to run.
    #[arg(long, value_enum, default_value = "auto")]
    device: Choice,
}

/// Options of `simulate`.
#[derive(Debug, clap::Args)]
struct Simulate {
    /// Folder to write: fields/, cells.csv and fields.csv.
    #[arg(long)]
    out: PathBuf,
    /// Specimens: one staining pattern and one microscope each.
    #[arg(long)]
    specimens: usize,
    /// Fields of each specimen.
    #[arg(long, default_value_t = 3)]
    fields: usize,
    /// Seed of everything.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write masks/ too: label images, in 16 bits.
    #[arg(long)]
    masks: bool,
}

/// Options of `sheet`. A row holds cells of one class and staining pattern of one table.
#[derive(Debug, clap::Args)]
struct Sheet {
    /// Cell tables or folders, such as real and simulated ones.
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// PNG to write; what each row shows is printed.
    #[arg(long)]
    out: PathBuf,
    /// Specimens that are not shown, separated by commas.
    #[arg(long, value_delimiter = ',')]
    hold_out: Vec<String>,
    /// Cells of a row, drawn at random.
    #[arg(long, default_value_t = 12)]
    cells: usize,
    /// Seed of the draw.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Options of `classify`.
#[derive(Debug, clap::Args)]
struct Classify {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    data: Data,
    /// CSV to write: the input's columns and decision_value, probability, prediction, doubt.
    #[arg(long)]
    out: PathBuf,
    /// CSV of the embeddings to write as well.
    #[arg(long)]
    embeddings: Option<PathBuf>,
    /// Specimens whose labelled cells the printed figures are of, separated by commas; all by default.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Print also what `detect` would make of the labelled cells: these in the boxes that are found, with
    /// those that are not found, and what is found in no box.
    #[arg(long)]
    found: bool,
    /// PNG of the labelled cells that are called wrong: false alarms, then misses on rows of their own,
    /// each by the most confident.
    #[arg(long)]
    mistakes: Option<PathBuf>,
    /// Where to run.
    #[arg(long, value_enum, default_value = "auto")]
    device: Choice,
}

/// Options of `detect`. All fields are one specimen.
#[derive(Debug, clap::Args)]
struct Detect {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// CSV to write, a row a cell: image, x, y, w, h, decision_value, probability, prediction,
    /// doubt.
    #[arg(long)]
    out: PathBuf,
    /// Folder for pictures of the fields with their cells boxed.
    #[arg(long)]
    overlay: Option<PathBuf>,
    /// Channel of coloured fields: brightest, red, green or blue.
    #[arg(long, default_value = "brightest")]
    channel: Channel,
    /// Page of TIFF fields, from 1 on.
    #[arg(long, default_value_t = 1)]
    page: usize,
    /// Confirmed mitotic cells that show that the preparation is good.
    #[arg(long, default_value_t = 2)]
    enough: usize,
    /// Operating point of the model by its name, `boundary` (the classifier's own) or a decision value;
    /// cells above it are mitotic.
    #[arg(long, default_value = "boundary", allow_hyphen_values = true)]
    operating_point: String,
    /// Where to run.
    #[arg(long, value_enum, default_value = "auto")]
    device: Choice,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
    /// Fields of one specimen: PNG, JPEG, BMP or TIFF.
    #[arg(required = true)]
    fields: Vec<PathBuf>,
}

fn main() -> ExitCode {
    memory::keep_freed();
    device::default_to_cpu();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return told(&error),
    };
    let result = match command {
        Command::Train(options) => commands::train::run(&options),
        Command::Fit(options) => commands::fit::run(&options),
        Command::Reproduce(options) => commands::reproduce::run(&options),
        Command::Ablate(options) => commands::ablate::run(&options),
        Command::Export(options) => commands::export::run(&options),
        Command::References(options) => commands::references::run(&options),
        Command::Inspect(options) => commands::inspect::run(&options),
        Command::Simulate(options) => commands::simulate::run(&options),
        Command::Sheet(options) => commands::sheet::run(&options),
        Command::Classify(options) => commands::classify::run(&options),
        Command::Detect(options) => commands::detect::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mitoscope: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Help as it is; what is wrong with the options in one line, without the usage.
fn told(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() {
        print!("{error}");
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    if error.kind() == DisplayHelpOnMissingArgumentOrSubcommand {
        eprint!("{text}");
        return ExitCode::FAILURE;
    }
    let told = text.split("\n\n").take_while(|part| !part.starts_with("Usage:"));
    let words: Vec<&str> = told.flat_map(str::split_whitespace).collect();
    eprintln!("mitoscope: {}", words.join(" ").trim_start_matches("error: "));
    ExitCode::FAILURE
}
