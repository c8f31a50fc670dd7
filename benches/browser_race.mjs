// @ts-check
/**
 * The race in Chromium: `browser_race.mjs FOLDER PYTHON`, with the network for the others in FOLDER;
 * prints a line of JSON for each row. With `--inputs` it only writes the inputs and their reference
 * embeddings. `cargo xtask bench browser` and `bench native` run it.
 *
 * Invariant: every contender has a page of its own; in each round all of them take their turn, never
 * two at once, so that whatever else the machine does meets all.
 *
 * @import { Contender } from "./contenders.mjs"
 */
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { extname, join, normalize } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { peaks } from "../tests/browser/helpers/measure.mjs";
import { DIST, launch } from "../tests/browser/helpers/site.mjs";

const [FOLDER, PYTHON, option] = process.argv.slice(2);
const HERE = fileURLToPath(new URL(".", import.meta.url));
/** Where the server finds what. @type {Record<string, string>} */
const ROOTS = { site: DIST, peers: join(HERE, "node_modules"), data: FOLDER, race: HERE };
/** Measured rounds by batch. @type {Record<number, number>} */
const ROUNDS = { 1: 7, 32: 3 };
/** On an emulated GPU an image takes the others half a minute. */
const EMULATED_ROUNDS = 2;
const GRAPHS = /** @type {const} */ (["printed", "without-dead-columns"]);
const THREADS = availableParallelism();

/** @type {Contender[]} */
const ON_CPU = [
  { engine: "mitoscope", graph: "own", backend: "wasm", threads: 1, module: "cpu-relaxed" },
  { engine: "mitoscope", graph: "own", backend: "wasm", threads: 1, module: "cpu" },
  { engine: "mitoscope", graph: "own", backend: "wasm", threads: THREADS, module: "cpu-relaxed" },
  ...GRAPHS.flatMap((graph) => [
    ...[1, 2].map((threads) => ({
      ...{ engine: /** @type {const} */ ("onnxruntime-web"), graph },
      ...{ backend: /** @type {const} */ ("wasm"), threads },
    })),
    {
      ...{ engine: /** @type {const} */ ("tfjs"), graph },
      ...{ backend: /** @type {const} */ ("wasm"), threads: 1 },
    },
  ]),
];
/** @type {Contender[]} */
const ON_GPU = [
  { engine: "mitoscope", graph: "own", backend: "webgpu", threads: 1, module: "gpu" },
  ...GRAPHS.flatMap((graph) =>
    /** @type {const} */ (["onnxruntime-web", "tfjs"]).map((engine) => ({
      ...{ engine, graph, backend: /** @type {const} */ ("webgpu"), threads: 1 },
    })),
  ),
];

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/** Paths that the contender in turn has asked for. @type {Set<string>} */
const asked = new Set();
const server = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent((request.url ?? "").split("?")[0]));
  const [, root, ...rest] = path.split("/");
  const body =
    path === "/" ? "<!doctype html><title>race</title>"
    : await readFile(join(ROOTS[root] ?? "", rest.join("/"))).catch(() => null);
  if (body === null) return response.writeHead(404).end();
  asked.add(path);
  response.writeHead(200, {
    "content-type": TYPES[extname(path) || ".html"] ?? "application/octet-stream",
    // Without these no engine may share memory among threads; ours does not need them.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  });
  response.end(body);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());

/** Bytes of what has been asked for, compressed as a host would; the page and inputs aside. */
async function download() {
  let bytes = 0;
  for (const path of asked) {
    const [, root, ...rest] = path.split("/");
    if (!(root in ROOTS) || root === "race" || path === "/data/inputs.bin") continue;
    const file = await readFile(join(ROOTS[root], rest.join("/")));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 5 };
    bytes += brotliCompressSync(file, { params }).length;
  }
  return bytes;
}

/** A page for the race. @param {import("playwright-core").Browser} browser */
async function newPage(browser) {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`http://127.0.0.1:${port}/`);
  return page;
}

/**
 * Closes a page and gives the largest memory of the process that ends with it; null if none does.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").Page} page
 */
async function closed(browser, page) {
  const before = await peaks(browser);
  await page.close();
  await sleep(1000);
  const after = await peaks(browser);
  const ended = [...before].flatMap(([id, peak]) => (after.has(id) ? [] : [peak]));
  return ended.length > 0 ? Math.max(...ended) : null;
}

/** Writes the inputs, and their embeddings in double precision. */
async function reference() {
  const browser = await launch();
  const page = await newPage(browser);
  const text = await page.evaluate(async () => {
    const { inputs } = await import(/** @type {any} */ ("/race/contenders.mjs"));
    const bytes = new Uint8Array((await inputs()).buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) {
      text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    }
    return btoa(text);
  });
  await browser.close();
  await writeFile(join(FOLDER, "inputs.bin"), Buffer.from(text, "base64"));
  const script = join(HERE, "inference_race.py");
  const { status } = spawnSync(PYTHON, [script, "reference", FOLDER], { stdio: "inherit" });
  if (status !== 0) throw new Error("the reference was not computed");
  return JSON.parse(await readFile(join(FOLDER, "reference.json"), "utf8"));
}

/**
 * @param {Contender[]} contenders
 * @param {{ webgpu: boolean, rounds: Record<number, number>, wanted: number[][] }} options
 */
async function race(contenders, { webgpu, rounds, wanted }) {
  const browser = await launch({ webgpu });
  const runners = [];
  for (const contender of contenders) {
    asked.clear();
    const page = await newPage(browser);
    const start = await page.evaluate(begin, contender).catch((error) => {
      console.error(`${JSON.stringify(contender)}: ${error.message}`);
      return null;
    });
    if (!start) {
      await page.close();
      continue;
    }
    const errors = start.embeddings.map((found, i) =>
      Math.max(...found.map((value, j) => Math.abs(value - wanted[i][j]))),
    );
    /** @type {Record<number, number[]>} */
    const times = Object.fromEntries(Object.keys(rounds).map((batch) => [batch, []]));
    const bytes = await download();
    runners.push({ contender, page, start, bytes, error: Math.max(...errors), times });
    console.error(`ready: ${JSON.stringify({ ...contender, ready_ms: start.ready_ms })}`);
  }
  for (const [batch, count] of Object.entries(rounds)) {
    for (let round = 0; round < count; round++) {
      const first = round % runners.length;
      for (const { page, times } of [...runners.slice(first), ...runners.slice(0, first)]) {
        times[Number(batch)].push(await page.evaluate(turn, Number(batch)));
      }
    }
  }
  for (const { contender, page, start, bytes, error, times } of runners) {
    const peak = await closed(browser, page);
    const { module, ...named } = contender;
    for (const [batch, measured] of Object.entries(times)) {
      const sorted = measured.toSorted((a, b) => a - b);
      const row = {
        ...named,
        engine: module ? `mitoscope ${module}` : named.engine,
        batch: Number(batch),
        ready_ms: start.ready_ms,
        first_ms: start.first_ms,
        median_ms: sorted[Math.floor(sorted.length / 2)],
        bytes,
        peak_mib: peak,
        max_abs_error: error,
      };
      console.log(JSON.stringify(row));
    }
  }
  await browser.close();
}

/** In the page: gets ready and embeds two inputs. @param {Contender} contender */
async function begin(contender) {
  const started = performance.now();
  const { prepare } = await import(/** @type {any} */ ("/race/contenders.mjs"));
  const embed = await prepare(contender);
  const ready = performance.now();
  const first = [...(await embed(0, 1))];
  const done = performance.now();
  const second = contender.backend === "webgpu" ? [] : [...(await embed(1, 1))];
  Object.assign(globalThis, { embed });
  return {
    ready_ms: ready - started,
    first_ms: done - ready,
    embeddings: [first, second].filter(({ length }) => length > 0),
  };
}

/** In the page: milliseconds an image of a batch. @param {number} batch */
async function turn(batch) {
  const { embed } = /** @type {any} */ (globalThis);
  const started = performance.now();
  await embed(0, batch);
  return (performance.now() - started) / batch;
}

try {
  const wanted = await reference();
  if (option !== "--inputs") {
    await race(ON_CPU, { webgpu: false, rounds: ROUNDS, wanted });
    await race(ON_GPU, { webgpu: true, rounds: { 1: EMULATED_ROUNDS }, wanted });
  }
} finally {
  server.close();
}
