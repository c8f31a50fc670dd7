// @ts-check
/**
 * All that the page knows: images with their cells, specimens, the reader's answers, the selection.
 *
 * Invariant: what a person decides lives in the ledger alone; calls and verdicts are derived from it
 * and from the predictions before anyone is told of a change.
 *
 * @import * as Protocol from "./protocol.js"
 * @import { Call, Verdict } from "./verdict.js"
 */
import { Ledger } from "./ledger.js";
import { t } from "./messages.js";
import { FIRST_READING, readingId } from "./reading.js";
import { BOUNDARY, MARGIN, NEEDED, judge } from "./verdict.js";

/**
 * @typedef {"waiting" | "working" | "done" | "failed" | "stopped"} Status
 *
 * @typedef {object} ModelName which model gave a source's predictions
 * @property {string} sha256
 * @property {string} name
 * @property {string} mitoscope version of the program
 * @property {{ name: string, threshold: number }[]} operatingPoints
 * @property {{ mitotic: number, interphase: number, low: number, high: number } | null} [abstention]
 *   decision values between which it abstains, so that these shares are not called the other class
 *
 * @typedef {object} Source one field, or single-cell images that belong together
 * @property {number} id
 * @property {string} name
 * @property {string} folder path of its files, from what was dropped; or empty
 * @property {number} images how many files it stands for
 * @property {File | null} file of a field, while the page is open
 * @property {number} page of the file, from 0 on
 * @property {Protocol.Channel} channel
 * @property {number} pages of the file
 * @property {boolean} coloured whether the file has channels
 * @property {Status} status
 * @property {Cell[]} cells
 * @property {number} embedded how many of `cells` are embedded, which takes most of the time
 * @property {number} classified how many of `cells` have a prediction
 * @property {{ width: number, height: number } | null} size in pixels; null for single cells
 * @property {Blob | null} preview
 * @property {Protocol.Thumbnails | null} thumbnails
 * @property {Protocol.Failure | null} failure
 * @property {ModelName | null} model
 *
 * @typedef {object} Cell
 * @property {string} id unique, fit for an element's id
 * @property {Source} source
 * @property {number} index in the source
 * @property {string} name of its file
 * @property {Protocol.Box} box
 * @property {Protocol.Prediction | null} prediction
 * @property {Call} call
 * @property {Answer | null} answer the reader's
 *
 * @typedef {{ label: Protocol.Label, reader: string, at: string }} Answer
 *
 * @typedef {object} Specimen
 * @property {string} id
 * @property {string} name
 * @property {string} note
 * @property {boolean} gradable
 * @property {Source[]} sources
 * @property {Cell[]} cells
 * @property {Verdict} verdict
 *
 * @typedef {"sources" | "cells" | "specimens" | "selection" | "view"} Part of what has changed
 */

/** What can have become of a source that is no longer worked on. */
export const ENDS = ["done", "failed", "stopped"];

/** So many cells are judged and shown in tasks of their own, lest one hold the page for long. */
const MANY = 1000;

/** Images that are or shall be read, and those that were not, or not to the end. @param {Source[]} sources */
export function countImages(sources) {
  const count = (/** @type {Source[]} */ some) => some.reduce((sum, { images }) => sum + images, 0);
  const missing = count(sources.filter(({ status }) => ["failed", "stopped"].includes(status)));
  return { images: count(sources) - missing, missing };
}

/** Does some work after what is being done, on many cells in a task of its own. @param {number} cells @param {() => void} work */
export function soon(cells, work) {
  if (cells < MANY) queueMicrotask(work);
  else setTimeout(work);
}

/** @type {Call} */
const NO_CALL = { model: null, label: null, doubt: null };

/** The first number, from 1 on, above all that are taken. @param {number[]} taken */
function above(taken) {
  return 1 + taken.reduce((most, one) => Math.max(most, one), 0);
}

/** What a source is unless told otherwise. */
const PLAIN = { folder: "", file: null, ...FIRST_READING, pages: 1, coloured: false };

/** What a source holds before it is read. @returns {Pick<Source, "status" | "cells" | "embedded" | "classified" | "size" | "preview" | "thumbnails" | "failure">} */
function unread() {
  return {
    ...{ status: "waiting", cells: [], embedded: 0, classified: 0 },
    ...{ size: null, preview: null, thumbnails: null, failure: null },
  };
}

/** Tells of changes, gathered, through the event `change` (detail: Set of Part). */
export class Study extends EventTarget {
  /** @type {Source[]} */ sources = [];
  /** @type {Specimen[]} */ specimens = [];
  /** @type {Set<Cell>} */ selection = new Set();
  /** @type {Cell | null} the one that keys and details are about */ current = null;
  /** @type {Source | null} the field in view */ shown = null;
  /** @type {string | null} id of the specimen in view; null: all */ scope = null;
  /** @type {ModelName | null} of the model that is loaded */ model = null;
  /** @type {Protocol.References | null} of the model that is loaded */ references = null;
  /** Grows when other work takes the place of all that is here. */
  generation = 0;
  ledger = new Ledger();
  /** @type {Map<string, Cell>} */ #cells = new Map();
  /** @type {Set<Part>} */ #changed = new Set();
  #nextSource = 1;
  #nextSpecimen = 1;

  constructor() {
    super();
    this.ledger.addEventListener("change", (event) => {
      const keys = /** @type {CustomEvent<string[]>} */ (event).detail;
      for (const key of keys) {
        const cell = this.#cellOf(key);
        if (cell) cell.answer = /** @type {any} */ (this.ledger.get(key)) ?? null;
      }
      this.#touch("cells", "specimens");
    });
  }

  get threshold() {
    return Number(this.ledger.get("threshold") ?? BOUNDARY);
  }

  get needed() {
    return Number(this.ledger.get("needed") ?? NEEDED);
  }

  get reader() {
    return String(this.ledger.get("reader") ?? "");
  }

  /** The models that have classified what is here; before any has, the one that will. @returns {ModelName[]} */
  get #models() {
    const models = this.sources.flatMap(({ model, classified }) => (classified && model) || []);
    return models.length > 0 || !this.model ? models : [this.model];
  }

  /** Named thresholds: the boundary, then those of the loaded model and of the models in use. */
  get points() {
    const points = [{ name: "boundary", threshold: BOUNDARY }];
    const models = [this.model, ...this.#models];
    for (const point of models.flatMap((model) => model?.operatingPoints ?? [])) {
      const { name, threshold } = point;
      if (points.some((other) => other.name === name && other.threshold === threshold)) continue;
      points.push(point);
    }
    return points;
  }

  /**
   * Decision values between which a cell is uncertain: where the models in use abstain, or the margin of
   * their support vector machines.
   *
   * @returns {[number, number]}
   */
  get margin() {
    const [low, high] = MARGIN;
    const margins = this.#models.map(({ abstention }) => abstention ?? { low, high });
    if (margins.length === 0) return MARGIN;
    return [Math.min(...margins.map((one) => one.low)), Math.max(...margins.map((one) => one.high))];
  }

  /** The specimen in view: the chosen one, or the only one. */
  get specimen() {
    if (this.specimens.length === 1) return this.specimens[0];
    return this.specimens.find(({ id }) => id === this.scope) ?? null;
  }

  /** The cells of what is in view. */
  get cells() {
    return this.specimen?.cells ?? this.specimens.flatMap(({ cells }) => cells);
  }

  /** Whether the loaded model classified it, so that its map and references apply. @param {Source} source */
  isOfModel(source) {
    return source.model !== null && source.model.sha256 === this.model?.sha256;
  }

  /** The reference cells nearest to a cell, nearest first. @param {Cell} cell */
  neighboursOf({ source, prediction }) {
    const known = this.isOfModel(source) ? (this.references?.cells ?? []) : [];
    return (prediction?.neighbours ?? []).flatMap(({ index, distance }) =>
      known[index] ? [{ ...known[index], index, distance }] : [],
    );
  }

  /** @param {Source} source */
  specimenOf(source) {
    return this.specimens.find(({ sources }) => sources.includes(source)) ?? null;
  }

  /**
   * Adds a source to the specimen of another, else to that of this name, or to a new one.
   *
   * @param {Pick<Source, "name"> & Partial<Source>} known
   * @param {string} group
   * @param {Source} [like] may be removed already
   */
  add(known, group, like) {
    /** @type {Source} */
    const source = {
      id: this.#nextSource++,
      images: 1,
      ...PLAIN,
      ...unread(),
      model: null,
      ...known,
    };
    this.sources.push(source);
    const other = like && this.ledger.get(`source/${like.id}`);
    this.ledger.note(`source/${source.id}`, other ?? this.#specimenNamed(group));
    this.#touch("sources", "specimens");
    return source;
  }

  /** @param {Source} source */
  remove(source) {
    this.sources = this.sources.filter((other) => other !== source);
    for (const cell of source.cells) this.#cells.delete(cell.id);
    if (this.shown === source) this.shown = null;
    this.#touch("sources", "cells", "specimens", "view");
  }

  /**
   * Makes a source wait to be read again. Answers to cells of the present reading stay in the ledger,
   * and come back with it.
   *
   * @param {Source} source
   * @param {Protocol.Reading} reading
   */
  reread(source, reading) {
    for (const cell of source.cells) this.#cells.delete(cell.id);
    const others = [...this.selection].filter((cell) => cell.source !== source);
    this.select(others, others.find((cell) => cell === this.current) ?? null);
    Object.assign(source, unread(), reading);
    this.#touch("sources", "cells", "specimens", "view");
  }

  /** Tells that a source's state has changed. @param {Source} source @param {Partial<Source>} news */
  update(source, news) {
    Object.assign(source, news);
    if (!this.sources.includes(source)) return; // it was cleared away while it was worked on
    if (source.preview && !this.shown) this.show(source);
    this.#touch("sources", "specimens");
  }

  /**
   * Takes in the cells of a source.
   *
   * @param {Source} source
   * @param {{ name: string, box: Protocol.Box, prediction: Protocol.Prediction | null }[]} cells
   */
  found(source, cells) {
    source.cells = cells.map((cell, index) => {
      const id = `${source.id}${readingId(source)}-${index}`;
      const answer = /** @type {any} */ (this.ledger.get(`cell/${id}`)) ?? null;
      return { ...cell, id, index, source, call: NO_CALL, answer };
    });
    for (const cell of source.cells) this.#cells.set(cell.id, cell);
    source.classified = cells.filter(({ prediction }) => prediction).length;
    this.#touch("sources", "cells", "specimens", "view");
  }

  /** @param {Source} source @param {number} from @param {Protocol.Prediction[]} predictions */
  classified(source, from, predictions) {
    predictions.forEach((prediction, i) => (source.cells[from + i].prediction = prediction));
    source.classified = Math.max(source.classified, from + predictions.length);
    this.#touch("sources", "cells", "specimens");
  }

  /** The reader calls these cells so; null takes the answer back. @param {Iterable<Cell>} cells @param {Protocol.Label | null} label */
  answer(cells, label) {
    this.#answer([...cells].map((cell) => [cell, label]));
  }

  /** The reader agrees with the model. @param {Iterable<Cell>} cells */
  confirm(cells) {
    this.#answer([...cells].map((cell) => [cell, cell.call.model]));
  }

  /** @param {[Cell, Protocol.Label | null][]} answers */
  #answer(answers) {
    const [reader, at] = [this.reader, new Date().toISOString()];
    this.ledger.set(
      answers
        .filter(([cell, label]) => cell.prediction && (cell.answer?.label ?? null) !== label)
        .map(([cell, label]) => [`cell/${cell.id}`, label ? { label, reader, at } : undefined]),
    );
  }

  /** Gives a specimen a name; the name of another merges the two. @param {Specimen} specimen @param {string} name */
  rename(specimen, name) {
    const other = this.specimens.find((one) => one.name === name && one !== specimen);
    if (other) this.merge(specimen, other);
    else if (name) this.ledger.set([[`specimen/${specimen.id}/name`, name]]);
  }

  /** @param {Specimen} specimen @param {Specimen} into */
  merge(specimen, into) {
    const note = [into.note, specimen.note].filter(Boolean).join("\n");
    const ungradable = !into.gradable || !specimen.gradable;
    /** @type {[string, string][]} */
    const moves = specimen.sources.map(({ id }) => [`source/${id}`, into.id]);
    this.ledger.set([
      ...moves,
      [`specimen/${into.id}/note`, note || undefined],
      [`specimen/${into.id}/ungradable`, ungradable || undefined],
    ]);
    if (this.scope !== specimen.id) return;
    this.scope = into.id; // its cells stay in view, and selected
    this.#touch("view");
  }

  /** Moves an image to another specimen, or to a new one of this name. @param {Source} source @param {Specimen | string} to */
  move(source, to) {
    if (typeof to !== "string") return this.ledger.set([[`source/${source.id}`, to.id]]);
    const id = `${this.#nextSpecimen++}`;
    this.ledger.set([
      [`specimen/${id}/name`, to],
      [`source/${source.id}`, id],
    ]);
  }

  /** Takes the last step back, or does it again, and selects the cells concerned. @param {"undo" | "redo"} way */
  step(way) {
    const keys = this.ledger[way]();
    const cells = keys.flatMap((key) => this.#cellOf(key) ?? []);
    if (cells.length > 0) {
      // What is selected is in view, lest the next key answer for cells that nobody sees.
      const sources = new Set(cells.map(({ source }) => source));
      const specimens = new Set([...sources].map((source) => this.specimenOf(source)?.id ?? null));
      const scope = specimens.size > 1 ? null : [...specimens][0];
      if (this.scope !== null && this.scope !== scope) this.see(scope);
      this.select(cells, cells[0]);
    }
    return keys.length > 0;
  }

  /** @param {Iterable<Cell>} cells @param {Cell | null} current */
  select(cells, current) {
    this.selection = new Set(cells);
    this.current = current;
    if (current?.source.preview && this.shown !== current.source) this.show(current.source);
    this.#touch("selection");
  }

  /** Leaves selected only what is among these cells, lest a key answer for one not in view. @param {Cell[]} cells */
  narrow(cells) {
    const seen = new Set(cells);
    this.selection = new Set([...this.selection].filter((cell) => seen.has(cell)));
    if (this.current && !seen.has(this.current)) this.current = null;
    this.#touch("selection");
  }

  /** Shows a field. @param {Source | null} source */
  show(source) {
    this.shown = source;
    this.#touch("view");
  }

  /** Shows one specimen, or all. @param {string | null} id */
  see(id) {
    this.scope = id;
    const sources = this.specimens.find((one) => one.id === id)?.sources ?? this.sources;
    if (!this.shown || !sources.includes(this.shown)) {
      this.shown = sources.find(({ preview }) => preview) ?? null;
    }
    this.narrow(this.cells);
    this.#touch("specimens", "view", "cells");
  }

  /** Forgets everything but who reads. */
  clear() {
    const reader = this.reader;
    this.restore([], reader ? { reader } : {});
  }

  /**
   * Takes over a saved study in place of this one.
   *
   * @param {import("./project.js").SourceRecord[]} sources
   * @param {Record<string, import("./ledger.js").Value>} entries of the ledger
   */
  restore(sources, entries) {
    const specimens = Object.keys(entries).map((key) => /^specimen\/(\d+)\//.exec(key)?.[1] ?? 0);
    const taken = [specimens.map(Number), sources.map(({ id }) => id)];
    [this.#nextSpecimen, this.#nextSource] = taken.map(above);
    this.generation += 1;
    this.#cells.clear();
    this.sources = [];
    this.shown = null;
    this.scope = null;
    this.select([], null);
    this.ledger.replace(entries);
    for (const { cells, ...known } of sources) {
      const source = { ...PLAIN, ...known, cells: [], embedded: 0, classified: 0 };
      this.sources.push(source);
      this.found(source, cells);
    }
    this.shown = this.sources.find(({ preview }) => preview) ?? null;
    this.#touch("sources", "specimens", "cells", "view");
  }

  /** @param {string} name @returns {string} the id */
  #specimenNamed(name) {
    for (const { id } of this.sources) {
      const specimen = this.ledger.get(`source/${id}`);
      if (specimen && this.ledger.get(`specimen/${specimen}/name`) === name) return `${specimen}`;
    }
    const id = `${this.#nextSpecimen++}`;
    this.ledger.note(`specimen/${id}/name`, name);
    return id;
  }

  #judge() {
    /** @type {Map<string, Source[]>} */
    const groups = new Map();
    for (const source of this.sources) {
      const id = String(this.ledger.get(`source/${source.id}`) ?? "");
      groups.set(id, [...(groups.get(id) ?? []), source]);
    }
    const vague = this.#models.filter((model) => !model.abstention);
    const points = vague.flatMap((model) => model.operatingPoints.map((p) => p.threshold));
    const { threshold, margin, needed } = this;
    const rule = { threshold, points, margin, needed };
    this.specimens = [...groups].map(([id, sources]) => {
      const cells = sources.flatMap((source) => source.cells);
      const gradable = this.ledger.get(`specimen/${id}/ungradable`) !== true;
      const evidence = cells.map(({ prediction, answer }) => ({
        decisionValue: prediction?.decisionValue ?? null,
        doubt: prediction?.doubt ?? null,
        answer: answer?.label ?? null,
      }));
      const { calls, verdict } = judge(evidence, { ...rule, gradable });
      // What is still to be read may hold what is not found so far.
      const unread = sources.some(({ status }) => status !== "done" && status !== "failed");
      if (unread && (verdict.preparation === "none" || verdict.preparation === "few")) {
        verdict.preparation = "open";
      }
      cells.forEach((cell, i) => (cell.call = calls[i]));
      const name = String(this.ledger.get(`specimen/${id}/name`) ?? t.specimen);
      const note = String(this.ledger.get(`specimen/${id}/note`) ?? "");
      return { id, name, note, gradable, sources, cells, verdict };
    });
    if (!this.specimens.some(({ id }) => id === this.scope)) this.scope = null;
  }

  /** The cell that a key of the ledger is about. @param {string} key */
  #cellOf(key) {
    return this.#cells.get(key.replace(/^cell\//, ""));
  }

  /** @param {Part[]} parts */
  #touch(...parts) {
    if (this.#changed.size === 0) soon(this.#cells.size, () => this.#tell());
    for (const part of parts) this.#changed.add(part);
  }

  #tell() {
    const detail = this.#changed;
    this.#changed = new Set();
    if (detail.has("cells") || detail.has("specimens")) this.#judge();
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}
