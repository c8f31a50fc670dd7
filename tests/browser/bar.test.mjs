// @ts-check
/** The bar asks before work is lost, keeps reader and focus, and says what is the case. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { file } from "./helpers/images.mjs";
import { madeUpProject } from "./helpers/project.mjs";
import { open } from "./helpers/site.mjs";
import { staged } from "./helpers/stage.mjs";

const stage = staged();

test("to open or to clear asks first, with nothing to undo too, and who reads stays", async () => {
  const page = await withProject();
  await page.fill("#reader", "KM");
  await page.locator("#reader").blur();
  await page.setInputFiles("#project", file("three.mitoscope", madeUpProject(3, 6)));
  await page.click("#question-yes");
  await page.locator(".source").nth(2).waitFor();
  assert.equal(await page.inputValue("#reader"), "KM");
  assert.ok(await page.isDisabled("#undo"));
  await page.click("#clear");
  await page.click("#question button[value=no]");
  assert.equal(await page.locator(".source").count(), 3);
  await page.click("#clear");
  await page.click("#question-yes");
  await page.locator("body[data-state=empty]").waitFor();
  assert.equal(await page.locator(".source").count(), 0);
  await page.close();
});

test("the focus does not get lost with the button that had it", async () => {
  const page = await withProject();
  const focused = () => page.evaluate(() => document.activeElement?.id);
  await page.locator("#gallery .card").first().click();
  await page.locator("#gallery").press("m");
  await page.focus("#undo");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "redo");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "undo");
  await page.check("#keep");
  await page.locator("#erase").waitFor();
  await page.focus("#erase");
  await page.keyboard.press("Enter");
  await page.locator("#announce", { hasText: "Nothing of your work" }).waitFor();
  assert.equal(await focused(), "keep");
  await page.close();
});

test("a browser that keeps nothing is not said to keep", async () => {
  const page = await withProject();
  await page.evaluate(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("refused", "SecurityError");
    };
  });
  await page.click("#keep");
  await page.locator("#announce", { hasText: "could not keep your work" }).waitFor();
  assert.equal(await page.isChecked("#keep"), false);
  await page.close();
});

test("the browser's own command to print finds the report of what is there", async () => {
  const page = await withProject();
  const printed = () =>
    page.evaluate(() => {
      dispatchEvent(new Event("beforeprint"));
      return document.querySelector("#report")?.textContent ?? "";
    });
  assert.match(await printed(), /S1-1\.png: \d+ mitotic of 6 cells/);
  await page.click("#see-2");
  await page.fill("#note", "second cut");
  await page.locator("#note").blur();
  const words = await printed();
  assert.match(words, /second cut/);
  assert.doesNotMatch(words, /S1-1\.png/);
  await page.close();
});

/** A page with a project of two specimens. */
async function withProject() {
  const page = await open(stage.browser, `${stage.site.url}?backend=cpu`);
  await page.setInputFiles("#project", file("two.mitoscope", madeUpProject(2, 6)));
  await page.locator("body[data-state=files]").waitFor();
  return page;
}
