// @ts-check
/**
 * The classifier as promises: starts the worker, asks it, replaces it when it crashes, on the CPU where it
 * may have been the GPU that failed.
 *
 * Invariant: every call settles exactly once, with a value or with a `ClientError`; no worker is replaced
 * for ever.
 *
 * @import { ModuleName } from "./engine.js"
 * @import * as Protocol from "./protocol.js"
 */
import { cpuModule, fetchBytes, fetchModule } from "./engine.js";
import { FIRST_READING } from "./reading.js";

/**
 * A failure with the `code` of the Rust `Error`, or `cancelled`, `load`, `internal`, or `crashed`: the worker
 * did, and was started again.
 */
export class ClientError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "ClientError";
    this.code = code;
  }
}

/** What is asked of an image unless told otherwise. */
const IMAGE = { as: "auto", reading: FIRST_READING, previewSide: 1600 };

/** Threads to compute with unless told otherwise: each holds some 60 MB. */
const MOST_THREADS = 16;

/**
 * @typedef {object} StartOptions
 * @property {Protocol.BackendChoice} [backend]
 * @property {boolean} [forceSoftware] take WebGPU even when it is only emulated
 * @property {ModuleName} [module] for the CPU; absent = the fastest here
 * @property {number} [threads] to compute with on the CPU; absent = one a processor, at most 16
 * @property {Uint8Array} [model] the bytes of a model file; absent = the bundled one
 * @property {(info: Protocol.Info) => void} [onMoved] told when work goes on in a new worker or
 *   on the CPU: the device may be another
 *
 * @typedef {(progress: Protocol.Progress) => void} OnProgress
 * @typedef {{ signal?: AbortSignal, onProgress?: OnProgress }} CallOptions
 *
 * @typedef {object} Call one that waits for its final reply
 * @property {(value: any) => void} resolve
 * @property {(error: ClientError) => void} reject
 * @property {OnProgress} [onProgress]
 */

/** One model on one device, in a worker of its own. */
export class Client {
  /** @type {Map<number, Call>} */ #calls = new Map();
  #nextId = 0;
  #load;
  /** @type {Protocol.Backend["kind"] | null} what the worker computes on; null until it is loaded */
  #device = null;
  /** Whether the worker was given an image. */ #asked = false;
  /** @type {(info: Protocol.Info) => void} */ #onMoved;
  /** @type {Worker} */ #worker;
  /** @type {Promise<Protocol.Info>} */ #ready;

  /**
   * Fetches program and model, and loads both in a worker.
   *
   * @param {StartOptions} [options]
   */
  static async start(options = {}) {
    const { backend = "auto", forceSoftware = false, module, model, onMoved } = options;
    const name = module ?? cpuModule();
    const [wasm, bytes] = await Promise.all([
      fetchModule(name),
      model ?? fetchBytes("model/model.safetensors"),
    ]);
    const threads = options.threads ?? Math.min(navigator.hardwareConcurrency, MOST_THREADS);
    const load = { module: name, wasm, model: bytes, backend, forceSoftware, threads };
    const client = new Client(load, onMoved);
    await client.info();
    return client;
  }

  /**
   * @param {Omit<Protocol.LoadRequest, "id" | "kind">} load
   * @param {StartOptions["onMoved"]} [onMoved]
   */
  constructor(load, onMoved = () => {}) {
    this.#load = load;
    this.#onMoved = onMoved;
    this.#worker = this.#spawn();
    this.#ready = unheld(this.#begin());
  }

  /** What runs: model, version and backend. Rejects when the model cannot be loaded. */
  info() {
    return this.#ready;
  }

  /**
   * Finds and classifies the cells of a field; an image of a single cell is only recognised.
   *
   * @param {Uint8Array<ArrayBuffer>} bytes of the image file; transferred, so unusable afterwards
   * @param {CallOptions & Partial<Omit<Protocol.ImageRequest, "id" | "kind" | "bytes">>} [options]
   * @returns {Promise<Protocol.ImageOutcome>}
   */
  async image(bytes, { signal, onProgress, ...wanted } = {}) {
    await this.#ready;
    const request = { kind: "image", bytes, ...IMAGE, ...wanted };
    return this.#send(request, { signal, onProgress }, [bytes.buffer]);
  }

  /**
   * Classifies images of single cells that belong together: they share their grey levels.
   *
   * @param {Uint8Array<ArrayBuffer>[]} files transferred, so unusable afterwards
   * @param {CallOptions & { embed?: boolean }} [options]
   * @returns {Promise<void>}
   */
  async crops(files, { embed, ...options } = {}) {
    await this.#ready;
    const buffers = files.map((file) => file.buffer);
    return this.#send({ kind: "crops", files, embed }, options, buffers);
  }

  /** The model's reference cells. @returns {Promise<Protocol.References>} */
  async references() {
    const ask = () => this.#ready.then(() => this.#send({ kind: "references" }));
    // A GPU that fails while it warms up takes them with it; no image is to blame.
    return ask().catch((error) => (error.code === "crashed" ? ask() : Promise.reject(error)));
  }

  /** Ends the worker; open calls reject. */
  stop() {
    this.#worker.terminate();
    this.#rejectAll(new ClientError("cancelled", "stopped"));
  }

  /**
   * @param {any} request without its id
   * @param {CallOptions} [options]
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  #send(request, { signal, onProgress } = {}, transfer = []) {
    if (signal?.aborted) return Promise.reject(new ClientError("cancelled", "cancelled"));
    const id = this.#nextId++;
    this.#asked ||= request.kind === "image" || request.kind === "crops";
    // The caller is free at once; the worker, which may be deep in one file, stops when it can.
    const cancel = () => {
      this.#worker.postMessage({ id, kind: "cancel" });
      this.#calls.get(id)?.reject(new ClientError("cancelled", "cancelled"));
      this.#calls.delete(id);
    };
    signal?.addEventListener("abort", cancel);
    const answered = new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ ...request, id }, transfer);
    });
    return answered.finally(() => signal?.removeEventListener("abort", cancel));
  }

  #spawn() {
    // A worker started from a blob inherits the page's content security policy; one started from
    // its own address would be bound only by a policy in that file's response headers.
    const program = new URL("worker.js", import.meta.url).href;
    const source = new Blob([`import ${JSON.stringify(program)};`], { type: "text/javascript" });
    const address = URL.createObjectURL(source);
    const worker = new Worker(address, { type: "module" });
    worker.addEventListener("message", ({ data }) => this.#receive(data));
    worker.addEventListener("error", (event) => this.#crashed(worker, event));
    this.#device = null;
    this.#asked = false;
    return worker;
  }

  /** @param {Protocol.Reply} reply */
  #receive(reply) {
    if (reply.kind === "moved") {
      this.#ready = Promise.resolve(reply.info);
      this.#device = reply.info.backend.kind;
      return this.#onMoved(reply.info);
    }
    const call = this.#calls.get(reply.id);
    if (!call) return;
    if (reply.kind === "progress") return call.onProgress?.(reply.progress);
    this.#calls.delete(reply.id);
    if (reply.kind === "done") call.resolve(reply.value);
    else call.reject(new ClientError(reply.code, reply.message));
  }

  /** @param {Worker} worker @param {ErrorEvent} event */
  #crashed(worker, event) {
    event.preventDefault();
    if (worker !== this.#worker) return;
    worker.terminate();
    const message = event.message ?? "the worker did not start";
    const leavesGpu = this.#load.backend === "auto" && this.#device !== "cpu";
    if (leavesGpu) this.#load = { ...this.#load, backend: "cpu", gpuFailure: message };
    // What crashes unasked, such as a model while it loads, would do so for ever.
    const again = leavesGpu || this.#asked;
    const code = this.#load.backend === "webgpu" ? "device" : "internal";
    const error = new ClientError(again ? "crashed" : code, message);
    this.#rejectAll(error);
    if (again) this.#worker = this.#spawn();
    this.#ready = unheld(again ? this.#begin() : Promise.reject(error));
    if (again) this.#ready.then(this.#onMoved, () => {});
  }

  /** @returns {Promise<Protocol.Info>} */
  #begin() {
    return this.#send({ kind: "load", ...this.#load }).then(
      (info) => {
        this.#device = info.backend.kind;
        return info;
      },
      // Who waits for it waits for the one in its place.
      (error) => (error.code === "crashed" ? this.#ready : Promise.reject(error)),
    );
  }

  /** @param {ClientError} error */
  #rejectAll(error) {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(error);
  }
}

/** A promise whose failure is told to everyone who calls, so that nobody needs to hold it. @template T @param {Promise<T>} promise */
function unheld(promise) {
  promise.catch(() => {});
  return promise;
}
