// @ts-check
/** What the page knows and works through, without a browser: the classifier only pretends. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { PROJECT } from "./helpers/site.mjs";

/** @param {string} name of a module of the page */
const load = (name) => import(join(PROJECT, "www", name));
const { Session } = await load("session.js");
const { Study, countImages } = await load("study.js");

const SPECIMENS = {
  ...{ "source/1": "1", "specimen/1/name": "a", "specimen/1/note": "thick" },
  ...{ "source/2": "2", "specimen/2/name": "b", "specimen/2/note": "second cut" },
  "specimen/2/ungradable": true,
};

test("an image in work of which another page is wanted waits, and is read once more", async () => {
  const study = new Study();
  const { session, calls, ended } = pretending(study);
  session.add(["a-1.tif", "a-2.tif"].map(given), "field");
  await until(() => calls.length === 1);
  const [image] = study.sources;
  session.reread(image, { page: 1, channel: "brightest" });
  await until(() => calls.length === 2);
  assert.equal(image.status, "waiting");
  session.reread(image, { page: 2, channel: "red" });
  calls[1].answer("field");
  await until(() => calls.length === 3);
  assert.deepEqual(calls[2].reading, { page: 2, channel: "red" });
  calls[2].answer("field");
  await ended;
  assert.equal(calls.length, 3);
  const states = study.sources.map((/** @type {any} */ { status }) => status);
  assert.deepEqual(states, ["done", "done"]);
});

test("single cells of what was on the page leave no row in what is opened", async () => {
  const study = new Study();
  const { session, calls, ended } = pretending(study);
  session.add(["1.png", "2.png"].map(given), "auto");
  await until(() => calls.length === 1);
  calls[0].answer("cell");
  await until(() => calls.length === 2);
  session.cancel();
  study.restore([record(1)], {});
  await ended;
  const names = study.sources.map((/** @type {any} */ { name }) => name);
  assert.deepEqual(names, ["field 1"]);
});

test("files of one name keep their folders apart, single cells too", async () => {
  const study = new Study();
  const { session, calls, ended } = pretending(study);
  const files = ["A", "B", "B"].map((folder) => ({ ...given("1.tif"), folder }));
  session.add(files, "auto");
  for (const [i, holds] of ["field", "cell", "cell"].entries()) {
    await until(() => calls.length === i + 1);
    calls[i].answer(holds);
  }
  await ended;
  const read = study.sources.map((/** @type {any} */ { folder, images }) => [folder, images]);
  assert.deepEqual(read, [
    ["A", 1],
    ["B", 2],
  ]);
});

test("a model that has classified nothing on the page makes no cell uncertain", async () => {
  const study = new Study();
  const points = [{ name: "far", threshold: 2 }];
  study.model = model(points, null);
  study.restore([record(1, { model: model([], null), values: [1.5] })], {});
  await told();
  assert.equal(study.specimens[0].cells[0].call.doubt, null);
  assert.deepEqual(study.points.at(-1), points[0], "its points are offered all the same");
  study.model = model([], { low: -0.9, high: 0.1 });
  study.restore([record(1, { model: model([], { low: -0.2, high: 0.2 }), values: [1] })], {});
  assert.deepEqual(study.margin, [-0.2, 0.2]);
  study.clear();
  assert.deepEqual(study.margin, [-0.9, 0.1], "it will classify what comes");
});

test("a merged specimen keeps notes and what is not gradable, until that is undone", async () => {
  const study = new Study();
  study.restore([record(1), record(2, { values: [1] })], SPECIMENS);
  await told();
  const [a, b] = study.specimens;
  study.see(b.id);
  study.select(b.cells, b.cells[0]);
  study.merge(b, a);
  await told();
  assert.deepEqual([study.scope, study.selection.size], [a.id, 1], "they stay in view");
  const noted = () =>
    study.specimens.map((/** @type {any} */ { note, gradable }) => [note, gradable]);
  assert.deepEqual(noted(), [["thick\nsecond cut", false]]);
  study.step("undo");
  await told();
  assert.deepEqual(noted(), [
    ["thick", true],
    ["second cut", false],
  ]);
});

test("what a step back selects comes into view", async () => {
  const study = new Study();
  study.restore([record(1, { values: [1, 2] }), record(2, { values: [1] })], SPECIMENS);
  await told();
  const [a, b] = study.specimens;
  study.answer(a.cells, "mitotic");
  await told();
  study.see(b.id);
  study.step("undo");
  assert.deepEqual([study.scope, [...study.selection]], [a.id, a.cells]);
});

test("nothing is said to be missing while images are still to be read", async () => {
  const study = new Study();
  study.restore([record(1, { values: [-2] }), record(2, { status: "stopped" })], {
    ...{ "source/1": "1", "source/2": "1", "specimen/1/name": "a" },
  });
  await told();
  assert.equal(study.specimens[0].verdict.preparation, "open");
  assert.deepEqual(countImages(study.sources), { images: 1, missing: 1 });
  study.update(study.sources[1], { status: "done" });
  await told();
  assert.equal(study.specimens[0].verdict.preparation, "none");
});

test("a file that is dropped again is read again in its place", async () => {
  const study = new Study();
  const { session, calls, ended } = pretending(study);
  const file = given("a-1.tif");
  session.add([file], "field");
  await until(() => calls.length === 1);
  calls[0].answer("field");
  await ended;
  session.add([file, given("a-2.tif")], "field");
  for (const i of [1, 2]) {
    await until(() => calls.length === i + 1);
    calls[i].answer("field");
  }
  await until(() => !session.running);
  const names = study.sources.map((/** @type {any} */ { name, status }) => [name, status]);
  assert.deepEqual(names, [
    ["a-1.tif", "done"],
    ["a-2.tif", "done"],
  ]);
});

test("single cells stay with the specimen that is renamed while they are read", async () => {
  const study = new Study();
  const { session, calls, ended } = pretending(study);
  session.add(["c-1.png", "c-2.png"].map(given), "auto");
  await until(() => calls.length === 1);
  await told();
  study.rename(study.specimens[0], "patient 7");
  for (const i of [0, 1]) {
    await until(() => calls.length === i + 1);
    calls[i].answer("cell");
  }
  await ended;
  await told();
  const names = study.specimens.map((/** @type {any} */ { name }) => name);
  assert.deepEqual(names, ["patient 7"]);
});

test("what goes out of view is no longer selected", async () => {
  const study = new Study();
  study.restore([record(1, { values: [1, 2] }), record(2, { values: [1] })], SPECIMENS);
  await told();
  study.select(study.cells, study.cells[0]);
  study.see("2");
  assert.deepEqual([...study.selection], study.specimens[1].cells);
  assert.equal(study.current, null);
  study.narrow([]);
  assert.equal(study.selection.size, 0);
});

/** A session whose classifier answers what each image holds when it is told to. @param {any} study */
function pretending(study) {
  /** @type {{ reading: unknown, answer: (holds: string) => void }[]} */
  const calls = [];
  /** @param {Uint8Array} _bytes @param {{ reading: unknown, signal: AbortSignal }} options */
  const image = (_bytes, { reading, signal }) =>
    new Promise((resolve, reject) => {
      calls.push({ reading, answer: (holds) => resolve({ holds }) });
      signal.addEventListener("abort", reject);
    });
  const session = new Session({ image, crops: async () => {} }, study);
  const ended = new Promise((resolve) =>
    session.addEventListener("running", (/** @type {any} */ { detail }) => detail || resolve(null)),
  );
  return { session, calls, ended };
}

/** @param {string} name */
function given(name) {
  return { file: new File(["x"], name), folder: "" };
}

/** A source as a project holds it. @param {number} id @param {{ model?: unknown, values?: number[], status?: string }} [known] its cells by their decision values */
function record(id, { model = null, values = [], status = "done" } = {}) {
  const box = { x: 0, y: 0, w: 9, h: 9 };
  const cells = values.map((decisionValue) => ({
    ...{ name: "", box },
    prediction: { decisionValue, probability: 0.5, prediction: "mitotic", doubt: null },
  }));
  const pictures = { size: null, preview: null, thumbnails: null };
  return { id, name: `field ${id}`, images: 1, status, ...pictures, model, cells };
}

/** @param {{ name: string, threshold: number }[]} operatingPoints @param {{ low: number, high: number } | null} abstention */
function model(operatingPoints, abstention) {
  return { sha256: "00", name: "m", mitoscope: "0", operatingPoints, abstention };
}

/** Settles when the study has told what has changed. */
function told() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** @param {() => boolean} condition */
async function until(condition) {
  while (!condition()) await told();
}
