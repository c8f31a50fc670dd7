//! Build steps of mitoscope, run as `cargo xtask COMMAND`. To build takes Rust alone, to test also Node.js and
//! Chromium, to race Python too.
//!
//! Invariant: an outside program that fails is named with its command.

mod bench;
mod checks;
mod dist;
mod headers;
mod inference_race;
mod project;
mod python;
mod serve;
mod toolchain;
mod training_race;
mod wasm;

use anyhow::{Context, Result, bail};
use bench::Measurement;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  serve [--port 8080] [--no-build]   build the site into dist and serve it at 127.0.0.1
  dist [--out dist]                  build the site as plain files for any static host
  wasm                               build only the WebAssembly modules, into dist/pkg
  test                               run every check: format, clippy, Rust and browser tests
  bench [RACE] [--json FILE]         measure throughput and peak memory, natively and in Chromium;
                                     RACE: against other engines (needs Python 3): train (against
                                     PyTorch), browser and native (embedding)";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
enum Task {
    Serve { port: u16, build: bool },
    Dist { out: Option<PathBuf> },
    Wasm,
    Test,
    Bench { what: Measurement, json: Option<PathBuf> },
    Help,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(execute) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(task: Task) -> Result<()> {
    let default_out = project::root()?.join("dist");
    match task {
        Task::Serve { port, build } => {
            // A taken port is told before the build, not after it.
            let server = serve::listen(port)?;
            if build {
                dist::begin(&default_out)?;
                let site = default_out.clone();
                std::thread::spawn(move || match dist::complete(&site) {
                    Ok(()) => println!("The page has WebGPU once it is reloaded."),
                    Err(error) => eprintln!("xtask: the page stays without WebGPU: {error:#}"),
                });
            }
            serve::serve(&default_out, &server)
        }
        Task::Dist { out } => dist::build(&out.unwrap_or(default_out)),
        Task::Wasm => dist::modules(&default_out),
        Task::Test => checks::run_all(),
        Task::Bench { what, json } => bench::run(what, json.as_deref()),
        Task::Help => {
            println!("{USAGE}");
            Ok(())
        }
    }
}

fn parse(args: impl Iterator<Item = String>) -> Result<Task> {
    let mut args = args.peekable();
    let mut task = match args.next().as_deref() {
        Some("serve") => Task::Serve { port: 8080, build: true },
        Some("dist") => Task::Dist { out: None },
        Some("wasm") => Task::Wasm,
        Some("test") => Task::Test,
        Some("bench") => {
            let race = args.next_if(|arg| !arg.starts_with('-'));
            let what = match race.as_deref() {
                None => Measurement::Throughput,
                Some("train") => Measurement::Training,
                Some("browser") => Measurement::Browser,
                Some("native") => Measurement::Native,
                Some(other) => bail!("unknown race `{other}`\n\n{USAGE}"),
            };
            Task::Bench { what, json: None }
        }
        Some("help" | "--help" | "-h") => return Ok(Task::Help),
        Some(other) => bail!("unknown command `{other}`\n\n{USAGE}"),
        None => bail!("no command given\n\n{USAGE}"),
    };
    while let Some(flag) = args.next() {
        match (flag.as_str(), &mut task) {
            ("--port", Task::Serve { port, .. }) => {
                let value = args.next().context("--port needs a number")?;
                *port = value
                    .parse()
                    .with_context(|| format!("--port {value}: give a number from 0 to 65535"))?;
            }
            ("--no-build", Task::Serve { build, .. }) => *build = false,
            ("--out", Task::Dist { out }) => {
                *out = Some(args.next().context("--out needs a folder")?.into());
            }
            ("--json", Task::Bench { json, .. }) => {
                *json = Some(args.next().context("--json needs a file")?.into());
            }
            ("--help" | "-h", _) => return Ok(Task::Help),
            _ => bail!("unknown option `{flag}`\n\n{USAGE}"),
        }
    }
    Ok(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn reads_commands_and_options() {
        let task = parsed("serve --port 9000 --no-build").expect("valid");
        assert_eq!(task, Task::Serve { port: 9000, build: false });
        let task = parsed("dist --out site").expect("valid");
        assert_eq!(task, Task::Dist { out: Some("site".into()) });
        assert_eq!(parsed("test --help").expect("valid"), Task::Help);
        let task = parsed("bench train --json rows.json").expect("valid");
        let json = Some("rows.json".into());
        assert_eq!(task, Task::Bench { what: Measurement::Training, json });
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for line in [
            "",
            "deploy",
            "wasm --port 1",
            "bench x",
            "serve --port x",
            "serve --port",
            "dist --out",
        ] {
            assert!(parsed(line).is_err(), "accepted `{line}`");
        }
    }
}
