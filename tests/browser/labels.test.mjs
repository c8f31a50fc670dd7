// @ts-check
/** On every real cell at hand the browser decides as the native program does: no label flips. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { DATA } from "./helpers/images.mjs";
import { native } from "./helpers/native.mjs";
import { open, table } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";

/** What an embedding's permitted 1e-4 can make of a decision value. */
const TOLERANCE = 1e-3;

/**
 * @typedef {{ x: number, y: number, w: number, h: number }} Box
 * @typedef {{ label: string, value: number }} Decision
 */

const stage = staged();

for (const folder of ["hep2-agh", "jurkat-mlcp"]) {
  test(`${folder}: cells in given boxes`, async (context) => {
    const cells = join(dirname(DATA), folder, "cells.csv");
    if (!existsSync(cells)) return context.skip(`${cells} is not there`);
    const wanted = await natively("classify", ["--data", cells]);
    compare(await inBrowser(dirname(cells), wanted), wanted);
  });
}

test("ht29-ph3: cells that are found", async (context) => {
  const image = join(dirname(DATA), "ht29-ph3", "dna.png");
  if (!existsSync(image)) return context.skip(`${image} is not there`);
  const wanted = (await natively("detect", [image])).map((row) => ({ ...row, image: "dna.png" }));
  compare(await inBrowser(dirname(image), wanted, { find: true }), wanted);
});

/** Rows that the native program writes. @param {"classify" | "detect"} command @param {string[]} what */
async function natively(command, what) {
  const out = join(stage.folder, "native.csv");
  await native(command, ["--out", out, ...what]);
  return table(await readFile(out));
}

/**
 * @param {string} folder @param {Record<string, string>[]} rows with the images and their boxes
 * @param {{ find?: boolean }} [options] `find`: leave the boxes to segmentation
 */
async function inBrowser(folder, rows, { find = false } = {}) {
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  /** @type {Decision[]} */
  const decisions = [];
  for (const name of new Set(rows.map(({ image }) => image))) {
    const inImage = rows.filter(({ image }) => image === name);
    const boxes = inImage.map(({ x, y, w, h }) => ({ x: +x, y: +y, w: +w, h: +h }));
    const url = `data:image/png;base64,${(await readFile(join(folder, name))).toString("base64")}`;
    decisions.push(...(await page.evaluate(decide, { url, boxes: find ? undefined : boxes })));
  }
  await page.close();
  return decisions;
}

/** Runs in the page. @param {{ url: string, boxes?: Box[] }} options @returns {Promise<Decision[]>} */
async function decide({ url, boxes }) {
  const { Client } = await import(new URL("www/client.js", location.href).href);
  const bytes = Uint8Array.from(atob(url.split(",")[1]), (letter) => letter.charCodeAt(0));
  const own = /** @type {any} */ (window);
  own.client ??= await Client.start({ backend: "cpu" });
  /** @type {Decision[]} */
  const decisions = [];
  const onProgress = (/** @type {any} */ { stage, predictions }) => {
    if (stage !== "classified") return;
    for (const { prediction, decisionValue } of predictions)
      decisions.push({ label: prediction, value: decisionValue });
  };
  await own.client.image(bytes, { as: "field", boxes, onProgress });
  return decisions;
}

/** @param {Decision[]} found @param {Record<string, string>[]} wanted */
function compare(found, wanted) {
  assert.equal(found.length, wanted.length);
  let [largest, closest] = [0, Infinity];
  found.forEach(({ label, value }, i) => {
    const native = Number(wanted[i].decision_value);
    assert.equal(label, wanted[i].prediction, `row ${i + 2}: ${value}, natively ${native}`);
    largest = Math.max(largest, Math.abs(value - native));
    closest = Math.min(closest, Math.abs(native));
  });
  console.log(
    `${found.length} cells: no label flips; decision values differ by ${largest.toExponential(1)} ` +
      `at most, the closest to the boundary is ${closest.toExponential(1)} away`,
  );
  assert.ok(found.length > 0 && largest <= TOLERANCE, `decision values differ by ${largest}`);
}
