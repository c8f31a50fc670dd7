// @ts-check
/** The browser gives the embeddings and labels of the native program, on the CPU and on WebGPU. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DATA, cellTable, png, realData, simulatedField } from "./helpers/images.mjs";
import { native } from "./helpers/native.mjs";
import { launch, open, serve, table } from "./helpers/site.mjs";

/** The project's promise (design: native CPU, browser CPU and WebGPU agree). */
const TOLERANCE = 1e-4;

/** @typedef {{ x: number, y: number, w: number, h: number }} Box */
/** @typedef {{ labels: string[], embeddings: number[][] }} Answer */

/** @type {{ image: Buffer, boxes: Box[] }} */
let sample;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;

before(async () => {
  sample = realData("parity with the native program") ? await realSample() : simulatedSample();
  site = await serve({ files: { "field.png": sample.image } });
});
after(() => site?.close());

for (const module of ["cpu", "cpu-relaxed"]) {
  test(`module ${module}: same embeddings and labels as the native program`, async () => {
    const browser = await launch();
    try {
      const page = await open(browser, `${site.url}?backend=cpu`);
      const found = await inBrowser(page, { backend: "cpu", module }, sample.boxes);
      assert.equal(found.kind, "cpu");
      compare(found, await natively(sample.boxes));
    } finally {
      await browser.close();
    }
  });
}

test("WebGPU, emulated: same embeddings and labels as the native program", async () => {
  const browser = await launch({ webgpu: true });
  const boxes = sample.boxes.slice(0, 2);
  try {
    const page = await open(browser, `${site.url}?backend=webgpu&software=1`);
    assert.match(await page.innerText("#backend"), /software GPU/);
    const found = await inBrowser(page, { backend: "webgpu", forceSoftware: true }, boxes);
    assert.equal(found.kind, "webgpu");
    compare(found, await natively(boxes));
  } finally {
    await browser.close();
  }
});

test("an emulated GPU is passed over for the CPU, with the reason", async () => {
  const browser = await launch({ webgpu: true });
  try {
    const page = await open(browser, site.url);
    assert.match(await page.innerText("#backend"), /CPU/);
    assert.match(await page.innerText("#backend-note"), /swiftshader.*software/i);
  } finally {
    await browser.close();
  }
});

test("WebGPU where there is none is a clear error", async () => {
  const browser = await launch();
  try {
    await assert.rejects(open(browser, `${site.url}?backend=webgpu`), /no WebGPU adapter/);
  } finally {
    await browser.close();
  }
});

/**
 * @param {import("playwright-core").Page} page
 * @param {object} options of the client
 * @param {Box[]} boxes
 * @returns {Promise<Answer & { kind: string }>}
 */
function inBrowser(page, options, boxes) {
  return page.evaluate(
    async ({ options, boxes }) => {
      const { Client } = await import(new URL("www/client.js", location.href).href);
      const bytes = new Uint8Array(await (await fetch("field.png")).arrayBuffer());
      const client = await Client.start(options);
      /** @type {Answer} */
      const answer = { labels: [], embeddings: [] };
      const onProgress = (/** @type {any} */ progress) => {
        if (progress.stage !== "classified") return;
        answer.labels.push(...progress.predictions.map((/** @type {any} */ p) => p.prediction));
        answer.embeddings.push(...progress.embeddings.map((/** @type {any} */ e) => [...e]));
      };
      await client.image(bytes, { as: "field", boxes, embed: true, onProgress });
      const { backend } = await client.info();
      client.stop();
      return { ...answer, kind: backend.kind };
    },
    { options, boxes },
  );
}

/**
 * What the command-line program makes of the same boxes.
 *
 * @param {Box[]} boxes
 * @returns {Promise<Answer>}
 */
async function natively(boxes) {
  const folder = await mkdtemp(join(tmpdir(), "mitoscope-"));
  try {
    const path = (/** @type {string} */ name) => join(folder, name);
    const rows = boxes.map(({ x, y, w, h }) => `field.png,${x},${y},${w},${h},,one\n`);
    await writeFile(path("cells.csv"), `image,x,y,w,h,label,specimen\n${rows.join("")}`);
    await writeFile(path("field.png"), sample.image);
    await native("classify", [
      ...["--data", path("cells.csv")],
      ...["--out", path("scores.csv"), "--embeddings", path("embeddings.csv")],
    ]);
    const scores = table(await readFile(path("scores.csv")));
    const embeddings = table(await readFile(path("embeddings.csv")));
    return {
      labels: scores.map((row) => row.prediction),
      embeddings: embeddings.map((row) => Object.values(row).map(Number)),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {Answer} found @param {Answer} wanted */
function compare(found, wanted) {
  assert.deepEqual(found.labels, wanted.labels);
  assert.equal(found.embeddings.length, wanted.embeddings.length);
  let largest = 0;
  found.embeddings.forEach((embedding, i) => {
    assert.equal(embedding.length, 128);
    embedding.forEach((value, j) => {
      largest = Math.max(largest, Math.abs(value - wanted.embeddings[i][j]));
    });
  });
  console.log(
    `largest difference of ${found.embeddings.length} embeddings: ${largest.toExponential(2)}`,
  );
  assert.ok(largest <= TOLERANCE, `embeddings differ by ${largest}`);
}

/** Four mitotic and four interphase cells of one real field. */
async function realSample() {
  const image = "fields/HOM-3.png";
  const rows = (await cellTable()).filter((row) => row.image === image);
  const some = ["mitotic", "interphase"].flatMap((label) =>
    rows.filter((row) => row.label === label).slice(0, 4),
  );
  const boxes = some.map(({ x, y, w, h }) => ({ x: +x, y: +y, w: +w, h: +h }));
  return { image: await readFile(join(DATA, image)), boxes };
}

function simulatedSample() {
  const field = simulatedField();
  return { image: png(field), boxes: field.boxes.slice(0, 8) };
}
