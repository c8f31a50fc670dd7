// @ts-check
/** The page speaks one language at a time, and the named thresholds of a model are at hand. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { file, truncatedTiff } from "./helpers/images.mjs";
import { madeUpProject, modelManifest, modelSha256 } from "./helpers/project.mjs";
import { PROJECT, give, open, serve } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";

const stage = staged();

test("the language outlives a reload without anything being stored", async () => {
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  await page.selectOption("#language", "de");
  await page.reload();
  await page.locator("body[data-state=empty]").waitFor();
  assert.equal(await page.inputValue("#language"), "de");
  assert.equal(await page.getAttribute("html", "lang"), "de");
  assert.match(page.url(), /backend=cpu/, "the rest of the address stays");
  assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0);
  await page.close();
});

test("German: what went wrong in German, the program's own words behind it as English", async () => {
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu&lang=de`);
  await give(page, [file("empty.png", Buffer.alloc(0)), file("cut.tif", truncatedTiff())]);
  const rows = page.locator(".source.failed");
  assert.equal(await rows.count(), 2);
  for (const row of await rows.all()) {
    assert.equal(
      await row.locator(".what").textContent(),
      "Diese Datei lässt sich nicht als Bild lesen.",
    );
    assert.match((await row.locator("[lang=en]").textContent()) ?? "", /^[A-Z].* .*\.$/);
  }
  await page.close();
});

test("every error that explains itself in English has a German sentence", async () => {
  const { faults } = await import(join(PROJECT, "www/messages/german.js"));
  const source = await readFile(join(PROJECT, "src/error.rs"), "utf8");
  const codes = [...source.matchAll(/=> "([a-z-]+)",/g)].map(([, code]) => code);
  assert.ok(codes.length >= 6, `src/error.rs gives only ${codes}`);
  for (const code of [...codes, "load", "project"]) assert.ok(faults[code], `none for "${code}"`);
});

test("every staining pattern and every point of the model has a German word", async () => {
  const { german, kinds } = await import(join(PROJECT, "www/messages/german.js"));
  const source = await readFile(join(PROJECT, "native-trainer/src/simulation/pattern.rs"), "utf8");
  const [patterns] = source.split("pub enum View");
  const names = [...patterns.matchAll(/=> "([a-z ]+)",/g)].map(([, name]) => name);
  assert.ok(names.length >= 11, `pattern.rs gives only ${names}`);
  for (const name of names) assert.ok(kinds[name], `none for "${name}"`);
  for (const { name } of (await modelManifest()).operating_points) {
    assert.ok(german.point[name], `none for "${name}"`);
  }
});

test("what was said is said again in another language", async (t) => {
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  const says = (/** @type {string} */ id, /** @type {RegExp} */ words) =>
    page.locator(id, { hasText: words }).waitFor();
  await says("#announce", /^Ready\.$/);
  await page.selectOption("#language", "de");
  await says("#announce", /^Bereit\.$/);
  const project = madeUpProject(1, 12, { sha256: await modelSha256() });
  await page.setInputFiles("#project", file("map.mitoscope", project));
  await page.locator("body[data-state=files]").waitFor();
  await page.locator("#plot").press("Enter");
  await says("#map-said", /^Gewählt: /);
  await page.selectOption("#language", "en");
  await says("#announce", /^The project is open\.$/);
  await says("#map-said", /^Chosen: /);
  const broken = await serve({ files: { "www/model/model.safetensors": Buffer.from("no model") } });
  t.after(broken.close);
  await page.goto(broken.url);
  await says("#fatal", /^mitoscope cannot start\./);
  await page.selectOption("#language", "de");
  await says("#fatal", /^mitoscope kann nicht starten\./);
  await page.close();
});

test("the operating points of a model are named on the slider, and a click applies one", async () => {
  const operatingPoints = [
    { name: "balanced", threshold: 0 },
    { name: "specific", threshold: 0.4837 },
    { name: "sensitive", threshold: -0.6191 },
    { name: "lab's own", threshold: 0.25 },
  ];
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  const project = madeUpProject(2, 60, { together: true, operatingPoints });
  await page.setInputFiles("#project", file("points.mitoscope", project));
  await page.locator("body[data-state=files]").waitFor();
  const buttons = page.locator("#points button");
  // In order; those of the loaded model are offered as well.
  const loaded = (await modelManifest()).operating_points
    .filter((/** @type {any} */ { threshold }) => threshold !== 0)
    .map((/** @type {any} */ { name, threshold }) => {
      const size = Math.abs(threshold).toFixed(2);
      return `${name} ${threshold < 0 ? "−" : "+"}${size}`;
    });
  const given = [
    "sensitive −0.62",
    "SVM boundary = balanced +0.00",
    "lab's own +0.25",
    "specific +0.48",
  ];
  const value = (/** @type {string} */ text) => Number(text.split(" ").at(-1)?.replace("−", "-"));
  const expected = [...given, ...loaded].sort((a, b) => value(a) - value(b));
  assert.deepEqual(await buttons.allTextContents(), expected);
  const values = (await page.locator("#gallery .value").allTextContents()).map((text) =>
    Number(text.replace("−", "-")),
  );
  for (const { name, threshold } of operatingPoints) {
    await buttons.filter({ hasText: name }).click();
    assert.equal(await page.locator("#points [aria-pressed=true]").count(), 1);
    const shown = Number(/^\d+/.exec(await page.innerText("#verdict")));
    const near = values.filter((value) => Math.abs(value - threshold) <= 0.006).length;
    const above = values.filter((value) => value > threshold + 0.006).length;
    assert.ok(shown >= above && shown <= above + near, `${shown} above "${name}", not ${above}`);
  }
  // The slider finds a point when it comes near it, and says its name.
  await page.locator("#threshold").fill("0.48");
  assert.match(await page.innerText("#threshold-words"), /specific/);
  await page.locator("#threshold").press("ArrowRight");
  assert.match(await page.innerText("#threshold-words"), /\+0\.49 \(own threshold\)/);
  await page.close();
});
