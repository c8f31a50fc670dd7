//! Builds the site as plain files that work on any static host, under any path.
//!
//! Invariant: every file of the site but `_headers` and `manifest.json` itself is listed in
//! `manifest.json` with its SHA-256, and nothing outside that list is ever deleted. The service worker
//! knows the same list, without itself.

use crate::wasm::Module;
use crate::{headers, project};
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

const MANIFEST: &str = "manifest.json";
const HEADERS: &str = "_headers";
/// The bundled model.
pub const MODEL: &str = "www/model/model.safetensors";
/// The service worker's source, and its name in the root of the site, whose files it keeps.
const SERVICE_WORKER: [&str; 2] = ["www/service-worker.js", "service-worker.js"];
/// Where the WebAssembly module lies in the site.
const PKG: &str = "pkg";

/// Builds the whole site into `out`, replacing an earlier one.
///
/// # Errors
/// When `out` holds files of someone else, a part is missing, or a wasm build fails.
pub fn build(out: &Path) -> Result<()> {
    begin(out)?;
    complete(out)
}

/// Builds a site that works, with the modules that build fast; [`complete`] brings WebGPU.
///
/// # Errors
/// As [`build`].
pub fn begin(out: &Path) -> Result<()> {
    let root = project::root()?;
    let index = root.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("cannot read {index:?}"))?;
    let headers = headers::security_headers(&html)?;
    ensure!(
        root.join(MODEL).is_file(),
        "{MODEL} is missing: write one there with `mitoscope export RUN --out {MODEL} --half`"
    );
    refuse_foreign(out)?;
    // A program that does not build leaves the earlier site as it was.
    for module in [Module::Cpu, Module::CpuRelaxed] {
        module.build(&out.join(PKG))?;
    }
    remove_earlier(out)?;
    Module::Gpu.remove(&out.join(PKG))?;
    copy(&index, &out.join("index.html"))?;
    let worker = root.join(SERVICE_WORKER[0]);
    for file in files_below(&root.join("www"))?.into_iter().filter(|file| *file != worker) {
        copy(&file, &out.join(file.strip_prefix(&root)?))?;
    }
    write(&out.join(HEADERS), &headers::headers_file(&headers))?;
    write_lists(out)
}

/// Builds the module for WebGPU into a site; the page finds it at its next start.
///
/// # Errors
/// When the build fails or the site cannot be written.
pub fn complete(out: &Path) -> Result<()> {
    Module::Gpu.build(&out.join(PKG))?;
    write_lists(out)
}

/// Builds all modules into a site that is there, or to be.
///
/// # Errors
/// As [`complete`].
pub fn modules(out: &Path) -> Result<()> {
    refuse_foreign(out)?;
    Module::ALL.iter().try_for_each(|module| module.build(&out.join(PKG)))?;
    if out.join(MANIFEST).is_file() { write_lists(out) } else { Ok(()) }
}

fn write_lists(out: &Path) -> Result<()> {
    let [source, worker] = SERVICE_WORKER;
    let source = project::root()?.join(source);
    let source = fs::read_to_string(&source).with_context(|| format!("cannot read {source:?}"))?;
    let mut files = hashes(out)?;
    files.remove(worker);
    let needed: BTreeMap<_, _> = files.iter().filter(|(path, _)| is_for_browsers(path)).collect();
    let version = hex_digest(format!("{needed:?}{source}").as_bytes());
    let site = serde_json::json!({ "version": version, "files": needed });
    let text = format!("self.SITE = {site};\n{source}");
    write(&out.join(worker), &text)?;
    files.insert(worker.to_owned(), hex_digest(text.as_bytes()));
    let manifest = serde_json::json!({ "site": "mitoscope", "sha256": files });
    write(&out.join(MANIFEST), &format!("{manifest:#}\n"))?;
    eprintln!("The site is in {}", out.display());
    Ok(())
}

/// Types and notes are for developers.
fn is_for_browsers(path: &str) -> bool {
    !path.ends_with(".d.ts") && !path.ends_with(".md")
}

/// SHA-256 in hex of each file of the site, by its path with forward slashes.
fn hashes(site: &Path) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    for file in files_below(site)? {
        let relative = file.strip_prefix(site)?;
        if relative == Path::new(MANIFEST) || relative == Path::new(HEADERS) {
            continue;
        }
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        let bytes = fs::read(&file).with_context(|| format!("cannot read {file:?}"))?;
        hashes.insert(parts.join("/"), hex_digest(&bytes));
    }
    Ok(hashes)
}

fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Deletes the files that an earlier build listed, but for the modules, which are written over.
fn remove_earlier(out: &Path) -> Result<()> {
    for path in earlier_files(out).into_iter().filter(|path| !path.starts_with(PKG)) {
        match fs::remove_file(out.join(&path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {path:?} in {out:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a folder that holds what no earlier build has listed.
fn refuse_foreign(out: &Path) -> Result<()> {
    let listed = earlier_files(out).into_iter().chain([MANIFEST.into(), HEADERS.into()]);
    let ours: BTreeSet<PathBuf> = listed.map(|path: PathBuf| out.join(path)).collect();
    let foreign = |file: &PathBuf| !ours.contains(file) && !file.starts_with(out.join(PKG));
    if out.exists()
        && let Some(file) = files_below(out)?.into_iter().find(foreign)
    {
        bail!("{file:?} is not from an earlier build: choose an empty folder with --out");
    }
    Ok(())
}

/// The paths in the manifest of an earlier build; none when there is no such manifest.
fn earlier_files(out: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(out.join(MANIFEST)).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let listed = manifest["sha256"].as_object().filter(|_| manifest["site"] == "mitoscope");
    let inside =
        |path: &PathBuf| path.components().all(|part| matches!(part, Component::Normal(_)));
    listed.into_iter().flat_map(|files| files.keys()).map(PathBuf::from).filter(inside).collect()
}

/// All files below a folder, sorted, without hidden ones.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.path().is_dir() {
            files.extend(files_below(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file of the site has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {folder:?}"))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {from:?} to {to:?}"))?;
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {file:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::Scratch;

    fn site(test: &str, files: &[(&str, &str)]) -> Scratch {
        let folder = Scratch::new(test);
        for (name, text) in files {
            let file = folder.0.join(name);
            fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            fs::write(file, text).expect("written");
        }
        folder
    }

    #[test]
    fn hashes_every_file_but_the_lists() {
        let site = site("hashes", &[("www/a.js", "abc"), (MANIFEST, "x"), (HEADERS, "x")]);
        let hashes = hashes(&site.0).expect("hashed");
        assert_eq!(hashes.len(), 1);
        assert_eq!(
            hashes["www/a.js"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn replaces_its_own_files_only() {
        let manifest = r#"{"site": "mitoscope", "sha256": {"old.js": "", "gone.js": ""}}"#;
        let site = site("replaces", &[(MANIFEST, manifest), ("old.js", ""), ("pkg/m.js", "")]);
        refuse_foreign(&site.0).expect("its own files");
        remove_earlier(&site.0).expect("its own files");
        assert!(!site.0.join("old.js").exists());
        fs::write(site.0.join("thesis.txt"), "mine").expect("written");
        let error = refuse_foreign(&site.0).expect_err("a file of someone else");
        assert!(error.to_string().contains("thesis.txt"));
        assert!(site.0.join("thesis.txt").exists());
    }

    #[test]
    fn a_manifest_cannot_reach_outside_the_site() {
        let manifest = r#"{"site": "mitoscope", "sha256": {"../x": "", "/etc/x": "", "in": ""}}"#;
        let site = site("inside", &[(MANIFEST, manifest)]);
        assert_eq!(earlier_files(&site.0), [PathBuf::from("in")]);
    }
}
