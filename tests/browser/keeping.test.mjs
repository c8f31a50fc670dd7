// @ts-check
/** Two tabs that keep their work in one browser never write over each other unasked. */
import assert from "node:assert/strict";
import { beforeEach, afterEach, test } from "node:test";
import { file } from "./helpers/images.mjs";
import { madeUpProject } from "./helpers/project.mjs";
import { open } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";

const stage = staged();
/** @type {import("playwright-core").BrowserContext} */
let context;

beforeEach(async () => {
  context = await stage.browser.newContext();
});
afterEach(() => context.close());

test("a tab that has been overtaken says so and keeps nothing more", async () => {
  const first = await withProject(3);
  await keep(first);
  const second = await context.newPage();
  await second.goto(`${stage.site.url}?backend=cpu`);
  await said(second, /last visit is back/);
  await written(first, () => answer(first)); // the second tab has changed nothing: no conflict
  assert.ok(await first.isChecked("#keep"));
  await answer(second);
  await said(second, /Another tab has changed/);
  assert.equal(await second.isChecked("#keep"), false);
  await answer(second);
  assert.equal(await second.locator(".card.read").count(), 2, "the work stays on the page");
  await first.reload();
  await first.locator("body[data-state=files]").waitFor();
  assert.equal(await first.locator(".card.read").count(), 1, "only the first tab's is kept");
});

test("to keep where another tab keeps asks first", async () => {
  const [first, second] = [await withProject(2), await withProject(3)];
  await keep(first);
  await second.click("#keep");
  await second.locator("#question").waitFor();
  await second.click("#question button[value=no]");
  await second.locator("#keep:not(:checked)").waitFor();
  await second.click("#keep");
  await written(second, () => second.click("#question-yes"));
  await said(second, /is kept in this browser/);
  await answer(first);
  await said(first, /Another tab has changed/);
  await second.reload();
  await second.locator("body[data-state=files]").waitFor();
  assert.equal(await second.locator(".source").count(), 3, "what was replaced has left nothing");
});

test("a tab hears that another has erased", async () => {
  const first = await withProject(2);
  await keep(first);
  const second = await context.newPage();
  await second.goto(`${stage.site.url}?backend=cpu`);
  await said(second, /last visit is back/);
  await first.click("#erase");
  await said(first, /Nothing of your work/);
  await said(second, /Another tab has erased/);
  assert.equal(await second.isChecked("#keep"), false);
  assert.equal(await second.locator(".source").count(), 2, "the work stays on the page");
});

test("a project opened while the page loads does not lose what is kept unasked", async () => {
  await keep(await withProject(2));
  const page = await context.newPage();
  /** @type {() => void} */
  let go = () => {};
  const gate = new Promise((resolve) => (go = () => resolve(undefined)));
  await page.route("**/samples/*.png", async (route) => {
    await gate;
    await route.continue();
  });
  await page.goto(`${stage.site.url}?backend=cpu`, { waitUntil: "commit" });
  await page.locator("#samples:has-text('samples')").waitFor();
  await page.setInputFiles("#project", file("three.mitoscope", madeUpProject(3, 6)));
  go();
  await page.locator("#question").waitFor({ timeout: 60_000 });
  await page.click("#question button[value=no]");
  assert.equal(await page.locator(".source").count(), 2);
});

/** A page with a project of so many fields. @param {number} fields */
async function withProject(fields) {
  const page = await open(context, `${stage.site.url}?backend=cpu`);
  await page.setInputFiles("#project", file("small.mitoscope", madeUpProject(fields, 6)));
  await page.locator("body[data-state=files]").waitFor();
  return page;
}

/** @param {import("playwright-core").Page} page */
async function keep(page) {
  await written(page, () => page.check("#keep"));
  await said(page, /is kept in this browser/);
}

/** Answers for the first cell not yet read. @param {import("playwright-core").Page} page */
async function answer(page) {
  await page.locator("#gallery .card:not(.read)").first().click();
  await page.locator("#gallery").press("m");
}

/** Waits until what is done is in the store. @param {import("playwright-core").Page} page @param {() => Promise<unknown>} act */
async function written(page, act) {
  const before = await page.evaluate(stamp);
  await act();
  while ((await page.evaluate(stamp)) === before) await page.waitForTimeout(50);
}

/** The mark of the last write, asked inside the page; null while nothing is kept. */
async function stamp() {
  const databases = await indexedDB.databases();
  if (!databases.some(({ name }) => name === "mitoscope")) return null;
  const settled = (/** @type {IDBRequest} */ request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await settled(indexedDB.open("mitoscope"));
  const mark = await settled(database.transaction("ledger").objectStore("ledger").get(1));
  database.close();
  return mark ?? null;
}

/** @param {import("playwright-core").Page} page @param {RegExp} words */
function said(page, words) {
  return page.locator("#announce", { hasText: words }).waitFor();
}
