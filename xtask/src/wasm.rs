//! Builds the root crate for the browser, in several modules, and generates their JavaScript glue.
//!
//! Invariant: the glue generator is a library of the version that Cargo.lock fixes for the crate's
//! own wasm-bindgen, so the two can never disagree.

use crate::project;
use crate::toolchain::{self, Toolchain};
use anyhow::{Context, Result};
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// Module name: the output is `mitoscope.js`, `mitoscope.d.ts` and `mitoscope_bg.wasm`.
const NAME: &str = "mitoscope";

/// The selection of packages for wasm32; another would resolve other features and build burn twice.
const SELECTION: [&str; 3] = ["--package", "mitoscope", "--lib"];

/// One build of the root crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// For every browser.
    Cpu,
    /// For browsers that know the fused multiply-add of relaxed SIMD.
    CpuRelaxed,
    /// With burn, for WebGPU.
    Gpu,
}

impl Module {
    /// All of them, those that build fast first.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::CpuRelaxed, Self::Gpu];

    /// Name of its folder in the site.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::CpuRelaxed => "cpu-relaxed",
            Self::Gpu => "gpu",
        }
    }

    /// Package and features, for cargo.
    pub fn selection(self) -> Vec<&'static str> {
        let features: &[_] = match self {
            Self::Cpu => &["--no-default-features"],
            Self::CpuRelaxed => &["--no-default-features", "--features", "relaxed-simd"],
            Self::Gpu => &[],
        };
        [&SELECTION, features].concat()
    }

    /// Deletes what [`Module::build`] has written below `pkg`.
    ///
    /// # Errors
    /// When a file cannot be deleted.
    pub fn remove(self, pkg: &Path) -> Result<()> {
        let folder = pkg.join(self.folder());
        for ending in [".js", ".d.ts", "_bg.wasm", "_bg.wasm.d.ts"] {
            let file = folder.join(format!("{NAME}{ending}"));
            if file.exists() {
                std::fs::remove_file(&file).with_context(|| format!("cannot remove {file:?}"))?;
            }
        }
        Ok(())
    }

    /// Builds the module into its folder below `pkg`.
    ///
    /// # Errors
    /// When no toolchain targets wasm32, the crate does not build, or the glue cannot be written.
    pub fn build(self, pkg: &Path) -> Result<()> {
        project::run(Toolchain::find()?.build()?.args(self.selection()))?;
        let release = toolchain::target_dir()?.join(toolchain::TARGET).join("release");
        let input = release.join(NAME).with_extension("wasm");
        let out = pkg.join(self.folder());
        Bindgen::new()
            .input_path(&input)
            .out_name(NAME)
            .web(true)?
            .typescript(true)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate(&out)
            .with_context(|| format!("wasm-bindgen failed on {}", input.display()))?;
        let module = out.join(format!("{NAME}_bg.wasm"));
        let size = module.metadata().with_context(|| format!("{} is missing", module.display()))?;
        eprintln!("{}: {:.2} MB", module.display(), size.len() as f64 / 1e6);
        Ok(())
    }
}
