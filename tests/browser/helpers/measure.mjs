// @ts-check
/** Measures how long the page's main thread is held, and how much memory the page has taken. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

/** Milliseconds of work in one task (issue 4). */
export const LONGEST = 100;
/** MiB of the page's process (reliability table, 13). */
export const MEMORY = 1024;

/**
 * The longest task of the page's main thread while `work` is done, in milliseconds of CPU time, so
 * that a busy machine does not count.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<unknown>} work
 */
export async function longestTask(browser, page, work) {
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "__metadata"] });
  await work();
  const trace = JSON.parse((await browser.stopTracing()).toString());
  /** @type {{ name: string, ph: string, pid: number, tid: number, tdur?: number, args: any }[]} */
  const events = trace.traceEvents;
  const mains = new Set(
    events
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  const tasks = events.filter(
    ({ name, ph, pid, tid, tdur }) =>
      /RunTask$/.test(name) && ph === "X" && tdur !== undefined && mains.has(`${pid}/${tid}`),
  );
  assert.ok(tasks.length > 0, "the trace holds no task of the main thread");
  return Math.round(Math.max(...tasks.map(({ tdur }) => Number(tdur)))) / 1000;
}

/** Largest resident size of a renderer process so far. @param {import("playwright-core").Browser} browser */
export async function peakMib(browser) {
  return Math.max(...(await peaks(browser)).values());
}

/**
 * Largest resident size so far of every renderer process, in MiB, as Linux tells it.
 *
 * @param {import("playwright-core").Browser} browser
 * @returns {Promise<Map<number, number>>}
 */
export async function peaks(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  return new Map(
    await Promise.all(
      renderers.map(async ({ id }) => {
        const status = await readFile(`/proc/${id}/status`, "utf8");
        const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
        return /** @type {const} */ ([id, Math.round(peak)]);
      }),
    ),
  );
}
