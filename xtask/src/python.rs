//! Python environments for the races, below the target folder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::project;

/// Python in the environment `name` with what a file of the project requires.
///
/// # Errors
/// When Python is missing or a package cannot be installed.
pub fn environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let environment = project::target_dir()?.join(name);
    let python = environment.join("bin/python");
    if !python.is_file() {
        let system = project::find_program("python3")
            .context("python3 is missing: the race needs it, with venv and pip")?;
        let made = project::run(Command::new(system).args(["-m", "venv"]).arg(&environment));
        if made.is_err() {
            // Half an environment would be taken for a whole one the next time.
            let _ = std::fs::remove_dir_all(&environment);
        }
        made?;
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    project::run(pip.arg(project::root()?.join(requirements)))?;
    Ok(python)
}
