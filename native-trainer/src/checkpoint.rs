//! Checkpoints: all that a training needs to go on, in one file that is replaced at once.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use crate::files::write_at_once;
use crate::network::Network;
use crate::training::StepReport;

/// Steps between checkpoints, unless others are asked for.
pub const CHECKPOINT_EVERY: usize = 20;

const STATE: &str = "state";
const NETWORK: &str = "network";
const OPTIMISER: &str = "optimiser";

/// What a checkpoint tells besides the network and the optimiser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Identity of the run: a checkpoint of another run is refused.
    pub run: String,
    /// What each step taken so far reported.
    pub steps: Vec<StepReport>,
}

/// Writes a checkpoint; an earlier one stays whole until this one is.
///
/// # Errors
/// When the file cannot be written, or a record is no bytes.
pub fn save(
    path: &Path,
    state: &State,
    network: &Network,
    optimiser: &ModuleOptimizer,
) -> Result<()> {
    let network = network.clone().into_record().into_bytes().map_err(|e| anyhow!("{e:?}"))?;
    let optimiser = optimiser.into_bytes().map_err(|e| anyhow!("{e:?}"))?;
    let view = |bytes| TensorView::new(Dtype::U8, vec![<[u8]>::len(bytes)], bytes);
    let parts = [(NETWORK, view(&network)?), (OPTIMISER, view(&optimiser)?)];
    let metadata = HashMap::from([(STATE.to_owned(), serde_json::to_string(state)?)]);
    write_at_once(path, &safetensors::serialize(parts, Some(metadata))?)
}

/// The network of a finished training's checkpoint, to begin another training with.
///
/// # Errors
/// When the file cannot be read, is damaged or of another network.
pub fn network(path: &Path, network: Network) -> Result<Network> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let read = || read_network(&SafeTensors::deserialize(&bytes)?, network);
    read().with_context(|| {
        format!(
            "the checkpoint {} is damaged or of another network: delete it to train anew",
            path.display()
        )
    })
}

fn read_network(parts: &SafeTensors, network: Network) -> Result<Network> {
    let record = ModuleRecord::from_bytes(part(parts, NETWORK)?).map_err(|e| anyhow!("{e:?}"))?;
    network.try_load_record(record).map_err(|e| anyhow!("{e:?}"))
}

fn part(parts: &SafeTensors, name: &str) -> Result<Bytes> {
    Ok(Bytes::from_bytes_vec(parts.tensor(name)?.data().to_vec()))
}

/// Reads a checkpoint into a network and an optimiser of the same preset; `None` if there is none.
///
/// # Errors
/// When the file is damaged, of another network, or of another `run`.
pub fn load(
    path: &Path,
    run: &str,
    network: Network,
    optimiser: ModuleOptimizer,
) -> Result<Option<(State, Network, ModuleOptimizer)>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let damaged =
        || format!("the checkpoint {} is damaged: delete it to start anew", path.display());
    let state = || -> Result<State> {
        let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
        let state = metadata.metadata().as_ref().and_then(|m| m.get(STATE));
        Ok(serde_json::from_str(state.context("no state")?)?)
    };
    let state = state().with_context(damaged)?;
    anyhow::ensure!(
        state.run == run,
        "the checkpoint {} is of another run (other data, preset, seed or held-out cells): use \
         another --out, or delete it",
        path.display()
    );
    let read = || -> Result<_> {
        let parts = SafeTensors::deserialize(&bytes)?;
        let network = read_network(&parts, network)?;
        let bytes = part(&parts, OPTIMISER)?;
        Ok((network, optimiser.from_bytes(bytes).map_err(|e| anyhow!("{e:?}"))?))
    };
    let (network, optimiser) = read().with_context(damaged)?;
    Ok(Some((state, network, optimiser)))
}
