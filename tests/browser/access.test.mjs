// @ts-check
/** For every reader: no barrier that axe knows, keys alone suffice, nothing is lost on a phone. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { file } from "./helpers/images.mjs";
import { madeUpProject, modelSha256 } from "./helpers/project.mjs";
import { launch, open, serve } from "./helpers/site.mjs";

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {string} */
let axe;
/** @type {ReturnType<typeof file>} */
let project;

before(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const made = madeUpProject(3, 12, { sha256: await modelSha256() });
  project = file("small.mitoscope", made);
  site = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  site?.close();
});

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  for (const width of [1440, 390]) {
    test(`axe finds nothing: ${colorScheme}, ${width} px`, async () => {
      const page = await view({ colorScheme, width });
      await violations(page, "empty page");
      await openProject(page);
      await violations(page, "all specimens");
      await page.click("#see-2");
      await page.locator("#gallery .card").first().click();
      await page.locator("#gallery").press("i");
      await page.selectOption(".colour", "doubt");
      await page.click("#export summary");
      await violations(page, "a specimen, a cell, the menu");
      await page.locator("#plot").press("ArrowLeft");
      await page.locator("#plot").press("Enter");
      await violations(page, "the map");
      await page.locator("#export summary").press("Escape");
      await page.click("#clear");
      await violations(page, "the question");
      await page.context().close();
    });
  }
}

test("390 px: nothing is hidden or cut off, in both languages", async () => {
  const page = await view({ width: 390 });
  await openProject(page);
  await page.click("#see-1");
  await page.locator("#gallery .card").first().click();
  for (const language of ["en", "de"]) {
    await page.selectOption("#language", language);
    const all = await outOfReach(page, "body");
    assert.deepEqual(all.names, [], `out of reach in ${language}`);
    assert.ok(all.count > 30, `${all.count} controls are too few to prove anything`);
    await page.click("#export summary");
    const menu = await outOfReach(page, "#export");
    assert.deepEqual([menu.names, menu.count], [[], 5], `the menu in ${language}`);
    await page.click("#export summary");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(wide, 390, "the page scrolls sideways");
  }
  await page.context().close();
});

/** The controls that a finger cannot reach. @param {import("playwright-core").Page} page @param {string} inside */
function outOfReach(page, inside) {
  return page.evaluate((inside) => {
    const kinds = ["button", "select", "input", "textarea", "summary"];
    const controls = kinds.flatMap((kind) => [...document.querySelectorAll(`${inside} ${kind}`)]);
    const shown = controls.filter((control) => control.checkVisibility());
    const lost = shown.filter((control) => {
      control.scrollIntoView({ block: "center" });
      const { left, right, top, bottom } = control.getBoundingClientRect();
      const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return left < 0 || right > innerWidth || !there || !control.contains(there);
    });
    return { names: lost.map(({ id, textContent }) => id || textContent), count: shown.length };
  }, inside);
}

test("the keyboard alone reads a specimen", async () => {
  const page = await view({});
  await openProject(page);
  const focus = async (/** @type {string} */ target) => {
    for (let presses = 0; presses < 80; presses++) {
      if (await page.evaluate((target) => document.activeElement?.matches(target), target)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${target}`);
  };
  await focus("#see-1");
  await page.keyboard.press("Enter");
  await page.locator("#scope-name", { hasText: "S001" }).waitFor();
  await focus("#review");
  await page.keyboard.press("Enter"); // the focus goes to the gallery, on the first cell to review
  const first = await page.getAttribute("#gallery", "aria-activedescendant");
  assert.ok(first, "a cell is chosen");
  await page.keyboard.press("m");
  assert.match(await page.innerText("#preparation-why"), /^1 confirmed/);
  assert.notEqual(await page.getAttribute("#gallery", "aria-activedescendant"), first);
  await page.keyboard.press("Control+z");
  assert.match(await page.innerText("#preparation-why"), /^0 confirmed/);
  await page.keyboard.press("Control+a");
  await page.keyboard.press("c");
  await page.selectOption("#filter-state", "all");
  assert.ok((await page.locator(".card.read").count()) > 1, "an answer for all that are selected");
  await focus("#export summary");
  await page.keyboard.press("Enter");
  const arrives = page.waitForEvent("download");
  await focus("#export-csv");
  await page.keyboard.press("Enter");
  assert.equal((await arrives).suggestedFilename(), "specimens.csv", "it holds all of them");
  await focus(".field");
  await page.keyboard.press("End");
  const box = await page.getAttribute(".field", "aria-activedescendant");
  assert.equal(box, "box-1-11");
  const label = await page.getAttribute(`#${box}`, "aria-label");
  assert.match(label ?? "", /^(mitotic|interphase), decision value [+−]\d\.\d\d, .*S1-1\.png$/);
  await page.context().close();
});

test("the field is enlarged, moved and brightened without touching a figure", async () => {
  const page = await view({});
  await openProject(page);
  await page.click("#see-1");
  const figures = await page.innerText("#verdict");
  const wide = () =>
    page.locator(".stage").evaluate((stage) => stage.getBoundingClientRect().width);
  const whole = await wide();
  await page.locator(".field").press("+");
  assert.ok((await wide()) > 1.4 * whole);
  const left = () => page.locator(".stage").evaluate((stage) => stage.getBoundingClientRect().left);
  const before = await left();
  const area = await page.locator(".field").boundingBox();
  assert.ok(area);
  await page.mouse.move(area.x + 300, area.y + 200);
  await page.mouse.down();
  await page.mouse.move(area.x + 350, area.y + 220, { steps: 4 });
  await page.mouse.up();
  assert.equal(Math.round((await left()) - before), 50);
  assert.equal(await page.locator(".box[aria-selected=true]").count(), 0, "a drag is no click");
  await page.locator(".field").press("0");
  assert.equal(await wide(), whole);
  await page.locator(".contrast").fill("2");
  assert.match(
    await page.locator(".stage img").evaluate((img) => img.style.filter),
    /contrast\(2\)/,
  );
  assert.equal(await page.innerText("#verdict"), figures);
  const reset = page.locator(".tools button", { hasText: "↺" });
  await reset.press("Enter");
  assert.equal(await page.inputValue(".contrast"), "1");
  assert.ok(await reset.evaluate((button) => button === document.activeElement), "it keeps focus");
  await page.context().close();
});

test("no key answers for a cell that is out of view", async () => {
  const page = await view({});
  await openProject(page);
  await page.click("#see-1");
  await page.locator("#gallery .card").first().click();
  await page.click("#see-2");
  await page.locator("#gallery").press("m");
  await page.locator("#gallery .card.interphase").first().click();
  await page.selectOption("#filter-class", "mitotic");
  await page.locator("#gallery").press("m");
  await page.click("#see-all");
  await page.selectOption("#filter-class", "all");
  assert.equal(await page.locator("#gallery .card").count(), 36);
  assert.equal(await page.locator("#gallery .card.read").count(), 0);
  await page.context().close();
});

test("another language leaves no word behind", async () => {
  const page = await view({});
  await openProject(page);
  await page.click("#see-1");
  await page.locator("#gallery .card").first().click();
  const words = () =>
    page.evaluate(() => {
      const inside = document.querySelectorAll(
        "[data-text], .state, #verdict, .answers button, .hint",
      );
      return [...inside].map((element) => element.textContent?.trim() ?? "");
    });
  const english = await words();
  await page.selectOption("#language", "de");
  assert.equal(await page.getAttribute("html", "lang"), "de");
  const german = await words();
  // Words that both languages share.
  const same = ["Export", "Interphase (I)", ""];
  english.forEach((word, i) => {
    assert.ok(word !== german[i] || same.includes(word), `"${word}" is not translated`);
  });
  assert.match((await page.textContent("#gallery .value >> nth=0")) ?? "", /^[+−]\d,\d\d$/);
  await page.context().close();
});

test("the guide explains, is dismissed, and comes back when asked for", async () => {
  const page = await view({ keepGuide: true });
  assert.ok(await page.isVisible("#guide"));
  await page.click("#guide-close");
  assert.ok(await page.isHidden("#guide"));
  await page.click("#help");
  assert.ok(await page.isVisible("#guide"));
  await page.context().close();
});

/** @param {{ width?: number, colorScheme?: "light" | "dark", keepGuide?: boolean }} options */
async function view({ width = 1440, colorScheme = "light", keepGuide = false }) {
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 844 : 1000 },
    colorScheme,
  });
  const page = await open(context, `${site.url}?backend=cpu`);
  if (!keepGuide) await page.click("#guide-close");
  return page;
}

/** @param {import("playwright-core").Page} page */
async function openProject(page) {
  await page.setInputFiles("#project", project);
  await page.locator("body[data-state=files]").waitFor();
}

/** @param {import("playwright-core").Page} page @param {string} where */
async function violations(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (globalThis).axe.run();
    return violations.map((/** @type {any} */ violation) => [
      violation.id,
      ...violation.nodes.map(
        (/** @type {any} */ node) => `${node.html.slice(0, 160)} ${node.any?.[0]?.message ?? ""}`,
      ),
    ]);
  });
  assert.deepEqual(found, [], `axe on ${where}`);
}
