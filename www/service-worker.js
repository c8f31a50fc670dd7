// @ts-check
/**
 * The service worker: keeps the program on this device, so that the page opens without a network.
 *
 * The build puts the list of the site's files before this text and the whole into the site's root.
 *
 * Invariants: a version is kept whole, each file with the digest that was listed for it, or not at
 * all; the next one takes its place when no tab shows it any more. Nothing but the listed files is
 * ever asked for: where a host sends no headers, no content security policy binds this worker.
 */

/** @type {{ version: string, files: Record<string, string> }} SHA-256 in hex by path */
const { version, files } = /** @type {any} */ (self).SITE;
const ROOT = new URL("./", location.href).href;
/** Other sites of the same origin, and copies of this one, keep theirs. */
const PREFIX = `mitoscope ${ROOT} `;
const NAME = PREFIX + version;
const PAGE = "index.html";

addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(takeOver()));
addEventListener("fetch", (/** @type {any} */ event) => {
  const { method, url } = event.request;
  const path = url.split(/[?#]/)[0].slice(ROOT.length) || PAGE;
  if (method === "GET" && url.startsWith(ROOT) && Object.hasOwn(files, path)) {
    event.respondWith(answer(path));
  }
});

/** Fetches all files; rejects, and keeps none, where one is missing or of another version. */
async function keep() {
  const had = await caches.has(NAME);
  const cache = await caches.open(NAME);
  try {
    // A host that alters its pages is found out by this one.
    await keepOne(cache, PAGE);
    const others = Object.keys(files).filter((path) => path !== PAGE);
    await Promise.all(others.map((path) => keepOne(cache, path)));
  } catch (error) {
    // After a return to an earlier version its tabs may still be open.
    if (!had) await caches.delete(NAME);
    throw error;
  }
}

/** @param {Cache} cache @param {string} path */
async function keepOne(cache, path) {
  const response = await fetch(address(path), { cache: "no-cache" });
  const digest = await crypto.subtle.digest("SHA-256", await response.clone().arrayBuffer());
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
  if (!response.ok || hex.join("") !== files[path]) {
    throw new Error(`${path} is not the file of this version (status ${response.status})`);
  }
  await cache.put(address(path), response);
}

/** The page by its folder: hosts may redirect its name, and what was redirected opens no page. */
function address(/** @type {string} */ path) {
  return path === PAGE ? ROOT : ROOT + path;
}

/** Forgets other versions, and answers for the tabs that were there before this worker, too. */
async function takeOver() {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
  await /** @type {any} */ (self).clients.claim();
}

/** A file as it is kept, or from the network where the browser has thrown it away. @param {string} path */
async function answer(path) {
  const cache = await caches.open(NAME);
  return (await cache.match(address(path))) ?? fetch(address(path));
}
