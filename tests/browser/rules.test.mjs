// @ts-check
/** The page's few rules that need no browser: verdict, table, undo, words. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { PROJECT } from "./helpers/site.mjs";

/** @param {string} name of a module of the page */
const load = (name) => import(join(PROJECT, "www", name));
const { judge } = await load("verdict.js");
const { csv } = await load("export.js");
const { Ledger } = await load("ledger.js");
const { dropped, specimenName } = await load("files.js");

test("the verdict is that of the golden cases, which the native program passes too", async () => {
  const file = join(PROJECT, "tests/fixtures/verdicts.json");
  const cases = JSON.parse(await readFile(file, "utf8"));
  assert.ok(cases.length >= 20);
  for (const { case: name, cells, rule, calls, verdict } of cases) {
    const evidence = cells.map((/** @type {any} */ [decisionValue, doubt, answer]) => ({
      ...{ decisionValue, doubt, answer },
    }));
    const found = judge(evidence, rule);
    const words = found.calls.map((/** @type {any} */ { model, label, doubt }) => [
      model,
      label,
      doubt,
    ]);
    assert.deepEqual(words, calls, name);
    assert.deepEqual(found.verdict, verdict, name);
  }
});

test("no text of the table runs as a formula, and every field comes back", () => {
  const texts = [
    ...[
      "=1+1",
      "+1",
      "-1",
      "@SUM(A1)",
      "=cmd|' /C calc'!A0",
      '=HYPERLINK("x","y")',
      "\t=1",
      "\r=1",
    ],
    ...[
      "\n=1",
      " =1",
      "  +1",
      "'=1",
      '"=1',
      "|calc",
      "%0A=1",
      "＝1",
      "＋1",
      "－1",
      "＠x",
      '="a",b',
    ],
  ];
  assert.equal(texts.length, 20);
  for (const text of texts) {
    const lines = csv(study(text));
    const row = lines.slice(lines.indexOf("\r\n") + 2);
    const first = /^(?:"((?:[^"]|"")*)"|([^,]*)),/.exec(row);
    const read = first?.[1]?.replaceAll('""', '"') ?? first?.[2];
    assert.equal(read, `'${text}`, JSON.stringify(text));
  }
  // Where columns are parted at semicolons, a name may begin one.
  assert.match(csv(study("a;=1+1; -2;b")), /\r\n"a;'=1\+1;' -2;b",10,/);
  assert.match(
    csv(study('a,"b"')),
    /\r\n"a,""b""",10,20,30,40,-1\.25,/,
    "a negative number stays one",
  );
});

test("the table names an image by its folder, and a crop has no box", () => {
  const field = study("1.tif", { folder: "A" });
  assert.match(csv(field), /\r\nA\/1\.tif,10,20,30,40,-1\.25,/);
  const crop = study("1.tif", { folder: "run/B", size: null });
  assert.match(csv(crop), /\r\nrun\/B\/1\.tif,,,,,-1\.25,/);
});

test("a step back and forth ends where it began, and a new step forgets the undone", () => {
  const ledger = new Ledger();
  ledger.set([
    ["a", 1],
    ["b", 2],
  ]);
  ledger.set([["a", 3]]);
  ledger.note("who", "KM");
  ledger.undo();
  assert.deepEqual(ledger.entries(), { a: 1, b: 2, who: "KM" });
  ledger.undo();
  assert.deepEqual(ledger.entries(), { who: "KM" });
  assert.equal(ledger.canUndo, false);
  ledger.redo();
  ledger.redo();
  assert.deepEqual(ledger.entries(), { a: 3, b: 2, who: "KM" });
  ledger.undo();
  ledger.set([["b", undefined]]);
  assert.equal(ledger.canRedo, false);
  assert.deepEqual(ledger.entries(), { a: 1, who: "KM" });
  ledger.set([["a", 1]]);
  assert.deepEqual(ledger.undo(), ["b"], "what changes nothing is no step");
});

test("file names and folders tell the specimen", () => {
  const name = (/** @type {string} */ file, folder = "") =>
    specimenName({ file: { name: file }, folder });
  assert.equal(name("HOM-1.png"), "HOM");
  assert.equal(name("patient 7_field02.tif"), "patient 7");
  assert.equal(name("slide (3).jpg"), "slide");
  assert.equal(name("A12.B-4.tiff"), "A12.B");
  assert.equal(name("plain.bmp"), "plain");
  assert.equal(name("17.png"), "Specimen");
  assert.equal(name("ANApos_1.tif"), "ANApos", "a word's end is no counter");
  assert.equal(name("P07F-2.tif"), "P07F");
  assert.equal(name("f3.tif"), "Specimen");
  assert.equal(name("HOM-1.png", "run/A"), "run/A");
});

test("what cannot be read of a drop stands among its files and fails on its own", async () => {
  /** @typedef {(value: any) => void} Told */
  const entry = (/** @type {string} */ name, readable = true) => ({
    ...{ name, isDirectory: false },
    file: (/** @type {Told} */ resolve, /** @type {Told} */ reject) =>
      readable ? resolve(new File(["x"], name)) : reject(new Error("gone")),
  });
  const folder = (/** @type {string} */ name, /** @type {unknown[] | null} */ inside) => ({
    ...{ name, isDirectory: true },
    createReader: () => {
      const portions = [inside, []];
      return {
        readEntries: (/** @type {Told} */ resolve, /** @type {Told} */ reject) =>
          inside ? resolve(portions.shift()) : reject(new Error("locked")),
      };
    },
  });
  const inside = [entry("10.png", false), entry("2.png"), entry("a.txt"), folder("locked", null)];
  const top = folder("run", inside);
  const item = { kind: "file", webkitGetAsEntry: () => top, getAsFile: () => null };
  /** @type {{ file: File, folder: string }[]} */
  const files = await dropped({ items: [item] });
  assert.deepEqual(
    files.map(({ file, folder }) => [folder, file.name]),
    [
      ["run", "2.png"],
      ["run", "10.png"],
      ["run/locked", "locked"],
    ],
  );
  assert.equal((await files[0].file.arrayBuffer()).byteLength, 1);
  for (const { file } of files.slice(1)) await assert.rejects(file.arrayBuffer());
});

test("every language has every word", async () => {
  const { english } = await load("messages/english.js");
  const { german } = await load("messages/german.js");
  /** @param {any} table @returns {any} */
  const shape = (table) =>
    Array.isArray(table)
      ? table.map(shape)
      : typeof table === "object"
        ? Object.fromEntries(Object.entries(table).map(([key, value]) => [key, shape(value)]))
        : `${typeof table} ${typeof table === "function" ? table.length : ""}`;
  assert.deepEqual(shape(german), shape(english));
});

/** A study of one cell whose file has this name. @param {string} name @param {object} [known] of its source */
function study(name, known) {
  const size = { width: 100, height: 100 };
  const model = { sha256: "00", name: "m", mitoscope: "0" };
  const source = { folder: "", size, model, page: 0, channel: "brightest", ...known };
  const cell = {
    ...{ id: "1-0", name, source, box: { x: 10, y: 20, w: 30, h: 40 }, answer: null },
    prediction: { decisionValue: -1.25, probability: 0.1, prediction: "interphase" },
    call: { model: "interphase", label: "interphase", doubt: null },
  };
  const points = [{ name: "boundary", threshold: 0 }];
  return { threshold: 0, points, specimens: [{ name: "s", cells: [cell] }] };
}
