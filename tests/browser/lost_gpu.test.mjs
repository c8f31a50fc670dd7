// @ts-check
/** When the browser loses its GPU, the CPU takes over within the image and the page says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { file, png, simulatedField } from "./helpers/images.mjs";
import { download, finished, give, launch, open, start, table } from "./helpers/site.mjs";
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
