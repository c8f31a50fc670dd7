//! Where to compute in a browser, and why there.
//!
//! Invariant: what is slower than the CPU is never chosen unasked.

use js_sys::{Function, Object, Promise, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::to_js;
use crate::Error;
use crate::device::{self, Device};

/// A choice of device with its reason, for the page and for every export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    kind: Kind,
    adapter: String,
    software: bool,
    /// Why it is the CPU.
    reason: Option<Reason>,
    /// The same as the end of a sentence, with particulars.
    note: String,
}

/// Why cells are classified on the CPU; the page sets `Failed` when WebGPU does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reason {
    Asked,
    Absent,
    Emulated,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Cpu,
    Webgpu,
}

/// Chooses `{kind, adapter, software, reason, note}`; `wanted` is `auto`, `webgpu` or `cpu`.
///
/// `auto` takes WebGPU unless its adapter is emulated in software, which is slower than the CPU;
/// `force_software` takes it even then.
///
/// # Errors
/// [`Error::Device`] when WebGPU is demanded and absent.
#[wasm_bindgen(js_name = chooseBackend)]
pub async fn choose_backend(wanted: &str, force_software: bool) -> Result<JsValue, Error> {
    to_js(&Backend::choose(wanted, force_software).await?)
}

impl Backend {
    async fn choose(wanted: &str, force_software: bool) -> Result<Self, Error> {
        let cpu = |reason, note: String| {
            let (adapter, reason) = ("CPU".into(), Some(reason));
            Ok(Self { kind: Kind::Cpu, adapter, software: false, reason, note })
        };
        if wanted == "cpu" {
            return cpu(Reason::Asked, "as asked for".into());
        }
        let forced = wanted == "webgpu";
        match adapter().await {
            None if forced => Err(Error::Device("this browser offers no WebGPU adapter".into())),
            None => cpu(Reason::Absent, "because this browser offers no WebGPU adapter".into()),
            Some((name, true)) if !forced && !force_software => {
                let why =
                    format!("because {name} only emulates a GPU in software, which is slower");
                cpu(Reason::Emulated, why)
            }
            Some((adapter, software)) => {
                let (reason, note) = (None, String::new());
                Ok(Self { kind: Kind::Webgpu, adapter, software, reason, note })
            }
        }
    }

    /// Sets up the device.
    ///
    /// # Errors
    /// [`Error::Device`] when it refuses, or this module was built without it.
    pub async fn open(&self) -> Result<Device, Error> {
        match self.kind {
            Kind::Cpu => Ok(Device::Cpu),
            #[cfg(feature = "gpu")]
            Kind::Webgpu => Ok(device::gpu(device::Api::Auto).await?.device),
            #[cfg(not(feature = "gpu"))]
            Kind::Webgpu => Err(Error::Device("this module computes on the CPU only".into())),
        }
    }
}

/// Name of the browser's WebGPU adapter and whether it is software, asked for through the untyped
/// interface: the typed one of `web-sys` exists only behind a compiler flag.
async fn adapter() -> Option<(String, bool)> {
    let gpu = property(&property(&js_sys::global(), "navigator")?, "gpu")?;
    let request: Function = property(&gpu, "requestAdapter")?.dyn_into().ok()?;
    // The one that computes is asked for in the same words.
    let wanted = Object::new();
    Reflect::set(&wanted, &"powerPreference".into(), &"high-performance".into()).ok()?;
    let promise: Promise = request.call1(&gpu, &wanted).ok()?.dyn_into().ok()?;
    let adapter = JsFuture::from(promise).await.ok()?;
    let info = property(&adapter, "info")?;
    let words = ["vendor", "architecture", "description"]
        .iter()
        .filter_map(|name| property(&info, name)?.as_string())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let name = if words.is_empty() { "an unnamed adapter".into() } else { words };
    // The flag moved from the adapter to its info.
    let fallback = [&info, &adapter]
        .iter()
        .any(|object| property(object, "isFallbackAdapter").is_some_and(|flag| flag.is_truthy()));
    let software = fallback || device::emulates(&name);
    Some((name, software))
}

fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &name.into()).ok()?;
    (!value.is_null() && !value.is_undefined()).then_some(value)
}
