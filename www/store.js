// @ts-check
/**
 * Keeps the work in this browser, when the user asks for it, so that it outlives a reload.
 *
 * Invariant: nothing is stored before `begin`, and after `erase` nothing is left.
 *
 * @import { Saved } from "./project.js"
 * @import { Source, Study } from "./study.js"
 */
import { sourceRecord } from "./project.js";

const NAME = "mitoscope";

/** The stored copy of one study. */
export class Store {
  /** @type {IDBDatabase | null} */ #database = null;
  /** @type {Map<Source, string>} what of each source is written */ #written = new Map();
  /** Writes follow one another. */
  #last = Promise.resolve();

  /** Whether the work is being kept. */
  get on() {
    return this.#database !== null;
  }

  /** Opens what an earlier visit has kept; null when nothing is. @returns {Promise<Saved | null>} */
  async resume() {
    // A browser that gives this page no storage has kept nothing.
    const databases = await indexedDB.databases().catch(() => []);
    if (!databases.some(({ name }) => name === NAME)) return null;
    await this.begin();
    const [sources, ledgers] = await Promise.all([this.#all("sources"), this.#all("ledger")]);
    return { sources, ledger: ledgers[0] ?? {} };
  }

  /** Starts to keep. */
  async begin() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("sources", { keyPath: "id" });
      request.result.createObjectStore("ledger");
    };
    this.#database = await settled(request);
    // Another tab that erases must not wait for this one.
    this.#database.onversionchange = () => this.#close();
  }

  /** Writes what has changed since the last time. @param {Study} study @returns {Promise<void>} */
  keep(study) {
    const written = this.#last.then(() => this.#write(study));
    this.#last = written.catch(() => {}); // told to the caller; the next one tries again
    return written;
  }

  /** Deletes everything and stops keeping. */
  async erase() {
    await this.#last;
    this.#close();
    await settled(indexedDB.deleteDatabase(NAME));
  }

  #close() {
    this.#database?.close();
    this.#database = null;
    this.#written.clear();
  }

  /** @param {Study} study */
  async #write(study) {
    if (!this.#database) return;
    const transaction = this.#database.transaction(["sources", "ledger"], "readwrite");
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const sources = transaction.objectStore("sources");
    for (const source of this.#written.keys()) {
      if (study.sources.includes(source)) continue;
      sources.delete(source.id);
      this.#written.delete(source);
    }
    for (const source of study.sources) {
      const { status, images, classified, cells, page, channel } = source;
      const state = [status, images, classified, cells.length, page, channel].join(" ");
      if (this.#written.get(source) === state) continue;
      sources.put(sourceRecord(source));
      this.#written.set(source, state);
    }
    transaction.objectStore("ledger").put(study.ledger.entries(), 0);
    await done;
  }

  /** @param {string} name */
  #all(name) {
    if (!this.#database) throw new Error("the store is not open");
    return settled(this.#database.transaction(name).objectStore(name).getAll());
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
