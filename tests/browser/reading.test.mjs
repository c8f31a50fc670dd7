// @ts-check
/** A specimen from its fields to a confirmed verdict, exported, reloaded and restored. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { DATA, file, png, realData, simulatedField } from "./helpers/images.mjs";
import { native } from "./helpers/native.mjs";
import { forged, madeUpProject } from "./helpers/project.mjs";
import { download, finished, give, launch, open, serve, table } from "./helpers/site.mjs";

/** Between the page and the native program, in units of the decision value. */
const TOLERANCE = 1e-4;
/** The native program writes boxes to a tenth of a pixel. */
const ROUNDING = 0.051;
const NAMES = ["spec-1.png", "spec-2.png", "spec-3.png"];

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Buffer[]} */
let fields;

before(async () => {
  fields = realData("a specimen to its verdict") ? await realFields() : simulatedFields();
  site = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  site?.close();
});

test("three fields to a verdict, read, undone, exported, reloaded and restored", async () => {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await open(context, `${site.url}?backend=cpu`);
  const loaded = site.requests.length;
  await page.selectOption("#kind", "field");
  const files = fields.map((bytes, i) => file(NAMES[i], bytes));
  await give(page, files);

  // One specimen, named by what the file names share.
  assert.deepEqual(await page.locator(".specimen-name").allTextContents(), ["spec"]);
  assert.equal(await page.locator(".source.done").count(), 3);
  const values = table(await download(page, "#export-csv"))
    .map((row) => Number(row.decision_value))
    .sort((a, b) => b - a);
  const cells = values.length;
  assert.ok(cells >= 6, `${cells} cells are too few to read`);
  const above = (/** @type {number} */ threshold) => values.filter((v) => v > threshold).length;
  await counts(page, above(0), cells);

  // The threshold moves counts and histogram at once; the boundary brings them back exactly.
  const gap = values.findIndex((value, i) => value - values[i + 1] > 0.1 && value < 2);
  const threshold = Math.round(50 * (values[gap] + values[gap + 1])) / 100;
  await setThreshold(page, threshold);
  await counts(page, above(threshold), cells);
  assert.match(await page.innerText("#threshold-words"), /own threshold/);
  await page.locator("#points button", { hasText: "SVM boundary" }).click();
  await counts(page, above(0), cells);

  // Two cells against the model, by key, then undo and redo.
  await page.fill("#reader", "KM");
  await page.locator("#gallery .card").first().click();
  const opposite = values[0] > 0 ? "i" : "m";
  await page.locator("#gallery").press(opposite);
  await page.locator("#gallery .card").last().click();
  await page.locator("#gallery").press("m");
  const change = (opposite === "m" ? 1 : -1) + 1;
  await counts(page, above(0) + change, cells);
  await page.selectOption("#filter-state", "disagreement");
  assert.equal(await page.locator("#gallery .card").count(), 2);
  await page.selectOption("#filter-state", "all");
  await page.keyboard.press("Control+z");
  await counts(page, above(0) + change - 1, cells);
  await page.keyboard.press("Control+Shift+z");
  await counts(page, above(0) + change, cells);

  // The preparation check follows the confirmed cells and the number that is needed.
  await page.fill("#needed", "1");
  await page.locator("#needed").blur();
  assert.match(await page.innerText("#preparation"), /≥ 1 confirmed mitotic cell$/);
  await page.fill("#needed", "40");
  await page.locator("#needed").blur();
  assert.doesNotMatch(await page.innerText("#preparation"), /≥/);

  // CSV: boxes, figures and counts are those of the native program for the same files.
  const csv = await download(page, "#export-csv");
  const rows = table(csv);
  assert.equal(rows.length, cells);
  for (const row of rows) {
    assert.match(row.model_sha256, /^[0-9a-f]{64}$/);
    assert.equal(row.notice, "Research use only, not for diagnostic procedures");
    assert.equal(row.threshold, "0");
    assert.match(row.operating_point, /boundary/);
    assert.ok(row.mitoscope_version);
  }
  const answered = rows.filter((row) => row.label);
  assert.equal(answered.length, 2);
  assert.deepEqual(new Set(answered.map((row) => row.reader)), new Set(["KM"]));
  const native = await natively();
  compare(rows, native.rows);
  assert.deepEqual([native.verdict.mitotic, native.verdict.cells], [above(0), cells]);

  const json = JSON.parse((await download(page, "#export-json")).toString());
  assert.equal(json.specimens[0].verdict.mitotic, above(0) + change);
  assert.equal(json.notice, rows[0].notice);
  assert.equal(json.models[0].sha256, rows[0].model_sha256);

  // Kept over a reload when asked for, and gone when erased.
  const project = await download(page, "#export-project");
  await page.check("#keep");
  await page.locator("#announce", { hasText: "is kept" }).waitFor();
  await page.locator("#gallery .card").nth(1).click();
  await page.locator("#gallery").press("m"); // one more, which a killed tab must not lose
  await page.locator("#undo:enabled").waitFor();
  const last = await page.innerText("#verdict");
  await page.waitForFunction(storedAnswers, 3);
  assert.deepEqual(site.requests.slice(loaded), [], "reading and exporting asks for nothing");
  await page.reload();
  await page.locator("body[data-state=files]").waitFor();
  assert.equal(await page.innerText("#verdict"), last);
  await page.selectOption("#filter-state", "answered");
  assert.equal(await page.locator("#gallery .card").count(), 3);
  assert.equal(await page.inputValue("#reader"), "KM");
  await page.click("#erase");
  await page.locator("#announce", { hasText: "Nothing of your work" }).waitFor();
  assert.deepEqual(await atRest(page), { databases: [], stored: 0, caches: 0 });
  await page.reload();
  await page.locator("body[data-state=empty]").waitFor();

  // The project brings everything back, byte for byte.
  await page.setInputFiles("#project", file("spec.mitoscope", project));
  await page.locator("body[data-state=files]").waitFor();
  await counts(page, above(0) + change, cells);
  assert.equal(await page.inputValue("#needed"), "40");
  assert.ok((await download(page, "#export-project")).equals(project), "the project has changed");
  assert.ok((await download(page, "#export-csv")).equals(csv), "the table has changed");
  await context.close();
});

test("fields of other specimens stay apart, and are renamed, merged and moved", async () => {
  const page = await open(browser, `${site.url}?backend=cpu`);
  await page.selectOption("#kind", "field");
  const small = png(simulatedField(2, 1));
  await give(
    page,
    ["a-1.png", "a-2.png", "b-1.png"].map((name) => file(name, small)),
  );
  const names = () => page.locator(".specimen-head .specimen-name").allTextContents();
  assert.deepEqual(await names(), ["a", "b"]);
  await page.click("#see-2");
  await page.fill("#specimen-name", "patient 7");
  await page.locator("#specimen-name").press("Enter");
  assert.deepEqual(await names(), ["a", "patient 7"]);
  await page.selectOption("#merge", { label: "a" });
  assert.deepEqual(await names(), ["a"]);
  await page.click("#undo");
  assert.deepEqual(await names(), ["a", "patient 7"]);
  await page.locator(".source button.name", { hasText: "a-2.png" }).click();
  await page.selectOption(".belongs", { label: "patient 7" });
  assert.equal(await page.locator(".specimen").nth(2).locator(".source").count(), 2);
  await page.close();
});

test("a folder is a specimen", async () => {
  const page = await open(browser, `${site.url}?backend=cpu`);
  const folder = await mkdtemp(join(tmpdir(), "mitoscope-"));
  try {
    await writeFile(join(folder, "one.png"), png(simulatedField(2, 1)));
    await writeFile(join(folder, "two.png"), png(simulatedField(1, 2)));
    await writeFile(join(folder, "notes.txt"), "no image");
    await page.selectOption("#kind", "field");
    await page.setInputFiles("#folder", folder);
    await finished(page);
    assert.equal(await page.locator(".specimen").count(), 1);
    assert.equal(await page.locator(".source.done").count(), 2);
    const rows = table(await download(page, "#export-csv"));
    const images = ["one.png", "two.png"].map((name) => `${basename(folder)}/${name}`);
    assert.deepEqual([...new Set(rows.map(({ image }) => image))].toSorted(), images);
  } finally {
    await rm(folder, { recursive: true });
    await page.close();
  }
});

test("a damaged project is refused whole, with the reason", async () => {
  const page = await open(browser, `${site.url}?backend=cpu`);
  await page.selectOption("#kind", "field");
  await give(page, [file("a-1.png", png(simulatedField(2, 1)))]);
  const before = await page.innerText("#verdict");
  const project = await download(page, "#export-project");
  const middle = Buffer.from(project);
  middle[project.indexOf("decisionValue") + 16] ^= 1;
  const end = Buffer.from(project);
  end[project.length - 9] ^= 1;
  const empty = forged(project, (content) => (content.ledger = null));
  for (const bad of [middle, end, empty, project.subarray(0, -1), Buffer.from("no project")]) {
    await page.evaluate(() => document.querySelector("#announce")?.replaceChildren());
    await page.setInputFiles("#project", file("bad.mitoscope", bad));
    await page.locator("#announce", { hasText: "cannot be opened" }).waitFor();
    assert.equal(await page.innerText("#verdict"), before);
  }
  await page.close();
});

test("the report is one page a specimen and identifies itself", async () => {
  const page = await open(browser, `${site.url}?backend=cpu`);
  await page.setInputFiles(
    "#project",
    file("five.mitoscope", madeUpProject(5, 12, { together: true })),
  );
  await page.fill("#note", "second cut");
  await page.locator("#note").blur();
  await page.evaluate(() => (window.print = () => (document.body.dataset.printed = "yes")));
  await page.click("#export summary");
  await page.click("#print");
  await page.locator("body[data-printed=yes]").waitFor();
  await page.emulateMedia({ media: "print" });
  const words = await page.innerText("#report");
  for (const part of [
    /Research use only, not for diagnostic procedures/,
    /SHA-256 [0-9a-f]{64}/,
    /SVM boundary/,
    /second cut/,
    /S1-1\.png: \d+ mitotic of 12 cells/,
    /Preparation check/,
  ]) {
    assert.match(words, part);
  }
  const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
  assert.equal(pdf.match(/\/Type\s*\/Page\b/g)?.length, 1, "one page");
  await page.close();
});

test("the samples are one click away", async () => {
  const page = await open(browser, `${site.url}?backend=cpu`);
  const loaded = site.requests.length;
  await page.click("#samples");
  await page.locator("#gallery .card").first().waitFor({ timeout: 60_000 });
  assert.equal(await page.locator(".source").count(), 3);
  assert.equal(await page.locator(".specimen").count(), 1);
  assert.deepEqual(site.requests.slice(loaded), [], "they came with the page");
  await page.click("#cancel");
  await finished(page);
  await page.close();
});

test("a click while the page still loads is not lost", async () => {
  const page = await browser.newPage();
  /** @type {() => void} */
  let go = () => {};
  const gate = new Promise((resolve) => (go = () => resolve(undefined)));
  await page.route("**/samples/*.png", async (route) => {
    await gate;
    await route.continue();
  });
  await page.goto(`${site.url}?backend=cpu`, { waitUntil: "commit" });
  await page.click("#samples:has-text('samples')");
  assert.equal(await page.getAttribute("body", "data-state"), "loading");
  go();
  await page.locator(".source").nth(2).waitFor({ timeout: 60_000 });
  await page.close();
});

/** @param {import("playwright-core").Page} page @param {number} mitotic @param {number} cells */
async function counts(page, mitotic, cells) {
  assert.equal(await page.innerText("#verdict"), `${mitotic} mitotic of ${cells} cells`);
  const states = await page.locator(".source .state").allTextContents();
  const sums = [/^\d+/, /\d+(?= cells?$)/].map((part) =>
    states.reduce((sum, state) => sum + Number(part.exec(state)), 0),
  );
  assert.deepEqual(sums, [mitotic, cells]);
  const words = await page.locator("#histogram svg").getAttribute("aria-label");
  assert.match(words ?? "", /^Histogram/);
}

/** @param {import("playwright-core").Page} page @param {number} threshold */
function setThreshold(page, threshold) {
  return page.locator("#threshold").fill(`${threshold}`);
}

/** What the browser holds for the site. @param {import("playwright-core").Page} page */
function atRest(page) {
  return page.evaluate(async () => ({
    databases: await indexedDB.databases(),
    stored: localStorage.length + sessionStorage.length,
    caches: (await caches.keys()).length,
  }));
}

/** Whether so many answers are in the store, asked inside the page. @param {number} wanted */
async function storedAnswers(wanted) {
  const settled = (/** @type {IDBRequest} */ request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await settled(indexedDB.open("mitoscope"));
  const ledger = await settled(database.transaction("ledger").objectStore("ledger").get(0));
  database.close();
  return Object.keys(ledger).filter((key) => key.startsWith("cell/")).length === wanted;
}

/**
 * What the native program finds in the same files.
 *
 * @returns {Promise<{ rows: Record<string, string>[], verdict: { mitotic: number, cells: number } }>}
 */
async function natively() {
  const folder = await mkdtemp(join(tmpdir(), "mitoscope-"));
  try {
    const paths = NAMES.map((name) => join(folder, name));
    for (const [i, bytes] of fields.entries()) await writeFile(paths[i], bytes);
    const out = join(folder, "cells.csv");
    const { verdict } = JSON.parse(await native("detect", ["--json", "--out", out, ...paths]));
    return { rows: table(await readFile(out)), verdict };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {Record<string, string>[]} page @param {Record<string, string>[]} native */
function compare(page, native) {
  assert.equal(native.length, page.length);
  let largest = 0;
  page.forEach((row, i) => {
    const other = native[i];
    assert.equal(row.image, basename(other.image));
    for (const side of ["x", "y", "w", "h"]) {
      const apart = Math.abs(Number(row[side]) - Number(other[side]));
      assert.ok(apart <= ROUNDING, `${side} of cell ${i}: ${row[side]} and ${other[side]}`);
    }
    assert.equal(row.prediction, other.prediction, `cell ${i}`);
    assert.equal(row.doubt, other.doubt, `cell ${i}`);
    largest = Math.max(
      largest,
      Math.abs(Number(row.decision_value) - Number(other.decision_value)),
    );
  });
  console.log(`largest difference of ${page.length} decision values: ${largest.toExponential(2)}`);
  assert.ok(largest <= TOLERANCE, `decision values differ by ${largest}`);
}

/** Three whole fields of one pattern. */
function realFields() {
  const names = ["HOM-1", "HOM-3", "HOM-4"];
  return Promise.all(names.map((name) => readFile(join(DATA, `fields/${name}.png`))));
}

function simulatedFields() {
  return [2, 3, 2].map((columns) => png(simulatedField(columns, 2)));
}
