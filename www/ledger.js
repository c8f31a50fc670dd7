// @ts-check
/**
 * Everything a person decides, as named values with undo and redo.
 *
 * Invariant: each `set` is one step back; undone steps can be done again until the next `set`.
 */

/**
 * @typedef {string | number | boolean | { [key: string]: string | number | null }} Value
 * @typedef {{ key: string, before: Value | undefined, after: Value | undefined }} Change
 */

/** Tells of every change through the event `change` (detail: string[], the keys). */
export class Ledger extends EventTarget {
  /** @type {Map<string, Value>} */ #values = new Map();
  /** @type {Change[][]} */ #done = [];
  /** @type {Change[][]} */ #undone = [];
  /** Grows with every change. */
  revision = 0;

  /** @param {string} key */
  get(key) {
    return this.#values.get(key);
  }

  /** Sets values in one step; `undefined` takes one out. @param {[string, Value | undefined][]} entries */
  set(entries) {
    const changes = entries
      .map(([key, after]) => ({ key, before: this.#values.get(key), after }))
      .filter(({ before, after }) => before !== after);
    if (changes.length === 0) return;
    this.#done.push(changes);
    this.#undone = [];
    this.#put(changes, "after");
  }

  /** Sets a value that is no step, such as who reads. @param {string} key @param {Value} value */
  note(key, value) {
    this.#put([{ key, before: this.#values.get(key), after: value }], "after");
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Takes the last step back. @returns {string[]} the keys concerned */
  undo() {
    const changes = this.#done.pop();
    if (!changes) return [];
    this.#undone.push(changes);
    return this.#put(changes, "before");
  }

  /** Does the step that was taken back last. @returns {string[]} the keys concerned */
  redo() {
    const changes = this.#undone.pop();
    if (!changes) return [];
    this.#done.push(changes);
    return this.#put(changes, "after");
  }

  /** All values in the order of their keys, so that equal ledgers are written alike. */
  entries() {
    const keys = [...this.#values.keys()].sort();
    return Object.fromEntries(
      keys.map((key) => [key, /** @type {Value} */ (this.#values.get(key))]),
    );
  }

  /** Forgets everything and takes these values. @param {Record<string, Value>} entries */
  replace(entries) {
    const keys = [...this.#values.keys(), ...Object.keys(entries)];
    this.#values = new Map(Object.entries(entries));
    this.#done = [];
    this.#undone = [];
    this.#tell(keys);
  }

  /** @param {Change[]} changes @param {"before" | "after"} side */
  #put(changes, side) {
    for (const change of changes) {
      const value = change[side];
      if (value === undefined) this.#values.delete(change.key);
      else this.#values.set(change.key, value);
    }
    return this.#tell(changes.map(({ key }) => key));
  }

  /** @param {string[]} keys */
  #tell(keys) {
    this.revision += 1;
    this.dispatchEvent(new CustomEvent("change", { detail: keys }));
    return keys;
  }
}
