//! Where the project lies, and how its outside programs are run.
//!
//! Invariant: no path of a machine is built in; everything is asked at run time.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace folder.
///
/// # Errors
/// When the program was not started through `cargo xtask`.
pub fn root() -> Result<PathBuf> {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .context("start this through `cargo xtask COMMAND` inside the project")?;
    let root = Path::new(&xtask).parent().context("xtask has no parent folder")?;
    Ok(root.to_path_buf())
}

/// A command that runs the cargo which started us, in the workspace folder.
pub fn cargo() -> Result<Command> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root()?);
    Ok(command)
}

/// The target folder of native builds, as cargo resolves it from its environment and config.
pub fn target_dir() -> Result<PathBuf> {
    let text = output(cargo()?.args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).context("`cargo metadata` did not answer in JSON")?;
    let folder = metadata["target_directory"].as_str();
    Ok(folder.context("`cargo metadata` names no target_directory")?.into())
}

/// Shows the command, runs it with our own input and output, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let line = describe(command);
    eprintln!("$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("this command failed ({status}):\n  {line}");
    }
    Ok(())
}

/// Runs a command silently and returns what it printed on standard output, trimmed.
pub fn output(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let done = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !done.status.success() {
        bail!("`{line}` failed ({})", done.status);
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// The first file of this name on `PATH`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The command as a line that can be pasted into a shell in the same folder.
pub fn describe(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={}", name.to_string_lossy(), quoted(&value?.to_string_lossy())))
    });
    let words = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()));
    let line = variables.chain(words).collect::<Vec<_>>().join(" ");
    match command.get_current_dir() {
        Some(folder) if root().is_ok_and(|root| root != folder) => {
            format!("cd {} && {line}", quoted(&folder.to_string_lossy()))
        }
        _ => line,
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An empty folder for one test, removed with its content at the end. The tempfile crate would
    /// change features that the wasm libraries share, and build them twice.
    pub struct Scratch(pub PathBuf);

    impl Scratch {
        pub fn new(test: &str) -> Self {
            let name = format!("mitoscope-xtask-{}-{test}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir(&folder).expect("a temporary folder");
            Self(folder.canonicalize().expect("a folder that was just made"))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_described_command_can_be_pasted() {
        let mut command = Command::new("cargo");
        command.args(["build", "a b", "it's"]).env("FLAGS", "-C x");
        assert_eq!(describe(&command), r"FLAGS='-C x' cargo build 'a b' 'it'\''s'");
    }
}
