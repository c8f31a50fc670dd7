// @ts-check
/** Serves the built site and opens it in Chromium, the way a user would meet it. */
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
export const DIST = process.env.MITOSCOPE_DIST ?? join(PROJECT, "dist");

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

const LAB = /^\/lab(-two)?\//;

const FLAGS = [
  "--no-sandbox",
  "--headless=new",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
];
/** WebGPU emulated on the CPU: slow, but the same shaders as on a GPU. */
const SWIFTSHADER = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--use-webgpu-adapter=swiftshader",
  "--ignore-gpu-blocklist",
];

/**
 * Serves the site on the loopback address below `/lab/`, to prove that it works under a path, and below
 * `/lab-two/`.
 *
 * @param {object} [options]
 * @param {"header" | "meta" | "none"} [options.policy] `header` as a good host sends it, `meta` as a
 *   host that sends no headers, `none` to prove that a probe would succeed without
 * @param {Record<string, Buffer>} [options.files] extra files by path
 * @param {boolean} [options.cached] the browser may take what it has for an hour
 * @param {RegExp} [options.held] paths that are never answered
 * @param {RegExp} [options.absent] files that are not found
 * @param {string} [options.host] name of the server, for a browser launched to know it
 */
export async function serve({ policy = "header", files = {}, cached, held, absent, host } = {}) {
  const [tag, content] = await contentPolicy();
  /** @type {Record<string, string>} */
  const headers = { "cache-control": cached ? "max-age=3600" : "no-cache" };
  if (policy === "header")
    headers["content-security-policy"] = `${content}; frame-ancestors 'none'`;
  /** @type {string[]} */
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? "").split("?")[0]));
    requests.push(path);
    if (held?.test(path)) return;
    const inside = path.replace(LAB, "").replace(/^$/, "index.html");
    let body = files[inside] ?? (await readFile(join(DIST, inside)).catch(() => null));
    if (absent?.test(inside)) body = null;
    if (body === null || !LAB.test(path)) return response.writeHead(404).end("not found");
    if (policy === "none" && inside === "index.html")
      body = Buffer.from(`${body}`.replace(tag, ""));
    const type = TYPES[extname(inside)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, ...headers }).end(body);
  });
  const origin = (await listen(server)).replace("127.0.0.1", host ?? "127.0.0.1");
  return { url: `${origin}/lab/`, origin, requests, close: () => close(server) };
}

/** A server of another origin that writes down whatever reaches it. */
export async function sink() {
  /** @type {string[]} */
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    response.writeHead(200, { "access-control-allow-origin": "*" }).end();
  });
  return { url: await listen(server), requests, close: () => close(server) };
}

/**
 * Starts Chromium.
 *
 * @param {object} [options]
 * @param {boolean} [options.webgpu] with an emulated adapter
 * @param {string} [options.trusted] origin on this machine that counts as served over https
 */
export function launch({ webgpu = false, trusted } = {}) {
  const named = trusted
    ? [
        `--host-resolver-rules=MAP ${new URL(trusted).hostname} 127.0.0.1`,
        `--unsafely-treat-insecure-origin-as-secure=${trusted}`,
      ]
    : [];
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [...FLAGS, ...(webgpu ? SWIFTSHADER : []), ...named],
  });
}

/**
 * Opens the page and waits until it can take images; fails with the page's own words if it cannot.
 *
 * @param {import("playwright-core").Browser | import("playwright-core").BrowserContext} browser
 * @param {string} url
 */
export async function open(browser, url) {
  const page = await browser.newPage();
  await page.goto(url);
  const state = page.locator("body[data-state=empty], body[data-state=failed]");
  await state.waitFor({ timeout: 120_000 });
  if ((await state.getAttribute("data-state")) === "failed") {
    throw new Error(`the page says: ${await page.textContent("#fatal")}`);
  }
  return page;
}

/**
 * Gives files to the page as the picker would.
 *
 * @param {import("playwright-core").Page} page
 * @param {(string | { name: string, mimeType: string, buffer: Buffer })[]} files
 */
export async function start(page, files) {
  await page.evaluate(() => delete document.body.dataset.run);
  await page.setInputFiles("#files", /** @type {any} */ (files));
}

/** Waits until all files are worked through. @param {import("playwright-core").Page} page */
export function finished(page) {
  return page.locator("body[data-run=finished]").waitFor({ timeout: 300_000 });
}

/** Gives files and waits for them. @type {typeof start} */
export async function give(page, files) {
  await start(page, files);
  await finished(page);
}

/** What an export writes. @param {import("playwright-core").Page} page @param {string} button */
export async function download(page, button) {
  const arrives = page.waitForEvent("download");
  await page.click("#export summary");
  await page.click(button);
  return readFile(await (await arrives).path());
}

/** Rows of a CSV file without quoted line ends. @param {Buffer} bytes @returns {Record<string, string>[]} */
export function table(bytes) {
  const fields = (/** @type {string} */ line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain,
    );
  const [head, ...lines] = bytes.toString().trim().split(/\r?\n/).map(fields);
  return lines.map((line) => Object.fromEntries(head.map((name, i) => [name, line[i]])));
}

/** The meta tag of the built page that holds the policy, and the policy. */
async function contentPolicy() {
  const html = await readFile(join(DIST, "index.html"), "utf8").catch(() => {
    throw new Error(`${DIST} holds no site: build it with \`cargo xtask dist\` first`);
  });
  const found = /<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]+)"\s*\/>/.exec(html);
  if (!found) throw new Error("index.html has no content security policy");
  return found;
}

/** @param {import("node:http").Server} server */
async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}

/** @param {import("node:http").Server} server */
function close(server) {
  server.closeAllConnections();
  server.close();
}
