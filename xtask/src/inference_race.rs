//! Races inference against other engines, with the bundled model's weights: in Chromium against
//! onnxruntime-web and TensorFlow.js, natively against ONNX Runtime and tract.
//!
//! Invariant: the peers are fetched for the race alone; nothing of them reaches the product. The
//! native contenders take their turns, never two at once.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{bench, checks, dist, project, python};

/// Images of a batch, with the rounds measured of it.
const ROUNDS: [(usize, usize); 2] = [(1, 9), (32, 3)];

/// Runs the race in Chromium: rows of `engine, graph, backend, threads, batch, ready_ms, first_ms,
/// median_ms, bytes, peak_mib, max_abs_error`.
///
/// # Errors
/// When a build, a download of a peer or the race fails.
pub fn in_browser() -> Result<Vec<Value>> {
    let site = project::root()?.join("dist");
    dist::build(&site)?;
    let race = Race::prepare()?;
    let rows = bench::measure(&mut race.browser(&site, &[])?)?;
    ensure!(!rows.is_empty(), "no engine could run");
    Ok(rows)
}

/// Runs the race natively: the same rows, as far as they apply.
///
/// # Errors
/// When a build, a download of a peer or the race fails, or a contender gives other embeddings.
pub fn natively() -> Result<Vec<Value>> {
    let site = project::root()?.join("dist");
    ensure!(site.is_dir(), "the inputs are made by the site: run `cargo xtask dist` first");
    let race = Race::prepare()?;
    project::run(&mut race.browser(&site, &["--inputs"])?)?;
    let text = std::fs::read(race.folder.join("reference.json"))?;
    let wanted: Vec<Vec<f64>> = serde_json::from_slice(&text)?;

    let ours = race.example()?;
    let tract = race.tract()?;
    let mut contenders = Vec::new();
    for threads in [1, 2] {
        let mut own = Command::new(&ours);
        own.arg(race.root.join(dist::MODEL)).arg(&race.folder);
        contenders.push(Contender::start("mitoscope", "own", threads, &mut own)?);
        for graph in ["printed", "without-dead-columns"] {
            let mut onnx = Command::new(&race.python);
            onnx.arg(race.script()).arg("onnxruntime").arg(&race.folder).arg(graph);
            contenders.push(Contender::start("onnxruntime", graph, threads, &mut onnx)?);
            if threads == 1 {
                let mut peer = Command::new(&tract);
                peer.arg(&race.folder).arg(graph);
                contenders.push(Contender::start("tract-onnx", graph, threads, &mut peer)?);
            }
        }
    }
    for (batch, rounds) in ROUNDS {
        for _ in 0..rounds {
            contenders.iter_mut().try_for_each(|contender| contender.turn(batch))?;
            contenders.rotate_left(1);
        }
    }
    contenders.sort_by_key(|contender| (contender.engine, contender.graph, contender.threads));
    let rows = contenders.into_iter().map(|contender| contender.rows(&wanted));
    Ok(rows.collect::<Result<Vec<_>>>()?.concat())
}

/// What both races need.
struct Race {
    root: PathBuf,
    folder: PathBuf,
    python: PathBuf,
}

impl Race {
    /// Writes the network for the other engines.
    fn prepare() -> Result<Self> {
        let root = project::root()?;
        let folder = project::target_dir()?.join("inference-race");
        std::fs::create_dir_all(&folder)?;
        let python = python::environment("inference-venv", "benches/inference_requirements.txt")?;
        let race = Self { root, folder, python };
        let mut export = Command::new(&race.python);
        export.arg(race.script()).arg("export").arg(race.root.join(dist::MODEL));
        project::run(export.arg(&race.folder))?;
        Ok(race)
    }

    fn script(&self) -> PathBuf {
        self.root.join("benches/inference_race.py")
    }

    fn browser(&self, site: &Path, options: &[&str]) -> Result<Command> {
        let benches = self.root.join("benches");
        let npm = project::find_program("npm").context("npm is missing: install Node.js")?;
        let install = ["ci", "--no-audit", "--no-fund"];
        project::run(Command::new(npm).args(install).current_dir(&benches))?;
        let mut node = checks::browser_command(site, benches.join("browser_race.mjs"))?;
        node.arg(&self.folder).arg(&self.python).args(options);
        Ok(node)
    }

    /// Our own contender, built without burn.
    fn example(&self) -> Result<PathBuf> {
        let mut build = project::cargo()?;
        build.args(["build", "--release", "--package", "mitoscope", "--no-default-features"]);
        project::run(build.args(["--example", "inference_race"]))?;
        Ok(project::target_dir()?.join("release/examples/inference_race"))
    }

    /// tract's contender, a package outside the workspace with a lock file of its own.
    fn tract(&self) -> Result<PathBuf> {
        let target = project::target_dir()?.join("tract-race");
        let mut build = project::cargo()?;
        build.args(["build", "--release", "--locked", "--target-dir"]).arg(&target);
        let manifest = self.root.join("benches/tract-race/Cargo.toml");
        project::run(build.arg("--manifest-path").arg(manifest))?;
        Ok(target.join("release/tract-race"))
    }
}

/// A native engine that waits for its turn: it answers a batch size with its milliseconds an image.
struct Contender {
    engine: &'static str,
    graph: &'static str,
    threads: usize,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    first: Value,
    times: Vec<(usize, f64)>,
}

impl Contender {
    fn start(
        engine: &'static str,
        graph: &'static str,
        threads: usize,
        command: &mut Command,
    ) -> Result<Self> {
        command.arg(threads.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let line = project::describe(command);
        eprintln!("$ {line}");
        let mut process = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
        let input = process.stdin.take().context("no standard input")?;
        let output = BufReader::new(process.stdout.take().context("no standard output")?);
        let times = Vec::new();
        let first = Value::Null;
        let mut contender = Self { engine, graph, threads, process, input, output, first, times };
        contender.first = contender.answer()?;
        Ok(contender)
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{} answered '{line}'", self.engine))
    }

    fn turn(&mut self, batch: usize) -> Result<()> {
        writeln!(self.input, "{batch}").with_context(|| format!("{} has ended", self.engine))?;
        let time = self.answer()?["ms"].as_f64().context("no time")?;
        self.times.push((batch, time));
        Ok(())
    }

    fn rows(mut self, wanted: &[Vec<f64>]) -> Result<Vec<Value>> {
        drop(self.input);
        ensure!(self.process.wait()?.success(), "{} failed at its end", self.engine);
        let found: Vec<Vec<f64>> = serde_json::from_value(self.first["embeddings"].take())?;
        ensure!(found.len() == wanted.len(), "{} gave {} embeddings", self.engine, found.len());
        let pairs = found.iter().flatten().zip(wanted.iter().flatten());
        let error = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let row = |(batch, _)| {
            let mut times: Vec<f64> =
                self.times.iter().filter(|(of, _)| *of == batch).map(|(_, time)| *time).collect();
            times.sort_by(f64::total_cmp);
            json!({
                "engine": self.engine,
                "graph": self.graph,
                "backend": "native",
                "threads": self.threads,
                "batch": batch,
                "first_ms": self.first["first_ms"],
                "median_ms": times[times.len() / 2],
                "max_abs_error": error,
            })
        };
        Ok(ROUNDS.map(row).to_vec())
    }
}
