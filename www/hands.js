// @ts-check
/**
 * The worker's helpers: threads that embed beside it.
 *
 * Invariant: a helper holds at most two batches, so that it never waits and memory stays bounded;
 * patches are transferred to it, not copied. A helper that fails before it is ready costs one thread; one
 * that crashes afterwards ends the worker, which the page replaces with all its helpers.
 *
 * @import { CellSet } from "../pkg/cpu/mitoscope.js"
 * @import { Answer, Batch, Load } from "./hand.js"
 * @import { Helper } from "./spread.js"
 */

/** Batches that a helper holds: one in work, one that waits. */
const HELD = 2;
/** Cells of a batch: at the end of a request the others wait for what a helper still holds. */
const MOST = 1;

export class Hands {
  #hands;

  /** @param {Hand[]} hands */
  constructor(hands) {
    this.#hands = hands;
  }

  /**
   * Starts helpers; they take up module and model while the worker goes on.
   *
   * @param {number} count
   * @param {Load} load
   * @param {(error: unknown) => void} crashed
   */
  static async start(count, load, crashed) {
    const hands = Array.from({ length: count }, () => new Hand(crashed));
    // Later they ask the network for nothing more.
    await Promise.all(hands.map((hand) => hand.started));
    for (const hand of hands) hand.load(load);
    return new Hands(hands);
  }

  /**
   * Their seats for the cells of one request.
   *
   * @param {CellSet} cells
   * @param {number} start the first cell of theirs
   * @returns {Helper<Float32Array>[]}
   */
  seats(cells, start) {
    return this.#hands.flatMap((hand) => {
      /** @type {Helper<Float32Array>} */
      const seat = {
        ready: hand.ready,
        most: MOST,
        work: (from, count) =>
          hand.embed({ patches: cells.patches(start + from, count), levels: cells.levels() }),
      };
      return Array(HELD).fill(seat);
    });
  }
}

class Hand {
  /** @type {Map<number, { resolve: (embeddings: Float32Array) => void, reject: (error: Error) => void }>} */
  #calls = new Map();
  #nextId = 0;
  #worker;
  /** Its program is loaded, or will not be. */
  started;
  /** Its model is loaded. */
  ready;

  /** @param {(error: unknown) => void} crashed */
  constructor(crashed) {
    // From a blob for the reason that the page starts the worker from one.
    const program = new URL("hand.js", import.meta.url).href;
    const source = new Blob([`import ${JSON.stringify(program)};`], { type: "text/javascript" });
    const options = { type: /** @type {const} */ ("module"), name: "mitoscope helper" };
    const worker = new Worker(URL.createObjectURL(source), options);
    /** @param {"started" | "ready"} stage */
    const reached = (stage) =>
      new Promise((resolve) => {
        worker.addEventListener("message", ({ data }) => data === stage && resolve(null));
      });
    let ready = false;
    this.ready = reached("ready").then(() => (ready = true));
    const failed = new Promise((resolve) => {
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        const message = event.message ?? "a helper did not start";
        if (ready) return crashed(new Error(message));
        // A browser may have no memory left for it: then the others do the work.
        console.warn(`mitoscope computes with one thread less: ${message}`);
        worker.terminate();
        resolve(null);
      });
    });
    this.started = Promise.race([reached("started"), failed]);
    worker.addEventListener("message", ({ data }) => this.#receive(data));
    this.#worker = worker;
  }

  /** @param {Load} load */
  load(load) {
    this.#worker.postMessage(load);
  }

  /** @param {Omit<Batch, "id">} batch @returns {Promise<Float32Array>} */
  embed(batch) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#worker.postMessage({ ...batch, id }, [batch.patches.buffer]);
    });
  }

  /** @param {Answer | string} answer */
  #receive(answer) {
    if (typeof answer === "string") return;
    const call = this.#calls.get(answer.id);
    if (!call) return;
    this.#calls.delete(answer.id);
    if ("embeddings" in answer) return call.resolve(answer.embeddings);
    const { code, message } = answer.failure;
    call.reject(Object.assign(new Error(message), { code }));
  }
}
