// @ts-check
/** What a user sees and does on the page, on the CPU path. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  DATA,
  bmp,
  file,
  png,
  realData,
  simulatedCell,
  simulatedField,
  truncatedTiff,
} from "./helpers/images.mjs";
import { finished, give, open, serve, start } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";

const stage = staged();

const cell = () => file("cell.png", png(simulatedCell(1)));

/** Columns of a field that keeps a fast machine busy for seconds: time to interrupt it. */
const LONG = 30;
const field = (columns = 4) => file("field.bmp", bmp(simulatedField(columns)));

test("says what it runs, and for what it may be used", async () => {
  const page = await open(stage.browser, stage.site.url);
  assert.match(await page.innerText(".notice"), /Research use only, not for diagnostic procedures/);
  assert.match(await page.innerText(".privacy"), /stay on this computer/);
  assert.match(await page.innerText("#backend"), /CPU|GPU/);
  assert.match(await page.innerText("#identity"), /SHA-256 [0-9a-f]{12}$/);
  await page.close();
});

test("classifies a field: rows, boxes, counts and cards agree", async () => {
  const page = await open(stage.browser, stage.site.url);
  const real = realData("classifies a field");
  await page.selectOption("#kind", "field");
  const bytes = real ? await readFile(join(DATA, "fields/DOT-2.png")) : null;
  await give(page, [bytes ? file("DOT-2.png", bytes) : field()]);

  const [all, mitotic, interphase] = await boxCounts(page);
  assert.ok(all >= 5, `${all} cells are too few for this field`);
  assert.equal(mitotic + interphase, all, "every cell has a class");
  const counts = `${mitotic} mitotic of ${all} cells`;
  assert.equal(await page.innerText("#verdict"), counts);
  assert.equal(await page.textContent(".source .state"), counts);

  const values = (await page.locator("#gallery .value").allTextContents()).map(number);
  assert.equal(values.length, all);
  assert.deepEqual(
    values,
    values.toSorted((a, b) => b - a),
    "highest decision value first",
  );
  assert.equal(await page.locator("#gallery .card.mitotic").count(), mitotic);
  await page.close();
});

test("a cell picked in one view is marked in the other, also by keyboard", async () => {
  const page = await open(stage.browser, stage.site.url);
  await give(page, [field(2)]);
  await page.locator("#gallery .card").nth(1).click();
  const selected = page.locator(".box[aria-selected=true]");
  assert.equal(await selected.count(), 1);
  const first = await selected.getAttribute("id");
  await page.locator("#gallery").press("ArrowRight");
  assert.notEqual(await selected.getAttribute("id"), first);
  await page.locator(".field").press("Home");
  const card = await page.locator(".card[aria-selected=true]").getAttribute("id");
  assert.equal(await selected.getAttribute("id"), card?.replace("card", "box"));
  await page.close();
});

test("single cells dropped together become one row and a card each", async () => {
  const page = await open(stage.browser, stage.site.url);
  await give(
    page,
    [1, 2, 3].map((seed) => file(`${seed}.png`, png(simulatedCell(seed)))),
  );
  assert.equal(await page.locator(".source").count(), 1);
  assert.match((await page.textContent(".source .state")) ?? "", /^\d mitotic of 3 cells$/);
  const names = await page.locator("#gallery .name").allTextContents();
  assert.deepEqual(names.toSorted(), ["1.png", "2.png", "3.png"]);
  await page.close();
});

test("bad files get one clear line each and stop no other", async () => {
  const page = await open(stage.browser, stage.site.url);
  await give(page, [
    file("empty.png", Buffer.alloc(0)),
    file("cut.tif", truncatedTiff()),
    file("notes.png", Buffer.from("These are notes, not an image.\n")),
    cell(),
  ]);
  const failed = page.locator(".source.failed");
  assert.deepEqual(await failed.locator(".name").allTextContents(), [
    "empty.png",
    "cut.tif",
    "notes.png",
  ]);
  const lines = await failed.locator(".what").allTextContents();
  assert.match(lines[0], /empty/i);
  assert.match(lines[1], /damaged|truncated|too early/i);
  assert.match(lines[2], /no known image/i);
  assert.match(await page.innerText("#verdict"), /of 1 cell$/);
  await page.close();
});

test("a file dropped anywhere is taken and never replaces the page", async () => {
  const page = await open(stage.browser, stage.site.url);
  const prevented = await page.evaluate(
    (bytes) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
      const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
      document.querySelector("footer")?.dispatchEvent(drop);
      return drop.defaultPrevented;
    },
    [...cell().buffer],
  );
  assert.ok(prevented);
  await finished(page);
  assert.equal(await page.textContent(".source .name"), "dropped.png");
  await page.close();
});

test("cancel stops at once and keeps what is done", async () => {
  const page = await open(stage.browser, stage.site.url);
  await start(page, [field(LONG), cell()]);
  await page.locator("#gallery .card").first().waitFor();
  await page.evaluate(timeCancel);
  await page.click("#cancel");
  await finished(page);
  const took = Number(await page.getAttribute("body", "data-took"));
  assert.ok(took > 0 && took < 300, `it took ${took} ms to stop`);
  const focused = await page.evaluate(() => document.activeElement?.id);
  assert.equal(focused, "choose-files", "the focus goes on from the button that is gone");
  const [all, mitotic, interphase] = await boxCounts(page);
  assert.ok(mitotic + interphase > 0 && mitotic + interphase < all, "some cells were left out");
  assert.match((await page.textContent(".source .state >> nth=0")) ?? "", /^stopped: /);

  await give(page, [cell()]);
  assert.equal(await page.locator(".source.done").count(), 1, "the next image is classified");
  await page.close();
});

test("a crash of the worker fails one image; the rest goes on", async () => {
  const page = await open(stage.browser, stage.site.url);
  await start(page, [field(LONG), cell()]);
  await page.locator("#gallery .card").first().waitFor();
  await page.workers()[0].evaluate(() => {
    setTimeout(() => {
      throw new WebAssembly.RuntimeError("unreachable");
    });
  });
  await finished(page);
  assert.equal(await page.locator(".source.failed .name").textContent(), "field.bmp");
  assert.match((await page.textContent(".source.failed .what")) ?? "", /was started again/);
  assert.match((await page.textContent(".source.done .state")) ?? "", /of 1 cell$/);
  await page.close();
});

test("a damaged model is refused with the reason", async (t) => {
  const broken = await serve({ files: { "www/model/model.safetensors": Buffer.from("no model") } });
  t.after(broken.close);
  await assert.rejects(
    open(stage.browser, broken.url),
    /mitoscope cannot start\. .*(model|safetensors)/i,
  );
});

/** Writes down, inside the page, the milliseconds from the click on cancel to the end of the run. */
function timeCancel() {
  let clicked = 0;
  document
    .querySelector("#cancel")
    ?.addEventListener("click", () => (clicked = performance.now()), {
      capture: true,
    });
  new MutationObserver(() => {
    if (document.body.dataset.run !== "finished") return;
    document.body.dataset.took ??= `${performance.now() - clicked}`;
  }).observe(document.body, { attributeFilter: ["data-run"] });
}

/** All boxes, mitotic ones, interphase ones. @param {import("playwright-core").Page} page */
function boxCounts(page) {
  const kinds = [".box", ".box.mitotic", ".box.interphase"];
  return Promise.all(kinds.map((kind) => page.locator(kind).count()));
}

/** A decision value as shown. @param {string} text */
function number(text) {
  assert.match(text, /^[+−]\d+\.\d\d$/, "sign and two decimals");
  return Number(text.replace("−", "-"));
}
