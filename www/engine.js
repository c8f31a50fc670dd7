// @ts-check
/**
 * The WebAssembly modules of the site, and how they are taken up.
 *
 * Invariant: a page loads the one module for the CPU that it computes fastest with; the module
 * for WebGPU, several times larger, only where it will be used. (The service worker keeps all.)
 *
 * @import * as Engine from "../pkg/cpu/mitoscope.js"
 * @import * as Protocol from "./protocol.js"
 *
 * @typedef {"cpu" | "cpu-relaxed" | "gpu"} ModuleName folder below `pkg`
 * @typedef {typeof Engine} Engine the same interface in every module
 */

/** A module of one function: three vectors, and `f32x4.relaxed_madd` of them. */
const RELAXED_MADD = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
  ...[0x0a, 0x13, 1, 0x11, 0],
  ...[0x41, 0, 0xfd, 0x11, 0x41, 0, 0xfd, 0x11, 0x41, 0, 0xfd, 0x11, 0xfd, 0x85, 2, 0x0b],
]);

/** The module for the CPU that this browser computes fastest with. @returns {ModuleName} */
export function cpuModule() {
  return WebAssembly.validate(RELAXED_MADD) ? "cpu-relaxed" : "cpu";
}

/** Fetches and compiles a module. @param {ModuleName} name */
export async function fetchModule(name) {
  return WebAssembly.compile(await fetchBytes(`../pkg/${name}/mitoscope_bg.wasm`));
}

/**
 * Makes this thread's own instance of a module.
 *
 * @param {ModuleName} name
 * @param {WebAssembly.Module} wasm
 * @returns {Promise<Engine>}
 */
export async function instantiate(name, wasm) {
  const engine = await import(new URL(`../pkg/${name}/mitoscope.js`, import.meta.url).href);
  await engine.default({ module_or_path: wasm });
  return engine;
}

/** What an error says, for a reply. @param {any} error @returns {Protocol.Failure} */
export function failure(error) {
  return { code: error?.code ?? "internal", message: String(error?.message ?? error) };
}

/** Rejects with the code `load`. @param {string} path relative to this file */
export async function fetchBytes(path) {
  const url = new URL(path, import.meta.url);
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) {
    const reason = response?.status ?? "no answer";
    const error = new Error(`${url.pathname} could not be loaded (${reason})`);
    throw Object.assign(error, { code: "load" });
  }
  return new Uint8Array(await response.arrayBuffer());
}
