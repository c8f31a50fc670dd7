// @ts-check
/**
 * The engines of the race inside a page: ours, onnxruntime-web and TensorFlow.js.
 *
 * Invariant: all embed the same network inputs with the same weights; ours makes the inputs from the
 * patches while the clock runs, for the others they lie ready.
 *
 * @typedef {object} Contender
 * @property {"mitoscope" | "onnxruntime-web" | "tfjs"} engine
 * @property {"own" | "printed" | "without-dead-columns"} graph
 * @property {"wasm" | "webgpu"} backend
 * @property {number} threads
 * @property {"cpu" | "cpu-relaxed" | "gpu"} [module] ours
 *
 * @typedef {(from: number, count: number) => Promise<Float32Array>} Embed the embeddings of some inputs
 */

const SIDE = 128;
const CHANNELS = 3;
const PIXELS = SIDE * SIDE;
export const CELLS = 32;

/** Gets an engine ready. @param {Contender} contender @returns {Promise<Embed>} */
export function prepare(contender) {
  switch (contender.engine) {
    case "mitoscope":
      return ours(contender);
    case "onnxruntime-web":
      return onnxruntime(contender);
    case "tfjs":
      return tensorflow(contender);
  }
}

/** Discs in noise as patches, with their levels. */
function patches() {
  let state = 1;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const patches = Float32Array.from({ length: CELLS * PIXELS }, (_, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE) % SIDE];
    const inside = Math.hypot(x - 64, y - 64) < 34 + (Math.floor(i / PIXELS) % 12);
    return inside ? 0.4 + 0.3 * random() : 0.03 + 0.04 * random();
  });
  return { patches, levels: Float32Array.of(0.05, 0.5) };
}

/** The network inputs of the race, as the model's own preprocessing makes them. */
export async function inputs() {
  const { scope, cells } = await begin("cpu", "cpu");
  const all = new Float32Array(CELLS * CHANNELS * PIXELS);
  for (let i = 0; i < CELLS; i++) all.set(scope.input(cells, i), i * CHANNELS * PIXELS);
  return all;
}

/** @param {"cpu" | "cpu-relaxed" | "gpu"} name @param {"cpu" | "webgpu"} kind */
async function begin(name, kind) {
  const { fetchBytes, fetchModule, instantiate } = await import("/site/www/engine.js");
  const [wasm, model] = await Promise.all([
    fetchModule(name),
    fetchBytes("model/model.safetensors"),
  ]);
  const engine = await instantiate(name, wasm);
  const backend = await engine.chooseBackend(kind, true);
  const scope = await engine.Scope.load(model, backend);
  const made = patches();
  const cells = engine.CellSet.ofPatches(made.patches, made.levels);
  return { scope, cells, load: { module: name, wasm, model, backend } };
}

/** @param {Contender} contender @returns {Promise<Embed>} */
async function ours({ module = "cpu", backend, threads }) {
  const { scope, cells, load } = await begin(module, backend === "webgpu" ? "webgpu" : "cpu");
  if (threads === 1) return (from, count) => scope.embed(cells, from, count);
  const { Hands } = await import("/site/www/hands.js");
  const { spread } = await import("/site/www/spread.js");
  const hands = await Hands.start(threads - 1, load, (/** @type {unknown} */ error) => {
    throw error;
  });
  await Promise.all(hands.seats(cells, 0).map((/** @type {any} */ seat) => seat.ready));
  const turn = new MessageChannel();
  const breath = () =>
    new Promise((resolve) => {
      turn.port1.onmessage = resolve;
      turn.port2.postMessage(null);
    });
  return async (first, count) => {
    if (first !== 0 || count !== CELLS) return scope.embed(cells, first, count);
    const own = {
      most: 1,
      work: async (/** @type {number} */ from, /** @type {number} */ count) => {
        await breath();
        return scope.embed(cells, from, count);
      },
    };
    /** @type {Float32Array[]} */
    const batches = [];
    const tell = (/** @type {number} */ _, /** @type {Float32Array} */ batch) =>
      void batches.push(batch);
    await spread(cells.length, own, hands.seats(cells, 0), { stopped: () => false, tell });
    return joined(batches);
  };
}

/** @param {Float32Array[]} arrays */
function joined(arrays) {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** @param {string} path */
async function numbers(path) {
  return new Float32Array(await (await fetch(`/data/${path}`)).arrayBuffer());
}

/** @param {Contender} contender @returns {Promise<Embed>} */
async function onnxruntime({ graph, backend, threads }) {
  const ort = await import(`/peers/onnxruntime-web/dist/ort.${backend}.min.mjs`);
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = "/peers/onnxruntime-web/dist/";
  const model = new Uint8Array(await (await fetch(`/data/${graph}.onnx`)).arrayBuffer());
  const session = await ort.InferenceSession.create(model, { executionProviders: [backend] });
  const all = await numbers("inputs.bin");
  return async (from, count) => {
    const chosen = all.subarray(from * CHANNELS * PIXELS, (from + count) * CHANNELS * PIXELS);
    const images = new ort.Tensor("float32", chosen, [count, CHANNELS, SIDE, SIDE]);
    const { embeddings } = await session.run({ images });
    return embeddings.data;
  };
}

/** @param {string} path */
function script(path) {
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement("script"), { src: `/peers/${path}` });
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${path} does not load`));
    document.head.append(element);
  });
}

/** @param {Contender} contender @returns {Promise<Embed>} */
async function tensorflow({ graph, backend, threads }) {
  await script("@tensorflow/tfjs/dist/tf.min.js");
  await script(`@tensorflow/tfjs-backend-${backend}/dist/tf-backend-${backend}.min.js`);
  const tf = /** @type {any} */ (globalThis).tf;
  if (backend === "wasm") {
    tf.wasm.setWasmPaths("/peers/@tensorflow/tfjs-backend-wasm/dist/");
    tf.wasm.setThreadsCount(threads);
  }
  await tf.setBackend(backend);
  await tf.ready();
  if (tf.getBackend() !== backend) throw new Error(`TensorFlow.js took ${tf.getBackend()}`);
  const { tensors, geometry } = await (await fetch("/data/layers.json")).json();
  const values = await numbers("weights.bin");
  let at = 0;
  /** @type {Record<string, any>} */
  const weights = {};
  for (const [name, shape] of tensors) {
    const length = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    const tensor = tf.tensor(values.slice(at, at + length), shape);
    at += length;
    // Channels last: [height, width, in, out] and [in, out].
    weights[name] =
      shape.length === 4 ? tensor.transpose([2, 3, 1, 0])
      : shape.length === 2 ? tensor.transpose()
      : tensor;
  }
  const all = await numbers("inputs.bin");
  const images = tf.tidy(() =>
    tf.tensor(all, [CELLS, CHANNELS, SIDE, SIDE]).transpose([0, 2, 3, 1]),
  );
  const channelsLast = await images.data();
  images.dispose();
  return async (from, count) => {
    const [start, end] = [from, from + count].map((image) => image * CHANNELS * PIXELS);
    const chosen = channelsLast.subarray(start, end);
    const result = tf.tidy(() => {
      let x = tf.tensor(chosen, [count, SIDE, SIDE, CHANNELS]);
      for (const [i, [strides, [down, across]]] of geometry[graph].entries()) {
        const [filter, bias] = [weights[`conv${i + 1}.weight`], weights[`conv${i + 1}.bias`]];
        const pad = [[0, 0], [down, down], [across, across], [0, 0]];
        x = tf.fused.conv2d({ x, filter, strides, pad, bias, activation: "relu" });
      }
      x = x.mean([1, 2]);
      for (let i = 1; i <= 4; i++) {
        const [b, bias] = [weights[`dense${i}.weight`], weights[`dense${i}.bias`]];
        x = tf.fused.matMul({ a: x, b, bias, activation: i < 4 ? "relu" : "linear" });
      }
      return x.div(x.square().sum(1, true).sqrt());
    });
    const embeddings = await result.data();
    result.dispose();
    return embeddings;
  };
}
