// @ts-check
/**
 * The worker: owns the classifier and answers one request at a time.
 *
 * On the CPU helpers compute beside it, one a processor.
 *
 * Invariant: pixels pass through here only as whole buffers; every number comes from wasm.
 * A wasm trap is not answered: it is thrown to the page, which replaces this worker.
 * When the GPU fails, the CPU takes its place, unless only the GPU will do; the page is told.
 *
 * @import { CellSet, Image, Scope } from "../pkg/cpu/mitoscope.js"
 * @import { Engine } from "./engine.js"
 * @import * as Protocol from "./protocol.js"
 * @import { Seat } from "./spread.js"
 */
import { failure, fetchModule, instantiate } from "./engine.js";
import { Hands } from "./hands.js";
import { spread } from "./spread.js";

/** Cells of a batch, unless helpers wait for this thread to hand them theirs. */
const MOST = 8;
/** Numbers of an embedding. */
const EMBEDDING = 128;
/** Cells that are first judged while the others of their field are still to come. */
const FIRST_LOOK = 16;
/** As many more as there are make the next look worth while, at most these. */
const MOST_BETWEEN_LOOKS = 256;
/** Cells of a batch of verdicts. */
const MOST_JUDGED = 64;

/** Thumbnails lie on sheets of so many columns and rows, each one picture for the browser. */
const SHEET = { columns: 8, rows: 8 };
/** Pictures are for the eye only, so they may lose what the eye does not see. */
const ENCODING = { type: "image/jpeg", quality: 0.92 };

/** @type {{ engine: Engine, scope: Scope } | null} the module in use, with its model */
let running = null;
/** None on WebGPU. */
let hands = new Hands([]);
/** @type {((why: string) => Promise<void>) | null} has the CPU take the GPU's place */
let leaveGpu = null;
/** @type {Set<number>} */
const cancelled = new Set();
let queue = Promise.resolve();

addEventListener("message", (event) => {
  /** @type {Protocol.Request} */
  const request = event.data;
  if (request.kind === "cancel") cancelled.add(request.id);
  else queue = queue.then(() => answer(request));
});
// A trap inside a wasm future surfaces as a rejection that nobody holds.
addEventListener("unhandledrejection", (event) => crash(event.reason));

/** @param {Exclude<Protocol.Request, Protocol.CancelRequest>} request */
async function answer(request) {
  const { id } = request;
  try {
    reply({ id, kind: "done", value: await carryOut(request) });
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) crash(error);
    else reply({ id, kind: "failed", ...failure(error) });
  } finally {
    cancelled.delete(id);
  }
}

/** @param {Exclude<Protocol.Request, Protocol.CancelRequest>} request */
function carryOut(request) {
  switch (request.kind) {
    case "load":
      return load(request);
    case "image":
      return image(request);
    case "crops":
      return crops(request);
    case "references":
      return references(request);
  }
}

/** @param {Protocol.ReferencesRequest} request @returns {Promise<Protocol.References>} */
async function references({ id }) {
  const { scope } = loaded();
  const { cells, points } = scope.references();
  const pictures = await sheets(id, cells.length, (i) => scope.referenceThumbnail(i));
  return { cells, points, thumbnails: { ...SHEET, sheets: pictures } };
}

/** @param {Protocol.LoadRequest} request */
async function load(request) {
  const { module, wasm, model, backend: wanted, forceSoftware, threads, gpuFailure } = request;
  const engine = await instantiate(module, wasm);
  /** @param {Protocol.Backend} backend */
  const onCpu = async (backend) => {
    hands = await Hands.start(threads - 1, { module, wasm, model, backend }, crash);
    running = await begin(engine, model, backend);
  };
  /** @param {string} why */
  const insteadOfGpu = async (why) => {
    const note = `because ${why}`;
    await onCpu({ ...(await engine.chooseBackend("cpu", false)), reason: "failed", note });
  };
  const backend = await engine.chooseBackend(wanted, forceSoftware);
  if (gpuFailure) {
    await insteadOfGpu(`the GPU failed: ${gpuFailure}`);
  } else if (backend.kind === "cpu") {
    await onCpu(backend);
  } else {
    try {
      running = await begin(await instantiate("gpu", await fetchModule("gpu")), model, backend);
      if (wanted !== "webgpu") leaveGpu = insteadOfGpu;
      queue = queue.then(warmUp);
    } catch (error) {
      if (wanted === "webgpu") throw error;
      await insteadOfGpu(`WebGPU does not start: ${failure(error).message}`);
    }
  }
  return loaded().scope.info();
}

/** Has the kernels compiled while the user still picks files; what fails, fails at the first cell. */
async function warmUp() {
  try {
    await running?.scope.warmUp();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) crash(error);
  }
}

/** @param {Engine} engine @param {Uint8Array} model @param {Protocol.Backend} backend */
async function begin(engine, model, backend) {
  return { engine, scope: await engine.Scope.load(model, backend) };
}

/**
 * @param {Protocol.ImageRequest} request
 * @returns {Promise<Protocol.ImageOutcome>}
 */
async function image({ id, bytes, as, reading, boxes, embed, previewSide }) {
  const { engine, scope } = loaded();
  await heed(id);
  progress(id, { stage: "opened", contents: offered(bytes) });
  const image = engine.decodePage(bytes, reading.page, reading.channel);
  try {
    await heed(id);
    if (as === "cell" || (as === "auto" && image.isCrop())) return { holds: "cell" };
    const cells = boxes ? scope.cellsOfBoxes(image, boxes) : scope.cellsOfField(image);
    const size = { width: image.width, height: image.height };
    const preview = await encoded([image.preview(previewSide)], 1);
    await classify(id, cells, { size, preview, indices: [] }, embed);
    return { holds: "field" };
  } finally {
    image.free();
  }
}

/** What a file offers to choose from. @param {Uint8Array} bytes @returns {Protocol.Contents} */
function offered(bytes) {
  try {
    return loaded().engine.contents(bytes);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    // Decoding says what is wrong; damage behind the page that is read does no harm.
    return { pages: 1, coloured: false };
  }
}

/** @param {Protocol.CropsRequest} request */
async function crops({ id, files, embed }) {
  const { engine, scope } = loaded();
  /** @type {Image[]} */
  const images = [];
  /** @type {number[]} */
  const indices = [];
  for (const [index, bytes] of files.entries()) {
    await heed(id, () => images.forEach((image) => image.free()));
    try {
      images.push(engine.decode(bytes));
      indices.push(index);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      progress(id, { stage: "unreadable", index, failure: failure(error) });
    }
  }
  if (images.length === 0) return;
  await classify(id, scope.cellsOfCrops(images), { size: null, preview: null, indices }, embed);
}

/**
 * Shows the cells, embeds them batch by batch and judges them among one another; frees `found`.
 *
 * @param {number} id
 * @param {CellSet} found
 * @param {Pick<Protocol.Found, "size" | "preview" | "indices">} origin
 * @param {boolean} [embed] also report the embeddings
 */
async function classify(id, found, origin, embed = false) {
  let cells = found;
  const embeddings = new Float32Array(EMBEDDING * cells.length);
  let [embedded, judged, look] = [0, 0, FIRST_LOOK];
  const keep = (/** @type {Float32Array} */ batch) => {
    embeddings.set(batch, EMBEDDING * embedded);
    embedded += batch.length / EMBEDDING;
    progress(id, { stage: "embedded", count: embedded });
    if (embedded < look || embedded === cells.length) return;
    const { scope } = loaded();
    scope.compare(cells, embeddings.subarray(0, EMBEDDING * embedded));
    const predictions = scope.judge(cells, judged, embedded - judged);
    progress(id, { stage: "glimpsed", from: judged, predictions });
    judged = embedded;
    look = embedded + Math.min(embedded, MOST_BETWEEN_LOOKS);
  };
  try {
    progress(id, { stage: "found", ...origin, boxes: cells.boxes() });
    const pictures = await sheets(id, cells.length, (i) => cells.thumbnail(i));
    progress(id, { stage: "pictured", thumbnails: { ...SHEET, sheets: pictures } });
    try {
      await embedFrom(0, cells, id, keep);
    } catch (error) {
      if (!leaveGpu || failure(error).code !== "device") throw error;
      await leaveGpu(`the GPU failed: ${failure(error).message}`);
      leaveGpu = null;
      const { engine, scope } = loaded();
      reply({ kind: "moved", info: scope.info() });
      const moved = engine.CellSet.ofPatches(cells.patches(0, cells.length), cells.levels());
      cells.free();
      cells = moved;
      await embedFrom(embedded, cells, id, keep);
    }
    await judge(id, cells, embeddings, embed);
  } finally {
    cells.free();
  }
}

/**
 * Has all threads embed cells, and each batch kept in the order of the cells.
 *
 * @param {number} start the first cell that is not embedded yet
 * @param {CellSet} cells
 * @param {number} id of the request
 * @param {(embeddings: Float32Array) => void} keep
 */
async function embedFrom(start, cells, id, keep) {
  const { scope } = loaded();
  const helpers = hands.seats(cells, start);
  /** @type {Seat<Float32Array>} */
  const own = {
    most: helpers.length > 0 ? 1 : MOST,
    work: async (from, count) => {
      await breath();
      return scope.embed(cells, start + from, count);
    },
  };
  const stopped = () => cancelled.has(id);
  const tell = (/** @type {number} */ _, /** @type {Float32Array} */ batch) => keep(batch);
  await spread(cells.length - start, own, helpers, { stopped, tell });
}

/**
 * Tells the verdict on all cells.
 *
 * @param {number} id of the request
 * @param {CellSet} cells
 * @param {Float32Array} embeddings of all of them
 * @param {boolean} embed
 */
async function judge(id, cells, embeddings, embed) {
  const { scope } = loaded();
  scope.compare(cells, embeddings);
  /** @type {Seat<Protocol.Prediction[]>} */
  const own = {
    most: MOST_JUDGED,
    work: async (from, count) => {
      await breath();
      return scope.judge(cells, from, count);
    },
  };
  const stopped = () => cancelled.has(id);
  const tell = (/** @type {number} */ from, /** @type {Protocol.Prediction[]} */ predictions) => {
    const embedding = (/** @type {number} */ i) =>
      embeddings.slice(EMBEDDING * (from + i), EMBEDDING * (from + i + 1));
    const reported = embed ? predictions.map((_, i) => embedding(i)) : null;
    progress(id, { stage: "classified", from, predictions, embeddings: reported });
  };
  await spread(cells.length, own, [], { stopped, tell });
}

/**
 * Pictures on as many sheets as they need.
 *
 * @param {number} id of the request
 * @param {number} length
 * @param {(index: number) => Protocol.Picture} picture
 */
async function sheets(id, length, picture) {
  const blobs = [];
  const most = SHEET.columns * SHEET.rows;
  for (let from = 0; from < length; from += most) {
    await heed(id);
    const count = Math.min(most, length - from);
    const pictures = Array.from({ length: count }, (_, i) => picture(from + i));
    blobs.push(await encoded(pictures, SHEET.columns));
  }
  return blobs;
}

/**
 * Pictures of one size side by side as one image file.
 *
 * @param {Protocol.Picture[]} pictures
 * @param {number} columns
 */
function encoded(pictures, columns) {
  const { width, height } = pictures[0];
  const rows = Math.ceil(pictures.length / columns);
  const canvas = new OffscreenCanvas(columns * width, rows * height);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error("this browser draws no pictures in a worker");
  pictures.forEach(({ rgba }, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    context.putImageData(new ImageData(rgba, width, height), column * width, row * height);
  });
  return canvas.convertToBlob(ENCODING);
}

const channel = new MessageChannel();

/** Lets the messages that wait, such as a cancel, be received; timers would wait for longer. */
function breath() {
  return new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
}

/** Goes no further with a request that is cancelled. @param {number} id @param {() => void} [leave] to do before */
async function heed(id, leave) {
  await breath();
  if (!cancelled.has(id)) return;
  leave?.();
  throw Object.assign(new Error("cancelled"), { code: "cancelled" });
}

function loaded() {
  if (!running) throw Object.assign(new Error("no model is loaded"), { code: "model" });
  return running;
}

/** @param {number} id @param {Protocol.Progress} progress */
function progress(id, progress) {
  reply({ id, kind: "progress", progress });
}

/** @param {Protocol.Reply} message */
function reply(message) {
  postMessage(message);
}

/** @param {unknown} error */
function crash(error) {
  setTimeout(() => {
    throw error;
  });
}
