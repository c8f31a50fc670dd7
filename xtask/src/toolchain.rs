//! Chooses a compiler and a linter that can target wasm32-unknown-unknown on this machine.
//!
//! Invariant: wasm builds have a target folder of their own, so that another compiler's build
//! scripts never invalidate the native artefacts.

use crate::project;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target triple of the browser build.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// 128-bit SIMD is in every browser that has WebGPU, and in all others since 2023.
const RUSTFLAGS: &str = "-C target-feature=+simd128";

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";
const DEBIAN_CLIPPY_DRIVER: &str = "/usr/bin/clippy-driver";
/// Debian packages that build wasm without a download from the Rust project.
const DEBIAN_PACKAGES: &str = "rustc-web rust-web-src rust-web-clippy lld-22";

/// A way to build for wasm32.
pub enum Toolchain {
    /// The default toolchain has the target's standard library.
    Installed,
    /// Debian's rustc, which has the standard library's source, and an LLVM linker.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// Takes the first that works: the default toolchain, Debian's, or what rustup can fetch.
    ///
    /// # Errors
    /// When none works; the error lists the remedies.
    pub fn find() -> Result<Self> {
        if target_installed()? {
            return Ok(Self::Installed);
        }
        let why_not_debian = match debian() {
            Ok(linker) => return Ok(Self::Debian { linker }),
            Err(reason) => reason,
        };
        let fetched = project::run(Command::new("rustup").args(["target", "add", TARGET]));
        if fetched.is_ok() && target_installed()? {
            return Ok(Self::Installed);
        }
        bail!(
            "no compiler for {TARGET}: run `rustup target add {TARGET}`, \
             or on Debian `apt-get install {DEBIAN_PACKAGES}` ({why_not_debian:#})"
        )
    }

    /// `cargo build` for wasm32, without a package selection yet.
    pub fn build(&self) -> Result<Command> {
        let mut command = project::cargo()?;
        command.arg("build");
        self.configure(&mut command)?;
        Ok(command)
    }

    /// `cargo clippy` for wasm32, of the same release as the compiler.
    ///
    /// # Errors
    /// When clippy is missing or of another release; the error says what to install.
    pub fn clippy(&self) -> Result<Command> {
        let mut command = match self {
            Self::Installed => project::cargo()?,
            Self::Debian { .. } => {
                check_debian_clippy()?;
                // Its own driver is its neighbour; cargo is the one that started us.
                let mut command = Command::new(DEBIAN_CLIPPY);
                command.current_dir(project::root()?);
                command.env("CARGO", project::cargo()?.get_program());
                command
            }
        };
        command.arg("clippy");
        self.configure(&mut command)?;
        Ok(command)
    }

    fn configure(&self, command: &mut Command) -> Result<()> {
        // Flags meant for native code, such as target-cpu, must not reach the wasm compiler.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", RUSTFLAGS);
        command.env("CARGO_TARGET_DIR", target_dir()?);
        command.args(["--release", "--target", TARGET]);
        if let Self::Debian { linker } = self {
            // `cargo run` puts its own toolchain's libraries here, which are not for this rustc.
            command.env_remove("LD_LIBRARY_PATH");
            // The bootstrap switch lets a stable compiler build std, which it knows best.
            command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            command.args(["-Z", "build-std=std,panic_abort"]);
        }
        Ok(())
    }
}

/// The target folder of wasm builds.
pub fn target_dir() -> Result<PathBuf> {
    Ok(project::target_dir()?.join("wasm"))
}

fn sysroot(rustc: &Path) -> Result<PathBuf> {
    let mut command = Command::new(rustc);
    command.args(["--print", "sysroot"]).env_remove("LD_LIBRARY_PATH");
    Ok(project::output(&mut command)?.into())
}

fn target_installed() -> Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Ok(sysroot(Path::new(&rustc))?.join("lib/rustlib").join(TARGET).join("lib").is_dir())
}

/// Checks that Debian's compiler is new enough and has std's source, and finds its linker.
fn debian() -> Result<PathBuf> {
    let rustc = Path::new(DEBIAN_RUSTC);
    if !rustc.is_file() {
        bail!("{DEBIAN_RUSTC} is missing: package rustc-web");
    }
    let (found, needed) = (debian_release()?, release(env!("CARGO_PKG_RUST_VERSION"))?);
    if found < needed {
        bail!("{DEBIAN_RUSTC} is 1.{found}, 1.{needed} is needed: package rustc-web");
    }
    if !sysroot(rustc)?.join("lib/rustlib/src/rust/library/Cargo.lock").is_file() {
        bail!("the standard library's source is missing: package rust-web-src");
    }
    // The plain name may be a linker much older than the compiler.
    let numbered = (14..=40).rev().map(|version| format!("wasm-ld-{version}"));
    numbered
        .chain(["wasm-ld".to_owned()])
        .find_map(|name| project::find_program(&name))
        .context("wasm-ld is missing: package lld-22")
}

fn debian_release() -> Result<u32> {
    let mut command = Command::new(DEBIAN_RUSTC);
    release(&project::output(command.arg("--version").env_remove("LD_LIBRARY_PATH"))?)
}

fn check_debian_clippy() -> Result<()> {
    let needed = debian_release()?;
    let remedy = "install the Debian package rust-web-clippy";
    if !Path::new(DEBIAN_CLIPPY).is_file() || !Path::new(DEBIAN_CLIPPY_DRIVER).is_file() {
        bail!("clippy for {DEBIAN_RUSTC} is missing: {remedy}");
    }
    let mut command = Command::new(DEBIAN_CLIPPY_DRIVER);
    let version = project::output(command.arg("--version").env_remove("LD_LIBRARY_PATH"))?;
    // "clippy 0.1.96 (hash date)", or without the brackets, belongs to "rustc 1.96.0".
    if version.split_whitespace().nth(1) != Some(&format!("0.1.{needed}")) {
        bail!("{DEBIAN_CLIPPY_DRIVER} is `{version}`, rustc is 1.{needed}: {remedy}");
    }
    Ok(())
}

/// The minor number of the first `1.x` version in the text.
fn release(text: &str) -> Result<u32> {
    text.split_whitespace()
        .find_map(|word| word.strip_prefix("1."))
        .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
        .with_context(|| format!("no Rust version in `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_release_of_a_compiler() {
        let full = "rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)";
        assert_eq!(release(full).expect("a version"), 96);
        assert_eq!(release("1.95").expect("a version"), 95);
        assert!(release("rustc").is_err());
    }
}
