// @ts-check
/** Several threads give what one gives, in the same order; they stop and start anew together, or do without. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bmp, simulatedField } from "./helpers/images.mjs";
import { launch, open, serve } from "./helpers/site.mjs";

const FIELD = simulatedField(12);

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let page;

before(async () => {
  site = await serve({ files: { "field.bmp": bmp(FIELD) } });
  browser = await launch();
  page = await open(browser, `${site.url}?backend=cpu`);
});
after(async () => {
  await browser?.close();
  site?.close();
});

test("any number of threads gives the same numbers in the same order", async () => {
  const one = await classified({ threads: 1 });
  assert.equal(one.predictions.length, FIELD.boxes.length);
  for (const threads of [2, 4]) {
    const several = await classified({ threads });
    assert.deepEqual(several.predictions, one.predictions, `${threads} threads`);
    assert.deepEqual(several.embeddings, one.embeddings, `${threads} threads`);
    let next = 0;
    for (const { from, count } of several.batches) {
      assert.equal(from, next);
      next += count;
    }
  }
});

test("cells are judged before all are there, and again when all are", async () => {
  const stages = await page.evaluate(async (boxes) => {
    const { Client } = await import(new URL("www/client.js", location.href).href);
    const bytes = new Uint8Array(await (await fetch("field.bmp")).arrayBuffer());
    const client = await Client.start({ backend: "cpu", threads: 2 });
    /** @type {Record<string, number[][]>} */
    const stages = { embedded: [], glimpsed: [], classified: [] };
    const onProgress = (/** @type {any} */ progress) => {
      const { stage, count = 0, from = 0, predictions = [] } = progress;
      stages[stage]?.push(stage === "embedded" ? [count] : [from, predictions.length]);
    };
    await client.image(bytes, { as: "field", boxes, onProgress });
    client.stop();
    return stages;
  }, FIELD.boxes);
  const cells = FIELD.boxes.length;
  const counts = stages.embedded.map(([count]) => count);
  assert.deepEqual(counts, [...counts].sort((a, b) => a - b));
  assert.equal(counts.at(-1), cells);
  for (const { stage, all } of [
    { stage: "glimpsed", all: false },
    { stage: "classified", all: true },
  ]) {
    let next = 0;
    for (const [from, count] of stages[stage]) {
      assert.equal(from, next, stage);
      next += count;
    }
    assert.ok(next >= 16 && next <= cells && (next === cells) === all, `${stage} ${next} cells`);
  }
});

test("a cancel leaves nothing behind that holds up or mixes into the next image", async () => {
  const all = await classified({ threads: 1 });
  const { stopped, took, again } = await page.evaluate(async (boxes) => {
    const { Client } = await import(new URL("www/client.js", location.href).href);
    const bytes = new Uint8Array(await (await fetch("field.bmp")).arrayBuffer());
    const client = await Client.start({ backend: "cpu", threads: 3 });
    const abort = new AbortController();
    let cancelled = 0;
    /** @type {string} */
    const stopped = await client
      .image(bytes.slice(), {
        as: "field",
        boxes,
        signal: abort.signal,
        onProgress: ({ stage }) => {
          if (stage !== "classified" || cancelled > 0) return;
          cancelled = performance.now();
          abort.abort();
        },
      })
      .catch((/** @type {any} */ error) => error.code);
    const took = performance.now() - cancelled;
    /** @type {unknown[]} */
    const again = [];
    const onProgress = (/** @type {any} */ progress) => {
      if (progress.stage === "classified") again.push(...progress.predictions);
    };
    await client.image(bytes, { as: "field", boxes, onProgress });
    client.stop();
    return { stopped, took, again };
  }, FIELD.boxes);
  assert.equal(stopped, "cancelled");
  assert.ok(took < 300, `${took} ms`);
  assert.deepEqual(again, all.predictions);
});

test("an image that is cancelled while it waits is not even opened", async () => {
  const replies = await page.evaluate(async (boxes) => {
    const { Client } = await import(new URL("www/client.js", location.href).href);
    const bytes = new Uint8Array(await (await fetch("field.bmp")).arrayBuffer());
    /** @type {any[]} */
    const replies = [];
    const Original = Worker;
    window.Worker = class extends Original {
      /** @param {ConstructorParameters<typeof Worker>} args */
      constructor(...args) {
        super(...args);
        this.addEventListener("message", ({ data }) => replies.push(data));
      }
    };
    const client = await Client.start({ backend: "cpu", threads: 1 });
    window.Worker = Original;
    const abort = new AbortController();
    const options = { as: "field", boxes };
    const first = client.image(bytes.slice(), { ...options, onProgress: () => abort.abort() });
    const second = client.image(bytes, { ...options, signal: abort.signal });
    await Promise.allSettled([first, second]);
    await client.references(); // by now all is answered
    client.stop();
    const { id } = replies.find(({ code }) => code === "cancelled");
    return replies.filter((reply) => reply.id === id).map(({ kind }) => kind);
  }, FIELD.boxes);
  assert.deepEqual(replies, ["failed"]);
});

test("a helper that crashes fails one image; then all are there again", async () => {
  await page.evaluate(async (boxes) => {
    const { Client } = await import(new URL("www/client.js", location.href).href);
    const bytes = new Uint8Array(await (await fetch("field.bmp")).arrayBuffer());
    const client = await Client.start({ backend: "cpu", threads: 2 });
    const options = { as: "field", boxes };
    await client.image(bytes.slice(), options); // by now the helper is ready
    const endless = async () => {
      for (;;) await client.image(bytes.slice(), options);
    };
    Object.assign(window, {
      failing: endless().catch((/** @type {any} */ error) => error.code),
      next: async () => {
        /** @type {unknown[]} */
        const predictions = [];
        const onProgress = (/** @type {any} */ progress) => {
          if (progress.stage === "classified") predictions.push(...progress.predictions);
        };
        await client.image(bytes, { ...options, onProgress });
        client.stop();
        return predictions;
      },
    });
  }, FIELD.boxes);
  const helper = page.workers().at(-1);
  assert.ok(helper);
  assert.equal(await helper.evaluate(() => self.name), "mitoscope helper");
  await helper.evaluate(() => {
    setTimeout(() => {
      throw new WebAssembly.RuntimeError("unreachable");
    });
  });
  assert.equal(await page.evaluate("window.failing"), "crashed");
  const predictions = await page.evaluate("window.next()");
  assert.deepEqual(predictions, (await classified({ threads: 1 })).predictions);
});

test("helpers that do not start cost only their threads", async (t) => {
  const poor = await serve({ files: { "field.bmp": bmp(FIELD) }, absent: /www\/hand\.js$/ });
  t.after(poor.close);
  const alone = await open(browser, `${poor.url}?backend=cpu`);
  const { predictions } = await classified({ threads: 3, on: alone });
  assert.deepEqual(predictions, (await classified({ threads: 1 })).predictions);
  await alone.close();
});

/**
 * Classifies the field with a client of its own.
 *
 * @param {{ threads: number, on?: import("playwright-core").Page }} options
 */
function classified({ threads, on = page }) {
  return on.evaluate(
    async ({ threads, boxes }) => {
      const { Client } = await import(new URL("www/client.js", location.href).href);
      const bytes = new Uint8Array(await (await fetch("field.bmp")).arrayBuffer());
      const client = await Client.start({ backend: "cpu", threads });
      /** @type {{ predictions: any[], embeddings: number[][], batches: { from: number, count: number }[] }} */
      const answer = { predictions: [], embeddings: [], batches: [] };
      const onProgress = (/** @type {any} */ progress) => {
        if (progress.stage !== "classified") return;
        const { from, predictions, embeddings } = progress;
        answer.predictions.push(...predictions);
        answer.embeddings.push(...embeddings.map((/** @type {any} */ e) => [...e]));
        answer.batches.push({ from, count: predictions.length });
      };
      await client.image(bytes, { as: "field", boxes, embed: true, onProgress });
      client.stop();
      return answer;
    },
    { threads, boxes: FIELD.boxes },
  );
}
