// @ts-check
/**
 * What was dropped and what was found in it; works through the files one by one.
 *
 * Invariant: a file that fails stops no other; each source ends as done, failed or stopped.
 *
 * @import { Client } from "./client.js"
 * @import * as Protocol from "./protocol.js"
 */
import { t } from "./messages.js";

/**
 * @typedef {"waiting" | "working" | "done" | "failed" | "stopped"} Status
 *
 * @typedef {object} Source one field, or the single-cell images of one drop
 * @property {number} id
 * @property {string} name
 * @property {number} images how many files it stands for
 * @property {Status} status
 * @property {Cell[]} cells
 * @property {number} classified how many of `cells` have a prediction
 * @property {{ width: number, height: number } | null} size in pixels; null for single cells
 * @property {Protocol.Picture | null} preview
 * @property {Protocol.Failure | null} failure
 *
 * @typedef {object} Cell
 * @property {string} id unique, fit for an element's id
 * @property {Source} source
 * @property {string} name of its file
 * @property {Protocol.Box} box
 * @property {Protocol.Picture} thumbnail
 * @property {Protocol.Prediction | null} prediction
 *
 * @typedef {object} Job the files of one drop
 * @property {{ file: File, source: Source }[]} files
 * @property {Protocol.Kind} as
 * @property {AbortSignal} signal
 *
 * @typedef {object} Pace
 * @property {number} image the one in work, counted from 1
 * @property {number} images
 * @property {number} done classified cells of it
 * @property {number} cells of it
 * @property {number | null} secondsLeft for all images; null while unknown
 */

/**
 * Tells what happens through events: `source` (detail: Source, new or changed), `gone` (Source),
 * `cells` (Cell[], newly classified), `pace` (Pace), `running` (boolean).
 */
export class Session extends EventTarget {
  /** @type {Source[]} */
  sources = [];
  #client;
  /** @type {Job[]} */
  #jobs = [];
  #abort = new AbortController();
  #running = false;
  #nextId = 0;
  #clock = { image: 0, images: 0, cells: 0, milliseconds: 0 };

  /** @param {Client} client */
  constructor(client) {
    super();
    this.#client = client;
  }

  /** Queues files; starts when idle. @param {File[]} files @param {Protocol.Kind} as */
  add(files, as) {
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
    const waiting = files.map((file) => ({ file, source: this.#source({ name: file.name }) }));
    this.#jobs.push({ files: waiting, as, signal: this.#abort.signal });
    this.#clock.images += files.length;
    if (!this.#running) void this.#run();
  }

  /** Stops after the batch in work; what is classified stays. */
  cancel() {
    this.#abort.abort();
  }

  /** Forgets everything; only while nothing runs. */
  clear() {
    for (const source of this.sources.splice(0)) this.#tell("gone", source);
  }

  /** Mitotic and classified cells, of one source or of all. @param {Source[]} [sources] */
  count(sources = this.sources) {
    let mitotic = 0;
    let cells = 0;
    for (const source of sources) {
      cells += source.classified;
      for (const { prediction } of source.cells)
        mitotic += prediction?.prediction === "mitotic" ? 1 : 0;
    }
    return { mitotic, cells };
  }

  async #run() {
    this.#running = true;
    this.#tell("running", true);
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      const crops = [];
      for (const { file, source } of job.files) {
        this.#clock.image += 1;
        if (await this.#image(file, source, job.as, job.signal)) crops.push(file);
      }
      if (crops.length > 0) await this.#crops(crops, job.signal);
    }
    this.#running = false;
    this.#clock = { image: 0, images: 0, cells: 0, milliseconds: 0 };
    this.#tell("running", false);
  }

  /**
   * Classifies a field. Returns true for an image of a single cell, which waits for its like.
   *
   * @param {File} file @param {Source} source @param {Protocol.Kind} as @param {AbortSignal} signal
   */
  async #image(file, source, as, signal) {
    let holds = "field";
    await this.#attempt(source, signal, async () => {
      const bytes = await read(file);
      const onProgress = this.#receiver(source, () => source.name);
      ({ holds } = await this.#client.image(bytes, { as, signal, onProgress }));
    });
    if (source.status !== "done" || holds === "field") return false;
    this.sources.splice(this.sources.indexOf(source), 1);
    this.#tell("gone", source);
    return true;
  }

  /** @param {File[]} files @param {AbortSignal} signal */
  async #crops(files, signal) {
    const name = files.length === 1 ? files[0].name : t.singleCells(files.length);
    const group = this.#source({ name, images: files.length });
    await this.#attempt(group, signal, async () => {
      const bytes = await Promise.all(files.map(read));
      const onProgress = this.#receiver(group, (index) => files[index].name);
      await this.#client.crops(bytes, { signal, onProgress });
    });
  }

  /**
   * Works on a source and settles its status, whatever happens.
   *
   * @param {Source} source
   * @param {AbortSignal} signal
   * @param {() => Promise<void>} work
   */
  async #attempt(source, signal, work) {
    try {
      signal.throwIfAborted();
      source.status = "working";
      this.#tell("source", source);
      await work();
      source.status = "done";
    } catch (error) {
      source.status = signal.aborted ? "stopped" : "failed";
      source.failure = signal.aborted ? null : failureOf(error);
    }
    this.#tell("source", source);
  }

  /**
   * Takes the progress of one request into `source`.
   *
   * @param {Source} source
   * @param {(index: number) => string} nameOf the file of this index
   */
  #receiver(source, nameOf) {
    let since = performance.now();
    /** @param {Protocol.Progress} progress */
    return (progress) => {
      switch (progress.stage) {
        case "unreadable":
          source.images -= 1;
          this.#source({
            name: nameOf(progress.index),
            status: "failed",
            failure: progress.failure,
          });
          break;
        case "found":
          source.size = progress.size;
          source.preview = progress.preview;
          source.cells = progress.boxes.map((box, i) => ({
            id: `cell-${source.id}-${i}`,
            source,
            name: nameOf(progress.indices[i] ?? 0),
            box,
            thumbnail: progress.thumbnails[i],
            prediction: null,
          }));
          break;
        case "classified": {
          const cells = source.cells.slice(
            progress.from,
            progress.from + progress.predictions.length,
          );
          cells.forEach((cell, i) => (cell.prediction = progress.predictions[i]));
          source.classified += cells.length;
          this.#clock.cells += cells.length;
          this.#clock.milliseconds += performance.now() - since;
          this.#tell("cells", cells);
        }
      }
      since = performance.now();
      this.#tell("source", source);
      this.#tell("pace", this.#pace(source));
    };
  }

  /** @param {Source} source @returns {Pace} */
  #pace(source) {
    const { image, images, cells, milliseconds } = this.#clock;
    const here = source.cells.length;
    // Images not yet read are taken to hold as many cells as this one, single cells aside.
    const later = source.size ? (images - image) * here : 0;
    const left = here - source.classified + later;
    const secondsLeft = cells > 0 ? (left * milliseconds) / cells / 1000 : null;
    return { image, images, done: source.classified, cells: here, secondsLeft };
  }

  /** Adds a source that waits. @param {Pick<Source, "name"> & Partial<Source>} known */
  #source(known) {
    /** @type {Source} */
    const source = {
      id: this.#nextId++,
      images: 1,
      status: "waiting",
      cells: [],
      classified: 0,
      size: null,
      preview: null,
      failure: null,
      ...known,
    };
    this.sources.push(source);
    this.#tell("source", source);
    return source;
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {File} file */
async function read(file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw { code: "unreadable", message: file.name };
  }
}

/** @param {any} error @returns {Protocol.Failure} */
function failureOf(error) {
  return { code: error?.code ?? "internal", message: String(error?.message ?? error) };
}
