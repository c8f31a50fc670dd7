// @ts-check
/**
 * Keeps the work in this browser, when the user asks for it, so that it outlives a reload.
 *
 * Invariant: nothing is stored before `begin`, and after `erase` nothing is left; of two tabs that keep,
 * neither writes over what it has not seen. Each write leaves a stamp, and who finds another's stops.
 *
 * @import { Saved } from "./project.js"
 * @import { Source, Study } from "./study.js"
 */
import { sourceRecord } from "./project.js";

const NAME = "mitoscope";
/** Keys of the store `ledger`. */
const [ENTRIES, STAMP] = [0, 1];

/**
 * The stored copy of one study. Tells through the event `lost` (detail: "overtaken" or "erased") when
 * another tab makes it stop keeping.
 */
export class Store extends EventTarget {
  /** @type {IDBDatabase | null} */ #database = null;
  /** @type {Map<Source, string>} what of each source is written */ #written = new Map();
  /** Of the ledger that is written. */
  #revision = -1;
  /** @type {string | null} of the write that this tab has made or read last */ #stamp = null;
  /** Whether another's records are still to be deleted. */
  #replaces = false;
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
    const transaction = (await this.#open()).transaction(["sources", "ledger"]);
    const ledgers = transaction.objectStore("ledger");
    const [sources, ledger, stamp] = await Promise.all([
      settled(transaction.objectStore("sources").getAll()),
      settled(ledgers.get(ENTRIES)),
      settled(ledgers.get(STAMP)),
    ]);
    this.#stamp = stamp ?? null;
    return { sources, ledger: ledger ?? {} };
  }

  /** Takes the study, just restored from here, as written. @param {Study} study */
  adopt(study) {
    for (const source of study.sources) this.#written.set(source, stateOf(source));
    this.#revision = study.ledger.revision;
  }

  /**
   * Starts to keep. Gives false and stays off when there is work that this tab has not seen, unless it
   * is to be replaced.
   *
   * @param {boolean} [replace]
   */
  async begin(replace = false) {
    const ledgers = (await this.#open()).transaction("ledger").objectStore("ledger");
    this.#stamp = (await settled(ledgers.get(STAMP))) ?? null;
    this.#replaces = this.#stamp !== null;
    if (this.#replaces && !replace) this.#close();
    return this.on;
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

  async #open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("sources", { keyPath: "id" });
      request.result.createObjectStore("ledger");
    };
    this.#database = await settled(request);
    // Another tab that erases must not wait for this one.
    this.#database.onversionchange = () => this.#lose("erased");
    return this.#database;
  }

  /** @param {"overtaken" | "erased"} why */
  #lose(why) {
    this.#close();
    this.dispatchEvent(new CustomEvent("lost", { detail: why }));
  }

  #close() {
    this.#database?.close();
    this.#database = null;
    this.#written.clear();
    this.#revision = -1;
  }

  /** @param {Study} study */
  async #write(study) {
    if (!this.#database) return;
    const { revision } = study.ledger;
    const gone = [...this.#written.keys()].filter((source) => !study.sources.includes(source));
    const news = study.sources.filter((source) => this.#written.get(source) !== stateOf(source));
    if (gone.length + news.length === 0 && revision === this.#revision) return;
    const transaction = this.#database.transaction(["sources", "ledger"], "readwrite");
    const [sources, ledgers] = ["sources", "ledger"].map((name) => transaction.objectStore(name));
    if (((await settled(ledgers.get(STAMP))) ?? null) !== this.#stamp)
      return this.#lose("overtaken");
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const states = news.map(stateOf);
    const stamp = `${Date.now()} ${Math.random()}`;
    if (this.#replaces) sources.clear();
    for (const { id } of gone) sources.delete(id);
    // Each in a task of its own, lest many hold the page for long.
    for (const source of news)
      await Promise.race([settled(sources.put(sourceRecord(source))), done]);
    ledgers.put(study.ledger.entries(), ENTRIES);
    ledgers.put(stamp, STAMP);
    await done;
    if (this.#database !== transaction.db) return; // another tab has erased it meanwhile
    this.#stamp = stamp;
    this.#replaces = false;
    this.#revision = revision;
    for (const source of gone) this.#written.delete(source);
    news.forEach((source, i) => this.#written.set(source, states[i]));
  }
}

/** What tells that a source has changed since it was written. @param {Source} source */
function stateOf({ status, images, classified, cells, page, channel }) {
  return [status, images, classified, cells.length, page, channel].join(" ");
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
