//! `mitoscope ablate`: what each part of preset `simulated` is worth.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use native_trainer::ablation::{Change, Outcome, Summary, ablate, summary};
use native_trainer::checkpoint::CHECKPOINT_EVERY;
use native_trainer::course::Cells;
use native_trainer::device;
use native_trainer::evaluation::{Figures, Metric};
use native_trainer::files::{make_folder, write_at_once};
use native_trainer::finished::once;
use native_trainer::judge::Split;
use native_trainer::preset::PresetName;
use native_trainer::training::Plan;

use super::progress::Progress;
use super::{check_trainable, warn_of_unnamed, work_identity};
use crate::Ablate;

const TABLE: &str = "ablation.md";

/// Runs the command.
pub fn run(options: &Ablate) -> Result<()> {
    let own = options.training.preset(PresetName::Simulated)?;
    let steps = own.first().context("--simulated 0 leaves nothing to train on")?.steps;
    ensure!(
        !own.learns_from_real_cells(),
        "--steps: a network that learned from real cells cannot be judged on them; leave it out"
    );
    ensure!(options.seeds > 0, "--seeds 0 trains nothing");
    let table = options.data.open()?;
    let held_out = options.hold_out.iter().cloned().collect();
    let split = Split::by_specimens(&table, &held_out).context("--hold-out")?;
    let split = Split { held_out: Vec::new(), ..split };
    check_trainable(&table, &split, &own, true, options.training.seed)?;
    warn_of_unnamed(&table);
    let (device, device_name) = device::open(options.training.device)?;
    let identity = work_identity(&table, &table.digest()?, &device_name);
    make_folder(&options.out)?;
    let changes: BTreeSet<Change> = options.changes.iter().copied().chain([Change::None]).collect();
    let seeds = (0..options.seeds).map(|i| options.training.seed.wrapping_add(i));
    eprintln!("{} changes, {} seeds, {steps} steps on {device_name}", changes.len(), options.seeds);
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut text = String::new();
    for seed in seeds {
        for change in &changes {
            let mut preset = own.clone();
            change.apply(&mut preset);
            let name = format!("{}-{seed}", name(*change));
            eprintln!("{name}");
            let identity = format!("{identity} {:?} {preset:?} {seed}", split.specimens);
            let outcome = once(&options.out.join(format!("{name}.json")), &identity, || {
                let cells = Cells::prepare(&table, &preset, seed)?;
                let plan = Plan {
                    seed,
                    device: device.clone().for_burn(),
                    checkpoint: &options.out.join(format!("{name}.checkpoint.safetensors")),
                    checkpoint_every: CHECKPOINT_EVERY,
                    run: String::new(),
                    resume: true,
                    start: None,
                };
                let course = cells.course(&preset, &table);
                let progress = Progress::new(steps);
                ablate(*change, &course, &split, &plan, &mut |step, report| {
                    progress.tell(step, report)
                })
            })?;
            outcomes.push(outcome);
        }
        // A table after every seed: one may look while the rest goes on.
        text = report(&outcomes, &changes)?;
        write_at_once(&options.out.join(TABLE), text.as_bytes())?;
    }
    print!("{text}");
    println!("finished: {}", options.out.join(TABLE).display());
    Ok(())
}

fn name(change: Change) -> String {
    change.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
}

/// Mean over some figures; none where there are none, or one lacks it.
fn mean_of(metric: Metric, figures: &[&Figures]) -> Option<f64> {
    let values: Option<Vec<f64>> = figures.iter().map(|figures| metric.of(figures)).collect();
    let values = values.filter(|values| !values.is_empty())?;
    Some(values.iter().sum::<f64>() / values.len() as f64)
}

/// A table in Markdown: a row a change, the differences from the unchanged preset in brackets.
fn report(outcomes: &[Outcome], changes: &BTreeSet<Change>) -> Result<String> {
    type Of = fn(&Outcome) -> Vec<&Figures>;
    let judgements: [(&str, Of); 3] = [
        ("field unknown", |of| vec![&of.judged.unknown_specimens]),
        ("pattern unknown", |of| of.judged.unknown_patterns.iter().collect()),
        ("other contrast", |of| of.contrasts.iter().map(|at| &at.unknown).collect()),
    ];
    let metrics = [Metric::Mcc, Metric::AveragePrecision];
    let titles = judgements.map(|(name, _)| format!(" {name}: MCC | AP |")).concat();
    let rule = "---|".repeat(1 + judgements.len() * metrics.len());
    let mut text = format!("| change |{titles}\n|{rule}\n");
    for change in changes {
        write!(text, "| {} |", name(*change))?;
        let columns = judgements.iter().flat_map(|(_, of)| metrics.map(|metric| (of, metric)));
        for (of, metric) in columns {
            let figure = |outcome: &Outcome| mean_of(metric, &of(outcome));
            let cell = match summary(outcomes, *change, figure) {
                Some(Summary { mean, .. }) if *change == Change::None => format!("{mean:.2}"),
                Some(Summary { mean, difference, error }) => {
                    let error = error.map_or(String::new(), |error| format!(" ± {error:.2}"));
                    format!("{mean:.2} ({difference:+.2}{error})")
                }
                None => "–".into(),
            };
            write!(text, " {cell} |")?;
        }
        text.push('\n');
    }
    Ok(text)
}
