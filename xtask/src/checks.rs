//! Runs every check of the project in order, stopping at the first that fails.
//!
//! Invariant: what a later step needs is looked for before the first long build starts.

use crate::toolchain::Toolchain;
use crate::wasm::Module;
use crate::{dist, project};
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The native selections of packages, always these. Cargo merges the features of the packages it
/// is given: `--workspace` would add xtask's to the others', and rebuild burn's GPU stack for a
/// feature of `indexmap` alone. These two match `cargo run -p native-trainer` and `cargo xtask`.
const PRODUCT: [&str; 5] = ["--release", "--package", "mitoscope", "--package", "native-trainer"];
const XTASK: [&str; 3] = ["--release", "--package", "xtask"];

const CHROMIUM_NAMES: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What a machine without Node needs; older ones do not know the page's modules for modules.
const NODE: &str = "install Node.js 20.19, 22.7 or newer with npm";

/// Manifest of the software Vulkan driver that Chromium brings along.
const VULKAN_DRIVER: &str = "vk_swiftshader_icd.json";

/// What the browser tests run on.
struct Browser {
    chromium: PathBuf,
    npm: PathBuf,
    node: PathBuf,
    tests: PathBuf,
}

/// Steps done so far, with their times.
#[derive(Default)]
struct Report(Vec<(&'static str, Duration)>);

impl Report {
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("\n==> {}. {name}", self.0.len() + 1);
        let start = Instant::now();
        work().with_context(|| format!("step `{name}` failed"))?;
        self.0.push((name, start.elapsed()));
        Ok(())
    }

    fn print(&self) {
        eprintln!();
        for (name, time) in &self.0 {
            eprintln!("{:>9.1} s  {name}", time.as_secs_f64());
        }
        let total: Duration = self.0.iter().map(|(_, time)| *time).sum();
        eprintln!("{:>9.1} s  all {} steps passed", total.as_secs_f64(), self.0.len());
    }
}

/// Format, lints, Rust tests, browser tests.
///
/// # Errors
/// At the first failing step, with the command that failed, or at once when a tool is missing.
pub fn run_all() -> Result<()> {
    let root = project::root()?;
    let site = root.join("dist");
    let browser = Browser::find(&root)?;
    let mut vulkan_tests = browser.vulkan_tests()?;
    let named = std::env::var_os("MITOSCOPE_DATA").map(PathBuf::from);
    // The tests start in folders of their own.
    ensure!(
        named.as_ref().is_none_or(|data| data.is_absolute()),
        "MITOSCOPE_DATA={} is relative: give the whole path",
        named.unwrap_or_default().display()
    );
    let data = named.unwrap_or_else(|| root.join("../shared/data/hep2-agh"));
    let toolchain = Toolchain::find()?;
    toolchain.clippy()?;
    let mut report = Report::default();

    report.step("packages of the browser tests", || browser.install())?;
    report.step("format", || project::run(project::cargo()?.args(["fmt", "--all", "--check"])))?;
    report.step("clippy, native", || {
        for selection in [&PRODUCT[..], &XTASK] {
            let mut clippy = project::cargo()?;
            clippy.arg("clippy").args(selection).args(["--all-targets", "--", "-D", "warnings"]);
            project::run(&mut clippy)?;
        }
        Ok(())
    })?;
    report.step("clippy, wasm32", || {
        for module in Module::ALL {
            let mut clippy = toolchain.clippy()?;
            project::run(clippy.args(module.selection()).args(["--", "-D", "warnings"]))?;
        }
        Ok(())
    })?;
    report.step("Rust tests", || {
        for selection in [&PRODUCT[..], &XTASK] {
            project::run(project::cargo()?.arg("test").args(selection))?;
        }
        Ok(())
    })?;
    report.step("Vulkan tests", || project::run(&mut vulkan_tests))?;
    report.step("native program", || project::run(project::cargo()?.arg("build").args(PRODUCT)))?;
    report.step("site", || dist::build(&site))?;
    report.step("browser tests", || browser.test(&site))?;
    report.print();

    if !data.join("cells.csv").is_file() {
        eprintln!(
            "Not checked, because the real fields of hep2-agh are not in {}: the bundled model's figures, the \
             detector's, and the page on real fields. MITOSCOPE_DATA names their folder.",
            data.display()
        );
    }
    Ok(())
}

impl Browser {
    fn find(root: &Path) -> Result<Self> {
        let tests = root.join("tests/browser");
        let any = std::fs::read_dir(&tests)
            .with_context(|| format!("cannot read {tests:?}"))?
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().ends_with(".test.mjs"));
        if !any {
            bail!("{tests:?} holds no *.test.mjs: the browser tests are missing");
        }
        let program = |name| {
            project::find_program(name).with_context(|| format!("{name} is missing: {NODE}"))
        };
        let node = program("node")?;
        let version = project::output(Command::new(&node).arg("--version"))?;
        ensure!(is_new_enough(&version), "{} is {version}: {NODE}", node.display());
        Ok(Self { chromium: chromium()?, npm: program("npm")?, node, tests })
    }

    /// Installs the packages that the tests need.
    fn install(&self) -> Result<()> {
        let npm = ["ci", "--no-audit", "--no-fund"];
        project::run(Command::new(&self.npm).args(npm).current_dir(&self.tests))
    }

    /// Node, in the tests' folder, with their environment.
    fn node(&self, site: &Path) -> Result<Command> {
        let program = format!("mitoscope{}", std::env::consts::EXE_SUFFIX);
        let mut command = Command::new(&self.node);
        command
            .current_dir(&self.tests)
            .env("MITOSCOPE_DIST", site)
            .env("MITOSCOPE_BIN", project::target_dir()?.join("release").join(program))
            .env("CHROMIUM", &self.chromium);
        Ok(command)
    }

    /// Embedding and training on an emulated GPU: Chromium brings a Vulkan driver and loader along.
    fn vulkan_tests(&self) -> Result<Command> {
        let mut command = project::cargo()?;
        command.arg("test").args(PRODUCT);
        command.args(["--lib", "--test", "gpu_embedder", "--test", "vulkan", "--", "--ignored"]);
        // It measures the processor, which the emulated GPU keeps busy.
        command.args(["--skip", "ceiling"]);
        if std::env::var_os("VK_ICD_FILENAMES").is_none() {
            let program = self.chromium.canonicalize()?;
            // A distribution's /usr/bin/chromium is a script that starts /usr/lib/chromium.
            let system = Path::new("/usr/lib").join(program.file_name().unwrap_or_default());
            let folder = [program.parent(), Some(&system)]
                .into_iter()
                .flatten()
                .find(|folder| folder.join(VULKAN_DRIVER).is_file())
                .with_context(|| {
                    format!(
                        "{VULKAN_DRIVER} is neither beside {} nor in {}: set VK_ICD_FILENAMES to \
                         the manifest of a Vulkan driver",
                        program.display(),
                        system.display()
                    )
                })?;
            command.env("VK_ICD_FILENAMES", folder.join(VULKAN_DRIVER));
            command.env("LD_LIBRARY_PATH", folder);
        }
        Ok(command)
    }

    /// Runs `node --test`, which finds every `*.test.mjs` below its folder by itself.
    fn test(&self, site: &Path) -> Result<()> {
        project::run(self.node(site)?.args(["--test", "--test-reporter=spec"]))
    }
}

/// A script as a command with what the browser tests have, in their folder, on a built site.
///
/// # Errors
/// When Chromium, node or npm is missing.
pub fn browser_command(site: &Path, script: impl AsRef<OsStr>) -> Result<Command> {
    let browser = Browser::find(&project::root()?)?;
    browser.install()?;
    let mut command = browser.node(site)?;
    command.arg(script);
    Ok(command)
}

/// Whether Node's own version, such as `v22.9.1`, is one of [`NODE`].
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(20)), Some(Ok(minor))) => minor >= 19,
        (Some(Ok(22)), Some(Ok(minor))) => minor >= 7,
        (Some(Ok(major)), Some(Ok(_))) => major > 22,
        _ => false,
    }
}

fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        if path.is_file() {
            return Ok(path);
        }
        bail!("CHROMIUM={} is no file: point it at a Chromium program", path.display());
    }
    CHROMIUM_NAMES.iter().find_map(|name| project::find_program(name)).context(
        "no Chromium on PATH for the browser tests: install it (Debian: `apt-get install \
         chromium`) or set CHROMIUM to its program",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_which_node_is_new_enough() {
        assert!(["v20.19.0", "v22.7.0", "v23.0.0", "v24.1.1"].iter().all(|v| is_new_enough(v)));
        let old = ["v18.20.4", "v20.18.3", "v21.7.0", "v22.6.0", "", "node"];
        assert!(old.iter().all(|v| !is_new_enough(v)));
    }
}
