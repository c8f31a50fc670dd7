// @ts-check
/** A project that is sealed but holds what no study does is refused whole, without a browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { forged, madeUpProject } from "./helpers/project.mjs";
import { PROJECT } from "./helpers/site.mjs";

/** @param {string} name of a module of the page */
const load = (name) => import(join(PROJECT, "www", name));
const { readProject } = await load("project.js");
const { Study } = await load("study.js");

const project = madeUpProject(2, 6, { operatingPoints: [{ name: "balanced", threshold: 0 }] });

test("what an earlier version has written is opened", async () => {
  const { sources, ledger } = await readProject(new Blob([project]));
  const study = new Study();
  study.restore(sources, ledger);
  const read = study.sources.map((/** @type {any} */ { folder, page, channel, cells }) => [
    ...[folder, page, channel, cells.length],
  ]);
  assert.deepEqual(read, Array(2).fill(["", 0, "brightest", 6]));
});

/** @type {Record<string, (content: any) => void>} */
const WRONGS = {
  "no ledger": (content) => (content.ledger = null),
  "a list for a ledger": (content) => (content.ledger = []),
  "a good preparation without mitoses": ({ ledger }) => (ledger.needed = 0),
  "a threshold that is none": ({ ledger }) => (ledger.threshold = "high"),
  "an answer that is no class": ({ ledger }) => (ledger["cell/1-1"] = { label: "maybe" }),
  "no sources": (content) => delete content.sources,
  "no pictures": (content) => delete content.pictures,
  "a picture without size": (content) => (content.pictures[0] = null),
  "one id twice": ({ sources }) => (sources[1].id = sources[0].id),
  "an unknown status": ({ sources }) => (sources[0].status = "lost"),
  "a page before the first": ({ sources }) => (sources[0].page = -1),
  "an unknown channel": ({ sources }) => (sources[0].channel = "violet"),
  "a folder that is none": ({ sources }) => (sources[0].folder = 7),
  "an empty model": ({ sources }) => (sources[0].model = {}),
  "a point without threshold": ({ sources }) =>
    (sources[0].model.operatingPoints[0].threshold = null),
  "a failure without words": ({ sources }) => (sources[0].failure = {}),
  "a preview that is not there": ({ sources }) => (sources[0].preview = 99),
  "a sheet that is not there": ({ sources }) => (sources[0].thumbnails.sheets[0] = -1),
  "too few sheets": ({ sources }) => (sources[0].thumbnails.sheets = []),
  "sheets without columns": ({ sources }) => (sources[0].thumbnails.columns = 0),
  "no cells": ({ sources }) => (sources[0].cells = null),
  "a cell without box": ({ sources }) => (sources[0].cells[3].box = null),
};

for (const [what, change] of Object.entries(WRONGS)) {
  test(`refused: ${what}`, async () => {
    const reading = readProject(new Blob([forged(project, change)]));
    await assert.rejects(reading, { code: "project", message: /missing or wrong values/ });
  });
}

test("a study is taken over whole or not at all, however many answers it has", () => {
  const study = new Study();
  const answers = Array.from({ length: 200_000 }, (_, i) => [`cell/1-${i}`, { label: "mitotic" }]);
  study.restore([], { ...Object.fromEntries(answers), "specimen/7/name": "g" });
  assert.throws(() => study.restore([], null));
  assert.equal(study.ledger.get("specimen/7/name"), "g");
  const source = study.add({ name: "a.tif" }, "a");
  assert.equal(study.ledger.get(`source/${source.id}`), "8", "no number is given twice");
});
