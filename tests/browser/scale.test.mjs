// @ts-check
/** Ten thousand cells stay fluid: no long task on the page's main thread, few cards in the page. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { madeUpProject, modelSha256 } from "./helpers/project.mjs";
import { open } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";
import { LONGEST, MEMORY, longestTask, peakMib } from "./helpers/measure.mjs";

const [FIELDS, CELLS] = [100, 100];

const stage = staged();

test("10,000 cells: opened, scrolled, filtered, cut and read without a long task", async () => {
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  // As a path: the page would have to unpack a buffer on its main thread.
  const project = join(stage.folder, "large.mitoscope");
  await writeFile(project, madeUpProject(FIELDS, CELLS, { sha256: await modelSha256() }));
  const gallery = page.locator("#gallery");
  /** @type {Record<string, () => Promise<unknown>>} */
  const steps = {
    open: async () => {
      await page.setInputFiles("#project", project);
      await page.locator("#verdict", { hasText: `of ${FIELDS * CELLS} cells` }).waitFor();
    },
    scroll: async () => {
      for (let part = 1; part <= 10; part++) {
        await gallery.evaluate(
          (list, part) => (list.scrollTop = (list.scrollHeight * part) / 10),
          part,
        );
        await frame(page);
      }
    },
    threshold: async () => {
      for (const value of ["0.5", "-0.5", "-1"]) {
        await page.locator("#threshold").fill(value);
        await frame(page);
      }
    },
    filter: async () => {
      for (const state of ["review", "uncertain", "all"]) {
        await page.selectOption("#filter-state", state);
        await frame(page);
      }
    },
    answer: async () => {
      await gallery.evaluate((list) => (list.scrollTop = 0));
      await page.locator("#gallery .card").first().click();
      for (const key of ["m", "i", "c", "u"]) await gallery.press(key);
      await page.keyboard.press("Control+z");
      await frame(page);
    },
    "answer all": async () => {
      await gallery.press("Control+a");
      await gallery.press("c");
      await frame(page);
    },
    lasso: async () => {
      await page.locator("#plot").scrollIntoViewIfNeeded();
      const plot = await page.locator("#plot").boundingBox();
      assert.ok(plot);
      const corner = (/** @type {number} */ x, /** @type {number} */ y) =>
        page.mouse.move(plot.x + x * plot.width, plot.y + y * plot.height, { steps: 20 });
      await corner(0.02, 0.02);
      await page.mouse.down();
      for (const [x, y] of [
        [0.98, 0.05],
        [0.98, 0.98],
        [0.02, 0.98],
      ])
        await corner(x, y);
      await page.mouse.up();
      await page.locator("#gallery-hint", { hasText: `${FIELDS * CELLS} selected` }).waitFor();
    },
    "map by keys": async () => {
      for (const key of ["ArrowLeft", "ArrowUp", "+", "Enter"])
        await page.locator("#plot").press(key);
      await page.selectOption("#filter-state", "all");
      await frame(page);
    },
    field: async () => {
      await page.click("#see-57");
      await frame(page);
    },
    save: async () => {
      const arrives = page.waitForEvent("download");
      await page.click("#export summary");
      await page.click("#export-project");
      await arrives;
    },
    keep: async () => {
      await page.check("#keep");
      await page.locator("#announce", { hasText: "is kept" }).waitFor();
      await page.click("#undo");
      await page.click("#erase");
      await page.locator("#announce", { hasText: "Nothing of your work" }).waitFor();
    },
  };
  /** @type {Record<string, number>} */
  const longest = {};
  for (const [name, step] of Object.entries(steps)) {
    longest[name] = await longestTask(stage.browser, page, step);
    const cards = await page.locator("#gallery .card").count();
    assert.ok(cards <= 150, `${cards} cards in the page after "${name}"`);
  }
  const memory = await peakMib(stage.browser);
  console.log(`longest task in ms of CPU: ${JSON.stringify(longest)}; peak ${memory} MiB`);
  assert.ok(memory < MEMORY, `the page has taken ${memory} MiB`);
  for (const [name, time] of Object.entries(longest)) {
    assert.ok(time <= LONGEST, `"${name}" holds the page for ${time} ms`);
  }
  await page.close();
});

/** Waits until the browser has drawn. @param {import("playwright-core").Page} page */
function frame(page) {
  return page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))),
  );
}
