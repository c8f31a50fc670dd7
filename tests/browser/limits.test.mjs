// @ts-check
/** What the model does not claim to know is told of each cell: in the table, in its details, in the count. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { file, png, simulatedCell } from "./helpers/images.mjs";
import { modelManifest } from "./helpers/project.mjs";
import { download, give, open, table } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";

const stage = staged();
const SIDE = 80;
/** Of the histogram, in its own units. */
const WIDTH = 480;

/** An end of the threshold's axis. @param {import("playwright-core").Page} page @param {"min" | "max"} end */
async function slider(page, end) {
  return Number(await page.locator("#threshold").getAttribute(end));
}

/** A crop whose grey depends on the distance from its centre alone. @param {(distance: number) => number} grey */
function crop(grey) {
  const value = (/** @type {unknown} */ _, /** @type {number} */ i) =>
    grey(Math.hypot((i % SIDE) - SIDE / 2, Math.floor(i / SIDE) - SIDE / 2));
  return { width: SIDE, height: SIDE, grey: new Uint8Array(SIDE * SIDE).map(value) };
}

test("cells that are badly imaged are uncertain, and the page says why", async () => {
  const badly = {
    faint: crop(() => 16),
    saturated: crop((distance) => (distance < 26 ? 255 : 18)),
    blurred: crop((distance) => 18 + 150 * Math.exp(-((distance / 24) ** 2))),
  };
  const good = Array.from({ length: 8 }, (_, i) => simulatedCell(i + 1));
  const files = [
    ...good.map((image, i) => file(`good-${i}.png`, png(image))),
    ...Object.entries(badly).map(([name, image]) => file(`${name}.png`, png(image))),
  ];
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  await page.selectOption("#kind", "cell");
  await give(page, files);

  const rows = table(await download(page, "#export-csv"));
  assert.equal(rows.length, files.length);
  const doubts = new Map(rows.map((row) => [row.image.replace(".png", ""), row.doubt]));
  for (const name of Object.keys(badly)) assert.equal(doubts.get(name), name);
  for (let i = 0; i < good.length; i++) {
    const doubt = doubts.get(`good-${i}`) ?? "";
    assert.ok(!(doubt in badly), `a plain cell is ${doubt}`);
  }

  // The histogram shades where the model abstains.
  const { low, high } = (await modelManifest()).limits.abstention;
  const shade = page.locator("rect.margin");
  const [least, most] = [await slider(page, "min"), await slider(page, "max")];
  const [left, width] = [await shade.getAttribute("x"), await shade.getAttribute("width")].map(Number);
  const scale = (most - least) / WIDTH;
  assert.ok(Math.abs(least + left * scale - low) < 1e-6, `it begins at ${left}`);
  assert.ok(Math.abs(width * scale - (high - low)) < 1e-6, `it is ${width} wide`);

  await page.selectOption("#filter-state", "uncertain");
  const words = {
    faint: "hardly stands out",
    saturated: "as bright as the camera can tell",
    blurred: "out of focus",
  };
  for (const [name, word] of Object.entries(words)) {
    await page.locator("#gallery .card", { hasText: `${name}.png` }).click();
    await page.locator(".doubt", { hasText: word }).first().waitFor();
  }
  await page.context().close();
});
