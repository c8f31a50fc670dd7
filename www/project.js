// @ts-check
/**
 * A study as plain records with their pictures, and as one project file.
 *
 * Invariant: equal studies give equal bytes; a file that is damaged, cut, of another format or holds what
 * no study does is refused whole, with the reason.
 *
 * The file: a line `mitoscope-project 1 BYTES SHA256`, then so many bytes of JSON with that digest,
 * then the pictures one after the other, whose lengths and digests the JSON holds.
 *
 * @import { Prediction } from "./protocol.js"
 * @import { Cell, ModelName, Source, Study } from "./study.js"
 * @import { Value } from "./ledger.js"
 */
import { RESEARCH_USE, t } from "./messages.js";
import { FIRST_READING } from "./reading.js";
import { ENDS } from "./study.js";
import { BOUNDARY, NEEDED } from "./verdict.js";

const MAGIC = "mitoscope-project 1";
/** Longer first lines are none of ours. */
const HEAD = 256;

export const PROJECT_NAME = /\.mitoscope$/i;

/**
 * @typedef {ReturnType<typeof sourceRecord>} SourceRecord
 * @typedef {{ bytes: number, type: string, sha256: string }} PictureRecord
 * @typedef {{ sources: SourceRecord[], ledger: Record<string, Value> }} Saved
 */

/** A source with its pictures as data that IndexedDB can hold. @param {Source} source */
export function sourceRecord(source) {
  const { id, name, folder, images, page, channel, pages, coloured, status } = source;
  const { size, preview, thumbnails, failure, model, cells } = source;
  return {
    ...{ id, name, folder, images, page, channel, pages, coloured },
    // What is under way cannot go on without its file.
    status:
      status === "waiting" || status === "working" ? /** @type {const} */ ("stopped") : status,
    ...{ size, preview, thumbnails, failure, model },
    cells: cells.map((cell) => ({ name: cell.name, box: cell.box, prediction: cell.prediction })),
  };
}

/** The study as a project file. @param {Study} study @returns {Promise<Blob>} */
export async function projectFile(study) {
  /** @type {Blob[]} */
  const pictures = [];
  const sources = study.sources.map(sourceRecord).map((record) => {
    /** @param {Blob} blob @returns {number} */
    const place = (blob) => pictures.push(blob) - 1;
    const { preview, thumbnails } = record;
    return {
      ...record,
      preview: preview && place(preview),
      thumbnails: thumbnails && { ...thumbnails, sheets: thumbnails.sheets.map(place) },
    };
  });
  const records = [];
  for (const blob of pictures) {
    const sha256 = await digest(await blob.arrayBuffer());
    records.push({ bytes: blob.size, type: blob.type, sha256 });
  }
  const content = { notice: RESEARCH_USE, ledger: study.ledger.entries(), sources };
  const json = new TextEncoder().encode(JSON.stringify({ ...content, pictures: records }));
  const head = `${MAGIC} ${json.length} ${await digest(json)}\n`;
  return new Blob([head, json, ...pictures], { type: "application/octet-stream" });
}

/** Reads a project file. @param {Blob} file @returns {Promise<Saved>} */
export async function readProject(file) {
  const first = (await file.slice(0, HEAD).text()).split("\n")[0];
  const found = /^mitoscope-project 1 (\d+) ([0-9a-f]{64})$/.exec(first);
  if (!found) throw refusal("it is not a mitoscope project of this format");
  const start = first.length + 1;
  const end = start + Number(found[1]);
  const bytes = await file.slice(start, end).arrayBuffer();
  if ((await digest(bytes)) !== found[2]) throw refusal("it is cut or damaged");
  /** @type {any} */
  const content = JSON.parse(new TextDecoder().decode(bytes));
  await check(content);
  const pictures = await slices(file, end, content.pictures);
  const sources = content.sources.map((/** @type {any} */ record) => ({
    ...record,
    preview: record.preview === null ? null : pictures[record.preview],
    thumbnails: record.thumbnails && {
      ...record.thumbnails,
      sheets: record.thumbnails.sheets.map((/** @type {number} */ place) => pictures[place]),
    },
  }));
  await new Promise((resolve) => setTimeout(resolve));
  return { sources, ledger: content.ledger };
}

/** The pictures behind the JSON. @param {Blob} file @param {number} start @param {PictureRecord[]} records */
async function slices(file, start, records) {
  const blobs = [];
  for (const { bytes, type, sha256 } of records) {
    const slice = file.slice(start, start + bytes, type);
    const content = await slice.arrayBuffer();
    if ((await digest(content)) !== sha256) throw refusal("a picture in it is cut or damaged");
    // In memory: the file itself may be moved or changed while the page is open.
    blobs.push(new Blob([content], { type }));
    start += bytes;
  }
  if (start !== file.size) throw refusal("it holds more than it says");
  return blobs;
}

/** Refuses what no study has written, however well it is sealed. @param {any} content */
async function check(content) {
  /** @param {() => boolean} holds on data that may lack whatever it asks for */
  const must = (holds) => {
    try {
      if (holds()) return;
    } catch {
      // It does lack something.
    }
    throw refusal("an entry in it has missing or wrong values");
  };
  must(() => {
    const { ledger, sources, pictures } = content;
    const ids = new Set(sources.map((/** @type {SourceRecord} */ { id }) => id));
    return (
      Object.getPrototypeOf(ledger) === Object.prototype &&
      isLedger(ledger) &&
      ids.size === sources.length &&
      pictures.every((/** @type {PictureRecord} */ { bytes }) => numbers(bytes))
    );
  });
  // In portions, so that the page stays responsive while a large project opens.
  for (const [i, source] of content.sources.entries()) {
    must(() => isSource(source, content.pictures));
    if (i % 16 === 15) await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Whether a person can have decided so. @param {Record<string, any>} ledger */
function isLedger({ threshold = BOUNDARY, needed = NEEDED, ...others }) {
  const answers = Object.entries(others).filter(([key]) => key.startsWith("cell/"));
  return (
    numbers(threshold) &&
    Number.isInteger(needed) &&
    needed > 0 &&
    answers.every(([, { label }]) => label === "mitotic" || label === "interphase")
  );
}

/**
 * Whether a study can hold a source.
 *
 * @param {any} source the oldest know no folder, page and channel
 * @param {PictureRecord[]} pictures
 */
function isSource(source, pictures) {
  const { folder = "", page = FIRST_READING.page, channel = FIRST_READING.channel } = source;
  const { id, name, images, status, size, preview, thumbnails, failure, model, cells } = source;
  const isThere = (/** @type {any} */ place) => Number.isInteger(place) && place in pictures;
  return (
    Number.isInteger(id) &&
    Number.isInteger(images) &&
    images > 0 &&
    texts(name, folder) &&
    ENDS.includes(status) &&
    Number.isInteger(page) &&
    page >= 0 &&
    Object.hasOwn(t.channels, channel) &&
    (size === null || numbers(size.width, size.height)) &&
    (preview === null || isThere(preview)) &&
    (thumbnails === null ||
      (thumbnails.sheets.every(isThere) && areEnough(thumbnails, cells.length))) &&
    (failure === null || texts(failure.code, failure.message)) &&
    (model === null || isModel(model)) &&
    cells.every(isCell)
  );
}

/** Whether sheets have room for so many cells. @param {any} thumbnails @param {number} cells */
function areEnough({ columns, rows, sheets }, cells) {
  const sized = [columns, rows].every((count) => Number.isInteger(count) && count > 0);
  return sized && sheets.length * columns * rows >= cells;
}

/** @param {ModelName} model */
function isModel({ sha256, operatingPoints, abstention }) {
  return (
    texts(sha256) &&
    operatingPoints.every(({ name, threshold }) => texts(name) && numbers(threshold)) &&
    (!abstention || numbers(abstention.low, abstention.high))
  );
}

/** @param {SourceRecord["cells"][number]} cell */
function isCell({ name, box, prediction }) {
  const placed = texts(name) && numbers(box.x, box.y, box.w, box.h);
  return placed && (prediction === null || isPrediction(prediction));
}

/** @param {Prediction} prediction */
function isPrediction({ decisionValue, probability, point, neighbours }) {
  return (
    numbers(decisionValue, probability) &&
    (!point || (point.length === 2 && numbers(...point))) &&
    (neighbours ?? []).every(({ index, distance }) => numbers(index, distance))
  );
}

/** @param {unknown[]} values */
function numbers(...values) {
  return values.every((value) => Number.isFinite(value));
}

/** @param {unknown[]} values */
function texts(...values) {
  return values.every((value) => typeof value === "string");
}

/** @param {BufferSource} bytes */
async function digest(bytes) {
  if (!globalThis.crypto?.subtle) {
    throw Object.assign(new Error("no digest"), { code: "insecure" });
  }
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} reason */
function refusal(reason) {
  return Object.assign(new Error(`the project cannot be opened: ${reason}`), { code: "project" });
}
