//! Builds the root crate for the browser and generates its JavaScript glue.
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

/// The one selection of packages for wasm32; another would resolve other features and build twice.
pub const SELECTION: [&str; 3] = ["--package", "mitoscope", "--lib"];

/// Builds the module into the folder `out`.
///
/// # Errors
/// When no toolchain targets wasm32, the crate does not build, or the glue cannot be written.
pub fn build(out: &Path) -> Result<()> {
    project::run(Toolchain::find()?.build()?.args(SELECTION))?;
    let release = toolchain::target_dir()?.join(toolchain::TARGET).join("release");
    let input = release.join(NAME).with_extension("wasm");
    Bindgen::new()
        .input_path(&input)
        .out_name(NAME)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out)
        .with_context(|| format!("wasm-bindgen failed on {}", input.display()))?;
    let module = out.join(format!("{NAME}_bg.wasm"));
    let size = module.metadata().with_context(|| format!("{} is missing", module.display()))?.len();
    eprintln!("{}: {:.2} MB", module.display(), size as f64 / 1e6);
    Ok(())
}
