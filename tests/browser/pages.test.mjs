// @ts-check
/** Page and channel of a file are chosen on its row, and named in all that leaves the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { file, png, simulatedField, tiff } from "./helpers/images.mjs";
import { download, finished, give, open, table } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";

const stage = staged();

test("another page or channel is read on demand, and answers come back with it", async () => {
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  await page.selectOption("#kind", "field");
  // Page 1: green shows 4 cells, red 2, so the brightest shows all 4; page 2: 3 cells.
  const bytes = tiff([
    coloured(simulatedField(2, 1), simulatedField(2, 2)),
    grey(simulatedField(3, 1)),
  ]);
  await give(page, [file("stack.tif", bytes)]);
  const verdict = () => page.innerText("#verdict");
  assert.match(await verdict(), /of 4 cells$/);
  assert.equal(await page.inputValue("#page-1"), "1");
  await page.locator("#gallery .card").first().click();
  await page.locator("#gallery").press("m");
  assert.equal(await page.locator(".card.read").count(), 1);

  await choose(page, () => page.selectOption("#channel-1", "red"));
  assert.match(await verdict(), /of 2 cells$/);
  assert.equal(await page.locator(".card.read").count(), 0, "answers are to other cells");
  assert.equal(await page.locator(".box").count(), 2);

  await page.focus("#page-1");
  await choose(page, async () => {
    await page.fill("#page-1", "2");
    await page.keyboard.press("Enter");
  });
  assert.match(await verdict(), /of 3 cells$/, "a grey page is the same in every channel");
  await choose(page, () => page.selectOption("#channel-1", "brightest"));
  assert.match(await page.innerText("#field .title"), /^stack\.tif, page 2, brightest$/);

  const rows = table(await download(page, "#export-csv"));
  assert.equal(rows.length, 3);
  assert.deepEqual([rows[0].image, rows[0].page, rows[0].channel], ["stack.tif", "2", "brightest"]);
  const json = JSON.parse((await download(page, "#export-json")).toString());
  assert.deepEqual(
    [json.specimens[0].images[0].page, json.specimens[0].images[0].channel],
    [2, "brightest"],
  );
  const project = await download(page, "#export-project");

  await choose(page, async () => {
    await page.fill("#page-1", "1");
    await page.keyboard.press("Enter");
  });
  assert.match(await verdict(), /of 4 cells$/);
  assert.equal(await page.locator(".card.read").count(), 1, "the answer is back");

  await page.close();
  const restored = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  await restored.setInputFiles("#project", file("stack.mitoscope", project));
  await restored.locator("body[data-state=files]").waitFor();
  assert.match(await restored.innerText("#field .title"), /page 2, brightest$/);
  assert.equal(await restored.locator("#page-1").count(), 0, "the file is not at hand");
  assert.ok(
    (await download(restored, "#export-project")).equals(project),
    "the project has changed",
  );
  await restored.close();
});

test("a file with nothing to choose from offers no choice", async () => {
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  await page.selectOption("#kind", "field");
  await give(page, [file("plain.png", png(simulatedField(2, 1)))]);
  assert.equal(await page.locator(".choice :is(input, select)").count(), 0);
  await page.close();
});

/** Waits until what was chosen is read. @param {import("playwright-core").Page} page @param {() => Promise<unknown>} act */
async function choose(page, act) {
  await page.evaluate(() => delete document.body.dataset.run);
  await act();
  await finished(page);
}

/** @param {{ width: number, height: number, grey: Uint8Array }} image */
function grey({ width, height, grey }) {
  return { width, height, samples: grey, colours: /** @type {const} */ (1) };
}

/** Red of one image, green of another that is as wide and not smaller, no blue. @param {ReturnType<typeof simulatedField>} red @param {ReturnType<typeof simulatedField>} green */
function coloured(red, green) {
  const { width, height } = green;
  const samples = new Uint8Array(3 * width * height);
  green.grey.forEach((value, i) => {
    samples[3 * i] = red.grey[i] ?? 12;
    samples[3 * i + 1] = value;
  });
  return { width, height, samples, colours: /** @type {const} */ (3) };
}
