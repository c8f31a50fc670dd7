//! The command line: `mitoscope train`, `export` and `classify`.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use native_trainer::device::Choice;
use native_trainer::preset::PresetName;

/// Finds mitotic HEp-2 cells in immunofluorescence images. Research use only.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network and fit its classifier.
    Train(Train),
    /// Write the model of a finished run as one file.
    Export(Export),
    /// Classify the cells of a table or a folder.
    Classify(Classify),
}

/// Options of `train`.
#[derive(Debug, clap::Args)]
struct Train {
    /// Cell table (CSV) or folder with mitotic/ and interphase/.
    #[arg(long)]
    data: PathBuf,
    /// Folder of the run.
    #[arg(long)]
    out: PathBuf,
    /// How to train.
    #[arg(long, value_enum, default_value = "modern")]
    preset: PresetName,
    /// Where to train.
    #[arg(long, value_enum, default_value = "auto")]
    device: Choice,
    /// Seed of weights, batches and augmentation.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Go on from the run's last checkpoint.
    #[arg(long)]
    resume: bool,
    /// Specimens to hold out and test on, separated by commas.
    #[arg(long, value_delimiter = ',')]
    hold_out: Vec<String>,
    /// Optimiser steps, instead of the preset's.
    #[arg(long)]
    steps: Option<usize>,
    /// Mitotic and interphase cells of a batch, instead of the preset's.
    #[arg(long, num_args = 2, value_names = ["MITOTIC", "INTERPHASE"])]
    batch: Option<Vec<usize>>,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 20)]
    checkpoint_every: usize,
    /// Name of the data, for the model's manifest.
    #[arg(long)]
    data_name: Option<String>,
    /// Licence of the data, for the model's manifest.
    #[arg(long, default_value = "not stated")]
    licence: String,
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

/// Options of `classify`.
#[derive(Debug, clap::Args)]
struct Classify {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Cell table (CSV) or folder of crops.
    #[arg(long)]
    data: PathBuf,
    /// CSV to write: the input's columns and decision_value, probability, prediction.
    #[arg(long)]
    out: PathBuf,
    /// CSV of the embeddings to write as well.
    #[arg(long)]
    embeddings: Option<PathBuf>,
    /// Where to run.
    #[arg(long, value_enum, default_value = "auto")]
    device: Choice,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(options) => commands::train::run(&options),
        Command::Export(options) => commands::export::run(&options),
        Command::Classify(options) => commands::classify::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mitoscope: {error:#}");
            ExitCode::FAILURE
        }
    }
}
