//! Races the trainer against PyTorch: the same network, weights, batches and steps on the CPU.
//!
//! Invariant: the contenders take their steps in turn, never at once, so that whatever else the
//! machine does meets all of them; they count only if they agree on the first loss.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{project, python};

/// Steps each contender takes; the first warms up and is not counted.
const STEPS: usize = 12;

/// Threads each contender computes with.
const THREADS: &str = "2";

/// Share by which first losses may differ: both round their sums otherwise.
const TOLERANCE: f64 = 1e-3;

/// One side, waiting for its turn.
struct Contender {
    engine: &'static str,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    losses: Vec<f64>,
    seconds: Vec<f64>,
}

/// Runs the race: a row `engine, batch, threads, images_per_s, peak_mib` for each contender.
///
/// # Errors
/// When a contender cannot be built or fails, or they do not compute the same.
pub fn run() -> Result<Vec<Value>> {
    let folder = project::target_dir()?.join("training-race");
    let _ = std::fs::remove_dir_all(&folder);
    let python = python::environment("bench-venv", "benches/requirements.txt")?;
    let trainer = ["run", "--release", "--package", "native-trainer"];
    let mut simulate = project::cargo()?;
    simulate.args(trainer).args(["--", "simulate", "--specimens", "4", "--out"]);
    project::run(simulate.arg(&folder))?;

    let mut ours = project::cargo()?;
    ours.args(trainer).args(["--quiet", "--example", "training_race", "--"]);
    ours.arg(folder.join("cells.csv")).arg(&folder).arg(STEPS.to_string());
    let mut contenders = vec![Contender::start("mitoscope", &mut ours)?];
    // It has written the weights and batches once it tells the batch's size.
    let batch = contenders[0].answer()?["batch"].as_u64().context("no batch size")?;
    let script = project::root()?.join("benches/training_race.py");
    for (engine, form) in [
        ("PyTorch, as printed", "printed"),
        ("PyTorch, without dead columns", "without-dead-columns"),
    ] {
        let mut torch = Command::new(&python);
        contenders.push(Contender::start(engine, torch.arg(&script).arg(&folder).arg(form))?);
    }
    for step in 0..STEPS {
        let first = step % contenders.len();
        contenders.rotate_left(first);
        contenders.iter_mut().try_for_each(Contender::step)?;
        contenders.rotate_right(first);
    }
    let first_loss = contenders[0].losses[0];
    contenders
        .into_iter()
        .map(|contender| {
            let loss = contender.losses[0];
            ensure!(
                (loss - first_loss).abs() <= TOLERANCE * first_loss.abs(),
                "{} starts with the loss {loss}, ours with {first_loss}: not the same network",
                contender.engine
            );
            contender.finish(batch)
        })
        .collect()
}

impl Contender {
    fn start(engine: &'static str, command: &mut Command) -> Result<Self> {
        let line = project::describe(command);
        eprintln!("$ {line}");
        let mut process = command
            .env("OMP_NUM_THREADS", THREADS)
            .env("OMP_WAIT_POLICY", "passive")
            .env("RAYON_NUM_THREADS", THREADS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        let input = process.stdin.take().context("no standard input")?;
        let output = BufReader::new(process.stdout.take().context("no standard output")?);
        Ok(Self { engine, process, input, output, losses: Vec::new(), seconds: Vec::new() })
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{} answered '{line}'", self.engine))
    }

    fn step(&mut self) -> Result<()> {
        writeln!(self.input).with_context(|| format!("{} has ended", self.engine))?;
        let answer = self.answer()?;
        self.losses.push(answer["loss"].as_f64().context("no loss")?);
        self.seconds.push(answer["seconds"].as_f64().context("no seconds")?);
        Ok(())
    }

    fn finish(mut self, batch: u64) -> Result<Value> {
        drop(self.input);
        let mut rest = String::new();
        self.output.read_to_string(&mut rest)?;
        let last = rest.lines().last().with_context(|| format!("{} told no end", self.engine))?;
        let peak = serde_json::from_str::<Value>(last)?["peak_mib"].take();
        ensure!(self.process.wait()?.success(), "{} failed at its end", self.engine);
        let mut seconds = self.seconds.split_off(1);
        seconds.sort_by(f64::total_cmp);
        let median = (seconds[(seconds.len() - 1) / 2] + seconds[seconds.len() / 2]) / 2.0;
        Ok(json!({
            "engine": self.engine,
            "work": "training step",
            "batch": batch,
            "threads": THREADS.parse::<usize>()?,
            "images_per_s": (100.0 * batch as f64 / median).round() / 100.0,
            "peak_mib": peak,
        }))
    }
}
