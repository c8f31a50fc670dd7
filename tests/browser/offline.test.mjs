// @ts-check
/** The page opens without a network once it was there, and always as one version. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { file, png, simulatedField } from "./helpers/images.mjs";
import { DIST, give, launch, open, serve } from "./helpers/site.mjs";

const STYLE = "www/style.css";

/**
 * A site of another machine, as far as the browser knows, and the browser.
 *
 * @param {import("node:test").TestContext} t
 */
async function elsewhere(t) {
  /** @type {Record<string, Buffer>} what it serves in place of its files */
  const replaced = {};
  const site = await serve({ files: replaced, host: "mitoscope.test" });
  t.after(site.close);
  const browser = await launch({ trusted: site.origin });
  t.after(() => browser.close());
  const context = await browser.newContext();
  const visit = (url = site.url) => open(context, `${url}?backend=cpu`);
  return { site, replaced, visit };
}

/** Waits for what the page says of its keeping. @param {import("playwright-core").Page} page @param {RegExp} words */
async function says(page, words) {
  await page.locator("#offline", { hasText: words }).waitFor();
}

test("kept at the first visit, it opens and classifies when the server is gone", async (t) => {
  const { site, visit } = await elsewhere(t);
  const field = file("field.png", png(simulatedField(4)));
  const first = await visit();
  await says(first, /^Kept in this browser/);
  const asked = site.requests.length;
  await give(first, [field]);
  assert.deepEqual(site.requests.slice(asked), [], "it asked for more than its own files");
  const cells = await first.locator("#gallery [role=option]").count();
  assert.ok(cells > 0, "no cell was classified");
  await first.close();
  site.close();
  const page = await visit();
  /** @type {string[]} */
  const warnings = [];
  page.on("console", (message) => warnings.push(message.text()));
  await give(page, [field]);
  assert.equal(await page.locator("#gallery [role=option]").count(), cells);
  assert.deepEqual(warnings, [], "a helper did not start");
  await says(page, /^Kept in this browser/);
});

test("a newer version waits until no tab shows the old one", async (t) => {
  const { replaced, visit } = await elsewhere(t);
  const old = await visit();
  await says(old, /^Kept in this browser/);
  Object.assign(replaced, await newerVersion());
  const beside = await visit();
  await says(beside, /^A newer version is here/);
  await says(old, /^A newer version is here/);
  assert.equal(await isNewer(beside), false);
  await beside.close();
  const another = await visit();
  assert.equal(await isNewer(another), false, "a tab that was there before the worker counts too");
  await old.close();
  await another.close();
  const page = await visit();
  await says(page, /^Kept in this browser/);
  assert.equal(await isNewer(page), true);
  assert.equal(await page.evaluate(async () => (await caches.keys()).length), 1);
});

test("a site of two versions is not kept, and the page says so", async (t) => {
  const { replaced, visit } = await elsewhere(t);
  replaced[STYLE] = (await newerVersion())[STYLE];
  const page = await visit();
  await says(page, /^The page could not be kept/);
  assert.deepEqual(await page.evaluate(() => caches.keys()), []);
});

test("two copies of the site on one origin leave each other alone", async (t) => {
  const { site, replaced, visit } = await elsewhere(t);
  await says(await visit(), /^Kept in this browser/);
  Object.assign(replaced, await newerVersion());
  const other = await visit(site.url.replace("/lab/", "/lab-two/"));
  await says(other, /^Kept in this browser/);
  assert.equal(await isNewer(other), true);
  site.close();
  assert.equal(await isNewer(await visit()), false);
});

test("the browser finds nothing that keeps it from being installed", async (t) => {
  const { visit } = await elsewhere(t);
  const page = await visit();
  await says(page, /^Kept in this browser/);
  const session = await page.context().newCDPSession(page);
  const { errors, data } = await session.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  assert.match(data ?? "", /"name": "mitoscope"/);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  // The test's own profile is a private one.
  const faults = installabilityErrors.map(({ errorId }) => errorId);
  assert.deepEqual(faults, ["in-incognito"]);
});

/** The files in which another version differs: a style sheet, and the list of all files. */
async function newerVersion() {
  const style = Buffer.concat([await readFile(join(DIST, STYLE)), Buffer.from("\n/* newer */\n")]);
  const worker = await readFile(join(DIST, "service-worker.js"), "utf8");
  const { files } = JSON.parse(/^self\.SITE = (.*);$/m.exec(worker)?.[1] ?? "");
  const digest = createHash("sha256").update(style).digest("hex");
  const site = JSON.stringify({ version: digest, files: { ...files, [STYLE]: digest } });
  const text = worker.replace(/^self\.SITE = .*$/m, () => `self.SITE = ${site};`);
  return { [STYLE]: style, "service-worker.js": Buffer.from(text) };
}

/** Whether a page is of that version. @param {import("playwright-core").Page} page */
function isNewer(page) {
  return page.evaluate(async (path) => (await (await fetch(path)).text()).includes("newer"), STYLE);
}
