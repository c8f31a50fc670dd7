// @ts-check
/** Nothing leaves the machine: the network is watched, and the policy is probed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { file, png, simulatedCell, simulatedField } from "./helpers/images.mjs";
import { give, launch, open, serve, sink } from "./helpers/site.mjs";

test("no request after the page is loaded, and none to another origin ever", async () => {
  const site = await serve();
  const browser = await launch();
  try {
    const context = await browser.newContext();
    /** @type {string[]} */
    const asked = [];
    context.on("request", (request) => asked.push(request.url()));
    const page = await open(context, site.url);
    const loaded = site.requests.length;
    await give(page, [
      file("field.png", png(simulatedField(2))),
      file("cell.png", png(simulatedCell(1))),
      file("empty.tif", Buffer.alloc(0)),
    ]);
    assert.deepEqual(site.requests.slice(loaded), []);
    const elsewhere = asked.filter(
      (url) => !/^(blob:|data:)/.test(url) && !url.startsWith(site.url),
    );
    assert.deepEqual(elsewhere, []);
  } finally {
    await browser.close();
    site.close();
  }
});

for (const policy of /** @type {const} */ (["header", "meta"])) {
  test(`the policy, sent as ${policy}, blocks every way out that is probed`, async () => {
    const { results, reached } = await probe(policy);
    for (const [name, result] of Object.entries(results)) {
      assert.equal(result, "blocked", `${name} was not blocked`);
    }
    assert.deepEqual(reached, []);
  });
}

test("without the policy the same probes succeed, so they prove something", async () => {
  const { results, reached } = await probe("none");
  for (const [name, result] of Object.entries(results)) {
    assert.equal(result, "done", `${name} fails even without a policy`);
  }
  assert.deepEqual(reached.toSorted(), ["/image", "/page", "/script", "/worker"]);
});

/**
 * Tries what the policy forbids, in the page and in the page's own worker.
 *
 * @param {"header" | "meta" | "none"} policy
 * @returns {Promise<{ results: Record<string, string>, reached: string[] }>}
 */
async function probe(policy) {
  const [site, outside] = [await serve({ policy }), await sink()];
  const browser = await launch();
  try {
    const page = await open(browser, site.url);
    const worker = page.workers()[0];
    assert.match(worker.url(), /^blob:/, "the worker inherits the page's policy");
    const inPage = await page.evaluate(probePage, outside.url);
    const inWorker = await worker.evaluate(probeWorker, outside.url);
    return { results: { ...inPage, "worker fetch": inWorker }, reached: outside.requests };
  } finally {
    await browser.close();
    site.close();
    outside.close();
  }
}

/** @param {string} outside address of another origin */
async function probePage(outside) {
  /** @param {(done: () => void, blocked: () => void) => void} attempt */
  const result = (attempt) =>
    new Promise((resolve) => {
      setTimeout(() => resolve("blocked"), 3000);
      attempt(
        () => resolve("done"),
        () => resolve("blocked"),
      );
    });
  /** @param {"img" | "script"} tag @param {string} src */
  const element = (tag, src) =>
    result((done, blocked) => {
      const element = Object.assign(document.createElement(tag), { src });
      element.onerror = () => blocked();
      element.onload = () => done();
      document.body.append(element);
    });
  const inline = document.createElement("script");
  inline.textContent = "document.body.dataset.inline = 'ran'";
  document.body.append(inline);
  return {
    fetch: await result((done, blocked) => void fetch(`${outside}/page`).then(done, blocked)),
    // Outside this function's own call: the tool that makes it may evaluate anything.
    eval: await result((done, blocked) => {
      setTimeout(() => {
        try {
          new Function("return 1")();
          done();
        } catch {
          blocked();
        }
      });
    }),
    "inline script": document.body.dataset.inline === "ran" ? "done" : "blocked",
    script: await element("script", `${outside}/script`),
    // The sink sends no image: without a policy it is reached all the same.
    image: await result((done, blocked) => {
      document.addEventListener("securitypolicyviolation", () => blocked(), { once: true });
      new Image().src = `${outside}/image`;
      setTimeout(done, 1000);
    }),
  };
}

/** @param {string} outside address of another origin */
function probeWorker(outside) {
  return fetch(`${outside}/worker`).then(
    () => "done",
    () => "blocked",
  );
}
