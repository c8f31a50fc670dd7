// @ts-check
/** What the tests of a file share: a site, a browser and a folder, for as long as they run. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { launch, serve } from "./site.mjs";

/**
 * @typedef {object} Stage
 * @property {Awaited<ReturnType<typeof serve>>} site
 * @property {import("playwright-core").Browser} browser
 * @property {string} folder empty at first, deleted at the end
 */

/** Filled before the first test. @returns {Stage} */
export function staged() {
  /** @type {any} */
  const stage = {};
  before(async () => {
    stage.folder = await mkdtemp(join(tmpdir(), "mitoscope-"));
    stage.site = await serve();
    stage.browser = await launch();
  });
  after(async () => {
    await stage.browser?.close();
    stage.site?.close();
    await rm(stage.folder, { recursive: true });
  });
  return stage;
}
