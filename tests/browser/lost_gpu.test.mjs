// @ts-check
/** When the browser loses its GPU, or the GPU crashes the worker, the CPU takes over and the page says so. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { file, png, simulatedCell, simulatedField } from "./helpers/images.mjs";
import {
  DIST,
  download,
  finished,
  give,
  launch,
  open,
  serve,
  start,
  table,
} from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";

const FIELD = file("field.png", png(simulatedField()));

const stage = staged();

test("a lost GPU loses no cell: the CPU goes on, with the reason", async () => {
  const browser = await launch({ webgpu: true });
  try {
    const page = await open(browser, `${stage.site.url}?software=1`);
    await loseAfterFirstCell(browser, page);
    assert.match(await page.innerText("#backend"), /CPU/);
    assert.match(await page.innerText("#backend-note"), /the GPU failed/);
    const found = await decisions(page);
    const onCpu = await open(stage.browser, `${stage.site.url}?backend=cpu`);
    await give(onCpu, [FIELD]);
    const wanted = await decisions(onCpu);
    assert.equal(found.length, wanted.length);
    found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-3));
  } finally {
    await browser.close();
  }
});

test("where only WebGPU will do, a lost GPU fails the image and says what to do", async () => {
  const browser = await launch({ webgpu: true });
  try {
    const page = await open(browser, `${stage.site.url}?backend=webgpu&software=1`);
    await loseAfterFirstCell(browser, page);
    assert.match(await page.innerText("#backend"), /GPU/);
    assert.match(await page.innerText("body"), /GPU gave no result.*\?backend=cpu/);
  } finally {
    await browser.close();
  }
});

test("a crash on the GPU moves the work to the CPU, with the reason", async () => {
  const browser = await launch({ webgpu: true });
  try {
    const page = await open(browser, `${stage.site.url}?software=1`);
    assert.match(await page.innerText("#backend"), /GPU/);
    await page.workers()[0].evaluate(() => {
      setTimeout(() => {
        throw new WebAssembly.RuntimeError("unreachable");
      });
    });
    await page.locator("#backend", { hasText: "Runs on the CPU" }).waitFor();
    assert.match(await page.innerText("#backend-note"), /the GPU failed/);
    await give(page, [file("cell.png", png(simulatedCell(1)))]);
    assert.match(await page.innerText("#verdict"), /of 1 cell$/);
  } finally {
    await browser.close();
  }
});

test("a GPU that crashes while it warms up ends no page that can do without", async (t) => {
  const worker = await readFile(join(DIST, "www/worker.js"), "utf8");
  const warming = "await running?.scope.warmUp();";
  assert.ok(worker.includes(warming));
  const crashing = worker.replace(warming, 'throw new WebAssembly.RuntimeError("no memory");');
  const site = await serve({ files: { "www/worker.js": Buffer.from(crashing) } });
  t.after(site.close);
  const browser = await launch({ webgpu: true });
  try {
    const page = await open(browser, `${site.url}?software=1`);
    await page.locator("#backend", { hasText: "Runs on the CPU" }).waitFor();
    assert.match(await page.innerText("#backend-note"), /the GPU failed: .*no memory/);
    await give(page, [file("cell.png", png(simulatedCell(1)))]);
    assert.match(await page.innerText("#verdict"), /of 1 cell$/);
    const forced = open(browser, `${site.url}?backend=webgpu&software=1`);
    await assert.rejects(forced, /cannot start/);
  } finally {
    await browser.close();
  }
});

/**
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").Page} page
 */
async function loseAfterFirstCell(browser, page) {
  await start(page, [FIELD]);
  await page.locator('#progress[value]:not([value="0"])').waitFor();
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.crashGpuProcess");
  await finished(page);
}

/** @param {import("playwright-core").Page} page */
async function decisions(page) {
  const rows = table(await download(page, "#export-csv"));
  return rows.map((row) => Number(row.decision_value));
}
