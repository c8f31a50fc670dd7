// @ts-check
/** A field of 5,500 x 5,500 pixels of 16 bit goes through, and the page stays responsive meanwhile. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { seeded, tiff } from "./helpers/images.mjs";
import { finished, open, start } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";
import { LONGEST, MEMORY, longestTask, peakMib } from "./helpers/measure.mjs";

const SIDE = 5500;
/** Pixels between the middles of cells, which makes 484 of them. */
const PITCH = 250;

const stage = staged();

test("a 5,500 x 5,500 field of 16 bit is read, shown and begun", async () => {
  const field = join(stage.folder, "large.tif");
  await writeFile(field, largeField());
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  await page.selectOption("#kind", "field");
  let took = 0;
  const longest = await longestTask(stage.browser, page, async () => {
    const dropped = performance.now();
    await start(page, [field]); // as a path: the page would have to unpack a buffer
    await page.locator(".box").first().waitFor({ state: "attached", timeout: 120_000 });
    took = performance.now() - dropped;
    await page.locator("#gallery .card").first().waitFor({ timeout: 60_000 });
  });
  const cells = await page.locator(".box").count();
  await page.click("#cancel");
  await finished(page);
  const memory = await peakMib(stage.browser);
  console.log(
    `${SIDE} x ${SIDE}, 16 bit: ${cells} cells shown after ${Math.round(took)} ms; longest task ` +
      `${longest} ms of CPU; peak ${memory} MiB`,
  );
  const expected = Math.floor(SIDE / PITCH) ** 2;
  assert.ok(cells > 0.9 * expected && cells < 1.1 * expected, `${cells} of ${expected} cells`);
  assert.match(await page.innerText("#verdict"), /mitotic of \d+ cells?$/);
  assert.ok(longest < LONGEST, `the page is held for ${longest} ms`);
  assert.ok(memory < MEMORY, `the page has taken ${memory} MiB`);
  await page.close();
});

/** Textured discs on a jittered grid over an uneven, noisy ground. */
function largeField() {
  const random = seeded(11);
  const samples = new Uint16Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      samples[y * SIDE + x] = 2000 + (800 * (x + y)) / SIDE + 900 * random();
    }
  }
  for (let top = 0; top + PITCH <= SIDE; top += PITCH) {
    for (let left = 0; left + PITCH <= SIDE; left += PITCH) {
      const [cx, cy] = [0, 0].map(() => PITCH / 2 + 60 * (random() - 0.5));
      const radius = 34 + 6 * random();
      for (let y = Math.ceil(cy - radius); y <= cy + radius; y++) {
        for (let x = Math.ceil(cx - radius); x <= cx + radius; x++) {
          if (Math.hypot(x - cx, y - cy) > radius) continue;
          samples[(top + y) * SIDE + left + x] = 14000 + 9000 * random();
        }
      }
    }
  }
  return tiff([{ width: SIDE, height: SIDE, samples, colours: 1 }]);
}
