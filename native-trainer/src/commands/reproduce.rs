//! `mitoscope reproduce`: the paper's experiments on a labelled set, and their report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mitoscope::classifier::Label;

use native_trainer::checkpoint::CHECKPOINT_EVERY;
use native_trainer::course::Cells;
use native_trainer::device;
use native_trainer::files::{make_folder, write_at_once};
use native_trainer::judge::Split;
use native_trainer::preset::Preset;
use native_trainer::protocol::Division;
use native_trainer::report::render;
use native_trainer::reproduction::record::{self, Cell, Method, Report};
use native_trainer::reproduction::{Study, results};
use native_trainer::samples::Sample;
use native_trainer::table::Table;

use super::progress::Progress;
use super::{
    check_trainable, data_flags, data_name, flag, train_first, training_flags, warn_of_unnamed,
    work_identity,
};
use crate::Reproduce;

/// Runs the command.
pub fn run(options: &Reproduce) -> Result<()> {
    let preset = options.training.preset(options.preset)?;
    ensure!(options.sets > 0, "--sets 0 runs nothing");
    let settings: BTreeSet<_> = options.settings.iter().copied().collect();
    let planned: Vec<_> =
        settings.iter().flat_map(|s| (1..=options.sets).map(move |set| (*s, set))).collect();
    let table = options.data.open()?;
    warn_of_unnamed(&table);
    let seed = options.training.seed;
    // Refuse what cannot be divided or is too much before the first training.
    for (setting, set) in &planned {
        let Division { train, test, .. } =
            Division::new(&table, *setting, *set, options.grouped, seed)?;
        let split = Split { train, held_out: test, specimens: BTreeSet::new() };
        check_trainable(&table, &split, &preset, options.grouped, seed)
            .with_context(|| format!("{setting}, set {set}"))?;
    }
    let cells = Cells::prepare(&table, &preset, seed)?;
    let course = cells.course(&preset, &table);
    let data = data(options, &table)?;
    let (device, device_name) = device::open(options.training.device)?;
    let device = device.for_burn();
    make_folder(&options.out)?;
    eprintln!("{} runs on {device_name}", planned.len());
    let first = train_first(&course, &options.out, CHECKPOINT_EVERY, seed, &device)?;
    let start = first.map(|first| first.checkpoint);
    let identity = work_identity(&table, &data.sha256, &device_name);
    let study = Study::new(course, &identity, options.grouped, seed, device, start);
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command(options, &preset),
        preset: preset.name.to_string(),
        device: device_name,
        steps: preset.steps,
        batch: [preset.batch.mitotic, preset.batch.interphase],
        seed,
        grouped: options.grouped,
        planned: planned.len(),
        data,
        runs: Vec::new(),
        results: Vec::new(),
        mistakes: Vec::new(),
    };
    for (place, (setting, set)) in planned.iter().enumerate() {
        let folder = options.out.join("runs").join(format!("{setting:?}-{set}"));
        eprintln!("{setting}, set {set} (run {} of {})", place + 1, planned.len());
        let mut told: Option<(Method, Progress)> = None;
        let run = study.run(*setting, *set, &folder, &mut |progress| {
            if told.as_ref().is_none_or(|(method, _)| *method != progress.method) {
                eprintln!("{}", progress.method.title());
                told = Some((progress.method, Progress::new(preset.steps)));
            }
            if let Some((_, bar)) = &told {
                bar.tell(progress.step, progress.report);
            }
        })?;
        report.runs.push(run);
        // A report after every run: one may look while the rest goes on.
        (report.results, report.mistakes) = results(&table, &report.runs, seed);
        write(&options.out, &report, course.real())?;
    }
    summarise(&report);
    println!("finished: {}", options.out.join("report.html").display());
    Ok(())
}

fn data(options: &Reproduce, table: &Table) -> Result<record::Data> {
    let labelled = table.rows.iter().enumerate().filter_map(|(row, cell)| {
        let label = cell.label?;
        Some(Cell {
            row,
            image: table.images[cell.image].clone(),
            specimen: cell.specimen.clone(),
            pattern: cell.pattern.clone(),
            mitotic: label == Label::Mitotic,
        })
    });
    let cells: Vec<Cell> = labelled.collect();
    let specimens: BTreeSet<&str> = cells.iter().map(|cell| cell.specimen.as_str()).collect();
    let specimens = if specimens.contains("") { 0 } else { specimens.len() };
    let name = data_name(&options.data_name, &options.data);
    Ok(record::Data { name, sha256: table.digest()?, specimens, cells })
}

/// The command that gives the same report, whatever the presets become.
fn command(options: &Reproduce, preset: &Preset) -> String {
    let settings: Vec<String> = options.settings.iter().map(|s| format!("{s:?}")).collect();
    format!(
        "mitoscope reproduce{} --out REPORT --settings {} --sets {}{}{}",
        data_flags(&options.data),
        settings.join(","),
        options.sets,
        training_flags(&options.training, preset),
        flag(options.grouped, "--grouped"),
    )
}

fn write(folder: &Path, report: &Report, samples: &[Sample]) -> Result<()> {
    let pictures: BTreeMap<usize, Vec<u8>> = report
        .mistakes
        .iter()
        .map(|mistake| (mistake.row, samples[mistake.row].picture()))
        .collect();
    write_at_once(&folder.join("report.json"), &serde_json::to_vec(report)?)?;
    write_at_once(&folder.join("report.html"), render(report, &pictures).as_bytes())
}

fn summarise(report: &Report) {
    for result in &report.results {
        println!("{} {}", result.setting, result.method.title());
        for set in &result.sets {
            println!("  set {}  {}", set.set, set.figures.line());
        }
    }
    let seconds: f64 = report.runs.iter().map(|run| run.seconds).sum();
    println!("{} runs, {:.0} s of work", report.runs.len(), seconds);
}
