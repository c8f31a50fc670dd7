// @ts-check
/**
 * A helper of the worker on the CPU path: a thread with its own instance of the module, which
 * embeds the patches it is handed.
 *
 * Invariant: as in the worker, a wasm trap is not answered but thrown.
 *
 * @import { Scope } from "../pkg/cpu/mitoscope.js"
 * @import { Engine, ModuleName } from "./engine.js"
 * @import * as Protocol from "./protocol.js"
 *
 * @typedef {object} Load
 * @property {ModuleName} module
 * @property {WebAssembly.Module} wasm
 * @property {Uint8Array} model
 * @property {Protocol.Backend} backend
 *
 * @typedef {object} Batch cells that share their grey levels
 * @property {number} id
 * @property {Float32Array<ArrayBuffer>} patches
 * @property {Float32Array} levels
 *
 * @typedef {{ id: number, embeddings: Float32Array } | { id: number, failure: Protocol.Failure }} Answer
 */
import { failure, instantiate } from "./engine.js";

/** @type {{ engine: Engine, scope: Scope }} */
let running;
/** @type {Promise<void>} */
let queue = Promise.resolve();

addEventListener("message", ({ data }) => {
  queue = queue.then(() => ("id" in data ? answer(data) : load(data)));
});
// What is thrown here ends this thread, and the worker's too once this one is ready.
addEventListener("unhandledrejection", ({ reason }) => {
  setTimeout(() => {
    throw reason;
  });
});
postMessage("started");

/**
 * A browser may have no memory left for one more instance: then the others do the work.
 *
 * @param {Load} load
 */
async function load({ module, wasm, model, backend }) {
  try {
    const engine = await instantiate(module, wasm);
    running = { engine, scope: await engine.Scope.load(model, backend) };
    postMessage("ready");
  } catch (error) {
    console.warn(`mitoscope computes with one thread less: ${failure(error).message}`);
    close();
  }
}

/** @param {Batch} batch */
async function answer({ id, patches, levels }) {
  const { engine, scope } = running;
  try {
    const cells = engine.CellSet.ofPatches(patches, levels);
    try {
      postMessage({ id, embeddings: await scope.embed(cells, 0, cells.length) });
    } finally {
      cells.free();
    }
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    postMessage({ id, failure: failure(error) });
  }
}
