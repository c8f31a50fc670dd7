// @ts-check
/**
 * Works through the files one by one and brings what is found into the study.
 *
 * Invariant: a file that fails stops no other; each source ends as done, failed or stopped.
 *
 * @import { Client } from "./client.js"
 * @import { Given } from "./files.js"
 * @import * as Protocol from "./protocol.js"
 * @import { Source, Study } from "./study.js"
 */
import { failure } from "./engine.js";
import { specimenName } from "./files.js";
import { t } from "./messages.js";
import { ENDS } from "./study.js";

/**
 * @typedef {object} Job the files of one drop
 * @property {{ file: File, group: string, source: Source }[]} files
 * @property {Protocol.Kind} as
 * @property {AbortSignal} signal
 * @property {number} generation of the study they were dropped into
 *
 * @typedef {object} Pace
 * @property {number} image the one in work, counted from 1
 * @property {number} images
 * @property {number} done embedded cells of it
 * @property {number} cells of it
 * @property {number | null} secondsLeft for all images; null while unknown
 */

/** Tells how it goes through the events `pace` (detail: Pace) and `running` (boolean). */
export class Session extends EventTarget {
  #client;
  #study;
  /** @type {Job[]} */
  #jobs = [];
  #abort = new AbortController();
  #clock = { image: 0, images: 0, cells: 0, milliseconds: 0 };
  /** @type {WeakMap<Source, AbortController>} stops the work on one source */ #stops =
    new WeakMap();
  running = false;

  /** @param {Client} client @param {Study} study */
  constructor(client, study) {
    super();
    this.#client = client;
    this.#study = study;
  }

  /** Queues files; starts when idle. @param {Given[]} files @param {Protocol.Kind} as */
  add(files, as) {
    const waiting = files.map((given) => {
      const group = specimenName(given);
      const { file, folder } = given;
      const again = this.#ended(given);
      if (again) this.#study.reread(again, { page: again.page, channel: again.channel });
      const source = again ?? this.#study.add({ name: file.name, folder }, group);
      source.file = file; // that of before may have become unreadable
      return { file, group, source };
    });
    this.#queue(waiting, as);
  }

  /** The image that has been read from the same file, lest its cells count twice. @param {Given} given */
  #ended({ file: { name, size, lastModified }, folder }) {
    return this.#study.sources.find((one) => {
      const { file, status } = one;
      const same = file?.name === name && file.size === size && file.lastModified === lastModified;
      return ENDS.includes(status) && same && one.folder === folder;
    });
  }

  /** Reads another page or channel of a field's file. @param {Source} source @param {Protocol.Reading} reading */
  reread(source, reading) {
    const { file, status } = source;
    if (!file) return;
    this.#study.reread(source, reading);
    if (status === "waiting") return; // its turn comes, with what is now wanted
    this.#stops.get(source)?.abort();
    this.#queue([{ file, group: "", source }], "field");
  }

  /** Stops at once; what is classified stays. */
  cancel() {
    this.#abort.abort();
  }

  /** @param {Job["files"]} files @param {Protocol.Kind} as */
  #queue(files, as) {
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
    const { generation } = this.#study;
    this.#jobs.push({ files, as, signal: this.#abort.signal, generation });
    this.#clock.images += files.length;
    if (!this.running) void this.#run();
  }

  async #run() {
    this.running = true;
    this.#tell("running", true);
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      /** @type {Map<string, Job["files"]>} */
      const crops = new Map();
      for (const given of job.files) {
        const { file, group, source } = given;
        this.#clock.image += 1;
        if (!(await this.#image(file, source, job.as, job.signal))) continue;
        const place = `${source.folder}/${group}`;
        crops.set(place, [...(crops.get(place) ?? []), given]);
      }
      for (const together of crops.values()) {
        // Other work may have taken the place of theirs.
        if (job.generation === this.#study.generation) await this.#crops(together, job.signal);
      }
    }
    this.running = false;
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
    await this.#attempt(source, signal, async (signal) => {
      const bytes = await read(file);
      const { page, channel } = source;
      const onProgress = this.#receiver(source, () => source.name);
      const options = { as, reading: { page, channel }, signal, onProgress };
      ({ holds } = await this.#client.image(bytes, options));
    });
    if (source.status !== "done" || holds === "field") return false;
    this.#study.remove(source);
    return true;
  }

  /** @param {Job["files"]} together of one folder and specimen @param {AbortSignal} signal */
  async #crops(together, signal) {
    const files = together.map(({ file }) => file);
    const { group, source: first } = together[0];
    const name = files.length === 1 ? files[0].name : t.singleCells(files.length);
    const known = { name, folder: first.folder, images: files.length };
    const source = this.#study.add(known, group, first);
    await this.#attempt(source, signal, async (signal) => {
      const bytes = await Promise.all(files.map(read));
      const onProgress = this.#receiver(source, (index) => files[index].name);
      await this.#client.crops(bytes, { signal, onProgress });
    });
  }

  /**
   * Works on a source and settles its status, whatever happens, unless it is to be read otherwise.
   *
   * @param {Source} source
   * @param {AbortSignal} all stops everything
   * @param {(signal: AbortSignal) => Promise<void>} work
   */
  async #attempt(source, all, work) {
    const own = new AbortController();
    this.#stops.set(source, own);
    const signal = AbortSignal.any([all, own.signal]);
    try {
      signal.throwIfAborted();
      this.#study.update(source, { status: "working", model: this.#study.model });
      await work(signal);
      this.#study.update(source, { status: "done" });
    } catch (error) {
      if (own.signal.aborted && !all.aborted) return; // it waits to be read again
      const [status, why] = signal.aborted
        ? [/** @type {const} */ ("stopped"), null]
        : [/** @type {const} */ ("failed"), failure(error)];
      this.#study.update(source, { status, failure: why });
    }
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
        case "unreadable": {
          const { failure, index } = progress;
          this.#study.update(source, { images: source.images - 1 });
          this.#study.add({ name: nameOf(index), status: "failed", failure }, "", source);
          break;
        }
        case "opened":
          this.#study.update(source, progress.contents);
          break;
        case "found": {
          const { size, preview, boxes, indices } = progress;
          this.#study.update(source, { size, preview });
          this.#study.found(
            source,
            boxes.map((box, i) => ({ name: nameOf(indices[i] ?? 0), box, prediction: null })),
          );
          break;
        }
        case "pictured":
          this.#study.update(source, { thumbnails: progress.thumbnails });
          break;
        case "embedded":
          this.#clock.cells += progress.count - source.embedded;
          this.#clock.milliseconds += performance.now() - since;
          this.#study.update(source, { embedded: progress.count });
          break;
        case "glimpsed":
        case "classified":
          this.#study.classified(source, progress.from, progress.predictions);
      }
      since = performance.now();
      this.#tell("pace", this.#pace(source));
    };
  }

  /** @param {Source} source @returns {Pace} */
  #pace(source) {
    const { image, images, cells, milliseconds } = this.#clock;
    const here = source.cells.length;
    // Images not yet read are taken to hold as many cells as this one, single cells aside.
    const later = source.size ? (images - image) * here : 0;
    const left = here - source.embedded + later;
    const secondsLeft = cells > 0 ? (left * milliseconds) / cells / 1000 : null;
    return { image, images, done: source.embedded, cells: here, secondsLeft };
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
