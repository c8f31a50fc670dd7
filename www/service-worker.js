// @ts-check
/**
 * The service worker: keeps the program on this device, so that the page opens without a network.
 *
 * The build puts the list of the site's files before this text and the whole into the site's root.
 *
 * Invariant: one version is kept, and whole: each file has the digest that was listed for it. The
 * next version takes its place when no tab shows this one any more.
 */

/** @type {{ version: string, files: Record<string, string> }} SHA-256 in hex by path */
const { version, files } = /** @type {any} */ (self).SITE;
const ROOT = new URL("./", location.href).href;
const NAME = `mitoscope ${version}`;

addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(forgetOthers()));
addEventListener("fetch", (/** @type {any} */ event) => {
  const { method, url } = event.request;
  const path = url.split(/[?#]/)[0].slice(ROOT.length) || "index.html";
  if (method === "GET" && url.startsWith(ROOT) && Object.hasOwn(files, path)) {
    event.respondWith(answer(path));
  }
});

/** Fetches all files; rejects, and keeps none, where one is missing or of another version. */
async function keep() {
  const cache = await caches.open(NAME);
  try {
    await Promise.all(Object.keys(files).map((path) => keepOne(cache, path)));
  } catch (error) {
    await caches.delete(NAME);
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
  return path === "index.html" ? ROOT : ROOT + path;
}

async function forgetOthers() {
  const others = (await caches.keys()).filter((name) => /^mitoscope /.test(name) && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
}

/** A file as it is kept, or from the network where the browser has thrown it away. @param {string} path */
async function answer(path) {
  const cache = await caches.open(NAME);
  return (await cache.match(address(path))) ?? fetch(address(path));
}
