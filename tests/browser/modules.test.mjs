// @ts-check
/** The page loads the module that suits the browser, no other, and each is small. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";
import { file, png, simulatedCell } from "./helpers/images.mjs";
import { DIST, give, launch, open, serve } from "./helpers/site.mjs";

/** Most bytes of a module as a host sends it. */
const BUDGETS = { cpu: 1e6, "cpu-relaxed": 1e6, gpu: 3e6 };

for (const [name, budget] of Object.entries(BUDGETS)) {
  test(`the module ${name} keeps to its budget`, async () => {
    const module = await readFile(join(DIST, `pkg/${name}/mitoscope_bg.wasm`));
    const { length } = await promisify(brotliCompress)(module);
    console.log(`${name}: ${module.length} bytes, ${length} with brotli`);
    assert.ok(length <= budget, `${length} bytes are more than ${budget}`);
  });
}

test("without a GPU one module for the CPU is loaded, and nothing of WebGPU", async () => {
  const { asked } = await visit({ webgpu: false, query: "" });
  assert.deepEqual(asked, ["cpu-relaxed/mitoscope.js", "cpu-relaxed/mitoscope_bg.wasm"]);
});

test("a site without the module for WebGPU says so and computes on the CPU", async () => {
  const { backend, note } = await visit({ webgpu: true, query: "?software=1", absent: /pkg\/gpu/ });
  assert.match(backend, /CPU/);
  assert.match(note, /WebGPU does not start: .*pkg\/gpu\/mitoscope_bg\.wasm .*\(404\)/);
});

test("a site without the module for WebGPU is an error where WebGPU is demanded", async () => {
  const visiting = visit({ webgpu: true, query: "?backend=webgpu", absent: /pkg\/gpu/ });
  await assert.rejects(visiting, /cannot start.*\(404\)/);
});

/**
 * Opens the page and classifies a cell.
 *
 * @param {{ webgpu: boolean, query: string, absent?: RegExp }} options
 * @returns {Promise<{ asked: string[], backend: string, note: string }>} `asked`: files of modules
 */
async function visit({ webgpu, query, absent }) {
  const site = await serve({ absent });
  const browser = await launch({ webgpu });
  try {
    const page = await open(browser, `${site.url}${query}`);
    await give(page, [file("cell.png", png(simulatedCell(1)))]);
    const asked = site.requests.flatMap((path) => /\/pkg\/(.*)/.exec(path)?.[1] ?? []);
    return {
      asked: [...new Set(asked)].toSorted(),
      backend: await page.innerText("#backend"),
      note: await page.innerText("#backend-note"),
    };
  } finally {
    await browser.close();
    site.close();
  }
}
