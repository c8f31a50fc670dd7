// @ts-check
/** The map of embeddings and the nearest reference cells: where like lies by like, and what follows. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { file, png, simulatedField } from "./helpers/images.mjs";
import { madeUpProject, modelSha256 } from "./helpers/project.mjs";
import { give, launch, open, serve } from "./helpers/site.mjs";

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {ReturnType<typeof file>} */
let project;

before(async () => {
  project = file("map.mitoscope", madeUpProject(2, 30, { sha256: await modelSha256() }));
  site = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  site?.close();
});

test("a lasso by mouse selects cells, and the gallery shows them together", async () => {
  const page = await view();
  await lasso(page, [0, 0], [1, 0], [1, 1], [0, 1]);
  const all = await shown(page);
  assert.equal(all.selected, 60, "an outline around everything");
  assert.equal(all.cards, 60);
  // Where the cells lie depends on the model: cut where some are on either side.
  let [cut, right] = [0.1, all];
  for (; cut < 0.9 && (right.selected === 60 || right.selected < 2); cut += 0.1) {
    await lasso(page, [cut, 0], [1, 0], [1, 1], [cut, 1]);
    right = await shown(page);
  }
  assert.ok(right.selected > 1 && right.selected < 60, `${right.selected} selected`);
  assert.equal(right.cards, right.selected);
  assert.equal(await page.inputValue("#filter-state"), "gathered");
  assert.ok((await page.locator(".box[aria-selected=true]").count()) > 0, "the field shows it too");
  await page.locator("#gallery").press("m");
  await page.selectOption("#filter-state", "answered");
  assert.equal(await page.locator("#gallery .card").count(), right.selected, "one key for all");
  // Shift adds; nothing inside selects nothing and shows all.
  await page.keyboard.down("Shift");
  await lasso(page, [0, 0], [cut, 0], [cut, 1], [0, 1]);
  await page.keyboard.up("Shift");
  assert.equal((await shown(page)).selected, 60);
  await lasso(page, [0, 0], [0.01, 0], [0.01, 0.02], [0, 0.02]);
  assert.deepEqual(await shown(page), { selected: 0, cards: 60 });
  await page.context().close();
});

test("a click on a mark chooses its cell in every view", async () => {
  const page = await view();
  const area = await box(page);
  // Somewhere on the map a pointer finds a mark: the field's box lights up while it is there.
  let found = false;
  for (let step = 0; step < 400 && !found; step++) {
    const at = [0.2 + 0.6 * ((step % 20) / 20), 0.2 + 0.6 * (Math.floor(step / 20) / 20)];
    await page.mouse.move(area.x + at[0] * area.width, area.y + at[1] * area.height);
    found = (await page.locator(".card[data-hover]").count()) === 1;
  }
  assert.ok(found, "no mark is found by the pointer");
  const pointed = await page.getAttribute(".card[data-hover]", "id");
  await page.mouse.down();
  await page.mouse.up();
  assert.equal(await page.getAttribute("#gallery", "aria-activedescendant"), pointed);
  await page.context().close();
});

test("keys alone choose on the map", async () => {
  const page = await view();
  const plot = page.locator("#plot");
  for (let size = 0; size < 14; size++) await plot.press("+");
  assert.match(await page.innerText("#map-said"), /^In the frame: \d+ mitotic of 60 cells\.$/);
  await plot.press("Enter");
  assert.equal((await shown(page)).selected, 60);
  await plot.press("Escape");
  for (let step = 0; step < 4; step++) await plot.press("ArrowRight");
  await plot.press("Enter");
  const some = await shown(page);
  assert.ok(some.selected < 60);
  assert.match(
    await page.innerText("#map-said"),
    new RegExp(`^Chosen: .* of ${some.selected} cell`),
  );
  await page.context().close();
});

test("a finger scrolls, and draws once it is told to", async () => {
  const page = await view({ width: 390, height: 844 }, true);
  const plot = page.locator("#plot");
  assert.equal(
    await plot.evaluate((plot) => getComputedStyle(plot).touchAction),
    "pan-y pinch-zoom",
  );
  await page.locator(".lasso").tap();
  assert.equal(await plot.evaluate((plot) => getComputedStyle(plot).touchAction), "none");
  const area = await box(page);
  const client = await page.context().newCDPSession(page);
  const at = (/** @type {number[]} */ [x, y]) => [
    { x: area.x + x * area.width, y: area.y + y * area.height },
  ];
  const outline = [
    [0.01, 0.01],
    [0.5, 0.02],
    [0.98, 0.01],
    [0.98, 0.98],
    [0.5, 0.98],
    [0.01, 0.98],
  ];
  await client.send("Input.dispatchTouchEvent", {
    type: "touchStart",
    touchPoints: at(outline[0]),
  });
  for (const place of outline.slice(1)) {
    await client.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(place) });
  }
  await client.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await page.locator("#map-said", { hasText: "of 60 cells" }).waitFor();
  assert.equal((await shown(page)).selected, 60);
  await page.context().close();
});

test("a classified cell shows its nearest reference cells and lies on the map", async () => {
  const page = await open(browser, `${site.url}?backend=cpu`);
  await page.selectOption("#kind", "field");
  await give(page, [file("a-1.png", png(simulatedField(2, 1)))]);
  await page.locator("#gallery .card").first().click();
  const near = page.locator(".neighbours li");
  assert.equal(await near.count(), 5);
  const distances = (await near.locator(".number").allTextContents()).map((words) =>
    Number(/[\d.]+$/.exec(words)),
  );
  assert.deepEqual(
    distances,
    distances.toSorted((a, b) => a - b),
    "nearest first",
  );
  assert.ok(distances[0] >= 0 && distances[4] <= 2);
  for (const picture of await near.locator(".thumbnail").all()) {
    assert.match((await picture.getAttribute("style")) ?? "", /blob:/);
  }
  const mitotic = await near.locator(".key.mitotic").count();
  const words = await page.innerText(".facts");
  assert.match(words, new RegExp(`${mitotic} of its 5 nearest reference cells`));
  assert.match((await page.getAttribute("#plot", "aria-label")) ?? "", /of 2 cells among \d+ ref/);
  await page.close();
});

test("cells of another model are not put on this one's map", async () => {
  const page = await open(browser, `${site.url}?backend=cpu`);
  await page.setInputFiles("#project", file("other.mitoscope", madeUpProject(1, 12)));
  await page.locator("#gallery .card").first().click();
  assert.match(await page.innerText(".neighbours"), /Another model/);
  assert.match((await page.getAttribute("#plot", "aria-label")) ?? "", / 0 cells /);
  await page.close();
});

/** A page with the project, all specimens in view. @param {{ width: number, height: number }} [viewport] @param {boolean} [hasTouch] */
async function view(viewport = { width: 1280, height: 900 }, hasTouch = false) {
  const context = await browser.newContext({ viewport, hasTouch });
  const page = await open(context, `${site.url}?backend=cpu`);
  await page.click("#guide-close");
  await page.setInputFiles("#project", project);
  await page.locator("#verdict", { hasText: "of 60 cells" }).waitFor();
  return page;
}

/** Where the map is on the screen. @param {import("playwright-core").Page} page */
async function box(page) {
  await page.locator("#plot").scrollIntoViewIfNeeded();
  const area = await page.locator("#plot").boundingBox();
  assert.ok(area);
  return area;
}

/** Draws an outline by mouse, in shares of the map's sides. @param {import("playwright-core").Page} page @param {number[][]} outline */
async function lasso(page, ...outline) {
  const { x, y, width, height } = await box(page);
  for (const [i, [right, down]] of outline.entries()) {
    await page.mouse.move(x + 2 + right * (width - 4), y + 2 + down * (height - 4), { steps: 4 });
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
  await page.waitForTimeout(100); // the gallery follows in a task of its own
}

/** How many cells are selected and how many cards are shown, in the gallery's own words. @param {import("playwright-core").Page} page */
async function shown(page) {
  const words = await page.innerText("#gallery-hint");
  const selected = Number(/(\d+) selected/.exec(words)?.[1] ?? 0);
  return { selected, cards: Number(/^\d+/.exec(words)) };
}
